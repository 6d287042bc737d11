"""Ending in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

import click

STOPPING: Final = (
    "Finishing what is under way; the next run goes on from there. (Once more: end at once.)"
)
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping_in_good_order(stop: threading.Event) -> Iterator[None]:
    """Sets ``stop`` on the first Ctrl-C or SIGTERM; a second one ends the process as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def ask(_number: int, _frame: FrameType | None) -> None:
        click.echo(STOPPING, err=True)
        stop.set()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in _SIGNALS:
        signal.signal(number, ask)
    try:
        yield
    finally:
        restore()


def wait_for_the_end() -> None:
    """Returns on Ctrl-C or SIGTERM."""
    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    try:
        with suppress(KeyboardInterrupt):
            ended.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
