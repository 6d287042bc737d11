"""``forecast``: what will be won, when, why, and whether to believe it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from taiga_pipeline.app.planning import forecast as use
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.language import text as _

if TYPE_CHECKING:
    from decimal import Decimal

    from taiga_pipeline.app.planning.forecast import Forecasted, Scored
    from taiga_pipeline.planning.forecast.outlooks import Explanation


@click.command()
@click.option("--deal", "key", metavar="KEY", help="Explain the chance of one open deal.")
@click.option("--backtest", is_flag=True, help="Score forecasts as they would have been made.")
@click.option("--months", type=click.IntRange(1, 24), default=6, show_default=True)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Forecast from what was known on that day (default: today).",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the simulated futures.")
@json_option
@pass_context
def forecast(
    context: CommandContext,
    key: str | None,
    backtest: bool,
    months: int,
    as_of: datetime | None,
    seed: int,
    as_json: bool,
) -> None:
    """Forecast wins, decisions and won value by month and quarter.

    Learnt from the pipeline's own history, and from the mapping's stage probabilities where there
    is little. Each number is a range: P10, P50 and P90.
    """
    if key is not None and backtest:
        raise click.UsageError(_("use either --deal or --backtest"))
    day = as_of.date() if as_of else None
    if backtest:
        _print_backtest(use.score_forecasts(context, as_of=day, seed=seed), as_json)
    elif key is not None:
        explanation = use.explain_chance(context, key, as_of=day)
        stated = None if day else use.stated_chance(context, key)
        _print_explanation(explanation, stated, as_json)
    else:
        _print_forecast(use.forecast_wins(context, months=months, as_of=day, seed=seed), as_json)


def _print_forecast(found: Forecasted, as_json: bool) -> None:
    from taiga_pipeline.cli.planning.forecast_text import forecast_json, print_forecast

    if as_json:
        print_json(forecast_json(found.forecast, found.history))
    else:
        print_forecast(found.forecast, found.history)


def _print_explanation(explanation: Explanation, stated: Decimal | None, as_json: bool) -> None:
    from taiga_pipeline.cli.planning.forecast_deal import explanation_json, print_explanation

    if as_json:
        print_json(explanation_json(explanation, stated))
    else:
        print_explanation(explanation, stated)


def _print_backtest(scored: Scored, as_json: bool) -> None:
    from taiga_pipeline.cli.planning.forecast_backtest import (
        backtest_json,
        print_backtest,
        say_too_little,
    )

    result, history = scored.backtest, scored.history
    if result is None:
        say_too_little(history, scored.end, as_json)
    elif as_json:
        print_json(backtest_json(result, history))
    else:
        print_backtest(result, history)
