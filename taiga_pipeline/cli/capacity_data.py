"""A capacity report as JSON and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TextIO

from taiga_pipeline.pipeline.csv_reader import guard
from taiga_pipeline.planning.weeks import week_name

if TYPE_CHECKING:
    from datetime import date

    from taiga_pipeline.planning.capacity_report import CapacityReport, Cell, Driver

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
COLUMNS: Final = ("role", "week", "monday", *_HOURS, "chance_short", "drivers")


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
        "shock_sd": round(report.shock_sd, 4),
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
        "notices": list(report.notices),
    }


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
        "drivers": [_driver_json(driver) for driver in cell.drivers],
    }


def _driver_json(driver: Driver) -> dict[str, Any]:
    return {
        "deal": driver.deal_key,
        "added": round(driver.added, 1),
        "weighted": round(driver.weighted, 1),
        "probability": round(driver.probability, 4),
        "expected_close": driver.expected_close,
    }


def write_csv(report: CapacityReport, stream: TextIO) -> None:
    """Writes one row for each role and week. ``stream`` is open for text, with ``newline=""``."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for role in report.roles:
        for week, cell in zip(report.weeks, role.weeks, strict=True):
            drivers = "; ".join(f"{each.deal_key} {each.added:.1f}" for each in cell.drivers)
            hours = [f"{getattr(cell, name):.1f}" for name in _HOURS]
            row = [guard(role.role), week_name(week), week.isoformat(), *hours]
            writer.writerow([*row, f"{cell.chance_short:.4f}", guard(drivers)])
