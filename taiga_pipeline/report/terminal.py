"""Text from elsewhere, made harmless for a terminal.

A deal's name may hold anything: escape sequences that recolour or rewrite the screen, characters
that turn the writing direction around, characters that cannot be seen. Such characters are shown
by their number instead.
"""

from __future__ import annotations

import re
from typing import Final

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE: Final = (
    "\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_LINE_ENDS: Final = "\u2028\u2029"
UNSAFE: Final = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}{_INVISIBLE}{_LINE_ENDS}]")
# Joiners (200C, 200D) stay: Persian and family emoji are written with them.
_MARKS: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_FLOOD: Final = re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")
# No writing puts more than four of these on a letter; more cover the lines above and below.


def safe(text: str, *, keep_lines: bool = False) -> str:
    """Returns ``text`` on one line, with everything a terminal would obey shown as ``\\u202e``.

    Line ends and tabs become spaces; with ``keep_lines``, line ends stay. Heaps of accents are
    cut down.
    """
    if text.isascii() and text.isprintable():
        return text
    if keep_lines:
        return "\n".join(safe(line) for line in text.split("\n"))
    return _FLOOD.sub(r"\1", UNSAFE.sub(_show, text))


def _show(match: re.Match[str]) -> str:
    character = match[0]
    if character in "\n\t":
        return " "
    number = ord(character)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
