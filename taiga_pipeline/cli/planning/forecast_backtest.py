"""The scores of past forecasts, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.cli.output import print_json, print_table, style
from taiga_pipeline.language import counted, figure, marked
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.forecast.notes import left_out
from taiga_pipeline.report.amounts import NO_CURRENCY
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.forecast.backtest import Backtest, Coverage, Horizon
    from taiga_pipeline.planning.history.model import History

_PARTS: Final = {
    "open": marked("open deals"),
    "coming": marked("new deals"),
    "all": marked("all deals"),
}


def say_too_little(history: History, end: date | None, as_json: bool) -> None:
    """Says that there is too little history for a backtest."""
    decided = [deal.closed for deal in history.decided if deal.closed]
    reach = (
        _("decisions are on record from {decided} to {end}", decided=min(decided), end=end)
        if decided
        else _("none is there")
    )
    reason = _(
        "too little history for a backtest: it needs four weeks of "
        "decisions and 90 days after them; {reach}",
        reach=reach,
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
        _(
            "{forecasts}, weekly from {days} to {days2}, each from what was "
            "known on its day; the record ends {end}",
            forecasts=counted(len(backtest.days), "forecast"),
            days=backtest.days[0],
            days2=backtest.days[-1],
            end=backtest.end,
        )
    )
    click.echo(style(_("\nChances of open deals: lower is better"), bold=True))
    print_table(
        (_("Days"), _("Chances"), _("Windows"), *map(_, _SCORES)),
        [_score_cells(each) for each in backtest.horizons],
        right=range(9),
    )
    click.echo(style(_("\n80 % ranges: should hold about 80 of 100 outcomes"), bold=True))
    print_table(
        (_("Days"), _("Sum"), _("Held"), _("Expected / actual"), _("Width / expected")),
        [cells for each in backtest.horizons for cells in _range_cells(each)],
        right=(0, 2, 3, 4),
    )
    click.echo("")
    for line in (*_remarks(backtest), *left_out(history)):
        click.echo(safe(line))


_SCORES: Final = (
    marked("Brier: forecast"),
    marked("base rate"),
    "stages",
    marked("ECE: forecast"),
    marked("base rate"),
    "stages",
)


def _score_cells(horizon: Horizon) -> list[str]:
    scores = (horizon.model, horizon.base_rate, horizon.stages)
    return [
        str(horizon.days),
        figure(horizon.chances, ","),
        figure(horizon.independent, ".1f"),
        *(figure(score.brier, ".3f") for score in scores),
        *(figure(score.ece, ".3f") for score in scores),
    ]


def _range_cells(horizon: Horizon) -> Iterator[list[str]]:
    for part, name in _names_of_parts().items():
        yield _coverage_cells(horizon.days, _("wins of {name}", name=name), horizon.won[part])
    for currency, parts in horizon.value.items():
        for part, name in _names_of_parts().items():
            label = safe(_("{currency} of {name}", currency=currency or _(NO_CURRENCY), name=name))
            yield _coverage_cells(horizon.days, label, parts[part])


def _names_of_parts() -> dict[str, str]:
    return {part: _(name) for part, name in _PARTS.items()}


def _coverage_cells(days: int, label: str, coverage: Coverage) -> list[str]:
    ratio = "" if coverage.ratio is None else figure(coverage.ratio, ".2f")
    return [
        str(days),
        label,
        figure(coverage.covered, ".0%"),
        ratio,
        figure(coverage.width, ".2f"),
    ]


def _remarks(backtest: Backtest) -> Iterator[str]:
    better = [str(each.days) for each in backtest.horizons if each.model.brier < _best_other(each)]
    yield (
        _(
            "Better than base rate and stage probabilities at {better} days.",
            better=", ".join(better),
        )
        if better
        else _("Not better than the base rate or the stage probabilities: do not rely on it.")
    )
    yield (
        _(
            "Windows: how many of these do not overlap; with few, a range's share "
            "of hits says little."
        )
    )
    number = len(backtest.days)
    yield (
        _(
            "Month of the quarter was on in {seasonal} of {number} forecasts, "
            "the team's load in {loaded}: only where they had won before.",
            seasonal=backtest.seasonal,
            number=number,
            loaded=backtest.loaded,
        )
    )
    for each in backtest.revealing:
        yield (
            _(
                "Not used, because it reveals the outcome: {field} is filled for "
                "{decided:.0%} of decided deals and {open:.0%} of open ones.",
                field=each.field,
                decided=each.decided,
                open=each.open,
            )
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
