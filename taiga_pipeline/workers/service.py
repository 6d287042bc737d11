"""A worker, from its start to its end.

It takes jobs until it is told to stop, or (``once``) until there is nothing left to do now. When
the queue's database goes away it waits for it to come back.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition
from procrastinate.worker import Worker
from psycopg import OperationalError

from sync.clock import Clock
from sync.errors import DatabaseAway, Unreachable
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.workers.children import Children
from taiga_pipeline.workers.decisions import Ending
from taiga_pipeline.workers.fleet import Fleet, FleetReader
from taiga_pipeline.workers.housekeeping import Housekeeping
from taiga_pipeline.workers.jobs import WorkerTasks, assign
from taiga_pipeline.workers.ledger import Ledger
from taiga_pipeline.workers.manager import QueueDatabase, first_line, make_app
from taiga_pipeline.workers.tables import check

log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 1.0
"""How often the queue is asked for jobs whose time has come (new ones announce themselves)."""
_DRAIN_SECONDS: Final = 0.2
_FRESH: Final = 5.0
"""For how many seconds a fleet that was read is taken for the present one."""
_SHARE: Final = 20.0
"""How many times as long as it takes to read a fleet it counts as the present one: with thousands
of files, a worker has other things to do than to read them."""
_WAITS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)


def wait_for_tables(url: str, clock: Clock, *, patient: bool) -> None:
    """Makes sure that the queue's tables are there; waits for their database, if ``patient``.

    :raises StateUnusable: they are not there, or not of this version.
    :raises Unreachable: the database does not let the account in, or (not ``patient``) is away.
    """
    for number in count():
        try:
            check(url)
        except DatabaseAway as error:
            if not patient:
                raise
            seconds = _WAITS[min(number, len(_WAITS) - 1)]
            log.warning("the queue's database is away, trying again in %.0f s: %s", seconds, error)
            clock.sleep(seconds)
        else:
            return


class LivingFleet:
    """The fleet as it is now, for any thread. A file that is broken meanwhile changes nothing."""

    def __init__(self, reader: FleetReader, fleet: Fleet, monotonic: Callable[[], float]) -> None:
        self._reader = reader
        self._fleet = fleet
        self._monotonic = monotonic
        self._read_at = monotonic()
        self._fresh = _FRESH
        self._lock = threading.Lock()
        self._said: set[str] = set()
        self._say(fleet)

    def __call__(self) -> Fleet:
        """Returns the fleet, read again if that is some seconds ago."""
        with self._lock:
            if self._monotonic() - self._read_at >= self._fresh:
                began = self._monotonic()
                self._read()
                self._read_at = self._monotonic()
                self._fresh = max(_FRESH, _SHARE * (self._read_at - began))
            return self._fleet

    def _read(self) -> None:
        try:
            self._fleet = self._reader.read()
        except OSError as error:
            self._report_problems({f"{self._fleet.path}: cannot be read: {error.strerror}"})
        except ProblemsError as error:
            self._report_problems({str(problem) for problem in error.problems})
        else:
            self._say(self._fleet)

    def _say(self, fleet: Fleet) -> None:
        self._report_problems({str(problem) for problem in fleet.problems})

    def _report_problems(self, problems: set[str]) -> None:
        for problem in sorted(problems - self._said):
            log.warning("%s", problem)
        self._said = problems


@dataclass(slots=True)
class Service:
    """One worker. ``name`` is what people see of it; ``once`` ends it when nothing is due."""

    reader: FleetReader
    url: str
    children: Children
    random: Callable[[], float]
    name: str
    concurrency: int | None = None
    once: bool = False
    ended: dict[Ending, int] = field(default_factory=dict)
    _signals: int = 0
    _stop_requested: asyncio.Event = field(default_factory=asyncio.Event)
    _worker: Worker | None = None

    def serve(self) -> None:
        """Works until the end.

        :raises ProblemsError: the fleet's file is wrong.
        :raises Unreachable: the queue's database cannot be used from the start.
        """
        fleet = self.reader.read()
        self.children.prepare()
        ledger = Ledger(self.url, fleet.queue.name)
        try:
            asyncio.run(self._serve(fleet, ledger))
        finally:
            ledger.close()

    async def _serve(self, fleet: Fleet, ledger: Ledger) -> None:
        living = LivingFleet(self.reader, fleet, time.monotonic)
        database = QueueDatabase(lambda: bool(self._signals))
        app, manager = make_app(self.url, database)
        house = Housekeeping(living, ledger, self.random, manager, database)
        runs = self.children
        tasks = WorkerTasks(living, ledger, runs, self.random, self.name, database, self.ended)
        assign(app, tasks, fleet)
        with self._signals_handled():
            await self._open(app, database)
            try:
                log.info("worker %s: %d pipelines", self.name, len(fleet.members))
                if self.once:
                    await house.recover()
                    await house.queue_due()
                keeping = asyncio.create_task(house.keep(), name="housekeeping")
                try:
                    await self._work(app, fleet, ledger)
                finally:
                    keeping.cancel()
            finally:
                await app.close_async()

    async def _open(self, app: App, database: QueueDatabase) -> None:
        """Connects to the queue, and waits for its database if need be."""

        async def attempt() -> None:
            try:
                await app.open_async()
            except OperationalError:
                await app.close_async()  # what could not be opened is not opened again
                raise

        await database.ask(attempt)

    async def _work(self, app: App, fleet: Fleet, ledger: Ledger) -> None:
        """Lets workers follow each other for as long as the database comes and goes."""
        failures = 0
        while not self._signals:
            self._worker = self._make_worker(app, fleet)
            began, why = time.monotonic(), ""
            drain = asyncio.create_task(self._drain(ledger)) if self.once else None
            try:
                await self._worker.run()  # type: ignore[no-untyped-call]
            except (ConnectorException, OperationalError) as error:
                why = f": {first_line(error)}"
            finally:
                is_drained = drain is not None and drain.done()
                if drain is not None:
                    drain.cancel()
            if is_drained or self._signals:
                break
            failures = 0 if time.monotonic() - began > 60 else failures
            seconds = _WAITS[min(failures, len(_WAITS) - 1)]
            failures += 1
            log.warning("the worker cannot use the queue, it tries again in %.0f s%s", seconds, why)
            await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop_requested.wait(), seconds)

    def _make_worker(self, app: App, fleet: Fleet) -> Worker:
        dead_after = fleet.workers.dead_after.total_seconds()
        return Worker(
            app,
            queues=[fleet.queue.name],
            name=self.name,
            concurrency=self.concurrency or fleet.workers.concurrency,
            fetch_job_polling_interval=_POLL_SECONDS,
            delete_jobs=DeleteJobCondition.ALWAYS,
            install_signal_handlers=False,
            update_heartbeat_interval=dead_after / 3,
            # Rows of workers are kept for longer: one that was only asleep finds its own again.
            stalled_worker_timeout=max(600.0, 10 * dead_after),
        )

    # --- once

    async def _drain(self, ledger: Ledger) -> None:
        """Returns, and stops the worker, when nothing is due and nothing is under way here."""
        while True:
            await asyncio.sleep(_DRAIN_SECONDS)
            try:
                sight = await asyncio.to_thread(ledger.look)
            except Unreachable:
                continue
            now = sight.now
            due = any(not job.is_running and (job.due or now) <= now for job in sight.jobs)
            if not due and not self.children.count and self._worker is not None:
                self._worker.stop()  # type: ignore[no-untyped-call]
                return

    # --- signals

    @contextmanager
    def _signals_handled(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        for number in numbers:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Takes no more jobs, and lets the runs under way finish their action.

        A second call changes nothing; a third ends everything at once, which is safe, too.
        """
        self._signals += 1
        self._stop_requested.set()
        if self._signals == 1:
            log.warning("finishing the current action; other workers continue from there")
            if self._worker is not None:
                self._worker.stop()  # type: ignore[no-untyped-call]
            self.children.stop()
        elif self._signals == 2:
            log.warning(
                "still finishing; a request waits for its answer (press again to end at once)"
            )
        else:
            self.children.kill()
            os.kill(os.getpid(), signal.SIGKILL)
