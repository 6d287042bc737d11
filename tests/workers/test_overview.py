"""All pipelines at a glance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taiga_pipeline.workers.decisions import Ending
from taiga_pipeline.workers.fleet import Fleet, Member, QueueTable, WorkersTable
from taiga_pipeline.workers.ledger import LastRun, Sight
from taiga_pipeline.workers.overview import Line, Now, overview
from taiga_pipeline.workers.queued import QueuedJob
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
    runs = {"acme": run} if run else {}
    (found,) = overview(fleet, Sight(NOW, runs, [job] if job else [], hosts))
    return found


def job(due: datetime | None, *, is_running: bool = False) -> QueuedJob:
    return QueuedJob(1, "acme", is_running, due)


def test_each_state_is_reported_with_what_comes_next() -> None:
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
        assert overview(fleet, Sight(NOW, {}, jobs, {}))[0].now is Now.RUNNING


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
    assert overview(fleet, Sight(NOW, {"x": LastRun("x")}, [job(NOW)], {})) == []


# --- slots that passed without a run, and times that cannot be

AGO = timedelta(minutes=50)


def latest(now: datetime = NOW) -> datetime:
    return HOUR.latest("acme", now)


@pytest.mark.parametrize(
    "run",
    [
        LastRun("acme", slot=latest(), started_at=latest()),
        LastRun("acme", slot=latest(), started_at=latest(), finished_at=latest() - AGO),
        LastRun("acme", slot=latest(), started_at=latest() - AGO, finished_at=latest() - AGO),
    ],
    ids=["begun and never ended", "ended before, not since", "queued and never begun"],
)
def test_a_run_that_is_gone_with_its_job_needs_a_person(run: LastRun) -> None:
    found = line(run=run)
    assert "was lost" in found.trouble
    assert found.needs_person
    assert not line(job(NOW), run=run).trouble, "its job is there"
    assert not line(job(NOW, is_running=True), run=run).trouble


def test_a_slot_that_nobody_queued_needs_a_person() -> None:
    before = latest() - timedelta(hours=3)
    run = LastRun("acme", slot=before, started_at=before, finished_at=before)
    assert "passed without a run" in line(run=run).trouble
    assert not line(run=run, schedule=None).trouble, "nobody expects it to run"


def test_a_run_that_ended_after_its_slot_is_fine() -> None:
    run = LastRun("acme", slot=latest(), started_at=latest(), finished_at=latest() + AGO / 9)
    assert line(run=run).trouble == ""
    early = latest() - timedelta(seconds=50)
    run = LastRun("acme", slot=latest(), started_at=early, finished_at=early)
    assert line(run=run).trouble == "", "a job that waited already did the slot's work"
    assert line(run=LastRun("acme", slot=latest())).trouble == "", "a new one waits for its slot"
    assert line(run=None).trouble == ""


def test_a_job_that_nobody_takes_needs_a_person() -> None:
    assert line(job(NOW - timedelta(minutes=59))).trouble == ""
    assert "no worker takes it" in line(job(NOW - timedelta(minutes=61))).trouble


@pytest.mark.parametrize("ahead", [timedelta(minutes=3), timedelta(hours=5), timedelta(days=400)])
def test_a_success_in_the_future_is_never_fresh(ahead: timedelta) -> None:
    found = line(run=LastRun("acme", succeeded_at=NOW + ahead))
    assert found.age(NOW) is None
    assert found.is_stale(NOW, timedelta(days=1000))
    assert "in the future" in found.trouble
    assert found.needs_person


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(days=400)])
def test_a_slot_or_a_wait_in_the_far_future_is_said(ahead: timedelta) -> None:
    assert "in the future" in line(run=LastRun("acme", slot=NOW + ahead)).trouble
    assert "a clock was wrong" in line(job(NOW + ahead)).trouble
    assert line(job(NOW + timedelta(minutes=59))).trouble == "", "another try may be that far off"


@pytest.mark.parametrize("days", [-400, 400])
def test_a_success_of_long_ago_is_stale_and_one_of_just_now_is_fresh(days: int) -> None:
    then = NOW + timedelta(days=days)
    assert line(run=LastRun("acme", succeeded_at=then)).is_stale(NOW, timedelta(hours=1))
    soon = LastRun("acme", succeeded_at=NOW + timedelta(seconds=5))
    assert not line(run=soon).is_stale(NOW, timedelta(hours=1)), "clocks are never quite the same"
