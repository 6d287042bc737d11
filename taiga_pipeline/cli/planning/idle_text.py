"""Free hours and utilisation on a terminal, by role, person and week."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.cli.output import print_table, style
from taiga_pipeline.language import figure, marked
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.weeks import week_name
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.result import (
        CapacityReport,
        Cell,
        PersonCapacity,
        PersonWeek,
        RoleCapacity,
    )

_FREE: Final = (
    marked("Free P20"),
    "P50",
    "P80",
    marked("Expected free"),
    marked("Utilisation"),
    marked("with tentative"),
)


def percent(share: float | None) -> str:
    """Returns ``85 %``, "" where nothing is known."""
    return "" if share is None else f"{100 * share:.0f} %"


def print_idle(report: CapacityReport, roles: Sequence[RoleCapacity]) -> None:
    """Prints what is free of each role over all weeks, and the week with most of it."""
    click.echo(
        style(_("\nFree hours (P20: as many or more are free in 80 % of futures)"), bold=True)
    )
    rows = [
        [
            safe(role.role),
            figure(role.total.capacity, ",.0f"),
            *_cells(role.total),
            _most(report, role),
        ]
        for role in roles
    ]
    if len(roles) == len(report.roles) > 1:
        rows.append(
            [_("All roles"), figure(report.total.capacity, ",.0f"), *_cells(report.total), ""]
        )
    print_table([_("Role"), _("Capacity"), *map(_, _FREE), _("Most free")], rows, right=range(1, 8))


def _most(report: CapacityReport, role: RoleCapacity) -> str:
    weeks = list(report.weeks)
    at = max(range(len(weeks)), key=lambda number: role.weeks[number].idle.expected)
    hours = role.weeks[at].idle.expected
    return f"{week_name(weeks[at])} ({figure(hours, ',.0f')} h)" if hours >= 0.5 else ""


def _cells(cell: Cell | PersonWeek) -> list[str]:
    idle = cell.idle
    free = [figure(hours, ",.0f") for hours in (idle.low, idle.middle, idle.high, idle.expected)]
    return [*free, percent(cell.utilisation), percent(cell.expected_utilisation)]


def print_idle_weeks(report: CapacityReport, role: RoleCapacity) -> None:
    """Prints what is free of one role, week by week."""
    rows = [
        [week_name(week), figure(cell.capacity, ",.0f"), *_cells(cell)]
        for week, cell in zip(report.weeks, role.weeks, strict=True)
    ]
    click.echo("")
    print_table([_("Week"), _("Capacity"), *map(_, _FREE)], rows, right=range(1, 8))


def print_people(report: CapacityReport, people: Sequence[PersonCapacity]) -> None:
    """Prints what is free of each person; of one person, week by week."""
    first, last = week_name(report.weeks.first), week_name(report.weeks.last)
    click.echo(style(_("People, {first} to {last}", first=first, last=last), bold=True))
    if not people:
        click.echo(_("the roster is empty"))
        return
    headings = [
        _("Person"),
        _("Role"),
        _("Capacity"),
        _("Confirmed"),
        _("Tentative"),
        *map(_, _FREE),
    ]
    rows = [[safe(each.name), safe(each.role), *_hours(each.total)] for each in people]
    print_table(headings, rows, right=range(2, 11))
    if len(people) == 1:
        click.echo("")
        _print_weeks(report, people[0])


def _hours(week: PersonWeek) -> list[str]:
    there = (week.capacity, week.confirmed, week.tentative)
    return [*(figure(hours, ",.0f") for hours in there), *_cells(week)]


def _print_weeks(report: CapacityReport, person: PersonCapacity) -> None:
    headings = [_("Week"), _("Capacity"), _("Confirmed"), _("Tentative"), *map(_, _FREE), _("On")]
    rows = [
        [week_name(week), *_hours(each), _deals(each)]
        for week, each in zip(report.weeks, person.weeks, strict=True)
    ]
    print_table(headings, rows, right=range(1, 10))


def _deals(week: PersonWeek) -> str:
    return ", ".join([*_named(week.deals), *(f"({each})" for each in _named(week.tentative_deals))])


def _named(deals: Iterable[tuple[str, float]]) -> list[str]:
    return [f"{safe(key)} {hours:.0f} h" for key, hours in deals]
