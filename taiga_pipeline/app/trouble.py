"""What went wrong, by what has to be done about it: one table for all surfaces.

The command line makes exit codes of it, workers decide by it whether to try again, a page chooses
how to say it.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Final


class Trouble(StrEnum):
    """Why something that was asked for was not done, or was done in part only."""

    USAGE = "usage"
    """What was asked for, the configuration, a mapping or the state store has to be fixed."""
    PARTIAL = "partial"
    """Some records wait for a person; the others were done."""
    REFUSED = "refused"
    """A limit held it back; nothing was applied."""
    LOCKED = "locked"
    """Another run is at work."""
    UNREACHABLE = "unreachable"
    """Source or target does not answer, or does not let the account in."""


# Classes are named, not imported: one whose module was never imported cannot have been raised,
# and a mistyped option must not cost the import of a database library. The first match counts.
_TROUBLES: Final[tuple[tuple[str, str, Trouble], ...]] = (
    ("taiga_pipeline.problems", "ProblemsError", Trouble.USAGE),
    ("taiga_pipeline.files", "CannotWrite", Trouble.USAGE),
    ("sync.errors", "Refused", Trouble.REFUSED),
    ("sync.errors", "Locked", Trouble.LOCKED),
    ("sync.errors", "StateUnusable", Trouble.USAGE),
    ("sync.errors", "Unauthorised", Trouble.UNREACHABLE),
    ("sync.errors", "Unreachable", Trouble.UNREACHABLE),
    ("sync.errors", "IncompleteRead", Trouble.UNREACHABLE),
    ("sync.errors", "Interrupted", Trouble.PARTIAL),
    ("sync.errors", "Unavailable", Trouble.UNREACHABLE),
    ("sync.errors", "Malformed", Trouble.UNREACHABLE),
    ("sync.errors", "Stop", Trouble.USAGE),
    ("sync.errors", "SyncError", Trouble.PARTIAL),
)


def trouble_of(error: BaseException) -> Trouble | None:
    """Returns the trouble of an error that was raised on purpose, None for any other."""
    for module_name, class_name, trouble in _TROUBLES:
        kind = getattr(sys.modules.get(module_name), class_name, None)
        if kind is not None and isinstance(error, kind):
            return trouble
    return Trouble.USAGE if missing_packages(error) else None


def missing_packages(error: BaseException | None) -> str:
    """Returns how to get what could not be imported, "" where no extra brings it."""
    while error is not None and not isinstance(error, ImportError):
        error = error.__cause__
    if error is None:
        return ""
    from taiga_pipeline.installing import explain_missing

    return explain_missing(error)


def describe(error: Exception) -> str:
    """Returns one line about an unexpected error."""
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{place}"
    first_line = str(error).strip().partition("\n")[0]
    name = type(error).__name__
    return f"{name}: {first_line}" if first_line else name
