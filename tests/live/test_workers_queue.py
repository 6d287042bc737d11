"""The queue itself, on a real PostgreSQL: what is queued, put back, found again, upgraded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from procrastinate import App, PsycopgConnector
from psycopg.pq import TransactionStatus
from sqlalchemy import NullPool, create_engine, func, inspect, make_url, select

from sync.database.migrations import migrate, version_of
from sync.errors import DatabaseAway, StateUnusable, Unreachable
from taiga_pipeline.workers import tables
from taiga_pipeline.workers.decisions import HOST_FAILURES, Ended, Ending
from taiga_pipeline.workers.fleet import Fleet, Member, QueueTable, WorkersTable
from taiga_pipeline.workers.housekeeping import Housekeeping
from taiga_pipeline.workers.jobs import WorkerTasks, assign, defer, hurry, make_job
from taiga_pipeline.workers.ledger import Ledger
from taiga_pipeline.workers.manager import QueueDatabase, make_app
from taiga_pipeline.workers.schedule import Every
from taiga_pipeline.workers.schema import STEPS, TURNS, metadata
from tests.live.postgresql import Server
from tests.schemas import described

MINUTE = timedelta(minutes=1)
MONTH = timedelta(days=30)
"""Between slots: no test happens to run at one."""


@dataclass(slots=True)
class Runs:
    """Stands in for processes: each run ends as the test says, or well."""

    endings: dict[str, list[Ending]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    meanwhile: Callable[[str], Awaitable[object]] | None = None

    async def run(self, member: Member, longest: timedelta) -> Ended:
        self.done.append(member.name)
        if self.meanwhile is not None:
            await self.meanwhile(member.name)
        planned = self.endings.get(member.name)
        return Ended(planned.pop(0) if planned else Ending.DONE)


@dataclass(slots=True)
class World:
    """A queue with a fleet, and one worker's duties."""

    url: str
    fleet: Fleet
    ledger: Ledger
    runs: Runs

    def work(self) -> list[str]:
        """Does what is due now; returns which pipelines ran."""
        self.runs.done.clear()
        self.with_app(
            lambda app, _: app.run_worker_async(
                queues=["pipelines"],
                wait=False,
                listen_notify=False,
                concurrency=1,
                install_signal_handlers=False,
                delete_jobs="always",
            )
        )
        return list(self.runs.done)

    def with_app(self, what: Callable[[App, Housekeeping], Awaitable[Any]]) -> Any:
        """Opens the queue, and does something with it."""

        async def open_and_do() -> Any:
            database = QueueDatabase()
            app, manager = make_app(self.url, database)
            house = Housekeeping(lambda: self.fleet, self.ledger, lambda: 0.0, manager, database)
            tasks = WorkerTasks(
                lambda: self.fleet, self.ledger, self.runs, lambda: 0.0, "here:1", database
            )
            assign(app, tasks, self.fleet)
            async with app.open_async():
                return await what(app, house)

        return asyncio.run(open_and_do())

    def enqueue(self, *names: str) -> int:
        members = self.fleet.find(names)
        return asyncio.run(hurry(self.url, self.ledger, members))

    def queue_due(self) -> None:
        self.with_app(lambda _, house: house.queue_due())

    def waiting(self) -> dict[str, datetime | None]:
        return {job.name: job.due for job in self.ledger.jobs() if not job.is_running}


def member(name: str, host: str = "one", place: int = 0) -> Member:
    return Member(name, Path(name), host, place, Every(MONTH))


def fleet_of(members: Sequence[Member]) -> Fleet:
    table = QueueTable(url="postgresql://x/y")
    workers = WorkersTable(dead_after="2s")
    return Fleet(Path("workers.toml"), table, workers, {each.name: each for each in members})


@pytest.fixture(scope="module")
def set_up_once(postgresql: Server) -> Iterator[tuple[str, str]]:
    """A database with the tables of a queue, and the statement that empties them again.

    To make them takes most of a second.
    """
    url = postgresql.empty_database()
    tables.set_up(url)
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        known = inspect(connection).get_table_names()
        filled = {
            each for each in known if connection.exec_driver_sql(f"SELECT 1 FROM {each}").first()
        }  # the versions of the tables
    yield url, f"TRUNCATE {', '.join(sorted({*known} - filled))} RESTART IDENTITY CASCADE"
    postgresql.give_back(url)


@pytest.fixture
def world(set_up_once: tuple[str, str]) -> Iterator[World]:
    url, empty = set_up_once
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql(empty)
    tables.check(url)
    ledger = Ledger(url, "pipelines")
    fleet = fleet_of([member("a"), member("b"), member("c", "two")])
    yield World(url, fleet, ledger, Runs())
    ledger.close()


# --- what is queued


def test_a_pipeline_waits_in_the_queue_once_however_often_it_is_asked_for(world: World) -> None:
    assert world.enqueue("a", "b") == 2
    assert world.enqueue("a", "b", "c") == 1
    assert sorted(world.work()) == ["a", "b", "c"]
    assert world.work() == []


def test_one_that_is_asked_for_while_it_runs_runs_once_more(world: World) -> None:
    async def ask(name: str) -> None:
        if len(world.runs.done) == 1:
            await asyncio.to_thread(world.enqueue, name)

    world.runs.meanwhile = ask
    world.enqueue("a")
    assert world.work() == ["a", "a"]


def test_a_new_pipeline_waits_for_its_slot_and_is_queued_once_by_all_workers(
    world: World,
) -> None:
    world.queue_due()
    assert world.waiting() == {}
    world.ledger.ahead = MONTH
    threads = [threading.Thread(target=world.queue_due) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    slots = world.waiting()
    assert sorted(slots) == ["a", "b", "c"]
    assert len(set(slots.values())) == 3, "they are spread"
    world.queue_due()
    assert world.waiting() == slots


def test_of_slots_that_nobody_queued_one_is_made_up_for(world: World) -> None:
    world.queue_due()
    world.ledger.ahead = 20 * MONTH
    world.queue_due()
    assert sorted(world.waiting()) == ["a", "b", "c"]
    assert len(world.ledger.jobs()) == 3


# --- what goes back into the queue


def test_a_run_that_reached_nothing_waits_longer_each_time(world: World) -> None:
    world.runs.endings["a"] = [Ending.UNREACHABLE] * 2
    waits = []
    for _ in range(2):
        world.enqueue("a")
        world.work()
        waits.append(wait_of(world, "a").total_seconds())
    assert waits == [pytest.approx(60, abs=1), pytest.approx(120, abs=1)]
    world.enqueue("a")
    assert world.work() == ["a"]
    assert world.ledger.look().runs["a"].failures == 0


def wait_of(world: World, name: str) -> timedelta:
    """Returns how long after its last run a pipeline is due again."""
    due, ended = world.waiting()[name], world.ledger.look().runs[name].finished_at
    assert due and ended
    return due - ended


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.USAGE, Ending.PARTIAL])
def test_what_waits_for_a_person_is_left_to_the_schedule(world: World, ending: Ending) -> None:
    world.runs.endings["a"] = [ending]
    world.enqueue("a")
    world.work()
    assert world.ledger.jobs() == []
    assert world.ledger.look().runs["a"].ending == ending


def test_another_try_gives_way_to_a_job_that_waits_already(world: World) -> None:
    async def ask(name: str) -> None:
        if len(world.runs.done) == 1:
            await asyncio.to_thread(world.enqueue, name)

    world.runs.meanwhile = ask
    world.runs.endings["a"] = [Ending.UNREACHABLE]
    world.enqueue("a")
    assert world.work() == ["a", "a"]
    assert world.ledger.jobs() == []


def test_one_that_waits_for_another_try_keeps_nobody_else_waiting(world: World) -> None:
    world.runs.endings["a"] = [Ending.UNREACHABLE]
    world.enqueue("a")
    world.work()
    assert fairness_place(world, "a") == fairness_place(world, "b")
    world.enqueue("b")
    assert world.work() == ["b"]


def fairness_place(world: World, name: str) -> tuple[str, int]:
    found = world.fleet.members[name]
    return found.host, found.place


def test_those_that_are_overdue_longest_go_first_whichever_host_they_are_for(
    world: World,
) -> None:
    now = datetime.now(UTC)
    late = {"a": 1, "b": 3, "c": 2}
    jobs = [
        make_job("pipelines", world.fleet.members[name], now - timedelta(minutes=minutes))
        for name, minutes in late.items()
    ]
    world.with_app(lambda app, _: defer(app.job_manager, jobs))
    assert world.work() == ["b", "c", "a"]


def test_a_host_that_does_not_answer_is_left_alone_for_a_while(world: World) -> None:
    names = [f"x{n}" for n in range(HOST_FAILURES + 2)]
    world.fleet = fleet_of([*(member(name) for name in names), member("c", "two")])
    world.runs.endings = {name: [Ending.UNREACHABLE] for name in names}
    world.enqueue(*names, "c")
    assert sorted(world.work()) == ["c", *names[:HOST_FAILURES]]
    assert list(world.ledger.held_hosts()) == ["one"]
    held = world.ledger.held_hosts()["one"]
    assert {world.waiting()[name] for name in names[HOST_FAILURES:]} == {held}
    world.runs.endings = {}
    world.enqueue(*names)
    world.ledger.ahead = timedelta(minutes=5)
    assert sorted(world.work()) == names
    assert world.ledger.held_hosts() == {}


# --- what dead workers left behind


def leave_behind(world: World, *jobs: Any) -> None:
    """Lets a worker take jobs, and die."""

    async def take(app: App, _: Housekeeping) -> None:
        await app.job_manager.batch_defer_jobs_async(list(jobs))
        number = await app.job_manager.register_worker()
        for job in jobs:
            assert await app.job_manager.fetch_job([job.queue], number) is not None

    world.with_app(take)
    engine = create_engine(world.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"
        )
    engine.dispose()


def test_the_job_of_a_dead_worker_is_run_again_by_another(world: World) -> None:
    leave_behind(world, make_job("pipelines", world.fleet.members["a"], datetime.now(UTC)))
    assert world.work() == [], "its place is taken until it is found"
    world.with_app(lambda _, house: house.recover())
    assert world.ledger.look().runs["a"].ending == Ending.CUT_OFF
    world.enqueue("a")  # does not wait for the short pause
    assert world.work() == ["a"]
    assert world.ledger.jobs() == []


def test_a_dead_workers_job_gives_way_to_one_that_waits_already(world: World) -> None:
    leave_behind(world, make_job("pipelines", world.fleet.members["a"], datetime.now(UTC)))
    world.enqueue("a")
    world.with_app(lambda _, house: house.recover())
    assert [job.is_running for job in world.ledger.jobs()] == [False]
    assert world.work() == ["a"]


def test_one_that_takes_its_workers_down_is_given_up_in_the_end(world: World) -> None:
    for _ in range(8):
        leave_behind(world, make_job("pipelines", world.fleet.members["a"], datetime.now(UTC)))
        world.with_app(lambda _, house: house.recover())
        jobs = world.ledger.jobs()
        if not jobs:
            return
        world.with_app(
            lambda app, _, number=jobs[0].id: app.job_manager.cancel_job_by_id_async(
                number, delete_job=True
            )
        )
    raise AssertionError("it was never given up")


def test_jobs_of_a_task_that_nobody_knows_any_more_are_cleared_away(world: World) -> None:
    job = make_job("pipelines", world.fleet.members["a"], datetime.now(UTC))
    leave_behind(world, job.evolve(task_name="pipeline-sync.queue-due", task_kwargs={}))
    world.with_app(lambda _, house: house.recover())
    assert world.enqueue("a") == 1
    assert world.work() == ["a"]


def test_a_pipeline_of_another_workers_fleet_is_left_to_it(world: World) -> None:
    world.enqueue("a")
    everyone, world.fleet = world.fleet, fleet_of([member("b")])
    before = world.ledger.now()
    assert world.work() == []
    due = world.waiting()["a"]
    assert due is not None
    assert before <= due - MINUTE <= world.ledger.now()
    world.fleet = everyone
    world.enqueue("a")
    assert world.work() == ["a"]


# --- clocks


def note(world: World, statement: str, *values: object) -> None:
    """Writes into the queue's tables, as a program with a wrong clock did."""
    engine = create_engine(world.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement, values)
    engine.dispose()


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(days=400)])
def test_slots_and_waits_that_a_fast_clock_noted_are_healed_and_said(
    world: World, caplog: pytest.LogCaptureFixture, ahead: timedelta
) -> None:
    world.queue_due()
    later = datetime.now(UTC) + ahead
    note(world, "UPDATE pipeline_sync_pipelines SET slot = %s", later)
    note(world, "INSERT INTO pipeline_sync_turns VALUES ('pipelines', 'queue due', %s)", later)
    note(world, "INSERT INTO pipeline_sync_hosts VALUES ('pipelines', 'two', 9, %s)", later)
    job = make_job("pipelines", world.fleet.members["b"], later)
    world.with_app(lambda app, _: defer(app.job_manager, [job]))
    assert world.ledger.take_turn("queue due", timedelta(minutes=1)), "no turn is taken forever"
    assert not world.ledger.take_turn("queue due", timedelta(minutes=1))
    world.queue_due()
    assert sorted(world.work()) == ["a", "b", "c"]
    for said in ("a: the last recorded slot", "b: waited for a time", "two: was paused"):
        assert said in caplog.text
    caplog.clear()
    world.queue_due()
    assert world.work() == []
    assert caplog.text == "", "it is healed once"


@pytest.mark.parametrize("days", [-400, 400])
def test_a_workers_own_clock_decides_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    began = datetime.now(UTC)
    wrong = began + timedelta(days=days)
    monkeypatch.setattr("procrastinate.utils.utcnow", lambda: wrong)
    monkeypatch.setattr("sync.clock.SystemClock.now", lambda self: wrong)
    world.queue_due()
    world.runs.endings["a"] = [Ending.UNREACHABLE]
    world.enqueue("a", "b")
    assert sorted(world.work()) == ["a", "b"]
    sight = world.ledger.look()
    for run in (sight.runs["a"], sight.runs["b"]):
        assert run.finished_at is not None
        assert began - MINUTE < run.finished_at < datetime.now(UTC) + MINUTE
    assert wait_of(world, "a").total_seconds() == pytest.approx(60, abs=1)


# --- jobs that are lost, or another person's


def test_a_run_that_is_gone_with_its_job_is_queued_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.ledger.begin(world.fleet.members["a"], "here:1")
    world.queue_due()
    assert "a" in world.waiting()  # beside what a slot of right now may bring
    assert "a: its run was lost with its job" in caplog.text
    assert "a" in world.work()
    caplog.clear()
    world.queue_due()
    assert "its run was lost" not in caplog.text


def test_one_that_was_given_up_waits_for_its_slot(world: World) -> None:
    world.ledger.begin(world.fleet.members["a"], "here:1")
    world.ledger.cut_off("a")
    world.ledger.give_up("a")
    world.queue_due()
    assert world.waiting() == {}


@pytest.mark.parametrize("ending", [Ending.DONE, Ending.UNREACHABLE])
def test_a_job_that_was_taken_over_is_left_to_the_other_one_in_one_line(
    world: World, caplog: pytest.LogCaptureFixture, ending: Ending
) -> None:
    async def takes_over(name: str) -> None:
        await asyncio.to_thread(note, world, "INSERT INTO procrastinate_workers DEFAULT VALUES")
        await asyncio.to_thread(
            note,
            world,
            "UPDATE procrastinate_jobs SET worker_id = (SELECT max(id) FROM procrastinate_workers)",
        )

    world.runs.meanwhile = takes_over
    world.runs.endings["a"] = [ending]
    world.enqueue("a")
    with caplog.at_level("WARNING"):
        assert world.work() == ["a"]
    assert [job.is_running for job in world.ledger.jobs()] == [True], "the other one has it"
    (line,) = (r.getMessage() for r in caplog.records if "taken over" in r.getMessage())
    assert line.startswith("a: its job was taken over")
    assert "Traceback" not in caplog.text


def test_a_worker_that_was_asleep_for_long_is_counted_again(world: World) -> None:
    async def sleeps(app: App, _: Housekeeping) -> int:
        number = await app.job_manager.register_worker()
        await app.job_manager.unregister_worker(number)
        await app.job_manager.update_heartbeat(number)
        return world.ledger.workers_alive(timedelta(seconds=30))

    assert world.with_app(sleeps) == 1


def test_a_worker_that_is_suspended_in_the_midst_of_a_note_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taiga_pipeline.workers.ledger._ASLEEP_SECONDS", 0.1)
    asleep = Ledger(world.url, "pipelines")
    with pytest.raises(DatabaseAway), asleep._writing() as connection:
        connection.execute(TURNS.insert().values(queue="pipelines", duty="x", taken_at=func.now()))
        assert world.ledger.take_turn("x", timedelta(minutes=1)), "it was taken back"
        connection.execute(select(TURNS.c.duty))
    asleep.close()


def test_a_call_of_the_queue_locks_nothing_once_it_is_answered(world: World) -> None:
    async def look(app: App, _: Housekeeping) -> Any:
        connector = app.connector
        assert isinstance(connector, PsycopgConnector)
        async with connector.pool.connection() as connection:
            await connection.execute("SELECT 1")
            return connection.info.transaction_status

    assert world.with_app(look) == TransactionStatus.IDLE


def test_a_fault_in_the_worker_itself_drops_no_job(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(name: str) -> None:
        raise OSError("no more processes")

    world.runs.meanwhile = breaks
    world.enqueue("a")
    assert world.work() == ["a"]
    assert list(world.waiting()) == ["a"]
    assert world.ledger.look().runs["a"].ending == Ending.UNEXPECTED
    assert "no more processes" in caplog.text


def test_asking_for_a_run_moves_its_job_and_makes_no_other(world: World) -> None:
    world.runs.endings["a"] = [Ending.UNREACHABLE]
    world.enqueue("a")
    world.work()
    (before,) = world.ledger.jobs()
    assert world.enqueue("a", "b") == 2
    after = {job.name: job for job in world.ledger.jobs()}
    assert after["a"].id == before.id
    assert sorted(world.work()) == ["a", "b"]


def test_jobs_of_a_host_that_does_not_answer_are_postponed_in_one_go(world: World) -> None:
    names = [f"x{n:03}" for n in range(300)]
    world.fleet = fleet_of(
        [
            *(member(n, place=i % 2) for i, n in enumerate(names)),
            *(member(f"y{n}", "two") for n in range(3)),
        ]
    )
    world.runs.endings = {name: [Ending.UNREACHABLE] * 9 for name in names}
    world.enqueue(*names)
    world.enqueue("y0", "y1", "y2")
    ran = world.work()
    assert len([name for name in ran if name[0] == "x"]) == HOST_FAILURES
    assert [name for name in ran if name[0] == "y"] == ["y0", "y1", "y2"]
    held = world.ledger.held_hosts()["one"]
    assert sum(due == held for due in world.waiting().values()) == 300 - HOST_FAILURES


# --- tables


def test_tables_are_made_once_also_when_several_workers_ask_for_it(postgresql_url: str) -> None:
    taken: list[int] = []
    threads = [
        threading.Thread(target=lambda: taken.append(tables.set_up(postgresql_url)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 3
    tables.check(postgresql_url)
    assert tables.set_up(postgresql_url) == 0


def test_without_tables_the_way_out_is_named(postgresql_url: str) -> None:
    with pytest.raises(StateUnusable, match="pipeline-sync worker --setup"):
        tables.check(postgresql_url)


def test_tables_of_an_older_version_are_upgraded(postgresql_url: str) -> None:
    engine = create_engine(postgresql_url)
    older = tables._library_steps()[:-4]
    migrate(engine, tables.LIBRARY, older)
    with pytest.raises(StateUnusable, match="older version"):
        tables.check(postgresql_url)
    assert tables.set_up(postgresql_url) == 4 + len(STEPS)
    tables.check(postgresql_url)
    assert version_of(engine, tables.LIBRARY) == len(older) + 4
    engine.dispose()


def test_steps_lead_to_the_tables_of_a_new_queue(postgresql: Server) -> None:
    looked = []
    for steps in (STEPS, STEPS[:1]):
        url = postgresql.empty_database()
        engine = create_engine(url)
        migrate(engine, tables.LIBRARY, tables._library_steps())
        migrate(engine, tables.OURS, steps, metadata if steps == STEPS else None)
        tables.set_up(url)
        looked.append(described(engine))
        engine.dispose()
        postgresql.give_back(url)
    assert looked[0] == looked[1]


def test_another_programs_queue_is_left_alone(postgresql_url: str) -> None:
    engine = create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE procrastinate_jobs (id INTEGER)")
    with pytest.raises(StateUnusable, match="another program"):
        tables.set_up(postgresql_url)
    engine.dispose()


def test_a_database_that_is_not_there_is_named_without_its_password(postgresql: Server) -> None:
    url = make_url(postgresql.url("nowhere")).render_as_string(hide_password=False)
    with pytest.raises(Unreachable) as caught:
        tables.check(url)
    assert "nowhere" in str(caught.value)
    assert "throw-away" not in str(caught.value)
