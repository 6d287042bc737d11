"""Importing a roster: who is new, who changed, who is gone, and who has a new address."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Connection, delete, select

from taiga_pipeline.days import day_of
from taiga_pipeline.hints import word
from taiga_pipeline.people.cleaning import clean_person
from taiga_pipeline.people.model import Person
from taiga_pipeline.people.people_rows import person_of_row, row_of_person
from taiga_pipeline.people.roster_contracts import one_per_person
from taiga_pipeline.people.roster_file import Entry, RosterReading, read_roster
from taiga_pipeline.people.roster_layout import RosterOptions
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.importing.rows import BadRow
from taiga_pipeline.pipeline.notation import format_skills
from taiga_pipeline.pipeline.schema import PEOPLE, PEOPLE_IMPORTED
from taiga_pipeline.pipeline.text import folded

if TYPE_CHECKING:
    from taiga_pipeline.people.store import PeopleStore

_NOTHING: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("role", "team", "country"), ""),
    "skills": (),
    "starts": None,
    "ends": None,
}
"""What a field holds that a file clears. A name and hours are never cleared."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A row that may be someone of the roster with a new address; it was not added."""

    line: int
    email: str
    old_email: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """Someone whom earlier imports of a file brought, and who is not in it any more."""

    email: str
    name: str


@dataclass(frozen=True, slots=True)
class RosterReport:
    """What an import of a roster did, or with a dry run would do.

    ``columns``: our column -> their header. ``gone`` are kept on the roster; it is unknown of a
    last day of theirs. ``complete`` is False when nothing could be concluded from who is missing.
    """

    origin: str
    added: int
    changed: int
    unchanged: int
    bad_rows: tuple[BadRow, ...]
    held_back: tuple[HeldBack, ...]
    gone: tuple[Gone, ...]
    complete: bool
    notices: tuple[str, ...]
    columns: Mapping[str, str]
    unused_headers: tuple[str, ...]
    dry_run: bool = False


class _Last(NamedTuple):
    """What an import brought of a person."""

    number: str
    cells: Mapping[str, str]


def prepare(path: Path, options: RosterOptions, today: date) -> RosterReading:
    """Reads a roster, with one entry for each person.

    :raises Unreachable: the file cannot be read.
    :raises ProblemsError: it cannot be decoded, or a column is missing.
    """
    reading = read_roster(path, options)
    found = one_per_person(reading.entries, today, reading.weeks.full_time)
    bad = sorted((*reading.bad_rows, *found.bad_rows), key=lambda row: row.line)
    return replace(
        reading,
        entries=tuple(found.entries),
        bad_rows=tuple(bad),
        notices=(*reading.notices, *found.notices),
    )


def import_roster(
    store: PeopleStore, path: Path, options: RosterOptions, now: datetime
) -> RosterReport:
    """Imports a roster of any HR program into a store; see `store_roster`.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: the file cannot be decoded, or an option is wrong for it.
    """
    today = day_of(now, options.zone)
    reading = prepare(path, options, today)
    origin = options.origin or path.name
    with store.trying() if options.dry_run else store.writing() as connection:
        report = store_roster(connection, reading, origin, now, today)
    return replace(report, dry_run=options.dry_run)


def store_roster(
    connection: Connection, reading: RosterReading, origin: str, now: datetime, today: date
) -> RosterReport:
    """Stores the people of a file, and says who is no longer in it.

    What people changed in the store stays while the file says what it said last.
    """
    work = _Import(connection, origin, reading, today)
    for entry in reading.entries:
        work.put(entry)
    gone = work.gone() if reading.complete else ()
    work.write(now, gone)
    return RosterReport(
        origin=origin,
        added=len(work.added),
        changed=len(work.changed),
        unchanged=work.unchanged,
        bad_rows=reading.bad_rows,
        held_back=tuple(work.held_back),
        gone=gone,
        complete=reading.complete,
        notices=(*reading.notices, *reading.weeks.notices(work.assumed), *work.notices()),
        columns={ours: reading.layout.headers[at] for ours, at in reading.layout.columns.items()},
        unused_headers=reading.layout.unused,
    )


class _Import:
    """One import under way."""

    def __init__(
        self, connection: Connection, origin: str, reading: RosterReading, today: date
    ) -> None:
        self._connection = connection
        self._origin = origin
        self._reading = reading
        self._today = today
        rows = connection.execute(select(PEOPLE))
        self._known = {row.email: person_of_row(row) for row in rows}
        self._last: dict[str, _Last] = {}
        self._numbers: dict[str, set[str]] = {}
        self._elsewhere: Counter[str] = Counter()
        for row in connection.execute(select(PEOPLE_IMPORTED)):
            self._numbers.setdefault(row.email, set()).add(row.number)
            if row.origin == origin:
                self._last[row.email] = _Last(row.number, json.loads(row.cells))
            elif row.email in reading.present:
                self._elsewhere[row.origin] += 1
        self.added: list[Person] = []
        self.changed: list[Person] = []
        self.unchanged = 0
        self.held_back: list[HeldBack] = []
        self.assumed: list[str] = []
        self._taken: list[Entry] = []
        self._absent = [each for each in self._known.values() if each.email not in reading.present]

    def put(self, entry: Entry) -> None:
        """Takes what the file says about one person, or holds it back."""
        stored = self._known.get(entry.email)
        if stored is None:
            held = self._held(entry)
            if held:
                self.held_back.append(held)
                return
            self.added.append(self._new(entry))
        else:
            merged = clean_person(self._merged(stored, entry))
            if merged == stored:
                self.unchanged += 1
            else:
                self.changed.append(merged)
        self._taken.append(entry)

    def _new(self, entry: Entry) -> Person:
        if "hours_per_week" not in entry.values:
            self.assumed.append(entry.email)
        return self._reading.person(entry)

    def _merged(self, stored: Person, entry: Entry) -> Person:
        last = self._last.get(entry.email, _Last("", {})).cells
        changes: dict[str, Any] = {}
        for name, value in entry.values.items():
            if last.get(name) != _cell(name, value):
                changes[name] = value
        for name in entry.blank & _NOTHING.keys():
            if name in last and last[name] == _cell(name, getattr(stored, name)):
                changes[name] = _NOTHING[name]
        return replace(stored, **changes)

    def _held(self, entry: Entry) -> HeldBack | None:
        """Returns why a new address may be that of someone on the roster, None if it is not."""
        for person in self._absent:
            why = self._is_the_same(entry, person)
            if why:
                return HeldBack(entry.line, entry.email, person.email, why)
        return None

    def _is_the_same(self, entry: Entry, person: Person) -> str:
        if person.ends is not None and person.ends < self._today:
            return ""
        last = self._last.get(person.email)
        same_name = bool(entry.name) and _words(entry.name) == _words(person.name)
        if entry.number and last is not None and entry.number == last.number:
            return f"same employee number {entry.number!r}"
        if entry.number and same_name and entry.number in self._numbers.get(person.email, ()):
            return f"same employee number {entry.number!r} and name"
        if last is not None and last.number and entry.number:
            return ""  # the company itself says that they are two
        if same_name and (last is not None or self._does_the_same(entry, person)):
            return f"same name {person.name!r}"
        return ""

    def _does_the_same(self, entry: Entry, person: Person) -> bool:
        pairs = ((entry.values.get(name), getattr(person, name)) for name in ("role", "team"))
        return all(not one or not other or folded(one) == folded(other) for one, other in pairs)

    def gone(self) -> tuple[Gone, ...]:
        """Returns whom the file brought before and does not hold now."""
        explained = {each.old_email for each in self.held_back}
        return tuple(
            Gone(each.email, each.name)
            for each in self._absent
            if each.email in self._last and each.email not in explained and each.ends is None
        )

    def write(self, now: datetime, gone: Collection[Gone]) -> None:
        """Stores what was taken, and what the file said."""
        if self.added:
            self._connection.execute(PEOPLE.insert(), list(map(row_of_person, self.added)))
        for person in self.changed:
            update = PEOPLE.update().where(PEOPLE.c.email == person.email)
            self._connection.execute(update, row_of_person(person))
        table = PEOPLE_IMPORTED
        mine = table.c.origin == self._origin
        for entry in self._taken:
            self._connection.execute(delete(table).where(mine, table.c.email == entry.email))
        if self._taken:
            self._connection.execute(table.insert(), [self._row(each) for each in self._taken])
        for each in gone:
            missing = table.c.missing_since.is_(None)
            update = table.update().where(mine, table.c.email == each.email, missing)
            self._connection.execute(update.values(missing_since=now))

    def _row(self, entry: Entry) -> dict[str, Any]:
        cells = {name: _cell(name, value) for name, value in entry.values.items()}
        return {
            "origin": self._origin,
            "email": entry.email,
            "number": entry.number,
            "cells": json.dumps(cells, ensure_ascii=False),
            "missing_since": None,
        }

    def notices(self) -> Iterator[str]:
        """Says where else people came from, and who may be there twice."""
        if not self._last and self._elsewhere:
            other, count = self._elsewhere.most_common(1)[0]
            yield (
                f"this is the first import under the name {self._origin!r}; {_people(count)} of it "
                f"came from {other!r}. People who are gone from the list are not reported: import "
                f"it with --origin {word(other)}, and use one --origin for it from now on"
            )
        namesakes = Counter(
            (_words(each.name), folded(each.values.get("role", "")))
            for each in self._reading.entries
            if each.name
        )
        for (words, _), count in namesakes.items():
            if count > 1:
                yield (
                    f"{_people(count)} of the file are called {' '.join(sorted(words))!r} and have "
                    "the same role: if they are one, take one row out"
                )


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _cell(name: str, value: Any) -> str:
    return format_skills(value) if name == "skills" else format_cell(name, value)


def _words(name: str) -> frozenset[str]:
    """Returns the words of a name: their order and letter case say nothing."""
    return frozenset(folded(name).replace(",", " ").split())
