"""A forecast as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.cli.output import print_table, style
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.forecast.forecast import Basis, Forecast, Row, Split
    from taiga_pipeline.planning.forecast.simulate import Range
    from taiga_pipeline.planning.history.model import History

NO_CURRENCY: Final = "(no currency)"
_OLD_DAYS: Final = 90
_LITTLE: Final = 0.5


def print_forecast(forecast: Forecast, history: History) -> None:
    """Prints a forecast: a table of months, one of quarters, and what they stand on."""
    click.echo(style(f"Forecast from {forecast.day}", bold=True))
    click.echo("P10 / P50 / P90: exceeded in 90, 50 and 10 of 100 futures")
    for rows in (forecast.months, forecast.quarters):
        if rows:
            click.echo("")
            _print_rows(rows)
    click.echo("")
    for note in notes(forecast, history):
        click.echo(safe(note))


def _print_rows(rows: tuple[Row, ...]) -> None:
    currencies = list(rows[0].value)
    headings = ["Period", "Wins of open deals", "of new deals", "Wins in all", "Decided in all"]
    headings += [f"Won {safe(name or NO_CURRENCY)} in all" for name in currencies]
    lines = [
        [
            row.period.name + (" (rest)" if row.period.begun else ""),
            *(_cell(each) for each in (row.won.open, row.won.coming, row.won.all)),
            _cell(row.decided.all),
            *(_cell(row.value[name].all) for name in currencies),
        ]
        for row in rows
    ]
    print_table(headings, lines, right=range(1, len(headings)))


def _cell(each: Range) -> str:
    return " / ".join(f"{number:,.0f}" for number in (each.low, each.middle, each.high))


def notes(forecast: Forecast, history: History) -> list[str]:
    """Returns what to know about a forecast, in sentences."""
    basis = forecast.basis
    return [
        *_learnt_from(basis),
        *_old_record(forecast),
        *_parts(basis),
        *_values(forecast, history),
        *left_out(history),
        *history.notices,
    ]


def _learnt_from(basis: Basis) -> Iterator[str]:
    if not basis.decided:
        yield (
            "No decided deal is on record: chances are the mapping's stage probabilities, and the "
            "time to a decision is a guess (90 days)."
        )
        return
    yield (
        f"Learnt from {counted(basis.decided, 'decided deal')} ({basis.won:,} won), "
        f"{basis.first_decision} to {basis.last_decision}; they count about "
        f"{basis.history_weight:.0%}, the mapping's stage probabilities the rest."
    )
    if basis.won in (0, basis.decided):
        outcome = "won" if basis.won else "lost"
        yield f"Every decided deal was {outcome}: chances lean on the stage probabilities."
    if basis.history_weight < _LITTLE:
        yield "That is little history: do not rely on single months."


def _old_record(forecast: Forecast) -> Iterator[str]:
    last = forecast.basis.last_decision
    if last and (forecast.day - last).days > _OLD_DAYS:
        yield (
            f"The last decision on record is from {last}, {(forecast.day - last).days:,} days "
            f"before this forecast; to forecast from where the record ends: --as-of {last}"
        )


def _parts(basis: Basis) -> Iterator[str]:
    coming = f"new deals are expected to come in at {basis.arrivals_per_week:,.1f} a week"
    if not basis.arrival_weeks:
        coming = "how many new deals come in shows only after a week of record: none are expected"
    yield f"{counted(basis.open, 'deal')} open; {coming}."
    if basis.asleep:
        yield (
            f"{counted(basis.asleep, 'open deal')} older than any deal that was ever decided: "
            "expected never to close."
        )
    season = "on" if basis.variant.season else "off"
    load = "on" if basis.variant.load else "off"
    yield (
        f"Month of the quarter: {season}. Team's load (closings do not grow with open deals): "
        f"{load}. Each is on only if it made past forecasts better."
    )
    yield (
        f"Ranges: shared ups and downs of {basis.common_shock.sd:.0%} (standard deviation), from "
        f"{counted(basis.past_forecasts, 'replayed forecast')}; "
        f"{basis.common_shock.windows:.1f} independent windows of 90 days."
    )


def _values(forecast: Forecast, history: History) -> Iterator[str]:
    currencies = [name for row in forecast.months[:1] for name in row.value]
    known = history.known_on(forecast.day).open
    without = sum(deal.value is None for deal in known)
    if not currencies:
        yield "No deal has a value: only numbers of deals are forecast."
    elif without:
        yield (
            f"{without:,} of {len(known):,} open deals have no value: what won deals of their "
            "service were worth stands for it."
        )
    if len(currencies) > 1:
        yield (
            "Values are kept per currency; to convert them, set planning.currency and "
            "planning.rates in the configuration."
        )


def left_out(history: History) -> Iterator[str]:
    """Yields how many deals cannot be used, or not as they should be, and why."""
    if history.undated:
        yield (
            f"{counted(history.undated, 'open deal')} without the day on which they came in "
            "(engaged_on): forecast from the day they were first seen, and no sign of how many "
            "come in."
        )
    for reason, number in sorted(history.left_out.items()):
        yield f"{counted(number, 'deal')} left out: {reason}."


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
        "left_out": dict(history.left_out),
        "undated": history.undated,
        "notes": notes(forecast, history),
    }


def _row_json(forecast: Forecast, row: Row) -> dict[str, Any]:
    return {
        "period": row.period.name,
        "from": forecast.day + timedelta(days=row.period.first),
        "to": forecast.day + timedelta(days=row.period.last),
        "wins": _split_json(row.won),
        "decided": _split_json(row.decided),
        "value": {name: _split_json(each) for name, each in row.value.items()},
    }


def _split_json(split: Split) -> dict[str, Any]:
    parts = {"open": split.open, "new": split.coming, "all": split.all}
    return {
        name: {"p10": round(part.low), "p50": round(part.middle), "p90": round(part.high)}
        for name, part in parts.items()
    }
