"""A forecast as text and as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.cli.output import print_table, style
from taiga_pipeline.language import figure, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.forecast.notes import notes, shows_any
from taiga_pipeline.report.amounts import NO_CURRENCY
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.forecast.calibration import Calibration
    from taiga_pipeline.planning.forecast.forecast import Forecast, Row, Split
    from taiga_pipeline.planning.forecast.simulate import Range
    from taiga_pipeline.planning.history.model import History


def print_forecast(forecast: Forecast, history: History) -> None:
    """Prints a forecast: a table of months, one of quarters, and what they stand on."""
    click.echo(style(_("Forecast from {day}", day=forecast.day), bold=True))
    click.echo(_("P10 / P50 / P90: the median, and the ends between which 80 of 100 futures lie"))
    click.echo(_("Where the median is 0: the chance of at least one (1+)"))
    for rows in (forecast.months, forecast.quarters):
        if rows:
            click.echo("")
            _print_rows(rows)
    click.echo("")
    for note in notes(forecast, history):
        click.echo(safe(translated(note)))


def _print_rows(rows: tuple[Row, ...]) -> None:
    currencies = list(rows[0].value)
    headings = [
        _("Period"),
        _("Wins of open deals"),
        _("of new deals"),
        _("Wins in all"),
        _("Decided in all"),
    ]
    headings += [_("Won {name} in all", name=safe(name or _(NO_CURRENCY))) for name in currencies]
    lines = [
        [
            _("{period} (rest)", period=row.period.name) if row.period.begun else row.period.name,
            *(_range(each) for each in (row.won.open, row.won.coming, row.won.all)),
            _range(row.decided.all),
            *(_range(row.value[name].all) for name in currencies),
        ]
        for row in rows
    ]
    print_table(headings, lines, right=range(1, len(headings)))


def _range(each: Range) -> str:
    numbers = " / ".join(figure(number, ",.0f") for number in (each.low, each.middle, each.high))
    if not shows_any(each):
        return numbers
    return _("{numbers} ({chance} for 1+)", numbers=numbers, chance=figure(each.any, ".0%"))


def forecast_json(forecast: Forecast, history: History) -> dict[str, Any]:
    """Returns a forecast as plain data."""
    basis = forecast.basis
    return {
        "as_of": forecast.day,
        "months": [_row_json(forecast, row) for row in forecast.months],
        "quarters": [_row_json(forecast, row) for row in forecast.quarters],
        "basis": {
            "open": basis.open,
            "decided": basis.decided,
            "won": basis.won,
            "first_decision": basis.first_decision,
            "last_decision": basis.last_decision,
            "history_weight": round(basis.history_weight, 3),
            "model": basis.variant.kind,
            "no_losses_since": basis.no_losses_since,
            "quiet": list(basis.quiet) if basis.quiet else None,
            "season": basis.variant.season,
            "load": basis.variant.load,
            "learns_stages": basis.learns_stages,
            "asleep": basis.asleep,
            "arrivals_per_week": round(basis.arrivals_per_week, 2),
            "shock_mean": round(basis.common_shock.mean, 4),
            "shock_sd": round(basis.common_shock.sd, 4),
            "independent_windows": round(basis.common_shock.windows, 1),
            "past_forecasts": basis.past_forecasts,
        },
        "calibration": _calibration_json(forecast.calibration),
        "left_out": dict(history.left_out),
        "undated": history.undated,
        "notes": notes(forecast, history),
    }


def _calibration_json(calibration: Calibration) -> dict[str, Any]:
    groups = [
        {"said": round(each.said, 3), "came": round(each.came, 3), "chances": each.number}
        for each in calibration.groups
    ]
    windows = [
        {"made": each.made, "expected": _range_json(each.expected), "came": each.came}
        for each in calibration.windows
    ]
    return {"days": calibration.days, "chances": groups, "wins_in_30_days": windows}


def _row_json(forecast: Forecast, row: Row) -> dict[str, Any]:
    return {
        "period": row.period.name,
        "from": forecast.day + timedelta(days=row.period.first),
        "to": forecast.day + timedelta(days=row.period.last),
        "wins": _split_json(row.won),
        "decided": _split_json(row.decided),
        "value": {name: _split_json(each) for name, each in row.value.items()},
        "so_far": {
            "wins": row.so_far.won,
            "decided": row.so_far.decided,
            "value": {name: round(each) for name, each in row.so_far.value.items()},
        },
        "whole": {
            "wins": _range_json(row.won_in_whole),
            "decided": _range_json(row.decided_in_whole),
            "value": {name: _range_json(row.value_in_whole(name)) for name in row.value},
        },
    }


def _split_json(split: Split) -> dict[str, Any]:
    parts = {"open": split.open, "new": split.coming, "all": split.all}
    return {name: _range_json(part) for name, part in parts.items()}


def _range_json(each: Range) -> dict[str, float]:
    return {
        "p10": round(each.low),
        "p50": round(each.middle),
        "p90": round(each.high),
        "at_least_one": round(each.any, 3),
    }
