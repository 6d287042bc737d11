"""A capacity report as JSON and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TextIO

from taiga_pipeline.pipeline.files.csv_reader import guard
from taiga_pipeline.pipeline.notation import format_roles
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.planning.weeks import week_name

if TYPE_CHECKING:
    from datetime import date

    from taiga_pipeline.planning.capacity.result import (
        CapacityReport,
        Cell,
        Driver,
        PersonCapacity,
        PersonWeek,
        RoleCapacity,
    )
    from taiga_pipeline.planning.demand.silent import Silent
    from taiga_pipeline.planning.demand.unseen import Unseen

_HOURS: Final = (
    "capacity",
    "confirmed",
    "weighted",
    "exposure",
    "median",
    "quantile",
    "high",
    "gap",
    "expected_gap",
)
_FREE: Final = {"free_p20": "low", "free_p50": "middle", "free_p80": "high", "idle": "expected"}
_SHARES: Final = ("utilisation", "expected_utilisation")
COLUMNS: Final = (
    *("role", "week", "monday"),
    *_HOURS,
    *("chance_short", "drivers"),
    *_FREE,
    *_SHARES,
)
_PERSON_HOURS: Final = ("capacity", "confirmed", "tentative", "expected")
PERSON_COLUMNS: Final = (
    *("email", "name", "role", "week", "monday"),
    *_PERSON_HOURS,
    *_FREE,
    *_SHARES,
    *("deals", "tentative_deals"),
)
UNSEEN_COLUMNS: Final = ("unseen", "quantile_with_unseen", "gap_with_unseen")
_SAME: Final = ("capacity", "confirmed", "exposure")


def report_json(report: CapacityReport) -> dict[str, Any]:
    """Returns a report as plain data; hours are rounded to tenths."""
    weeks = list(report.weeks)
    return {
        "as_of": report.as_of,
        "from": week_name(report.weeks.first),
        "weeks": len(weeks),
        "quantile": report.quantile,
        "trials": report.trials,
        "seed": report.seed,
        "shock_sd": round(report.common_shock_sd, 4),
        "open_deals": report.open_deals,
        "roles": [
            {
                "role": role.role,
                "people": role.people,
                "total": cell_json(role.total),
                "weeks": _weeks_json(weeks, role.weeks),
            }
            for role in report.roles
        ],
        "all_roles": {
            "total": cell_json(report.total),
            "weeks": _weeks_json(weeks, report.by_week),
        },
        "people": [_person_json(weeks, person) for person in report.people],
        "without_roles": [_silent_json(each) for each in report.silent],
        "notices": list(report.notices),
    }


def _silent_json(silent: Silent) -> dict[str, Any]:
    return {
        "service": silent.service,
        "open_deals": list(silent.open),
        "won_deals": list(silent.won),
        "value": {currency: silent.value[currency] for currency in sorted(silent.value)},
        "usual_roles": format_roles(silent.usual),
        "usual_of_deals": silent.like,
    }


def silent_rows(report: CapacityReport) -> list[tuple[str, str, str, str]]:
    """Returns the deals that state no roles as service, number, value and what is usual."""
    return [
        (
            each.service or "(no service)",
            f"{each.count:,}",
            ", ".join(f"{each.value[name]:,.0f} {name}".strip() for name in sorted(each.value)),
            f"{format_roles(each.usual)} (of {counted(each.like, 'deal')})" if each.usual else "",
        )
        for each in report.silent
    ]


def _weeks_json(weeks: Iterable[date], cells: Iterable[Cell]) -> list[dict[str, Any]]:
    return [
        {"week": week_name(week), "monday": week, **cell_json(cell)}
        for week, cell in zip(weeks, cells, strict=True)
    ]


def cell_json(cell: Cell) -> dict[str, Any]:
    """Returns a cell as plain data."""
    return {
        **{name: round(getattr(cell, name), 1) for name in _HOURS},
        "chance_short": round(cell.chance_short, 4),
        **_idle_json(cell),
        "drivers": [_driver_json(driver) for driver in cell.drivers],
    }


def _idle_json(cell: Cell | PersonWeek) -> dict[str, float | None]:
    free = {name: round(getattr(cell.idle, field), 1) for name, field in _FREE.items()}
    shares = {name: getattr(cell, name) for name in _SHARES}
    rounded = {name: None if each is None else round(each, 4) for name, each in shares.items()}
    return {**free, **rounded}


def _person_json(weeks: Iterable[date], person: PersonCapacity) -> dict[str, Any]:
    return {
        "email": person.email,
        "name": person.name,
        "role": person.role,
        "total": _person_week_json(person.total),
        "weeks": [
            {"week": week_name(week), "monday": week, **_person_week_json(each)}
            for week, each in zip(weeks, person.weeks, strict=True)
        ],
    }


def _person_week_json(week: PersonWeek) -> dict[str, Any]:
    return {
        **{name: round(getattr(week, name), 1) for name in _PERSON_HOURS},
        **_idle_json(week),
        "deals": {key: round(hours, 1) for key, hours in week.deals},
        "tentative_deals": {key: round(hours, 1) for key, hours in week.tentative_deals},
    }


def _driver_json(driver: Driver) -> dict[str, Any]:
    return {
        "deal": driver.deal_key,
        "added": round(driver.added, 1),
        "weighted": round(driver.weighted, 1),
        "probability": round(driver.probability, 4),
        "expected_close": driver.expected_close,
        "won": driver.is_won,
    }


def unseen_json(report: CapacityReport, unseen: Unseen, more: CapacityReport) -> dict[str, Any]:
    """Returns what deals that are not there yet add, as plain data.

    ``more`` is the same as ``report`` with them; there is no exposure, as it is unknown their
    number.
    """
    weeks = [week_name(week) for week in more.weeks]
    return {
        "expected_wins": round(unseen.wins, 1),
        "past_wins": unseen.past,
        "roles": [
            {
                "role": role.role,
                "total": _more_json(role.total, added),
                "weeks": [
                    {"week": week, **_more_json(cell, hours)}
                    for week, cell, hours in zip(weeks, role.weeks, by_week, strict=True)
                ],
            }
            for role in more.roles
            for added, by_week in [added_hours(report, role)]
        ],
        "all_roles": _more_json(more.total, more.total.weighted - report.total.weighted),
    }


def added_hours(report: CapacityReport, more: RoleCapacity) -> tuple[float, list[float]]:
    """Returns the hours that are expected of a role beyond those of ``report``: in all, by week."""
    before = next((role for role in report.roles if role.role == more.role), None)
    if before is None:
        return more.total.weighted, [cell.weighted for cell in more.weeks]
    by_week = [
        cell.weighted - other.weighted for cell, other in zip(more.weeks, before.weeks, strict=True)
    ]
    return more.total.weighted - before.total.weighted, by_week


def _more_json(cell: Cell, added: float) -> dict[str, float]:
    hours = {name: round(getattr(cell, name), 1) for name in _HOURS if name not in _SAME}
    chance = round(cell.chance_short, 4)
    return {"expected_of_unseen": round(added, 1), **hours, "chance_short": chance}


def write_csv(report: CapacityReport, stream: TextIO, more: CapacityReport | None = None) -> None:
    """Writes one row for each role and week. ``stream`` is open for text, with ``newline=""``.

    ``more`` is the same with deals that are not there yet, for three more columns.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*COLUMNS, *UNSEEN_COLUMNS) if more else COLUMNS)
    further = {role.role: role for role in more.roles} if more else {}
    for role in report.roles:
        _, added = added_hours(report, further[role.role]) if further else (0.0, [])
        for at, (week, cell) in enumerate(zip(report.weeks, role.weeks, strict=True)):
            drivers = "; ".join(f"{each.deal_key} {each.added:.1f}" for each in cell.drivers)
            hours = [f"{getattr(cell, name):.1f}" for name in _HOURS]
            row = [guard(role.role), week_name(week), week.isoformat(), *hours]
            row += [f"{cell.chance_short:.4f}", guard(drivers), *_idle_cells(cell)]
            if further:
                full = further[role.role].weeks[at]
                row += [f"{hours:.1f}" for hours in (added[at], full.quantile, full.gap)]
            writer.writerow(row)


def _idle_cells(cell: Cell | PersonWeek) -> list[str]:
    free = [f"{getattr(cell.idle, name):.1f}" for name in _FREE.values()]
    shares = (getattr(cell, name) for name in _SHARES)
    return [*free, *("" if each is None else f"{each:.4f}" for each in shares)]


def write_people_csv(report: CapacityReport, stream: TextIO) -> None:
    """Writes one row for each person and week. ``stream`` is as for `write_csv`."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(PERSON_COLUMNS)
    for person in report.people:
        named = [guard(each) for each in (person.email, person.name, person.role)]
        for week, each in zip(report.weeks, person.weeks, strict=True):
            hours = [f"{getattr(each, name):.1f}" for name in _PERSON_HOURS]
            deals = [
                guard("; ".join(f"{key} {hours:.1f}" for key, hours in listed))
                for listed in (each.deals, each.tentative_deals)
            ]
            row = [*named, week_name(week), week.isoformat(), *hours, *_idle_cells(each), *deals]
            writer.writerow(row)
