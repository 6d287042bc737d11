r"""The log of a deal's notes: how it is written as text, and how what comes in is added to it.

As text, the newest entry comes first. Before each stands when it was written, and by whom::

    [2026-11-27 14:05:09Z, anna] They ask for a reference.
    Call again on Monday.
    [2026-11-20 09:00:00Z] Sent the offer.

A minus stands for a time that is not known. Text without such a line before it is an entry that is
dated when it is stored. A line of an entry that looks like one of these has a backslash before it.

A log only grows. What is in it already is not added again, so that a file may be imported, and a
form be sent, as often as one likes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Note
from taiga_pipeline.pipeline.text import block, line
from taiga_pipeline.pipeline.values.patterns import pattern

BEFORE_THE_LOG: Final = "before-the-log"
"""The origin of what a deal's notes were when they were one text."""

FROM_A_FILE: Final = "import:"
"""Begins the origin of a note that a file brought without its time: what follows is its own."""

MAX_NOTES: Final = 10_000
"""Entries that one text may bring."""

_TIME: Final = "%Y-%m-%d %H:%M:%SZ"
_HEAD_FORM: Final = (
    r"\[(?P<at>-|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}Z)"
    r"(?:, (?P<by>(?:\\.|[^\]\\\n])*))?\](?: |$)"
)
_HEAD: Final = pattern(_HEAD_FORM)
_ESCAPED: Final = pattern(rf"(?P<marks>\\*)(?={_HEAD_FORM})")
_SIGNS: Final = pattern(r"([\]\\])")


def format_notes(notes: Iterable[Note]) -> str:
    """Writes a log, its newest entry first."""
    return "\n".join(_entry(note, is_first=not place) for place, note in enumerate(notes))


def _entry(note: Note, *, is_first: bool) -> str:
    text = "\n".join(_escaped(each) for each in note.text.split("\n"))
    is_dated = note.at is not None and not _came_without_time(note)
    by = note.by if is_dated or note.at is None else ""
    if is_first and not is_dated and not by:
        return text
    at = note.at.astimezone(UTC).strftime(_TIME).rjust(20, "0") if note.at and is_dated else "-"
    author = ", " + _SIGNS.sub(r"\\\1", line(by)) if by else ""
    return f"[{at}{author}] {text}"


def _came_without_time(note: Note) -> bool:
    """Whether a note has only the time at which it came here: when it was written is not known."""
    return note.origin == BEFORE_THE_LOG or note.origin.startswith(FROM_A_FILE)


def _escaped(text: str) -> str:
    return f"\\{text}" if _ESCAPED.match(text) else text


def _unescaped(text: str) -> str:
    escaped = _ESCAPED.match(text)
    return text[1:] if escaped and escaped["marks"] else text


def parse_notes(text: str) -> tuple[Note, ...]:
    """Reads a log, or any text: then it is one entry without a time.

    :raises InvalidValue: characters that cannot be kept, a time that is none, too many entries.
    """
    entries: list[tuple[re.Match[str] | None, list[str]]] = [(None, [])]
    for each in block(text).split("\n"):
        if head := _HEAD.match(each):
            entries.append((head, [_unescaped(each[head.end() :])]))
        else:
            entries[-1][1].append(_unescaped(each))
    if len(entries) > MAX_NOTES:
        raise InvalidValue(f"{len(entries):,} notes in one text; up to {MAX_NOTES:,} are read")
    notes = (_read(head, "\n".join(lines)) for head, lines in entries)
    return tuple(note for note in notes if note.text)


def _read(head: re.Match[str] | None, text: str) -> Note:
    if head is None:
        return Note(block(text))
    by = re.sub(r"\\(.)", r"\1", head["by"] or "")
    return Note(block(text), None if head["at"] == "-" else _time(head["at"]), line(by))


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidValue(f"{text} is not a time") from None


def joined(log: tuple[Note, ...], given: Collection[Note]) -> tuple[Note, ...]:
    """Returns the log with what ``given`` says beyond it, the newest entry first.

    Of an entry without a time and an author, only the lines count that do not stand at its
    beginning or its end as an entry of the log: a field of another program to which people add.
    """
    found = list(log)
    for note in reversed(tuple(given)):
        if note in found or (note.origin and any(each.origin == note.origin for each in found)):
            continue
        text = note.text
        if note.at is None and not note.by and not note.origin:
            text = _beyond(text, {each.text for each in found})
        elif any(_says_the_same(each, note) for each in found):
            continue
        if text:
            found.insert(0, replace(note, text=text))
    return newest_first(found)


def _says_the_same(one: Note, other: Note) -> bool:
    return (one.text, one.at, one.by) == (other.text, other.at, other.by)


def _beyond(text: str, known: Collection[str]) -> str:
    """Returns the text without the entries that it begins or ends with."""
    longest_first = sorted(known, key=len, reverse=True)
    while True:
        rest = next((each for each in _cut(text, longest_first) if each != text), text)
        if rest == text:
            return text
        text = rest


def _cut(text: str, known: Iterable[str]) -> Iterator[str]:
    for each in known:
        if text == each:
            yield ""
        elif text.startswith(f"{each}\n"):
            yield block(text[len(each) :])
        elif text.endswith(f"\n{each}"):
            yield block(text[: -len(each)])


def newest_first(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Puts entries in order; those of the same moment stay as they are, undated ones are last.

    Entries that are not dated yet will be dated now: they stay where they are.
    """
    return tuple(sorted(notes, key=_moment, reverse=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def _moment(note: Note) -> datetime:
    return note.at or _NEVER


def stamped(
    notes: Iterable[Note], at: datetime, by: str, *, from_file: bool = False
) -> Iterator[Note]:
    """Yields entries as they are stored: each has a time, of whole seconds, and an author.

    Those that are ``from_file`` and had neither say so in their origin.
    """
    for note in notes:
        if note.at is None:
            is_unknown = from_file and not note.by and not note.origin
            origin = f"{FROM_A_FILE}{_digest(note.text)}" if is_unknown else note.origin
            moment = at.replace(microsecond=0)
            yield replace(note, at=moment, by=note.by or by, origin=origin)
        else:
            yield replace(note, at=note.at.replace(microsecond=0))
