"""One run of a pipeline in a process of its own, as a worker orders it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import ExitStack, redirect_stderr, redirect_stdout, suppress
from io import TextIOBase
from multiprocessing.connection import Connection
from typing import Final, TextIO

from sync.run.log_context import logged
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.exit_codes import code_for
from taiga_pipeline.cli.log import is_json
from taiga_pipeline.cli.signals import stopping_in_good_order
from taiga_pipeline.language import text as _
from taiga_pipeline.workers.children import Order, stop_with_parent
from taiga_pipeline.workers.run import run_order


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
        ended = run_order(_context(order), order, stop, code_for)
        with suppress(BrokenPipeError):  # the worker is gone; others find out
            answer.send(ended)
        sys.stderr.flush()


def _context(order: Order) -> CommandContext:
    return CommandContext(verbosity=order.verbosity, quiet=order.quiet, log_format=order.log_format)


class _Nowhere(TextIOBase):
    """Where a run's result goes: no one reads it, so that nothing of it is kept."""

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
        cut = _("… ({left_out} more characters)", left_out=self._left_out) if self._left_out else ""
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
