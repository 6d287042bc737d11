"""Texts of messages, as channels take them: text, whatever a deal is called.

Mail and push services show text as it is. Chats read Markdown, turn addresses into links and names
after an ``@`` into calls: there, each character that could do so is made a plain one.
"""

from __future__ import annotations

import re
from typing import Final

from taiga_pipeline.language import text as _
from taiga_pipeline.mapping.text import one_line

LONGEST_TITLE: Final = 150
LONGEST_LINE: Final = 600
LONGEST_TEXT: Final = 12_000
_MARKUP: Final = re.compile(r"([\\`*_\[\]#|<>~]|^[-+]|(?<=^\d)[.)]|(?<=^\d\d)[.)])", re.MULTILINE)
_BREAK: Final = "\u200b"  # shows nothing, and parts what must not be read together
_CALLS: Final = re.compile(r"(@)(?=\S)|(:)(?=//|\w)|((?<!\w)www)(?=\.)", re.IGNORECASE)


def title_line(text: str) -> str:
    """Returns a title: one line without control characters, of a bounded length."""
    return _cut(one_line(text), LONGEST_TITLE)


def body_text(text: str) -> str:
    """Returns lines without control characters, each and all of a bounded length."""
    lines = [_cut(one_line(line), LONGEST_LINE) for line in text.splitlines()]
    return shorter("\n".join(lines), LONGEST_TEXT)


def shorter(text: str, longest: int) -> str:
    """Returns as many whole lines as fit, and says how many are left out."""
    if len(text) <= longest:
        return text
    lines, kept, room = text.split("\n"), list[str](), longest - 40
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:
        return _cut(text, longest)
    return "\n".join([*kept, _("... and {count} more lines", count=len(lines) - len(kept))])


def without_markup(text: str) -> str:
    """Returns a text that a chat shows as it is: no markup, links or calls."""
    parted = _CALLS.sub(lambda match: f"{match[0]}{_BREAK}", text)
    return _MARKUP.sub(r"\\\1", parted)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3].rstrip() + "..."
