"""All pipelines at a glance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taiga_pipeline.workers.decisions import Ending
from taiga_pipeline.workers.fleet import Fleet, Member, QueueTable, WorkersTable
from taiga_pipeline.workers.ledger import LastRun, QueuedJob
from taiga_pipeline.workers.overview import Line, Now, overview
from taiga_pipeline.workers.schedule import Every, Schedule

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=40)
HOUR = Every(timedelta(hours=1))


def line(
    job: QueuedJob | None = None,
    *,
    run: LastRun | None = None,
    held: datetime | None = None,
    schedule: Schedule | None = HOUR,
) -> Line:
    """Returns the only line of a fleet of one."""
    member = Member("acme", Path("config.toml"), "host", 0, schedule)
    fleet = Fleet(
        Path("workers.toml"), QueueTable(url="postgresql://h/d"), WorkersTable(), {"acme": member}
    )
    hosts = {"host": held} if held else {}
    (found,) = overview(fleet, {"acme": run} if run else {}, [job] if job else [], hosts, NOW)
    return found


def job(due: datetime | None, *, is_running: bool = False) -> QueuedJob:
    return QueuedJob(1, "acme", is_running, due)


def test_each_state_is_told_with_what_comes_next() -> None:
    idle = line()
    assert (idle.now, idle.next) == (Now.IDLE, HOUR.next("acme", NOW))
    assert (line(schedule=None).now, line(schedule=None).next) == (Now.OFF, None)
    assert line(job(NOW, is_running=True)).now is Now.RUNNING
    assert (line(job(NOW)).now, line(job(NOW)).next) == (Now.QUEUED, NOW)
    assert (line(job(SOON)).now, line(job(SOON)).next) == (Now.WAITING, SOON)
    held = line(job(NOW), held=SOON)
    assert (held.now, held.next) == (Now.HELD, SOON)


def test_one_that_runs_and_is_asked_for_again_is_running() -> None:
    member = Member("acme", Path("config.toml"), "host", 0, HOUR)
    fleet = Fleet(
        Path("workers.toml"), QueueTable(url="postgresql://h/d"), WorkersTable(), {"acme": member}
    )
    for jobs in ([job(NOW, is_running=True), job(SOON)], [job(SOON), job(NOW, is_running=True)]):
        assert overview(fleet, {}, jobs, {}, NOW)[0].now is Now.RUNNING


@pytest.mark.parametrize("ending", list(Ending))
def test_a_person_is_needed_where_time_alone_mends_nothing(ending: Ending) -> None:
    needed = {Ending.PARTIAL, Ending.REFUSED, Ending.USAGE, Ending.UNEXPECTED}
    assert line(run=LastRun("acme", ending=ending.value)).needs_person is (ending in needed)


def test_open_conflicts_need_a_person_whatever_the_last_run_met() -> None:
    run = LastRun("acme", ending=Ending.UNREACHABLE.value, waiting=2)
    assert line(run=run).needs_person


def test_age_counts_from_the_last_success() -> None:
    run = LastRun("acme", succeeded_at=NOW - timedelta(minutes=61))
    assert line(run=run).age(NOW) == timedelta(minutes=61)
    assert line(run=run).is_stale(NOW, timedelta(hours=1))
    assert not line(run=run).is_stale(NOW, timedelta(hours=2))
    assert line().is_stale(NOW, timedelta(days=9)), "there was none"
    assert not line(schedule=None).is_stale(NOW, timedelta(hours=1)), "nobody expects it to run"


def test_what_the_queue_says_of_strangers_is_not_shown() -> None:
    fleet = Fleet(Path("workers.toml"), QueueTable(url="postgresql://h/d"), WorkersTable(), {})
    assert overview(fleet, {"x": LastRun("x")}, [job(NOW)], {}, NOW) == []
