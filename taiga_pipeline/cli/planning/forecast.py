"""``forecast``: what will be won, when, why, and whether to believe it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.problems import did_you_mean

if TYPE_CHECKING:
    from taiga_pipeline.planning.history.model import History

_MODULES: Final = ("numpy",)


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
        raise click.UsageError("use either --deal or --backtest")
    need_extra("forecast", "planning", *_MODULES)
    from taiga_pipeline.app.forecast_data import read_history

    today = context.today
    day = as_of.date() if as_of else today
    if day > today:
        raise InvalidValue(f"--as-of {day}: that day is in the future (today is {today})")
    history = read_history(context, today)
    if backtest:
        _backtest(history.known_on(day), seed, as_json)
    elif key is not None:
        _explain(history, key, day, as_json)
    else:
        _forecast(history, day, months, seed, as_json)


def _forecast(history: History, day: date, months: int, seed: int, as_json: bool) -> None:
    from taiga_pipeline.cli.planning.forecast_text import forecast_json, print_forecast
    from taiga_pipeline.planning.forecast.forecast import make_forecast

    result = make_forecast(history, day, months_ahead=months, seed=seed)
    if as_json:
        print_json(forecast_json(result, history))
    else:
        print_forecast(result, history)


def _explain(history: History, key: str, day: date, as_json: bool) -> None:
    from taiga_pipeline.cli.planning.forecast_deal import explanation_json, print_explanation
    from taiga_pipeline.planning.forecast.forecast import prepare
    from taiga_pipeline.planning.forecast.outlooks import COMMON_SHOCK_DAYS, explain

    _check_open(history.known_on(day), key, day)
    explanation = explain(prepare(history, day, COMMON_SHOCK_DAYS), key)
    if explanation is None:
        raise UnknownName(f"deal {key!r} is not open on {day}")
    if as_json:
        print_json(explanation_json(explanation))
    else:
        print_explanation(explanation)


def _check_open(known: History, key: str, day: date) -> None:
    """Says why a deal has no forecast, if it has none.

    :raises UnknownName: there is no such deal, or it cannot be used, or it was decided.
    """
    deal = known.find(key)
    if deal is None:
        near = did_you_mean(key, [each.key for each in known.open])
        raise UnknownName(
            f"no deal {key!r} that can be forecast on {day}{near}; deals without a mapped stage or "
            "a day on which they came in (engaged_on) are left out"
        )
    if deal.closed is not None:
        raise UnknownName(f"deal {key} was {'won' if deal.won else 'lost'} on {deal.closed}")


def _backtest(history: History, seed: int, as_json: bool) -> None:
    from taiga_pipeline.cli.planning.forecast_backtest import (
        backtest_json,
        print_backtest,
        say_too_little,
    )
    from taiga_pipeline.planning.forecast.backtest import backtest, last_decision

    end = last_decision(history)
    result = backtest(history, end, seed=seed) if end else None
    if result is None:
        say_too_little(history, end, as_json)
    elif as_json:
        print_json(backtest_json(result, history))
    else:
        print_backtest(result, history)
