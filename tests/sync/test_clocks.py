"""A clock that jumps: nothing is lost, doubled or kept waiting by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.clock import EndOfRun, StoppableClock, SystemClock
from sync.errors import Interrupted
from sync.records.model import RecordKey, WhenDropped
from sync.run.runner import Outcome
from sync.state.health import look_at
from sync.state.store import JournalEntry, StateStore
from sync.state.times import compare_is_due, settle_wait, trusted_now
from tests.sync.world import FakeClock

JUMPS = [timedelta(days=400), timedelta(days=-400), timedelta(hours=5), timedelta(hours=-5)]
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[StateStore]:
    made = StateStore(f"sqlite:///{tmp_path / 'state.db'}", "acme", clock)
    yield made
    made.close()


def a_run(store: StateStore, *, full: bool = True) -> int:
    number = store.begin_run(full)
    store.end_run(number, Outcome.DONE, {})
    return number


@pytest.mark.parametrize("jump", JUMPS)
def test_a_success_is_never_fresh_by_a_clock_that_was_wrong(
    store: StateStore, clock: FakeClock, jump: timedelta
) -> None:
    clock.time += jump
    a_run(store)
    clock.time -= jump
    health = look_at(store)
    assert not health.is_fresh(HOUR)
    assert health.is_ahead is (jump > timedelta())
    a_run(store)
    assert look_at(store).is_fresh(HOUR), "the next run that succeeds heals it"


def test_a_success_of_a_moment_ago_by_a_clock_that_was_set_back_a_little_is_fresh(
    store: StateStore, clock: FakeClock
) -> None:
    a_run(store)
    clock.advance(seconds=-20)
    assert look_at(store).is_fresh(HOUR)


@pytest.mark.parametrize("jump", JUMPS)
def test_the_complete_comparison_waits_for_no_clock_that_was_wrong(
    store: StateStore, clock: FakeClock, jump: timedelta
) -> None:
    a_run(store)
    assert not compare_is_due(store, 24)
    clock.time += jump
    if compare_is_due(store, 24):
        a_run(store)
    clock.time -= jump
    if compare_is_due(store, 24):
        a_run(store)
    assert not compare_is_due(store, 24), "it is not compared forever, either"
    clock.advance(hours=25)
    assert compare_is_due(store, 24)


@pytest.mark.parametrize("runs", [1, 3, 6])
@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_takes_no_history_with_it(
    store: StateStore, clock: FakeClock, jump: timedelta, runs: int
) -> None:
    for _ in range(60):  # two months, once a day
        clock.advance(days=1)
        a_run(store)
    right = clock.now()
    clock.time += jump
    for _ in range(runs):
        a_run(store)
        now = trusted_now(store)
        assert now <= right + timedelta(days=9)
        store.prune(now - timedelta(days=90), now - timedelta(days=90))
    assert len(store.runs(limit=1000)) == 60 + runs


def test_what_is_old_is_still_forgotten_a_week_after_a_long_silence(
    store: StateStore, clock: FakeClock
) -> None:
    a_run(store)
    clock.advance(days=400)
    for _ in range(8):
        clock.advance(days=1)
        a_run(store)
    assert trusted_now(store) == clock.now()


# --- writes that were cut off


def cut_off(store: StateStore) -> JournalEntry:
    """Returns a write of just now of which it is unknown what became."""
    return JournalEntry(
        id=1,
        run_id=store.begin_run(False),
        key=RecordKey("D-1", "project", ""),
        action="create",
        reason="",
        changes=(),
        intended={},
        identity="",
        when_dropped=WhenDropped.KEEP,
        status="open",
        target_id="",
        error="",
        intended_at=store.now(),
        finished_at=None,
    )


@pytest.mark.parametrize("jump", JUMPS)
def test_a_write_of_just_now_is_waited_for_whatever_the_clock_says_and_no_longer(
    store: StateStore, clock: FakeClock, jump: timedelta
) -> None:
    write = cut_off(store)
    clock.time += jump
    assert settle_wait(store, write, 30) == 30
    a_run(store, full=False)
    assert settle_wait(store, write, 30) == 0, "a run finished after it"


def test_a_write_of_some_seconds_ago_is_waited_for_as_long_as_is_left(
    store: StateStore, clock: FakeClock
) -> None:
    write = cut_off(store)
    clock.advance(seconds=10)
    assert settle_wait(store, write, 30) == 20
    clock.advance(seconds=25)
    assert settle_wait(store, write, 30) == 0


# --- where machines share the store


@pytest.mark.parametrize("jump", JUMPS)
def test_rows_that_machines_share_are_dated_by_the_database(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    monkeypatch.setattr(SystemClock, "now", lambda self: datetime.now(UTC) + jump)
    store = StateStore(postgresql_url, "acme", SystemClock())
    try:
        a_run(store)
        (run,) = store.runs()
        assert abs(run.started_at - datetime.now(UTC)) < HOUR
        assert run.finished_at is not None
        assert abs(run.finished_at - datetime.now(UTC)) < HOUR
        assert look_at(store).is_fresh(HOUR)
        assert not compare_is_due(store, 24)
    finally:
        store.close()


# --- a run's end


@pytest.mark.parametrize("who", ["the run", "outside"])
def test_nobody_waits_any_longer_once_the_run_ends(who: str) -> None:
    outside = threading.Event()
    end = EndOfRun(outside)
    clock = StoppableClock(SystemClock(), end)
    clock.sleep(0.01)
    waits = threading.Timer(0.01, (end if who == "the run" else outside).set)
    waits.start()
    with pytest.raises(Interrupted):
        clock.sleep(600)
    assert end.is_set()
    assert outside.is_set() is (who == "outside")
    waits.join()
