"""The log: plain lines on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final, TextIO

from taiga_pipeline.report.terminal import safe

FORMAT: Final = "%(levelname)s %(name)s: %(message)s"


class SafeFormatter(logging.Formatter):
    """One line per message, whatever is in it; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Returns the message's line without anything that a terminal would obey."""
        return safe(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """Returns a traceback's lines, likewise."""
        return safe(super().formatException(ei), keep_lines=True)


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is at the moment (tests and the demo replace it)."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(SafeFormatter(FORMAT))

    @property
    def stream(self) -> TextIO:
        """The present stderr."""
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """Is not settable: stderr is always asked for afresh."""


def level(verbosity: int, quiet: bool) -> int:
    """Returns the level of `logging` for so many ``-v``s."""
    if verbosity >= 2:
        return logging.DEBUG
    if verbosity == 1:
        return logging.INFO
    return logging.ERROR if quiet else logging.WARNING


def configure(verbosity: int, quiet: bool) -> None:
    """Sends the log of every module to stderr; may be called again to change the level."""
    root = logging.getLogger()
    if not any(isinstance(handler, StderrHandler) for handler in root.handlers):
        root.addHandler(StderrHandler())
    root.setLevel(level(verbosity, quiet))
