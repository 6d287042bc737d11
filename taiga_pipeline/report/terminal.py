"""Text from deals on a terminal: what others typed must not move the cursor or hide anything."""

from __future__ import annotations

import unicodedata
from typing import Final

_HARMFUL: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, line and paragraph separators."""
_DIRECTIONS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Marks that turn the direction of writing, and could make one name look like another."""


def safe(text: str, *, keep_lines: bool = False) -> str:
    """Returns text with everything that a terminal would obey made visible (``\\x1b``).

    Tabs and line ends become spaces; with ``keep_lines``, ``\\n`` stays.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character, keep_lines) for character in text.replace("\r\n", "\n"))


def _shown(character: str, keep_lines: bool) -> str:
    if character == "\n" and keep_lines:
        return character
    if character in "\n\r\t":
        return " "
    if unicodedata.category(character) in _HARMFUL or character in _DIRECTIONS:
        return character.encode("ascii", "backslashreplace").decode()
    return character
