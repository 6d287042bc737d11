"""A progress bar on stderr, for people who watch; nothing for cron."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Final, Self, TextIO

from taiga_pipeline.cli.output import use_colour

if TYPE_CHECKING:  # imported when a bar is drawn: a run that no one watches does without
    from rich.progress import Progress as Bar

WIDTH: Final = 30


class Progress:
    """Draws a bar until it is left. May be called from any thread.

    ``stream`` is drawn on only if it is a terminal.
    """

    def __init__(self, noun: str, stream: TextIO | None = None) -> None:
        self._noun = noun
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Takes the bar away, so that what follows starts on an empty line."""
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def __call__(self, done: int, total: int) -> None:
        """Shows that ``done`` of ``total`` are done."""
        if not total or not self._stream.isatty():
            return
        with self._lock:
            if self._bar is None:
                self._bar = _start(self._noun, total, self._stream)
            self._bar.update(self._bar.task_ids[0], completed=done, total=total, refresh=True)


def _start(noun: str, total: int, stream: TextIO) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    class Terminal(Console):
        def show_cursor(self, show: bool = True) -> bool:
            """Leaves the cursor alone: after a kill no one would bring it back."""
            return False

    console = Terminal(
        file=stream,
        force_terminal=True,
        color_system="standard" if use_colour(stream) else None,
        legacy_windows=False,
    )
    columns = (BarColumn(WIDTH), MofNCompleteColumn(), TextColumn(noun, markup=False))
    bar = Bar(
        *columns,
        console=console,
        auto_refresh=False,  # it is drawn when something was done, not by a thread of its own
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task(noun, total=total)
    bar.start()
    return bar
