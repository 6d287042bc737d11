"""What will be won, when, why, and whether to believe it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.deals.reading import all_deals
from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.planning.record import read_history
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.problems import nearest

if TYPE_CHECKING:
    from decimal import Decimal

    from taiga_pipeline.planning.forecast.backtest import Backtest
    from taiga_pipeline.planning.forecast.forecast import Forecast
    from taiga_pipeline.planning.forecast.outlooks import Explanation
    from taiga_pipeline.planning.history.model import History

_MODULES: Final = ("numpy",)


class DayToCome(InvalidValue):
    """A forecast cannot be made from what will be known on a day to come."""

    def __init__(self, day: date, today: date) -> None:
        super().__init__(f"{day}: that day is in the future (today is {today})")
        self.day, self.today = day, today


class NoForecast(UnknownName):
    """A deal has no forecast: it is not there, cannot be used, or was decided."""


@dataclass(frozen=True, slots=True)
class Forecasted:
    """A forecast, and the history that it stands on."""

    forecast: Forecast
    history: History


@dataclass(frozen=True, slots=True)
class Scored:
    """How good forecasts would have been (None: there is too little history), and what was known.

    ``end`` is the last decision on record, None if there is none.
    """

    backtest: Backtest | None
    history: History
    end: date | None


def forecast_wins(
    workspace: Workspace, *, months: int = 6, as_of: date | None = None, seed: int = 0
) -> Forecasted:
    """Forecasts wins, decisions and won value by month and quarter.

    ``as_of`` is the day from whose knowledge it is made (None: today), in the pipeline's time zone.

    :raises DayToCome: that day is in the future.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the packages.
    :raises Unreachable: the source does not answer.
    """
    history, day = _history(workspace, as_of)
    from taiga_pipeline.planning.forecast.forecast import make_forecast

    return Forecasted(make_forecast(history, day, months_ahead=months, seed=seed), history)


def explain_chance(workspace: Workspace, key: str, *, as_of: date | None = None) -> Explanation:
    """Explains the chance of one open deal.

    :raises NoForecast: there is no such deal, or it cannot be used, or it was decided.
    :raises DayToCome: that day has not come yet.
    """
    history, day = _history(workspace, as_of)
    from taiga_pipeline.planning.forecast.forecast import prepare
    from taiga_pipeline.planning.forecast.outlooks import COMMON_SHOCK_DAYS, explain

    _check_open(history.known_on(day), key, day)
    explanation = explain(prepare(history, day, COMMON_SHOCK_DAYS), key)
    if explanation is None:
        raise NoForecast(f"deal {key!r} is not open on {day}", key)
    return explanation


def stated_chance(workspace: Workspace, key: str) -> Decimal | None:
    """Returns the chance that a deal states itself, which forecasts do not use; None: none."""
    return next((each.probability for each in all_deals(workspace) if each.key == key), None)


def score_forecasts(workspace: Workspace, *, as_of: date | None = None, seed: int = 0) -> Scored:
    """Scores forecasts as they would have been made.

    :raises DayToCome: that day has not come yet.
    """
    history, day = _history(workspace, as_of)
    from taiga_pipeline.planning.forecast.backtest import backtest, last_decision

    known = history.known_on(day)
    end = last_decision(known)
    return Scored(backtest(known, end, seed=seed) if end else None, known, end)


def _history(workspace: Workspace, as_of: date | None) -> tuple[History, date]:
    need_extra("forecast", "planning", *_MODULES)
    today = workspace.today
    day = as_of or today
    if day > today:
        raise DayToCome(day, today)
    return read_history(workspace, today), day


def _check_open(known: History, key: str, day: date) -> None:
    """Says why a deal has no forecast, if it has none."""
    deal = known.find(key)
    if deal is None:
        near = nearest(key, [each.key for each in known.open])
        meant = f"; did you mean {near!r}?" if near else ""
        raise NoForecast(
            f"no deal {key!r} that can be forecast on {day}{meant}; deals without a mapped stage "
            "or a day on which they came in (engaged_on) are left out",
            key,
            near,
        )
    if deal.closed is not None:
        raise NoForecast(f"deal {key} was {'won' if deal.won else 'lost'} on {deal.closed}", key)
