"""The roster, time off and allocations as CSV files.

==============  ===================================================================
people          ``email,name,role,skills,hours_per_week,team,country,starts,ends``
time off        ``email,first,last,reason``
allocations     ``deal,email,role,hours_per_week,start,end,status``
==============  ===================================================================

Skills are separated by commas, dates are ISO 8601, a status is ``confirmed`` or ``tentative``.
Only the first columns of each (email; email, first, last; deal, email, role, hours_per_week) must
be there.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Generic, TextIO, TypeVar

from taiga_pipeline.people.cleaning import clean_allocation, clean_person, clean_time_off
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.cleaning import clean_line
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.csv_reader import BrokenRow, CsvText, guard, read_csv, unguard
from taiga_pipeline.pipeline.errors import InvalidValue, RequestError
from taiga_pipeline.pipeline.headers import plain_header
from taiga_pipeline.pipeline.import_rows import BadRow
from taiga_pipeline.pipeline.notation import format_skills, parse_skills
from taiga_pipeline.pipeline.values.dates import read_day
from taiga_pipeline.pipeline.values.numbers import read_hours
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

_T = TypeVar("_T")
Cells = Mapping[str, str]

CONFIRMED: Final = "confirmed"
TENTATIVE: Final = "tentative"


@dataclass(frozen=True, slots=True)
class Format(Generic[_T]):
    """One kind of file: its columns, how many of them must be there, and both directions."""

    columns: tuple[str, ...]
    needed: tuple[str, ...]
    read: Callable[[Cells], _T]
    write: Callable[[_T], Cells]
    identity: Callable[[_T], object]


@dataclass(frozen=True, slots=True)
class RowsReport:
    """What an import of people, time off or allocations did."""

    added: int
    changed: int
    unchanged: int
    bad_rows: tuple[BadRow, ...]
    unused_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowsReading(Generic[_T]):
    """The good rows of a file with their lines, and the bad ones. ``complete`` is False when the
    file is cut off."""

    items: tuple[tuple[int, _T], ...]
    bad_rows: tuple[BadRow, ...]
    unused_headers: tuple[str, ...]
    complete: bool


def read_file(format_: Format[_T], path: Path, encoding: str = "") -> RowsReading[_T]:
    """Reads a file; bad rows and repeated ones are kept apart, with line and reason.

    :raises Unreachable: the file cannot be read.
    :raises ProblemsError: it cannot be decoded, or lacks a column.
    """
    text = read_csv(path, encoding=encoding)
    positions = _positions(format_, text)
    items: list[tuple[int, _T]] = []
    bad: list[BadRow] = []
    seen: dict[object, int] = {}
    cut_off = False
    for row in text.rows():
        if isinstance(row, BrokenRow):
            bad.append(BadRow(row.line, "", row.reason))
            cut_off |= row.cut_off
            continue
        cells = {name: unguard(row.cells[at]).strip() for name, at in positions.items()}
        try:
            item = format_.read({**dict.fromkeys(format_.columns, ""), **cells})
        except RequestError as error:
            reasons = "; ".join(problem.message for problem in error.problems)
            bad.append(BadRow(row.line, row.cells[0], reasons))
            continue
        first = seen.setdefault(format_.identity(item), row.line)
        if first == row.line:
            items.append((row.line, item))
        else:
            bad.append(BadRow(row.line, row.cells[0], f"stands in line {first} already"))
    used = {text.headers[at] for at in positions.values()}
    unused = tuple(header for header in text.headers if header and header not in used)
    return RowsReading(tuple(items), tuple(bad), unused, not cut_off)


def _positions(format_: Format[Any], text: CsvText) -> dict[str, int]:
    by_header = {plain_header(header): at for at, header in reversed([*enumerate(text.headers)])}
    found = {
        name: by_header[plain_header(name)]
        for name in format_.columns
        if plain_header(name) in by_header
    }
    present = ", ".join(filter(None, text.headers))
    problems = [
        Problem(
            f"no column {name!r}{did_you_mean(name, text.headers)} (columns: {present})", text.name
        )
        for name in format_.needed
        if name not in found
    ]
    if problems:
        raise ProblemsError(problems)
    return found


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


def _read_person(cells: Cells) -> Person:
    hours = cells["hours_per_week"]
    return clean_person(
        Person(
            email=cells["email"],
            name=cells["name"],
            role=cells["role"],
            skills=parse_skills(cells["skills"]),
            hours_per_week=read_hours(hours) if hours else Decimal(40),
            team=cells["team"],
            country=cells["country"],
            starts=read_day(cells["starts"]) if cells["starts"] else None,
            ends=read_day(cells["ends"]) if cells["ends"] else None,
        )
    )


def _write_person(person: Person) -> Cells:
    cells = {name: format_cell(name, getattr(person, name)) for name in PEOPLE_FILE.columns}
    return {**cells, "skills": format_skills(person.skills)}


def _read_time_off(cells: Cells) -> TimeOff:
    first = read_day(cells["first"])
    last = read_day(cells["last"]) if cells["last"] else first
    return clean_time_off(TimeOff(cells["email"], first, last, cells["reason"]))


def _write_time_off(time_off: TimeOff) -> Cells:
    return {name: format_cell(name, getattr(time_off, name)) for name in TIME_OFF_FILE.columns}


def _read_allocation(cells: Cells) -> Allocation:
    key = clean_line(cells["deal"])
    if not key:
        raise InvalidValue("no deal")
    return clean_allocation(
        Allocation(
            deal_key=key,
            email=cells["email"],
            role=cells["role"],
            hours_per_week=read_hours(cells["hours_per_week"]),
            start=read_day(cells["start"]) if cells["start"] else None,
            end=read_day(cells["end"]) if cells["end"] else None,
            confirmed=_is_confirmed(cells["status"]),
        )
    )


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
    ("email", "name", "role", "skills", "hours_per_week", "team", "country", "starts", "ends"),
    ("email",),
    _read_person,
    _write_person,
    lambda person: person.email,
)
TIME_OFF_FILE: Final = Format(
    ("email", "first", "last", "reason"),
    ("email", "first"),
    _read_time_off,
    _write_time_off,
    lambda time_off: (time_off.email, time_off.first, time_off.last),
)
ALLOCATIONS_FILE: Final = Format(
    ("deal", "email", "role", "hours_per_week", "start", "end", "status"),
    ("deal", "email", "role", "hours_per_week"),
    _read_allocation,
    _write_allocation,
    lambda each: (each.deal_key, each.email, each.role.casefold(), each.start),
)


def import_people(store: PeopleStore, path: Path, encoding: str = "") -> RowsReport:
    """Imports a roster; who is on it already is changed.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: the file cannot be decoded, or lacks a column.
    """
    reading = read_file(PEOPLE_FILE, path, encoding)
    counts = store.upsert(person for _, person in reading.items)
    return RowsReport(*counts, reading.bad_rows, reading.unused_headers)


def import_time_off(store: PeopleStore, path: Path, encoding: str = "") -> RowsReport:
    """Imports time off.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: the file cannot be decoded, or lacks a column.
    """
    reading = read_file(TIME_OFF_FILE, path, encoding)
    return _sum_up(reading, store.add_each_time_off(item for _, item in reading.items))


def import_allocations(store: PeopleStore, path: Path, encoding: str = "") -> RowsReport:
    """Imports allocations; unknown deals and people are reported by line.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: the file cannot be decoded, or lacks a column.
    """
    reading = read_file(ALLOCATIONS_FILE, path, encoding)
    return _sum_up(reading, store.allocate_each(item for _, item in reading.items))


def _sum_up(reading: RowsReading[_T], outcomes: list[Outcome | RequestError]) -> RowsReport:
    lines = [line for line, _ in reading.items]
    bad = [*reading.bad_rows, *_refused(lines, outcomes)]
    return RowsReport(
        added=outcomes.count(Outcome.ADDED),
        changed=outcomes.count(Outcome.CHANGED),
        unchanged=outcomes.count(Outcome.UNCHANGED),
        bad_rows=tuple(sorted(bad, key=lambda row: row.line)),
        unused_headers=reading.unused_headers,
    )


def _refused(lines: list[int], outcomes: list[Outcome | RequestError]) -> Iterator[BadRow]:
    for line, outcome in zip(lines, outcomes, strict=True):
        if isinstance(outcome, RequestError):
            yield BadRow(line, "", str(outcome))
