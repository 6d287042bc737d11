"""Ending in good order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from taiga_pipeline.cli.errors import report_notice
from taiga_pipeline.cli.memory import look_often
from taiga_pipeline.language import marked, translated
from taiga_pipeline.language import text as _

STOPPING: Final = marked("Finishing the current action; the next run continues from there.")
STILL: Final = marked(
    "Still finishing; a request waits for its answer. (Press again to end at once.)"
)
_STDERR: Final = 2
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping_in_good_order(stop: threading.Event) -> Iterator[None]:
    """Sets ``stop`` on Ctrl-C or SIGTERM, also on a second one; a third ends the process as usual.

    A supervisor that sends its signal twice does not cut off the action under way; a person who is
    tired of waiting gets out.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    asked = 0

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        again = asked > 1 or stop.is_set()
        if again:
            restore()
        else:
            stop.set()
        _report(_(STILL if again else STOPPING))

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in _SIGNALS:
        signal.signal(number, ask)
    try:
        yield
    finally:
        restore()


def _report(message: str) -> None:
    """Says something though the signal may have come in the midst of a write to the same stream."""
    try:
        report_notice(message)
    except RuntimeError:  # Python's stream refuses a call within a call
        with suppress(OSError):
            os.write(_STDERR, f"{translated(message)}\n".encode())


@contextmanager
def asked_to_end() -> Iterator[threading.Event]:
    """Yields what is set on Ctrl-C or SIGTERM, to a command that serves until then.

    Both are asked for by name: a shell starts what runs in the background with Ctrl-C ignored, and
    whoever sends that signal all the same means it.
    """
    look_often()
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_unused: ended.set()) for number in _SIGNALS}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_the_end() -> None:
    """Returns on Ctrl-C or SIGTERM."""
    with asked_to_end() as ended:
        ended.wait()
