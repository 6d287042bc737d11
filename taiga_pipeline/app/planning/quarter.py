"""A quarter against its goal: won so far, what its rest may bring, and by team and service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.pipeline_data import read_pipeline
from taiga_pipeline.app.planning.record import read_history
from taiga_pipeline.app.planning.standing import plan_standing
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.pipeline.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.forecast.calibration import Calibration
    from taiga_pipeline.planning.forecast.forecast import Forecast, Ground, Row
    from taiga_pipeline.planning.forecast.groups import GroupOutlook
    from taiga_pipeline.planning.forecast.periods import Period
    from taiga_pipeline.planning.forecast.simulate import Range
    from taiga_pipeline.planning_settings import GoalSettings

MONTHS: Final = 9
_QUARTER: Final = re.compile(r"(\d{4})[ -]?[Qq]([1-4])")


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal that the configuration states, with what is expected beside it.

    ``team`` "" is the whole pipeline. ``currency`` None: it is a number of wins. ``expected`` is
    what the whole quarter comes to, ``chance`` that of reaching the goal. A team's does not count
    deals that are still to come.
    """

    team: str
    goal: float
    currency: str | None
    so_far: float
    expected: Range
    chance: float


@dataclass(frozen=True, slots=True)
class Quarter:
    """One quarter; ``names`` are those that can be looked at, ``months`` are those of it.

    ``currencies`` are those that its values are in.
    """

    row: Row
    names: tuple[str, ...]
    months: tuple[Row, ...]
    currencies: tuple[str, ...]
    goals: tuple[Goal, ...]
    by_team: tuple[GroupOutlook, ...]
    by_service: tuple[GroupOutlook, ...]
    calibration: Calibration
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    ground: Ground
    forecast: Forecast
    deals: Mapping[str, Deal]
    notes: tuple[str, ...]


def quarter_of(workspace: Workspace, name: str = "") -> Quarter:
    """Returns a quarter by its name, such as ``2026 Q4``; the present one for "".

    What is learnt from history is kept as long as deals and rules are what they are.

    :raises UnknownName: it is none of those that are looked ahead to.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the packages.
    :raises Unreachable: the source does not answer.
    """
    need_extra("forecast", "planning", "numpy")
    standing = plan_standing(workspace)
    known = workspace.remembered("forecast", standing, lambda: _learn(workspace))
    rows = {row.period.name: row for row in known.forecast.quarters}
    wanted = _written(name) or next(iter(rows))
    if wanted not in rows:
        raise UnknownName(f"no forecast of {name!r} (quarters: {', '.join(rows)})", name)
    return workspace.remembered(
        f"quarter {wanted}", standing, lambda: _quarter(workspace, known, rows[wanted])
    )


def _quarter(workspace: Workspace, known: _Known, row: Row) -> Quarter:
    from taiga_pipeline.planning.forecast.groups import groups_of

    def team(key: str) -> str:
        return known.deals[key].team if key in known.deals else ""

    def service(key: str) -> str:
        return known.deals[key].service if key in known.deals else ""

    months = (m for m in known.forecast.months if _is_within(m.period, row.period))
    return Quarter(
        row=row,
        names=tuple(each.period.name for each in known.forecast.quarters),
        months=tuple(months),
        currencies=tuple(dict.fromkeys((*row.value, *row.so_far.value))),
        goals=tuple(_goals(workspace, known, row.period, team)),
        by_team=groups_of(known.ground, row.period, team),
        by_service=groups_of(known.ground, row.period, service),
        calibration=known.forecast.calibration,
        notes=known.notes,
    )


def _learn(workspace: Workspace) -> _Known:
    from taiga_pipeline.planning.forecast.forecast import forecast_of, horizon_of, prepare
    from taiga_pipeline.planning.forecast.notes import notes

    today, read = workspace.today, read_pipeline(workspace)
    history = read_history(workspace, today, read, with_filled=False)
    ground = prepare(history, today, horizon_of(today, MONTHS))
    forecast = forecast_of(ground, today, MONTHS)
    deals = {deal.key: deal for deal in read.deals}
    return _Known(ground, forecast, deals, (*read.notices, *notes(forecast, history)))


def _written(name: str) -> str:
    found = _QUARTER.fullmatch(name.strip())
    return f"{found[1]} Q{found[2]}" if found else name.strip()


def _is_within(month: Period, quarter: Period) -> bool:
    return quarter.first <= month.first and month.last <= quarter.last


def _goals(
    workspace: Workspace, known: _Known, period: Period, team: Callable[[str], str]
) -> Iterator[Goal]:
    """Yields the goals of a quarter: one of its own counts before one of all quarters."""
    chosen: dict[tuple[str, bool], GoalSettings] = {}
    stated = workspace.settings.planning.goal
    for each in sorted(stated, key=lambda each: bool(each.quarter)):
        if not each.quarter or _written(each.quarter) == period.name:
            chosen[normalise(each.team), each.value is None] = each
    for (_, is_number), each in sorted(chosen.items()):
        yield _goal(workspace, known, period, each, team, is_number=is_number)


def _goal(
    workspace: Workspace,
    known: _Known,
    period: Period,
    stated: GoalSettings,
    team: Callable[[str], str],
    *,
    is_number: bool,
) -> Goal:
    from taiga_pipeline.planning.forecast.groups import trials_of, values_of, won_so_far

    wanted = normalise(stated.team)
    is_in = (lambda key: normalise(team(key)) == wanted) if wanted else None
    trials = trials_of(known.ground, period, is_in)
    done = [d for d in won_so_far(known.ground, period) if is_in is None or is_in(d.key)]
    if is_number:
        goal, currency, so_far = float(stated.wins or 0), None, float(len(done))
    else:
        named = stated.currency or workspace.settings.planning.currency or _only(trials.value)
        value, currency = workspace.rates.convert(Decimal(str(stated.value)), named)
        goal, so_far = float(value or 0), values_of(done).get(currency, 0.0)
    expected, chance = trials.reached(goal, currency)
    return Goal(stated.team, goal, currency, so_far, expected, chance)


def _only(value: Mapping[str, object]) -> str:
    """Returns the only currency there is, "" where there are several."""
    return next(iter(value)) if len(value) == 1 else ""
