"""Regular expressions that are compiled when they are first used.

Values as people write them are read by a hundred of them, which take longer to compile than a small
pipeline takes to read. Most commands use few of them.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _Pattern:
    """Stands for a regular expression that nobody has used yet."""

    def __init__(self, source: str, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        """Returns what the compiled expression has of this name, and keeps it for the next time."""
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """Returns a regular expression, as `re.compile` does.

    One that is invalid is noticed at its first use only.
    """
    return cast("re.Pattern[str]", _Pattern(source, flags))
