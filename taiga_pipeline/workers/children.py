"""Each run in a process of its own.

Why processes, and not threads: a run that crashes, leaks or is killed for its memory takes nothing
else with it; its secrets are in its environment alone; it can be stopped, and ended if it does not
stop; and whatever it has open is closed by the system when it ends.

Why from a *fork server*: starting Python and loading the program takes half a second of processor
time, more than most runs. A process that has everything loaded, and nothing open, forks the runs in
a few milliseconds. The worker itself is never forked, so that no run inherits its connections.

A run whose worker dies notices (the pipe between them closes) and ends in good order, as by
SIGTERM.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Final

from taiga_pipeline.workers.decisions import LONGEST_MESSAGE, Ended, Ending
from taiga_pipeline.workers.fleet import Member

log = logging.getLogger(__name__)

PRELOADED: Final = "taiga_pipeline.workers.preloaded"
_GRACE: Final = 120.0
"""How long a run that has to stop may take for the request under way, in seconds."""
_LONGEST_ANSWER: Final = 1 << 20
"""The bytes of the longest answer that is read of a run."""


@dataclass(frozen=True, slots=True)
class Order:
    """The settings of a run: which configuration, and how loud to be."""

    name: str
    config: Path
    environment_file: Path | None = None
    verbosity: int = 0
    quiet: bool = False
    log_format: str = ""


Target = Callable[[Order, Connection], None]
"""What runs in the process: sends one `Ended` before it ends."""


@dataclass(slots=True)
class Children:
    """Starts runs, and waits for them. ``modules`` are loaded once, for all of them."""

    target: Target
    modules: tuple[str, ...] = ()
    verbosity: int = 0
    quiet: bool = False
    log_format: str = ""
    grace_seconds: float = _GRACE
    _context: ForkServerContext = field(
        default_factory=lambda: multiprocessing.get_context("forkserver")
    )
    _running: set[ForkServerProcess] = field(default_factory=set)
    _is_stopped: bool = False

    def prepare(self) -> None:
        """Starts the process that forks; it loads the program meanwhile."""
        self._context.set_forkserver_preload([PRELOADED, *self.modules])
        ensure_running()

    @property
    def count(self) -> int:
        """How many runs are under way."""
        return len(self._running)

    def stop(self) -> None:
        """Asks every run to finish the action under way, and to end; begins no other."""
        self._is_stopped = True
        for process in self._running:
            _signal(process, signal.SIGTERM)

    def kill(self) -> None:
        """Ends every run at once; the next one finds out what became of its last request."""
        for process in self._running:
            _signal(process, signal.SIGKILL)

    async def run(self, member: Member, longest: timedelta) -> Ended:
        """Runs a pipeline, and returns how that ended."""
        if self._is_stopped:
            return Ended(Ending.STOPPED)
        began = time.monotonic()
        answer, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=self.target, args=(self._order(member), theirs), name=member.name, daemon=True
        )
        with answer:
            process.start()
            theirs.close()
            with self._counted(process):
                said = asyncio.ensure_future(_heard(answer))
                try:
                    is_over = await self._wait(process, longest.total_seconds())
                finally:
                    heard = await said  # its end of the pipe is closed now, whatever it said
                ended = heard or _silent(process.exitcode)
        process.close()
        if not is_over:
            ended = Ended(Ending.TOO_LONG, message=f"ended after {longest}")
        return _timed(ended, time.monotonic() - began)

    def _order(self, member: Member) -> Order:
        return Order(
            member.name,
            member.config,
            member.environment_file,
            self.verbosity,
            self.quiet,
            self.log_format,
        )

    @contextmanager
    def _counted(self, process: ForkServerProcess) -> Iterator[None]:
        self._running.add(process)
        try:
            yield
        finally:
            self._running.discard(process)

    async def _wait(self, process: ForkServerProcess, longest: float) -> bool:
        """Waits for the end; returns False if that had to be brought about."""
        over = asyncio.ensure_future(_ended(process))
        try:
            done, _ = await asyncio.wait([over], timeout=longest)
            if done:
                return True
        except asyncio.CancelledError:
            await self._bring_to_an_end(process, over)
            raise
        await self._bring_to_an_end(process, over)
        return False

    async def _bring_to_an_end(
        self, process: ForkServerProcess, over: asyncio.Future[None]
    ) -> None:
        for number, seconds in ((signal.SIGTERM, self.grace_seconds), (signal.SIGKILL, None)):
            _signal(process, number)
            done, _ = await asyncio.wait([over], timeout=seconds)
            if done:
                return


async def _ended(process: ForkServerProcess) -> None:
    """Returns when a process has ended."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(process.sentinel)
    await asyncio.to_thread(process.join)


def _signal(process: ForkServerProcess, number: signal.Signals) -> None:
    if process.is_alive() and process.pid is not None:
        if number is signal.SIGKILL:
            process.kill()
        else:
            process.terminate()


async def _heard(answer: Connection) -> Ended | None:
    """Waits for what a run says of itself; None if it ends without a word, or says too much.

    It is read while the run is under way: a pipe holds 64 KiB, and a run that has more to say
    waits until someone listens.
    """
    loop, speaks = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(answer.fileno(), speaks.set)
    try:
        await speaks.wait()
    finally:
        loop.remove_reader(answer.fileno())
    return await asyncio.to_thread(_read, answer)


def _read(answer: Connection) -> Ended | None:
    try:
        said = pickle.loads(answer.recv_bytes(_LONGEST_ANSWER))  # noqa: S301  our own process
    except (EOFError, OSError, pickle.UnpicklingError):
        answer.close()  # whoever is still writing need not wait
        return None
    return said if isinstance(said, Ended) else None


def _silent(code: int | None) -> Ended:
    """Returns what the silence of a run means."""
    how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
    return Ended(Ending.CUT_OFF, message=f"its process ended {how}")


def _timed(ended: Ended, seconds: float) -> Ended:
    return replace(ended, message=ended.message[:LONGEST_MESSAGE], seconds=seconds)


def stop_with_parent(stop: threading.Event) -> None:
    """Sets ``stop`` once this process' worker is gone (in a run's process)."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        stop.set()

    threading.Thread(target=watch, name="watches the worker", daemon=True).start()
