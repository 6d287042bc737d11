"""The scores of past forecasts, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.cli.output import print_json, print_table, style
from taiga_pipeline.cli.planning.forecast_text import NO_CURRENCY
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.planning.forecast.notes import left_out
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.forecast.backtest import Backtest, Coverage, Horizon
    from taiga_pipeline.planning.history.model import History

_PARTS: Final = {"open": "open deals", "coming": "new deals", "all": "all deals"}


def say_too_little(history: History, end: date | None, as_json: bool) -> None:
    """Says that there is too little history for a backtest."""
    decided = [deal.closed for deal in history.decided if deal.closed]
    reach = f"decisions are on record from {min(decided)} to {end}" if decided else "none is there"
    reason = (
        "too little history for a backtest: it needs four weeks of decisions and 90 days after "
        f"them; {reach}"
    )
    if as_json:
        print_json({"forecasts": 0, "reason": reason, "left_out": dict(history.left_out)})
        return
    click.echo(reason)
    for line in left_out(history):
        click.echo(safe(line))


def print_backtest(backtest: Backtest, history: History) -> None:
    """Prints how good past forecasts would have been, beside simpler ones."""
    click.echo(
        f"{counted(len(backtest.days), 'forecast')}, weekly from {backtest.days[0]} to "
        f"{backtest.days[-1]}, each from what was known on its day; the record ends {backtest.end}"
    )
    click.echo(style("\nChances of open deals: lower is better", bold=True))
    print_table(
        ("Days", "Chances", "Windows", *_SCORES),
        [_score_cells(each) for each in backtest.horizons],
        right=range(9),
    )
    click.echo(style("\n80 % ranges: should hold about 80 of 100 outcomes", bold=True))
    print_table(
        ("Days", "Sum", "Held", "Expected / actual", "Width / expected"),
        [cells for each in backtest.horizons for cells in _range_cells(each)],
        right=(0, 2, 3, 4),
    )
    click.echo("")
    for line in (*_remarks(backtest), *left_out(history)):
        click.echo(safe(line))


_SCORES: Final = (
    "Brier: forecast",
    "base rate",
    "stages",
    "ECE: forecast",
    "base rate",
    "stages",
)


def _score_cells(horizon: Horizon) -> list[str]:
    scores = (horizon.model, horizon.base_rate, horizon.stages)
    return [
        str(horizon.days),
        f"{horizon.chances:,}",
        f"{horizon.independent:.1f}",
        *(f"{score.brier:.3f}" for score in scores),
        *(f"{score.ece:.3f}" for score in scores),
    ]


def _range_cells(horizon: Horizon) -> Iterator[list[str]]:
    for part, name in _PARTS.items():
        yield _coverage_cells(horizon.days, f"wins of {name}", horizon.won[part])
    for currency, parts in horizon.value.items():
        for part, name in _PARTS.items():
            label = safe(f"{currency or NO_CURRENCY} of {name}")
            yield _coverage_cells(horizon.days, label, parts[part])


def _coverage_cells(days: int, label: str, coverage: Coverage) -> list[str]:
    ratio = "" if coverage.ratio is None else f"{coverage.ratio:.2f}"
    return [str(days), label, f"{coverage.covered:.0%}", ratio, f"{coverage.width:.2f}"]


def _remarks(backtest: Backtest) -> Iterator[str]:
    better = [str(each.days) for each in backtest.horizons if each.model.brier < _best_other(each)]
    yield (
        f"Better than base rate and stage probabilities at {', '.join(better)} days."
        if better
        else "Not better than the base rate or the stage probabilities: do not rely on it."
    )
    yield (
        "Windows: how many of these do not overlap; with few, a range's share of hits says little."
    )
    number = len(backtest.days)
    yield (
        f"Month of the quarter was on in {backtest.seasonal} of {number} forecasts, the team's "
        f"load in {backtest.loaded}: only where they had won before."
    )
    for each in backtest.revealing:
        yield (
            f"Not used, because it reveals the outcome: {each.field} is filled for "
            f"{each.decided:.0%} of decided deals and {each.open:.0%} of open ones."
        )


def _best_other(horizon: Horizon) -> float:
    return min(horizon.base_rate.brier, horizon.stages.brier)


def backtest_json(backtest: Backtest, history: History) -> dict[str, Any]:
    """Returns the scores as plain data."""
    return {
        "forecasts": len(backtest.days),
        "first": backtest.days[0],
        "last": backtest.days[-1],
        "record_ends": backtest.end,
        "horizons": [_horizon_json(each) for each in backtest.horizons],
        "season_on": backtest.seasonal,
        "load_on": backtest.loaded,
        "not_used": [asdict(each) for each in backtest.revealing],
        "left_out": dict(history.left_out),
    }


def _horizon_json(horizon: Horizon) -> dict[str, Any]:
    return {
        "days": horizon.days,
        "chances": horizon.chances,
        "independent_windows": round(horizon.independent, 1),
        "forecast": asdict(horizon.model),
        "base_rate": asdict(horizon.base_rate),
        "stage_probabilities": asdict(horizon.stages),
        "wins": _parts_json(horizon.won),
        "value": {name: _parts_json(parts) for name, parts in horizon.value.items()},
    }


def _parts_json(parts: dict[str, Coverage]) -> dict[str, Any]:
    return {{"coming": "new"}.get(part, part): asdict(each) for part, each in parts.items()}
