"""Reading a roster as an HR program exports it: what each row says about a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from taiga_pipeline.people.cleaning import bare_email, clean_email, clean_person, name_beside_email
from taiga_pipeline.people.countries import country_named
from taiga_pipeline.people.model import Person
from taiga_pipeline.people.roster_headers import (
    FIRST_NAME,
    LAST_NAME,
    NUMBER,
    STATUS,
    is_known,
)
from taiga_pipeline.people.roster_layout import RosterLayout, RosterOptions, lay_out
from taiga_pipeline.people.roster_weeks import WeekReader
from taiga_pipeline.people.roster_words import has_left, is_last_name_first, is_on_leave, turned
from taiga_pipeline.pipeline.errors import InvalidValue, RequestError
from taiga_pipeline.pipeline.files.csv_reader import BrokenRow, RawRow, unguard
from taiga_pipeline.pipeline.files.reading import read_table
from taiga_pipeline.pipeline.importing.rows import BadRow
from taiga_pipeline.pipeline.notation import parse_skills
from taiga_pipeline.pipeline.text import counted, line
from taiga_pipeline.pipeline.values.blank import is_blank_text
from taiga_pipeline.pipeline.values.dates import DateReading, End, survey_dates

OUR_COLUMNS: Final = (
    "email",
    "name",
    "role",
    "skills",
    "hours_per_week",
    "team",
    "country",
    "starts",
    "ends",
)
"""The columns of an export of ours, which is read back as it is."""

_DATES: Final = ("starts", "ends")
_TEXTS: Final = ("role", "team")
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """What the file says about one person.

    ``values`` are the fields of a `Person` that it fills, ``blank`` those that it has a column for
    and leaves blank. ``number`` is the person's number at the company, "" if none is known.
    """

    line: int
    email: str
    values: Mapping[str, Any] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    number: str = ""

    @property
    def name(self) -> str:
        """The person's name, "" if the file has none."""
        return str(self.values.get("name", ""))

    def person(self) -> Person:
        """Returns the person, if nothing else is known of them.

        :raises InvalidValue: what cannot be stored.
        """
        return clean_person(Person(**{"name": "", **self.values, "email": self.email}))


@dataclass(frozen=True, slots=True)
class RosterReading:
    """The good rows of a file, and the bad ones.

    ``present`` are the addresses of all rows, the bad ones included. ``complete`` is False when
    the file is cut off or a row does not say whose it is: what is missing proves nothing then.
    """

    entries: tuple[Entry, ...]
    bad_rows: tuple[BadRow, ...]
    notices: tuple[str, ...]
    layout: RosterLayout
    present: frozenset[str]
    complete: bool
    weeks: WeekReader

    def person(self, entry: Entry) -> Person:
        """Returns someone of whom nothing else is known; full time, if the file has no hours.

        :raises InvalidValue: what cannot be stored.
        """
        hours = {"hours_per_week": self.weeks.full_time}
        return replace(entry, values={**hours, **entry.values}).person()


def read_roster(path: Path, options: RosterOptions) -> RosterReading:
    """Reads a roster; columns decide how hours, dates and names are written.

    :raises Unreachable: the file cannot be read.
    :raises ProblemsError: it cannot be decoded, or a column is missing.
    """
    text = read_table(
        path,
        encoding=options.encoding,
        delimiter=options.delimiter,
        sheet=options.sheet,
        is_known=lambda header: is_known(header) or header in options.columns.values(),
    )
    layout = lay_out(str(path), text.headers, options)
    rows = list(text.rows())
    reader = _Reader(layout, options, [row for row in rows if isinstance(row, RawRow)])
    for row in rows:
        reader.take(row)
    reading = reader.reading()
    return replace(reading, notices=(*(said for _, said in text.notes), *reading.notices))


class _Reader:
    """Reads the rows of one file."""

    def __init__(
        self, layout: RosterLayout, options: RosterOptions, rows: Sequence[RawRow]
    ) -> None:
        self._layout = layout
        columns = {name: [self._cell(row, name) for row in rows] for name in layout.columns}
        self._dates = {
            name: survey_dates(columns[name], options.date_format, options.zone)
            for name in _DATES
            if name in columns
        }
        self._weeks = WeekReader(layout, columns, options.full_time)
        self._is_ours = layout.headers == OUR_COLUMNS
        self._is_turned = not self._is_ours and is_last_name_first(columns.get("name", ()))
        self._surname = _surname_column(columns)
        self._entries: list[Entry] = []
        self._bad: list[BadRow] = []
        self._present: set[str] = set()
        self._complete = True
        self._countries: Counter[str] = Counter()
        self._on_leave: list[str] = []

    def _cell(self, row: RawRow, name: str) -> str:
        return unguard(row.cells[self._layout.columns[name]]).strip()

    def take(self, row: RawRow | BrokenRow) -> None:
        """Reads a row; keeps what it says, or why it was left out."""
        if isinstance(row, BrokenRow):
            self._bad.append(BadRow(row.line, "", row.reason))
            self._complete = False
            return
        cells = {name: self._cell(row, name) for name in self._layout.columns}
        shown = cells["email"][:100] or row.cells[0][:100]
        try:
            email = clean_email(bare_email(cells["email"]))
        except RequestError as error:
            self._complete = False
            self._bad.append(BadRow(row.line, shown, _reasons(error)))
            return
        self._present.add(email)
        try:
            self._entries.append(self._entry(row.line, email, cells))
        except RequestError as error:
            self._bad.append(BadRow(row.line, email, _reasons(error)))

    def _entry(self, number: int, email: str, cells: Mapping[str, str]) -> Entry:
        found = dict(self._values(email, cells))
        status = cells.get(STATUS, "")
        if has_left(status) and found.get("ends") is None:
            raise InvalidValue(
                f"has left according to {self._layout.header_of(STATUS)!r} ({status[:40]!r}), but "
                f"without a last day; they stay on the roster until: {_ENDS.format(email)}"
            )
        if is_on_leave(status):
            self._on_leave.append(email)
        values = {name: value for name, value in found.items() if value not in (None, "", ())}
        entry = Entry(
            number,
            email,
            values,
            frozenset(found.keys() - values.keys()),
            line(cells.get(NUMBER, "")),
        )
        cleaned = entry.person()
        return replace(entry, values={name: getattr(cleaned, name) for name in values})

    def _values(self, email: str, cells: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
        """Yields the fields that the file has columns for; None or "" for a blank cell."""
        if {"name", FIRST_NAME, LAST_NAME} & cells.keys() or name_beside_email(cells["email"]):
            yield "name", self._name(cells)
        for name in _TEXTS:
            if name in cells:
                is_blank = not self._is_ours and is_blank_text(cells[name])
                yield name, "" if is_blank else cells[name]
        if "skills" in cells:
            yield "skills", parse_skills(cells["skills"])
        if "country" in cells:
            yield "country", self._country(cells["country"])
        for name, reading in self._dates.items():
            yield name, _day(name, reading, cells[name], self._layout.header_of(name))
        if self._weeks.is_known:
            yield "hours_per_week", self._weeks.hours(email, cells)

    def _name(self, cells: Mapping[str, str]) -> str:
        full = cells.get("name", "")
        first, last = cells.get(FIRST_NAME, ""), cells.get(LAST_NAME, "")
        if self._surname == LAST_NAME:
            full, last = "", full
        elif self._surname == FIRST_NAME:
            full, first = "", full
        if first and last:
            return line(f"{first} {last}")
        if full:
            return turned(full) if self._is_turned else line(full)
        return line(f"{first} {last}") or name_beside_email(cells["email"])

    def _country(self, text: str) -> str:
        if is_blank_text(text):
            return ""
        try:
            return country_named(text)
        except InvalidValue:
            self._countries[text[:40]] += 1
            return ""

    def reading(self) -> RosterReading:
        """Returns what was read of all rows."""
        return RosterReading(
            tuple(self._entries),
            tuple(self._bad),
            tuple(self._notices()),
            self._layout,
            frozenset(self._present),
            self._complete,
            self._weeks,
        )

    def _notices(self) -> Iterator[str]:
        for name, rivals in self._layout.rivals.items():
            others = ", ".join(map(repr, rivals))
            yield f"{name}: taken from {self._layout.header_of(name)!r}, not from {others}"
        for name, reading in self._dates.items():
            if reading.why and not reading.doubt:
                yield f"{self._layout.header_of(name)!r}: {reading.why}"
        if self._is_turned:
            yield f"{self._layout.header_of('name')!r}: last name, first name; reordered"
        for country, count in self._countries.items():
            yield (
                f"country {country!r} ({counted(count, 'row')}) is unknown: the pipeline's own "
                "holidays are used; write a code such as SE or DE-BY"
            )
        if self._on_leave:
            yield (
                f"{_people(self._on_leave)} on leave according to "
                f"{self._layout.header_of(STATUS)!r}: counted as working; record it with: "
                "pipeline-sync people off add EMAIL FIRST LAST"
            )


_ENDS: Final = "pipeline-sync people edit {} --ends DATE"


def _people(emails: Sequence[str]) -> str:
    shown = ", ".join(emails[:_SHOWN])
    more = len(emails) - _SHOWN
    head = "1 person" if len(emails) == 1 else f"{len(emails):,} people"
    return f"{head} ({shown}{f' and {more:,} more' if more > 0 else ''})"


def _surname_column(columns: Mapping[str, Sequence[str]]) -> str:
    """Returns which part of a name the column ``name`` holds beside a column of the other part
    (``Name;Vorname``), "" if it holds whole names."""
    other = [name for name in (FIRST_NAME, LAST_NAME) if name in columns]
    if "name" not in columns or len(other) != 1:
        return ""
    pairs = [
        (full.casefold(), part.casefold())
        for full, part in zip(columns["name"], columns[other[0]], strict=True)
        if full and part
    ]
    within = sum(part in full for full, part in pairs)
    if not pairs or within * 2 > len(pairs):
        return ""
    return LAST_NAME if other[0] == FIRST_NAME else FIRST_NAME


def _day(name: str, reading: DateReading, text: str, header: str) -> date | None:
    try:
        return reading.day(text, End.FIRST if name == "starts" else End.LAST)
    except InvalidValue as error:
        raise InvalidValue(f"{header}: {error}") from None


def _reasons(error: RequestError) -> str:
    return "; ".join(problem.message for problem in error.problems)
