"""The roster, time off and allocations as CSV files.

==============  ===================================================================
people          ``email,name,role,skills,hours_per_week,team,country,starts,ends``
time off        ``email,first,last,reason``, or as HR programs export it (`absence_files`)
allocations     ``deal,email,role,hours_per_week,start,end,status``
==============  ===================================================================

Skills are separated by commas, a status is ``confirmed`` or ``tentative``.
Only the first columns of each (email, first; deal, email, role, hours_per_week) must be there.
Rosters are read by `taiga_pipeline.people.roster_file`, which knows the files of HR programs.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, tzinfo
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TextIO, TypeVar

from taiga_pipeline.hints import word
from taiga_pipeline.people.absence_files import (
    FIRST_NAME,
    HELPERS,
    KNOWN,
    LAST_NAME,
    NAME,
    last_by_number,
    number_of_days,
    why_not_off,
)
from taiga_pipeline.people.cleaning import bare_email, clean_allocation, clean_time_off
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.people.roster_file import OUR_COLUMNS
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.cleaning import clean_line
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.errors import InvalidValue, RequestError, UnknownPerson
from taiga_pipeline.pipeline.files.csv_reader import (
    BrokenRow,
    RawRow,
    guard,
    unguard,
)
from taiga_pipeline.pipeline.files.reading import TableFile, read_table
from taiga_pipeline.pipeline.importing.headers import plain_header
from taiga_pipeline.pipeline.importing.rows import BadRow
from taiga_pipeline.pipeline.notation import format_skills
from taiga_pipeline.pipeline.text import counted, folded, line
from taiga_pipeline.pipeline.values.dates import DateReading, End, survey_dates
from taiga_pipeline.pipeline.values.numbers import read_hours
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

_T = TypeVar("_T")
Cells = Mapping[str, str]
Days = Callable[[str, str, End | None], date | None]
"""Reads the day in a column: its name, the cell, and which end of a period is meant (None: that
of the column)."""
Emails = Callable[[str], str]
"""Returns the address of someone on the roster by their name."""

Settle = Callable[[Allocation, bool], Allocation]
"""Returns an allocation as it is to be stored; whether the file says if it is confirmed."""

CONFIRMED: Final = "confirmed"
TENTATIVE: Final = "tentative"
_BEGINNINGS: Final = ("first", "start")
_LIKE_A_SHARE: Final = Decimal("1.5")
"""So few hours are written with their unit: alone, they would be read as a share of full time."""


@dataclass(frozen=True, slots=True)
class Format(Generic[_T]):
    """How one kind of file is written: its columns, and the cells of a row."""

    columns: tuple[str, ...]
    write: Callable[[_T], Cells]


@dataclass(frozen=True, slots=True)
class ReadFormat(Format[_T]):
    """How one kind of file is read as well.

    ``needed`` are the columns that must be there, ``dates`` those that hold days. Two rows of the
    same ``identity`` are one. ``known`` are other headers of columns (`plain_header`), and
    ``helpers`` columns that say something about others; one of the first of both, in place of a
    needed column, will do (``instead``).
    """

    needed: tuple[str, ...]
    dates: tuple[str, ...]
    read: Callable[[Cells, Days], _T]
    identity: Callable[[_T], object]
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    helpers: tuple[str, ...] = ()
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowsReport:
    """What an import of people, time off or allocations did."""

    added: int
    changed: int
    unchanged: int
    bad_rows: tuple[BadRow, ...]
    unused_headers: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowsReading(Generic[_T]):
    """The good rows of a file with their lines, and the bad ones. ``complete`` is False when the
    file is cut off."""

    items: tuple[tuple[int, _T], ...]
    bad_rows: tuple[BadRow, ...]
    unused_headers: tuple[str, ...]
    complete: bool
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Writing:
    """How a file is written, as far as people say: "" to be found out. ``zone`` is that of days;
    ``columns``: our column -> their header, "" to leave ours out."""

    encoding: str = ""
    date_format: str = ""
    zone: tzinfo = UTC
    columns: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ""
    sheet: str = ""


AS_FOUND: Final = Writing()


def read_file(format_: ReadFormat[_T], path: Path, writing: Writing) -> RowsReading[_T]:
    """Reads a file; bad rows and repeated ones are kept apart, with line and reason.

    All cells of a column decide how its days are written.

    :raises Unreachable: the file cannot be read.
    :raises ProblemsError: it cannot be decoded, or lacks a column.
    """
    known = {
        *map(plain_header, (*format_.columns, *format_.helpers, *writing.columns.values())),
        *(header for headers in format_.known.values() for header in headers),
    }
    text = read_table(
        path,
        encoding=writing.encoding,
        delimiter=writing.delimiter,
        sheet=writing.sheet,
        is_known=lambda header: plain_header(header) in known,
    )
    positions = _positions(format_, text, writing.columns)
    dates = _surveys(format_, text, positions, writing)
    rows = _Rows(format_, positions, dates)
    for row in text.rows():
        rows.take(row)
    used = {text.headers[at] for at in positions.values()}
    unused = tuple(header for header in text.headers if header and header not in used)
    decided = (
        f"{text.headers[positions[name]]!r}: {reading.why}"
        for name, reading in dates.items()
        if reading.why and not reading.doubt
    )
    notices = (*(said for _, said in text.notes), *decided, *rows.left_out())
    return RowsReading(tuple(rows.items), tuple(rows.bad), unused, not rows.cut_off, notices)


@dataclass
class _Rows(Generic[_T]):
    """The rows of a file as they are read: ``items`` with their lines, and ``bad`` ones."""

    format_: ReadFormat[_T]
    positions: Mapping[str, int]
    dates: Mapping[str, DateReading]
    items: list[tuple[int, _T]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    cut_off: bool = False
    _seen: dict[object, int] = field(default_factory=dict)
    _not_taken: Counter[str] = field(default_factory=Counter)

    def take(self, row: RawRow | BrokenRow) -> None:
        """Reads one row, or keeps it apart with the reason."""
        if isinstance(row, BrokenRow):
            self.bad.append(BadRow(row.line, "", row.reason))
            self.cut_off |= row.cut_off
            return
        cells = {name: unguard(row.cells[at]).strip() for name, at in self.positions.items()}
        try:
            item = self.format_.read(
                {**dict.fromkeys(self.format_.columns, ""), **cells}, self._day
            )
        except NotTaken as error:
            self._not_taken[str(error)] += 1
        except RequestError as error:
            reasons = "; ".join(problem.message for problem in error.problems)
            self.bad.append(BadRow(row.line, row.cells[0], reasons))
        else:
            self._keep(row, item)

    def _keep(self, row: RawRow, item: _T) -> None:
        first = self._seen.setdefault(self.format_.identity(item), row.line)
        if first == row.line:
            self.items.append((row.line, item))
        else:
            self.bad.append(BadRow(row.line, row.cells[0], f"is in line {first} already"))

    def _day(self, name: str, cell: str, end: End | None = None) -> date | None:
        reading = self.dates.get(name)
        usual = End.FIRST if name in _BEGINNINGS else End.LAST
        return reading.day(cell, end or usual) if reading else None

    def left_out(self) -> Iterator[str]:
        """Yields what was left out on purpose, the most frequent first."""
        for why, count in self._not_taken.most_common():
            yield f"{counted(count, 'row')} no time off: {why}"


def _surveys(
    format_: ReadFormat[Any], text: TableFile, positions: Mapping[str, int], writing: Writing
) -> dict[str, DateReading]:
    rows = [row for row in text.rows() if isinstance(row, RawRow)]
    return {
        name: survey_dates(
            (unguard(row.cells[positions[name]]).strip() for row in rows),
            writing.date_format,
            writing.zone,
        )
        for name in format_.dates
        if name in positions
    }


def _positions(
    format_: ReadFormat[Any], text: TableFile, named: Mapping[str, str]
) -> dict[str, int]:
    by_header = {plain_header(header): at for at, header in reversed([*enumerate(text.headers)])}
    found: dict[str, int] = {}
    for name in (*format_.columns, *format_.helpers):
        headers = (plain_header(name), *format_.known.get(name, ()))
        at = next((by_header[each] for each in headers if each in by_header), None)
        if name not in named and at is not None and at not in found.values():
            found[name] = at
    present = ", ".join(filter(None, text.headers))
    problems = [*_wrong_columns(format_, text, named)]
    found |= {
        name: by_header[plain_header(theirs)]
        for name, theirs in named.items()
        if plain_header(theirs) in by_header
    }
    problems += [
        Problem(
            f"no column {name!r}{did_you_mean(name, text.headers)} (columns: {present})", text.name
        )
        for name in format_.needed
        if name not in found
        and not any(set(each.split("+")) <= found.keys() for each in format_.instead.get(name, ()))
    ]
    if problems:
        raise ProblemsError(problems)
    return found


def _wrong_columns(
    format_: ReadFormat[Any], text: TableFile, named: Mapping[str, str]
) -> Iterator[Problem]:
    fields = (*format_.columns, *format_.helpers)
    there = {plain_header(header) for header in text.headers}
    for name, theirs in named.items():
        option = f"--column {word(f'{name}={theirs}')}"
        if name not in fields:
            known = f"{did_you_mean(name, fields)} (fields: {', '.join(fields)})"
            yield Problem(f"{option}: no field {name!r}{known}", text.name)
        elif theirs and plain_header(theirs) not in there:
            near = did_you_mean(theirs, text.headers)
            yield Problem(f"{option}: no column {theirs!r}{near}", text.name)


class NotTaken(InvalidValue):
    """A row that is none of what the file is about, by its own word; says why."""


def write_file(format_: Format[_T], items: Iterable[_T], stream: TextIO) -> int:
    """Writes a file with a header; returns how many rows.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, which an import
    takes away again. ``stream`` is open for text, with ``newline=""``.
    """
    writer = csv.DictWriter(stream, format_.columns, lineterminator="\n")
    writer.writeheader()
    count = 0
    for item in items:
        writer.writerow({name: guard(cell) for name, cell in format_.write(item).items()})
        count += 1
    return count


def _write_person(person: Person) -> Cells:
    cells = {name: format_cell(name, getattr(person, name)) for name in PEOPLE_FILE.columns}
    hours = person.hours_per_week
    unit = " h" if 0 < hours <= _LIKE_A_SHARE else ""
    return {
        **cells,
        "skills": format_skills(person.skills),
        "hours_per_week": f"{cells['hours_per_week']}{unit}",
    }


def _read_time_off(cells: Cells, day: Days, email_of: Emails = lambda name: "") -> TimeOff:
    first = day("first", cells["first"], None)
    if first is None:
        raise InvalidValue("no first day")
    last = day("last", cells["last"], None)
    if why := why_not_off(cells, first, last):
        raise NotTaken(why)
    days = number_of_days(cells)
    if last is None and days is not None:
        last = last_by_number(first, days)
    last = last or day("first", cells["first"], End.LAST) or first  # of a week, all of it
    name = cells.get(NAME, "") or " ".join(
        filter(None, (cells.get(FIRST_NAME, ""), cells.get(LAST_NAME, "")))
    )
    email = bare_email(cells["email"]) if cells["email"] or not name else email_of(name)
    return clean_time_off(TimeOff(email, first, last, cells["reason"]))


def _write_time_off(time_off: TimeOff) -> Cells:
    return {name: format_cell(name, getattr(time_off, name)) for name in TIME_OFF_FILE.columns}


def _read_allocation(cells: Cells, day: Days, settle: Settle | None = None) -> Allocation:
    key = clean_line(cells["deal"])
    if not key:
        raise InvalidValue("no deal")
    allocation = clean_allocation(
        Allocation(
            deal_key=key,
            email=bare_email(cells["email"]),
            role=cells["role"],
            hours_per_week=read_hours(cells["hours_per_week"]),
            start=day("start", cells["start"], None),
            end=day("end", cells["end"], None),
            confirmed=_is_confirmed(cells["status"]),
        )
    )
    return settle(allocation, bool(cells["status"])) if settle else allocation


def _is_confirmed(text: str) -> bool:
    status = text.casefold() or CONFIRMED
    if status not in (CONFIRMED, TENTATIVE):
        raise InvalidValue(f"status {text!r}: write {CONFIRMED} or {TENTATIVE}")
    return status == CONFIRMED


def _write_allocation(allocation: Allocation) -> Cells:
    return {
        "deal": allocation.deal_key,
        "email": allocation.email,
        "role": allocation.role,
        "hours_per_week": format_cell("hours_per_week", allocation.hours_per_week),
        "start": format_cell("start", allocation.start),
        "end": format_cell("end", allocation.end),
        "status": CONFIRMED if allocation.confirmed else TENTATIVE,
    }


PEOPLE_FILE: Final = Format(
    OUR_COLUMNS,
    _write_person,
)
TIME_OFF_FILE: Final = ReadFormat(
    ("email", "first", "last", "reason"),
    _write_time_off,
    ("email", "first"),
    ("first", "last"),
    _read_time_off,
    lambda time_off: (time_off.email, time_off.first, time_off.last),
    known=KNOWN,
    helpers=HELPERS,
    instead={"email": (NAME, f"{FIRST_NAME}+{LAST_NAME}")},
)
ALLOCATIONS_FILE: Final = ReadFormat(
    ("deal", "email", "role", "hours_per_week", "start", "end", "status"),
    _write_allocation,
    ("deal", "email", "role", "hours_per_week"),
    ("start", "end"),
    _read_allocation,
    lambda each: (each.deal_key, each.email, each.role.casefold(), each.start),
)


def import_time_off(store: PeopleStore, path: Path, writing: Writing = AS_FOUND) -> RowsReport:
    """Imports time off.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: the file cannot be decoded, or lacks a column.
    """
    people = store.people()
    format_ = replace(TIME_OFF_FILE, read=partial(_read_time_off, email_of=_by_name(people)))
    reading = read_file(format_, path, writing)
    return sum_up(reading, store.add_each_time_off(item for _, item in reading.items))


def _by_name(people: Iterable[Person]) -> Emails:
    """Returns what finds people on the roster by name, as ``Ana Müller`` or ``Müller, Ana``."""
    emails: dict[str, set[str]] = {}
    for person in people:
        emails.setdefault(folded(line(person.name)), set()).add(person.email)

    def find(name: str) -> str:
        last, comma, first = name.partition(",")
        spelled = f"{first} {last}" if comma else name
        found = emails.get(folded(line(spelled)), set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise InvalidValue(
                f"{name!r} is the name of {', '.join(sorted(found))}: say which by "
                "the address, in a column 'email'"
            )
        raise InvalidValue(f"no person on the roster is called {name!r}; see people list")

    return find


def import_allocations(
    store: PeopleStore, path: Path, writing: Writing = AS_FOUND, settle: Settle | None = None
) -> RowsReport:
    """Imports allocations; unknown deals and people are reported by line.

    ``settle`` says what becomes of each: it is given the allocation, and whether the file says if
    it is confirmed. What it refuses is reported by line, too.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: the file cannot be decoded, or lacks a column.
    """
    format_ = replace(ALLOCATIONS_FILE, read=partial(_read_allocation, settle=settle))
    reading = read_file(format_, path, writing)
    return sum_up(reading, store.allocate_each(item for _, item in reading.items))


def sum_up(reading: RowsReading[_T], outcomes: list[Outcome | RequestError]) -> RowsReport:
    """Returns what became of the rows of a file."""
    lines = [line for line, _ in reading.items]
    bad = [*reading.bad_rows, *_refused(lines, outcomes)]
    return RowsReport(
        added=outcomes.count(Outcome.ADDED),
        changed=outcomes.count(Outcome.CHANGED),
        unchanged=outcomes.count(Outcome.UNCHANGED),
        bad_rows=tuple(sorted(bad, key=lambda row: row.line)),
        unused_headers=reading.unused_headers,
        notices=reading.notices,
    )


def _refused(lines: list[int], outcomes: list[Outcome | RequestError]) -> Iterator[BadRow]:
    for number, outcome in zip(lines, outcomes, strict=True):
        if isinstance(outcome, RequestError):
            yield BadRow(number, "", str(outcome), unknown_person=_nobody(outcome))


def _nobody(error: RequestError) -> str:
    """Returns the address that no person on the roster has, and that is like none there."""
    return error.name if isinstance(error, UnknownPerson) and not error.nearest else ""
