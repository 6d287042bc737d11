"""The part of the report about hours that are still free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from taiga_pipeline.language import figure, marked
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.weeks import week_name
from taiga_pipeline.report.page.model import Cell, HeatMap, HeatRow

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.result import CapacityReport, PersonWeek
    from taiga_pipeline.planning.capacity.result import Cell as HoursCell

_ROLES: Final = marked(
    "Free hours at P50: in half of the futures as many or more are left over. A cell tells P20 and "
    "P80 as well. The colour says how much of the hours is expected to be asked for."
)
_PEOPLE: Final = marked(
    "Free hours of each person at P50, after won deals and reservations. A reservation counts with "
    "its deal's chance. Hours that no person is named for yet are not taken off here."
)


def idle_of_roles(report: CapacityReport) -> HeatMap | None:
    """Returns the free hours of roles; None without a role."""
    names = [week_name(week) for week in report.weeks]
    rows = [
        HeatRow(
            role.role,
            _used(role.total),
            [
                _cell(cell, f"{role.role}, {name}")
                for cell, name in zip(role.weeks, names, strict=True)
            ],
            _cell(role.total, _("{role}, all weeks", role=role.role)),
        )
        for role in report.roles
        if role.people
    ]
    return HeatMap(names, rows, _(_ROLES), is_described_by_row=True) if rows else None


def idle_of_people(report: CapacityReport, called: Mapping[str, str]) -> HeatMap | None:
    """Returns the free hours of people; None without any. ``called`` are names of deals by key."""
    names = [week_name(week) for week in report.weeks]
    rows = [
        HeatRow(
            person.name,
            ", ".join(filter(None, (person.role, _used(person.total)))),
            [
                _person_cell(week, f"{person.name}, {name}", called)
                for week, name in zip(person.weeks, names, strict=True)
            ],
            _person_cell(person.total, _("{name}, all weeks", name=person.name), called),
        )
        for person in report.people
    ]
    return HeatMap(names, rows, _(_PEOPLE), is_described_by_row=True) if rows else None


def _used(cell: HoursCell | PersonWeek) -> str:
    sure, expected = cell.utilisation, cell.expected_utilisation
    if sure is None or expected is None:
        return ""
    return _(
        "{value:.0f} % booked, {value2:.0f} % with open deals",
        value=100 * sure,
        value2=100 * expected,
    )


def _person_cell(week: PersonWeek, where: str, called: Mapping[str, str]) -> Cell:
    reserved = _named(week.tentative_deals, called, _(" (reserved)"))
    booked = [*_named(week.deals, called), *reserved]
    return replace(_cell(week, where), drivers=booked)


def _cell(cell: HoursCell | PersonWeek, where: str) -> Cell:
    idle = cell.idle
    text = figure(idle.middle, ",.0f") if idle.middle >= 0.5 else ""
    hint = _(
        "{where}: free P20 {low:,.0f} h, P50 {middle:,.0f} h, P80 "
        "{high:,.0f} h, expected {expected:,.0f} h of {capacity:,.0f} h",
        where=where,
        low=idle.low,
        middle=idle.middle,
        high=idle.high,
        expected=idle.expected,
        capacity=cell.capacity,
    )
    used = _used(cell)
    return Cell(text, cell.expected_utilisation, f"{hint}; {used}" if used else hint)


def _named(
    deals: Iterable[tuple[str, float]], called: Mapping[str, str], what: str = ""
) -> Sequence[str]:
    return [f"{key_and_name(key, called)}{what}: {figure(hours, ',.0f')} h" for key, hours in deals]


def key_and_name(key: str, called: Mapping[str, str]) -> str:
    """Returns a deal's key with what it is called."""
    return f"{key} {called.get(key, '')}".rstrip()
