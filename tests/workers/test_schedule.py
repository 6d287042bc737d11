"""When a pipeline is due: the same on all machines, spread by name."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.workers.schedule import Cron, Every, parse_cron, parse_span, share

NOW = datetime(2026, 11, 23, 9, 0, 17, 250_000, tzinfo=UTC)
STOCKHOLM = ZoneInfo("Europe/Stockholm")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
SCHEDULES = st.sampled_from(
    [
        Every(timedelta(seconds=90)),
        Every(timedelta(minutes=15)),
        Every(timedelta(days=1)),
        Cron("0 2 * * *", STOCKHOLM, timedelta(minutes=30)),
        Cron("*/20 7-18 * * 1-5", ZoneInfo("UTC"), timedelta()),
    ]
)


@given(SCHEDULES, st.text("abc-", min_size=1, max_size=8), MOMENTS)
def test_the_latest_slot_is_the_last_one_before_the_next(schedule, name, now) -> None:  # type: ignore[no-untyped-def]
    latest, following = schedule.latest(name, now), schedule.next(name, now)
    assert latest <= now < following
    assert schedule.latest(name, latest) == latest, "a slot has come at its own second"
    assert schedule.latest(name, following - timedelta(microseconds=1)) == latest
    assert schedule.next(name, latest) == following


def test_pipelines_with_one_schedule_are_spread_over_its_period() -> None:
    every = Every(timedelta(minutes=15))
    slots = [every.next(f"pipeline-{n}", NOW) for n in range(500)]
    by_minute = Counter(slot.minute % 15 for slot in slots)
    assert len(by_minute) == 15
    assert max(by_minute.values()) < 2 * 500 / 15
    assert max(Counter(slots).values()) <= 5, "so many at most in the same second"


def test_a_pipeline_keeps_its_place_from_day_to_day() -> None:
    every = Every(timedelta(hours=1))
    first = every.next("acme", NOW)
    assert every.next("acme", NOW + timedelta(days=40)) - first == timedelta(days=40)


def test_cron_means_the_clock_on_the_wall_also_when_that_is_put_back() -> None:
    cron = Cron("0 2 * * *", STOCKHOLM, timedelta())
    summer = cron.next("acme", datetime(2026, 10, 24, 12, 0, tzinfo=UTC) - timedelta(days=1))
    winter = cron.next("acme", datetime(2026, 10, 25, 12, 0, tzinfo=UTC))
    assert summer == datetime(2026, 10, 24, 0, 0, tzinfo=UTC)
    assert winter == datetime(2026, 10, 26, 1, 0, tzinfo=UTC)


def test_cron_is_postponed_by_no_more_than_its_spread() -> None:
    cron = Cron("0 2 * * *", ZoneInfo("UTC"), timedelta(minutes=10))
    slots = {cron.next(f"p{n}", NOW) for n in range(200)}
    midnight = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert midnight <= min(slots) < max(slots) < midnight + timedelta(minutes=10)
    assert len(slots) > 100


def test_without_a_span_there_is_nothing_to_spread() -> None:
    assert share("acme", timedelta()) == timedelta()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7_200), ("1d", 86_400)]
)
def test_spans_are_read(text: str, seconds: int) -> None:
    assert parse_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "0m", "-5m", "1.5h", "15 m", "1w"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 15m, 2h or 1d"):
        parse_span(text)


@pytest.mark.parametrize("text", ["", "* * * *", "61 * * * *", "* * * * * */5", "a b c d e"])
def test_what_is_no_cron_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cron"):
        parse_cron(text)


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(ValueError, match="not a cron expression"):
        parse_cron("0 0 31 2 *")
