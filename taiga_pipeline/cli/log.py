"""The log: plain lines on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Final, TextIO

FORMAT: Final = "%(levelname)s %(name)s: %(message)s"


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is at the moment (tests and the demo replace it)."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter(FORMAT))

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
