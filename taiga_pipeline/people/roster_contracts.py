"""Several rows of one person (contracts, positions) made one.

Rows that follow each other in time: the one in force decides. Rows at the same time add up, if they
are together no more than full time. All else is left to people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from taiga_pipeline.people.roster_file import Entry
from taiga_pipeline.pipeline.importing.rows import BadRow
from taiga_pipeline.pipeline.text import folded

_TELLING: Final = ("role", "team", "starts", "ends")
"""Fields that tell two contracts of a person from a row that was written twice."""


@dataclass(slots=True)
class OnePerPerson:
    """Entries of which each is another person; rows left out; and what was decided."""

    entries: list[Entry] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def one_per_person(entries: Iterable[Entry], today: date, full_time: Decimal) -> OnePerPerson:
    """Makes one entry of each person's rows; ``full_time`` are hours a week."""
    by_email: dict[str, list[Entry]] = {}
    for entry in entries:
        by_email.setdefault(entry.email, []).append(entry)
    found = OnePerPerson()
    for rows in by_email.values():
        _settle(rows, today, full_time, found)
    _leave_out_second_addresses(found)
    return found


def _settle(rows: list[Entry], today: date, full_time: Decimal, found: OnePerPerson) -> None:
    first, *others = rows
    different = [each for each in others if _is_contract(first, each)]
    found.bad_rows += [_again(each, first) for each in others if each not in different]
    contracts = [first, *different]
    if len(contracts) > 1 and _follow_each_other(contracts):
        found.entries.append(_in_force(contracts, today))
        found.notices.append(_notice(contracts, found.entries[-1], "the one in force counts"))
        return
    together = sum((_hours(each, full_time) for each in contracts), Decimal(0))
    if len(contracts) > 1 and together <= full_time and _are_at_the_same_time(contracts):
        found.entries.append(_added_up(contracts, together))
        found.notices.append(_notice(contracts, found.entries[-1], "their hours are added up"))
        return
    found.entries.append(first)
    found.bad_rows += [_again(each, first, together) for each in different]


def _is_contract(first: Entry, other: Entry) -> bool:
    """Whether two rows of one address are two contracts of one person."""
    if folded(first.name) != folded(other.name):
        return False
    return any(first.values.get(name) != other.values.get(name) for name in _TELLING)


def _again(row: Entry, first: Entry, together: Decimal | None = None) -> BadRow:
    more = f"; with this row it would be {together:f} hours a week" if together is not None else ""
    return BadRow(row.line, row.email, f"is in line {first.line} already{more}")


def _hours(entry: Entry, full_time: Decimal) -> Decimal:
    hours = entry.values.get("hours_per_week")
    return full_time if hours is None else Decimal(hours)


def _span(entry: Entry) -> tuple[date, date]:
    return entry.values.get("starts") or date.min, entry.values.get("ends") or date.max


def _follow_each_other(rows: Sequence[Entry]) -> bool:
    spans = sorted(map(_span, rows))
    return all(one[1] < other[0] for one, other in pairwise(spans))


def _are_at_the_same_time(rows: Sequence[Entry]) -> bool:
    return max(_span(each)[0] for each in rows) <= min(_span(each)[1] for each in rows)


def _in_force(rows: Sequence[Entry], today: date) -> Entry:
    """Returns the contract of today, else the next, else the last; with the time of all."""
    ordered = sorted(rows, key=_span)
    current = next((each for each in ordered if _span(each)[1] >= today), ordered[-1])
    return replace(current, **_time_of_all(current, rows))


def _added_up(rows: Sequence[Entry], together: Decimal) -> Entry:
    main = max(rows, key=lambda each: Decimal(each.values.get("hours_per_week") or 0))
    summed = replace(main, values={**main.values, "hours_per_week": together})
    return replace(summed, **_time_of_all(summed, rows))


def _time_of_all(entry: Entry, rows: Sequence[Entry]) -> Mapping[str, Any]:
    begin, end = min(_span(each)[0] for each in rows), max(_span(each)[1] for each in rows)
    ours = {"starts": begin, "ends": end}
    known = {name: day for name, day in ours.items() if day not in (date.min, date.max)}
    values = {name: value for name, value in entry.values.items() if name not in ours}
    blank = {name for name in ours if name not in known and _has(rows, name)}
    return {"values": {**values, **known}, "blank": (entry.blank - set(known)) | blank}


def _has(rows: Sequence[Entry], name: str) -> bool:
    return any(name in each.values or name in each.blank for each in rows)


def _notice(rows: Sequence[Entry], entry: Entry, decision: str) -> str:
    lines = ", ".join(str(each.line) for each in rows)
    hours = entry.values.get("hours_per_week")
    shown = f" ({hours:f} h a week)" if isinstance(hours, Decimal) else ""
    return f"{entry.email} has several rows (lines {lines}): {decision}{shown}"


def _leave_out_second_addresses(found: OnePerPerson) -> None:
    """Leaves out rows of a person who stands there with another address: same number and name."""
    seen: dict[tuple[str, str], Entry] = {}
    kept = []
    for entry in found.entries:
        identity = (entry.number, folded(entry.name))
        first = seen.setdefault(identity, entry) if all(identity) else entry
        if first is entry:
            kept.append(entry)
        else:
            reason = (
                f"is the person of line {first.line} ({first.email}) with another address: same "
                f"number {entry.number!r} and name"
            )
            found.bad_rows.append(BadRow(entry.line, entry.email, reason))
    found.entries[:] = kept
