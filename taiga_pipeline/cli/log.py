"""The log on stderr: plain lines, or one JSON object per line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from sync.run.log_context import present
from taiga_pipeline.report.terminal import safe

FORMAT: Final = "%(levelname)s %(name)s: %(message)s"
_NAMES: Final = {"group": "deal"}
"""What the engine's words are called in the log."""


class SafeFormatter(logging.Formatter):
    """One line per message, whatever is in it; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Returns the message's line without anything that a terminal would obey."""
        return safe(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """Returns a traceback's lines, likewise."""
        return safe(super().formatException(ei), keep_lines=True)


class JsonFormatter(logging.Formatter):
    """One JSON object per message: when (UTC), how grave, who says what, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the object as one line of ASCII, which nothing in it can break."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **{_NAMES.get(name, name): value for name, value in present().items()},
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)


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


def configure(verbosity: int, quiet: bool, log_format: str = "text") -> None:
    """Sends the log of every module to stderr; may be called again to change how."""
    root = logging.getLogger()
    handler = _handler()
    if handler is None:
        handler = StderrHandler()
        root.addHandler(handler)
    handler.setFormatter(JsonFormatter() if log_format == "json" else SafeFormatter(FORMAT))
    root.setLevel(level(verbosity, quiet))
    # It tells whole addresses, and the heartbeat's is a secret; the target's client tells its own.
    logging.getLogger("urllib3").setLevel(logging.WARNING)


def is_json() -> bool:
    """Tells whether stderr is a stream of JSON objects."""
    handler = _handler()
    return handler is not None and isinstance(handler.formatter, JsonFormatter)


def _handler() -> StderrHandler | None:
    handlers = logging.getLogger().handlers
    return next((each for each in handlers if isinstance(each, StderrHandler)), None)
