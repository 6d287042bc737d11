"""One run of a pipeline in a process of its own, as a worker orders it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import ExitStack, redirect_stderr, redirect_stdout, suppress
from io import TextIOBase
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, TextIO

from sync.errors import DatabaseAway
from sync.plan.model import PARTIAL
from sync.run.log_context import logged
from sync.run.runner import Outcome
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.errors import describe, exit_code
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.log import is_json
from taiga_pipeline.cli.signals import stopping_in_good_order
from taiga_pipeline.cli.sync.plan_and_run import Performed, code_of, perform, worst
from taiga_pipeline.credentials import from_file, unquoted
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.terminal import safe
from taiga_pipeline.workers.children import Order, stop_with_parent
from taiga_pipeline.workers.decisions import LONGEST_MESSAGE, Ended, Ending

_CUT_SHORT: Final = (ExitCode.PARTIAL, ExitCode.UNREACHABLE)
"""What it looks like when a wait or a request was given up because the run was to end."""
_ENDINGS: Final = {
    ExitCode.DONE: Ending.DONE,
    ExitCode.USAGE: Ending.USAGE,
    ExitCode.PARTIAL: Ending.PARTIAL,
    ExitCode.REFUSED: Ending.REFUSED,
    ExitCode.LOCKED: Ending.LOCKED,
    ExitCode.UNREACHABLE: Ending.UNREACHABLE,
}


def carry_out(order: Order, answer: Connection) -> None:
    """Runs the pipeline of ``order``, and sends how it ended."""
    os.setpgid(0, 0)  # Ctrl-C in a terminal is for the worker, which passes it on
    stop = threading.Event()
    stop_with_parent(stop)
    with ExitStack() as stack:
        stack.enter_context(redirect_stderr(_Prefixed(order.name, sys.__stderr__)))
        stack.enter_context(redirect_stdout(_Nowhere()))
        stack.enter_context(logged(pipeline=order.name))
        stack.enter_context(stopping_in_good_order(stop))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # see `workers.preloaded`
        ended = run_order(order, stop)
        with suppress(BrokenPipeError):  # the worker is gone; others find out
            answer.send(ended)
        sys.stderr.flush()


def run_order(order: Order, stop: threading.Event) -> Ended:
    """Runs the pipeline of ``order``; returns how that ended, whatever happened."""
    context = CommandContext(
        verbosity=order.verbosity, quiet=order.quiet, log_format=order.log_format
    )
    context.use_config(str(order.config))
    try:
        if order.environment_file is not None:
            os.environ.update(read_environment(order.environment_file))
        _check_name(context, order)
        return _summed_up(perform(context, stop), stop)
    except Exception as error:
        code = exit_code(error)
        if code is None:
            return Ended(Ending.UNEXPECTED, ExitCode.UNEXPECTED, _cut(describe(error)))
        if stop.is_set() and code in _CUT_SHORT:
            return Ended(Ending.STOPPED, code)
        ending = Ending.DATABASE_AWAY if isinstance(error, DatabaseAway) else _ENDINGS[code]
        return Ended(ending, code, _cut(str(error)))


def _check_name(context: CommandContext, order: Order) -> None:
    """A configuration that was renamed since its job was queued is another pipeline."""
    found = context.settings.pipeline
    if found != order.name:
        message = f"names the pipeline {found!r} now, and not {order.name!r}"
        raise ProblemsError([Problem(message, str(order.config))])


def _summed_up(done: Performed, stop: threading.Event) -> Ended:
    code = worst(map(code_of, done.results))
    last = done.results[-1]
    stopped = stop.is_set() and last.outcome is Outcome.STOPPED
    away = any(isinstance(result.stopped_by, DatabaseAway) for result in done.results)
    ending = Ending.DATABASE_AWAY if away else _ENDINGS[code]
    return Ended(
        Ending.STOPPED if stopped else ending,
        code,
        _cut(_why(done)),
        waiting=sum(issue.kind in PARTIAL for issue in last.issues),
        applied=sum(len(result.applied) for result in done.results),
        requests=sum(result.requests for result in done.results),
    )


def _cut(message: str) -> str:
    """Returns why a run went wrong, harmless, and no longer than what is kept of it."""
    text = safe(message)
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


def _why(done: Performed) -> str:
    for result in done.results:
        if result.refusal or result.stopped_by:
            return result.refusal or str(result.stopped_by)
    return ""


def read_environment(path: Path) -> dict[str, str]:
    """Returns the variables in a file of ``NAME=value`` lines, as shells and systemd read it.

    :raises SecretError: the file cannot be read, or everybody may read it.
    :raises ProblemsError: lines that are none such; they are not repeated.
    """
    found: dict[str, str] = {}
    problems = []
    text = from_file("pipelines.environment_file", path).reveal()
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        words = line.strip().removeprefix("export ")
        if not words or words.startswith(("#", ";")):
            continue
        name, separator, value = words.partition("=")
        if separator and name.strip().isidentifier():
            found[name.strip()] = unquoted(value)
        else:
            problems.append(Problem("is no NAME=value", str(path), number))
    if problems:
        raise ProblemsError(problems)
    return found


class _Nowhere(TextIOBase):
    """Where a run's result goes: nobody reads it, so that nothing of it is kept."""

    def write(self, text: str) -> int:
        """Takes text, and forgets it."""
        return len(text)


_LONGEST_LINE: Final = 16_384
"""The characters of a line of the log that are passed on."""
_LONGEST_OBJECT: Final = 1 << 20
"""The same of a line that is a JSON object, which is worth nothing when it is cut."""


class _Prefixed(TextIOBase):
    """Writes whole lines to a stream that several runs share, each with the pipeline's name.

    Of a line that is too long the beginning is passed on, and how much of it is missing.
    """

    def __init__(self, name: str, stream: TextIO | None) -> None:
        self._prefix = f"{name}: "
        self._stream = stream
        self._rest = ""
        self._left_out = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Takes text; passes on the lines that are complete."""
        with self._lock:
            *lines, rest = text.split("\n")
            self._pass_on([self._end_line(line) for line in lines])
            self._keep(rest)
        return len(text)

    def _keep(self, text: str) -> None:
        """Adds to the line that is being written, as far as it is passed on."""
        room = (_LONGEST_OBJECT if is_json() else _LONGEST_LINE) - len(self._rest)
        self._rest += text[:room]
        self._left_out += max(0, len(text) - room)

    def _end_line(self, text: str = "") -> str:
        """Returns the whole line, as far as it is passed on, and begins another."""
        self._keep(text)
        cut = f"… ({self._left_out} more characters)" if self._left_out else ""
        line, self._rest, self._left_out = self._rest + cut, "", 0
        return line

    def flush(self) -> None:
        """Passes on everything."""
        with self._lock:
            if self._rest:
                self._pass_on([self._end_line()])

    def _pass_on(self, lines: list[str]) -> None:
        prefix = "" if is_json() else self._prefix  # an object names its pipeline itself
        text = "".join(f"{prefix}{line}\n" for line in lines)
        if text and self._stream is not None:
            self._stream.write(text)
            self._stream.flush()
