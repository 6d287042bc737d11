"""Places at a host, and who goes first."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.workers.fairness import FIRST, lock, places, priority

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
SECOND = timedelta(seconds=1)


@given(MOMENTS, MOMENTS)
def test_the_more_overdue_goes_first(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    assert priority(first) >= priority(second)
    if second - first > SECOND:
        assert priority(first) > priority(second)


@given(MOMENTS)
def test_a_priority_fits_into_the_queues_column_and_is_below_housekeeping(at: datetime) -> None:
    assert -(2**31) <= priority(at) < FIRST < 2**31


@given(st.sets(st.text("abcdef", min_size=1), max_size=40), st.integers(1, 8))
def test_pipelines_are_dealt_evenly_and_alike_on_every_machine(
    names: set[str], per_host: int
) -> None:
    dealt = places(sorted(names, reverse=True), per_host)
    assert dealt == places(names, per_host)
    counts = Counter(dealt.values())
    assert set(counts) <= set(range(per_host))
    if counts:
        assert max(counts.values()) - min(counts[n] for n in range(per_host)) <= 1


def test_fleets_and_hosts_have_locks_of_their_own() -> None:
    assert len({lock("a", "h", 0), lock("a", "h", 1), lock("a", "g", 0), lock("b", "h", 0)}) == 4
