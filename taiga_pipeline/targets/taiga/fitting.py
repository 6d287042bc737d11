"""Makes values fit what Taiga can hold, before they are compared, and says what it did.

Found out on a real server: a name has 250 characters, and so has the address ("slug") that is made
of it by writing it in ASCII, where one Chinese character becomes up to seven letters. A name that
overflows there, or a NUL anywhere, is answered with 500. Tags are lowered. "@name" mails a person.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from sync.records.composite_text import plain_facts, plain_text
from sync.records.model import Desired, Value
from taiga_pipeline.records import (
    Kind,
    Membership,
    Milestone,
    Project,
    Role,
    Status,
    Story,
    Task,
    Wiki,
)
from taiga_pipeline.targets.taiga.cards.values import LONGEST_VALUE
from taiga_pipeline.targets.taiga.identity import PREFIX

_LONGEST_LABEL: Final = 40
_LONGEST_TITLE: Final = 200
"""With a label, a blank and what a server adds to an address that is taken: below 250."""
_LONGEST_NAME: Final = 200
_LONGEST_SUBJECT: Final = 500
_LONGEST_TAG: Final = 100
_LONGEST_NOTE: Final = 2_000
_DIGEST: Final = 6
_LONGEST_TEXT: Final = 40_000
_LARGEST_PAGE: Final = 45_000
"""Bytes. A server needs seconds to show a larger page, and minutes for one of a megabyte."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_MENTION: Final = re.compile(r"(?<!\w)@(?=[\w.-])")
_INERT_AT: Final = "＠"
_INERT_COLON: Final = "："
_MARKUP: Final = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)")
_INERT_MARKUP: Final = {"<": "＜", "&": "＆"}
_ELLIPSIS: Final = "…"
_LETTERS: Final[Mapping[str, int]] = {
    **dict.fromkeys("°¼½¾ЋЏћџҴҵׯٺڇڍ", 3),
    **dict.fromkeys("Щщ", 4),
    **dict.fromkeys("҂҈҉", 7),
    **dict.fromkeys(
        "♔♕♖♗♘♙♚♛♜♝♞♟♢♦嵙嵜怺挘梻楿殱毟毮氺熕爫牜琑瓧瓰瓱"
        "瓸甅砿籡粏缼羪聢聨脋萙蘰蟐裃襅誮躾酛釻銯鎹鯐鯑鯳鰘鰰鱩鵆鵤鶎鶫🆩",
        13,
    ),
}
"""Characters that stand for more letters than their neighbours, in the table of `Unidecode`."""

_NAMED: Final = {Kind.ROLE: Role.NAME, Kind.MILESTONE: Milestone.NAME}

_Fit = Callable[[str], tuple[str, str]]
"""Fits a text; returns it with a remark, "" if it is unchanged or not worth one."""


def fit(desired: Desired) -> Desired:
    """Returns ``desired`` with each value as Taiga will be able to hold it. Pure."""
    fits = _FITS.get(desired.key.kind, {})
    fields: dict[str, Value] = dict(desired.fields)
    notes = list(desired.notes)
    for name, value in desired.fields.items():
        if isinstance(value, frozenset):
            fields[name], note = _fit_tags(value)
        elif isinstance(value, str) and name in fits:
            fields[name], note = _fit_text(value, fits[name])
        elif isinstance(value, str) and Story.of_deal(name):
            fields[name], note = _fit_text(value, _CARD_VALUE)
        else:
            continue
        notes += [f"{name} {note}"] if note else []
    _name_untitled(desired, fields, notes)
    ever = {name: _fit_tags(value)[0] for name, value in desired.at_any_time.items()}
    fitted = replace(desired, fields=fields, notes=tuple(notes), at_any_time=ever)
    return _identified(fitted, fields)


def _name_untitled(desired: Desired, fields: dict[str, Value], notes: list[str]) -> None:
    """Taiga demands a name: a project without a title is called by its deal's key."""
    if Project.TITLE in fields and not str(fields[Project.TITLE]).strip():
        fields[Project.TITLE] = _line(_LONGEST_TITLE, _width)(_storable(desired.key.group))[0]
        notes.append("title was empty: the deal's key is used")


def _identified(desired: Desired, fields: Mapping[str, Value]) -> Desired:
    """Returns the record with the name by which it is found again in the target.

    Roles and milestones have no place for a key there: they are known by their names as written.
    """
    name = fields.get(_NAMED[desired.key.kind]) if desired.key.kind in _NAMED else None
    return replace(desired, identity=str(name)) if name else desired


def _fit_text(value: str, fits: _Fit) -> tuple[str, str]:
    storable = _storable(value)
    fitted, note = fits(storable)
    lost = "" if storable == value else "had characters that cannot be stored; they were left out"
    return fitted, "; ".join(part for part in (lost, note) if part)


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("", text)


def _line(longest: int, width: Callable[[str], int]) -> _Fit:
    """A text on one line, not wider than ``longest``."""

    def fits(text: str) -> tuple[str, str]:
        line = " ".join(text.split())
        cut = _cut(line, longest, width)
        return cut, _cut_note(cut, line)

    return fits


def _distinct(longest: int) -> _Fit:
    """As `_line`, for names by which Taiga or we tell things apart: what is cut off is digested."""
    whole, cut = _line(longest, _width), _line(longest - _DIGEST - 1, _width)

    def fits(text: str) -> tuple[str, str]:
        fitted, note = whole(text)
        if not note:
            return fitted, ""
        line = " ".join(text.split())
        digest = hashlib.sha256(line.encode()).hexdigest()[:_DIGEST]
        fitted = f"{cut(line)[0]} {digest}"
        return fitted, _cut_note(fitted, line)

    return fits


def _block(
    longest: int, clean: Callable[[str], str], width: Callable[[str], int] = lambda _: 1
) -> _Fit:
    """A text on several lines, ``clean`` making them what the place can hold."""

    def fits(text: str) -> tuple[str, str]:
        lines = clean(text.replace("\r\n", "\n").replace("\r", "\n"))
        cut = _cut(lines, longest, width)
        return cut, _cut_note(cut, lines)

    return fits


def _story_text(text: str) -> tuple[str, str]:
    """A story's description. "@name" is written so that it reads alike and sends no mail."""
    fitted, note = _block(_LONGEST_TEXT, lambda lines: _MENTION.sub(_INERT_AT, lines))(text)
    inert = "names people with @; written so that no mail is sent" if _MENTION.search(text) else ""
    return fitted, "; ".join(part for part in (inert, note) if part)


def _subject(text: str) -> tuple[str, str]:
    """A story's subject. Taiga's pages take it, and tags, for HTML: they would load its images."""
    fitted, note = _line(_LONGEST_SUBJECT, _one)(_as_text(text))
    inert = "holds markup; written so that it is shown as text" if _MARKUP.search(text) else ""
    return fitted, "; ".join(part for part in (inert, note) if part)


def _as_text(text: str) -> str:
    return _MARKUP.sub(lambda match: _INERT_MARKUP[match[0]], text)


def _cut_note(cut: str, whole: str) -> str:
    return "" if cut == whole else f"was cut to {len(cut)} of {len(whole)} characters"


def _cut(text: str, longest: int, width: Callable[[str], int]) -> str:
    """Returns ``text``, or its beginning with an ellipsis where it is too wide."""
    total = 0
    for at, character in enumerate(text):
        total += width(character)
        if total > longest:
            return _begin(text[:at], longest, width) + _ELLIPSIS
    return text


def _begin(text: str, longest: int, width: Callable[[str], int]) -> str:
    """Makes room for the ellipsis at the end of ``text``."""
    over = sum(map(width, text)) + width(_ELLIPSIS) - longest
    while over > 0 and text:
        over -= width(text[-1])
        text = text[:-1]
    return text.rstrip()


def _one(character: str) -> int:
    return 1


def _size(character: str) -> int:
    """How many bytes a character takes."""
    return len(character.encode())


def _page(text: str) -> tuple[str, str]:
    """The lines of a wiki page; it ends with a whole line where it is too large."""
    fitted, note = _block(_LARGEST_PAGE, plain_facts, _size)(text)
    return (fitted.rpartition("\n")[0] + f"\n{_ELLIPSIS}" if note else fitted), note


def _width(character: str) -> int:
    """How many letters of an address stand for ``character`` at most."""
    code = ord(character)
    if code < 0x80:
        return 1
    if character in _LETTERS:
        return _LETTERS[character]
    if 0x2800 <= code < 0x2900 or 0x3300 <= code < 0x3400:  # Braille, squared words
        return 9
    return 2 if code < 0x900 or character == _ELLIPSIS else 7


def _fit_tags(tags: frozenset[str]) -> tuple[frozenset[str], str]:
    """Lower, on one line, without empty ones; the letter case alone is not worth a remark.

    A tag must not pass for a marker: Taiga keeps both in one place.
    """
    fitted = {tag: _fit_tag(tag) for tag in tags}
    changed = sorted(tag for tag, kept in fitted.items() if kept != " ".join(tag.lower().split()))
    note = f"were made to fit: {', '.join(repr(_storable(tag))[:60] for tag in changed)}"
    return frozenset(tag for tag in fitted.values() if tag), note if changed else ""


def _fit_tag(tag: str) -> str:
    line = " ".join(_storable(tag).lower().split())
    if line.startswith(f"{PREFIX}:"):
        line = line.replace(":", _INERT_COLON)
    return _cut(_as_text(line), _LONGEST_TAG, _one)


_CARD_VALUE: Final = _line(LONGEST_VALUE, _one)
_FITS: Final[Mapping[str, Mapping[str, _Fit]]] = {
    Kind.PROJECT: {
        Project.LABEL: _line(_LONGEST_LABEL, _width),
        Project.TITLE: _line(_LONGEST_TITLE, _width),
        Project.TEXT: _block(_LONGEST_TEXT, plain_text),
        Project.DEAL_FACTS: _block(_LONGEST_TEXT, plain_facts),
        Project.LOOKING_FOR_PEOPLE_NOTE: _block(_LONGEST_NOTE, str),
    },
    Kind.ROLE: {Role.NAME: _distinct(_LONGEST_NAME)},
    Kind.MEMBERSHIP: {Membership.ROLE: _distinct(_LONGEST_NAME)},
    Kind.MILESTONE: {Milestone.NAME: _distinct(_LONGEST_NAME)},
    Kind.STORY: {
        Story.SUBJECT: _subject,
        Story.SUMMARY: _line(100, _one),
        Story.DESCRIPTION: _story_text,
        Story.FACTS: _block(_LONGEST_TEXT, plain_facts),
        Story.STATUS: _distinct(_LONGEST_NAME),
    },
    Kind.STATUS: {Status.NAME: _distinct(_LONGEST_NAME)},
    Kind.TASK: {Task.SUBJECT: _subject},
    Kind.WIKI: {
        Wiki.TITLE: _line(_LONGEST_NAME, _width),
        Wiki.TEXT: _block(_LONGEST_TEXT, plain_text),
        Wiki.FACTS: _page,
    },
}
