"""What harmless means: on a terminal, in a field of one line, in CSV, in HTML."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from html.parser import HTMLParser
from typing import Final

from taiga_pipeline.pipeline.text import line
from taiga_pipeline.report.terminal import safe
from tests.reliability.hostile.corpus import INJECTED

SHOWN_FORMATS: Final = "\u200c\u200d"
"""Joiners: the only invisible characters that a terminal may be shown."""
BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
HTML: Final = re.compile(r"<[A-Za-z/!?]|&#?\w+;")
"""What Taiga 6's pages take for markup in a story's subject and in tags."""
FORMULA: Final = re.compile(r"[=+\-@\t\r＝＋－＠]")
LIVE_MENTION: Final = re.compile(r"\B@[\w.-]+\b")
"""What Taiga 6 takes for a mention, and mails."""


def commands_in(text: str) -> list[str]:
    """Returns the characters that a terminal would obey, or that hide or reorder text."""
    return sorted(filter(_is_obeyed, set(text)))


def _is_obeyed(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character not in SHOWN_FORMATS
    return category in ("Cc", "Cs", "Zl", "Zp") and character != "\n"


@lru_cache(maxsize=200)
def assert_terminal_safe(text: str) -> None:
    """Nothing that a terminal obeys; and no line that an entry began by itself."""
    bad = [row for row in text.split("\n") if commands_in(row)] if commands_in(text) else []
    assert bad == []
    assert not re.search(f"^{INJECTED}", text, re.MULTILINE)
    assert not re.search("[\u0300-\u036f\u0483-\u0489]{5}", text)


def assert_plain(text: str, *, lines: bool = False) -> None:
    """No controls, no halves of characters, nothing that turns the writing direction."""
    kept = text.replace("\n", "") if lines else text
    bad = [each for each in kept if unicodedata.category(each) in ("Cc", "Cs") or each in BIDI]
    assert bad == []


def visible(text: str) -> str:
    """Returns an entry as a mapping fills it in: one line, without what would be obeyed."""
    flat = " ".join(line(text).split())
    kept = "".join(
        each for each in flat if each not in BIDI and unicodedata.category(each) not in ("Cc", "Cs")
    )
    return " ".join(kept.split())


def as_shown(text: str) -> str:
    """Returns how a line on a terminal shows an entry."""
    return " ".join(safe(line(text)).split())


def assert_begins_like(shown: str, text: str) -> None:
    """The entry is there, or its beginning with an ellipsis (and a digest)."""
    if shown != text:
        head, ellipsis, rest = shown.rpartition("…")
        assert ellipsis, (shown, text)
        assert re.fullmatch("( [0-9a-f]{6})?", rest), shown
        assert text.startswith(head), (shown, text)


# --- CSV


def unguarded(cell: str) -> str:
    """Returns what a guarded cell stands for."""
    return cell[1:] if FORMULA.match(cell.lstrip("'")) and cell.startswith("'") else cell


def csv_row(text: str, column: str, wanted: str) -> Mapping[str, str]:
    """Returns the one row that has ``wanted`` in a column."""
    (row,) = (row for row in csv_rows(text) if row[column] == wanted)
    return row


@lru_cache(maxsize=10)
def csv_rows(text: str) -> tuple[Mapping[str, str], ...]:
    """Returns the rows of a CSV file."""
    return tuple(csv.DictReader(io.StringIO(text, newline="")))


def assert_no_formula(cell: str) -> None:
    """No spreadsheet takes the cell for more than text."""
    assert not FORMULA.match(cell), cell


# --- HTML


class Page(HTMLParser):
    """A page taken apart: its elements, their attributes, and the words between them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.title = ""
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._inside = tag
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._inside == "title":
            self.title += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def assert_harmless(self) -> None:
        assert not self.tags & {"script", "img", "iframe", "svg", "object", "i", "base", "textarea"}
        assert not [name for name, _ in self.attributes if name.startswith("on")]
        links = [value or "" for name, value in self.attributes if name in ("href", "src")]
        assert all(re.match("/(?!/)", link) for link in links)
