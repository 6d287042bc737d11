"""What is expected of every open deal, for capacity planning and for explaining one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.curves import Curves
from taiga_pipeline.planning.forecast.forecast import Ground, prepare
from taiga_pipeline.planning.forecast.record import Floats
from taiga_pipeline.planning.forecast.replay import EVER_DAYS, View, open_curves
from taiga_pipeline.planning.history.model import History, PastDeal
from taiga_pipeline.planning.outlook import Outlook, Outlooks

COMMON_SHOCK_DAYS: Final = 90


def outlooks(history: History, day: date) -> Outlooks:
    """Returns what is expected of the deals that are open on ``day``."""
    return outlooks_of(prepare(history, day, COMMON_SHOCK_DAYS))


def outlooks_of(ground: Ground) -> Outlooks:
    """Returns the outlooks of a ground that was prepared for at least `COMMON_SHOCK_DAYS`."""
    common_shock = ground.common_shock(1, COMMON_SHOCK_DAYS, "open")
    calendar = _Calendar(ground.view)
    chances = long_curves(ground.view)
    off = np.exp(common_shock.mean)
    ever = np.minimum(chances.kinds_won.sum(axis=0) * off, 1.0).tolist()
    by_deal = {
        deal.key: Outlook(deal.key, ever[kind], calendar.closes(chances, place, kind))
        for place, (deal, kind) in enumerate(zip(ground.deals, chances.place.tolist(), strict=True))
    }
    return Outlooks(by_deal, common_shock.sd)


def coming_wins(ground: Ground) -> tuple[tuple[date, float], ...]:
    """Returns how many wins are expected of deals that are not there yet, by Monday of their weeks.

    They reach as far ahead as the ground was prepared for. What past forecasts were off by is in
    them.
    """
    view = ground.view
    off = ground.common_shock(1, COMMON_SHOCK_DAYS, "coming").mean
    won, _ = view.coming.daily()
    monday = view.day - timedelta(days=view.day.weekday())
    weeks = np.bincount((np.arange(1, len(won) + 1) + view.day.weekday()) // 7, weights=won)
    expected = (weeks * np.exp(off)).tolist()
    return tuple((monday + timedelta(weeks=at), wins) for at, wins in enumerate(expected))


def long_curves(view: View) -> Curves:
    """Returns the chances of the open deals for as long as they may take."""
    return open_curves(view.model, EVER_DAYS)


class _Calendar:
    """Tells in which week a deal is won if it is won, as its days tell that are worked out by
    `timing`; deals of the same age and stage share what history tells."""

    def __init__(self, view: View) -> None:
        today = view.day
        monday = today - timedelta(days=today.weekday())
        self._places = (np.arange(1, EVER_DAYS + 1) + today.weekday()) // 7
        self._mondays = [monday + timedelta(weeks=n) for n in range(int(self._places[-1]) + 1)]
        self._stated: dict[tuple[int, int], Floats] = {}
        self._learnt: dict[int, Floats] = {}
        self._known: dict[tuple[int, tuple[int, int], float], tuple[tuple[date, float], ...]] = {}

    def closes(self, chances: Curves, place: int, kind: int) -> tuple[tuple[date, float], ...]:
        """Returns Mondays and the chance of their weeks, without weeks that are impossible.

        Deals of the same kind that state the same share the answer.
        """
        stated = chances.stated
        weight = 0.0 if stated is None else float(stated.weight[place])
        span = (0, 0)
        if stated is not None and weight:
            span = int(stated.first[place]), int(stated.last[place])
        found = self._known.get((kind, span, weight))
        if found is None:
            weeks = self._learnt_weeks(chances, kind)
            if weight:
                weeks = (1 - weight) * weeks + weight * self._stated_weeks(span)
            pairs = zip(self._mondays, weeks.tolist(), strict=True)
            found = tuple((monday, chance) for monday, chance in pairs if chance > 0)
            self._known[kind, span, weight] = found
        return found

    def _learnt_weeks(self, chances: Curves, kind: int) -> Floats:
        """Returns what history tells: chances of weeks, the present one first, that sum to 1."""
        if kind not in self._learnt:
            self._learnt[kind] = self._weeks(_as_learnt(chances.kinds_won[:, kind]))
        return self._learnt[kind]

    def _stated_weeks(self, span: tuple[int, int]) -> Floats:
        if span not in self._stated:
            self._stated[span] = self._weeks(_evenly(*span, EVER_DAYS))
        return self._stated[span]

    def _weeks(self, days: Floats) -> Floats:
        return np.bincount(self._places, weights=days).astype(np.float64, copy=False)


def timing(chances: Curves, place: int) -> Floats:
    """Returns when a deal is won if it is won: chances of the days ahead, which sum to 1."""
    learnt, stated = _as_learnt(chances.kinds_won[:, chances.place[place]]), chances.stated
    if stated is None:
        return learnt
    weight = stated.weight[place]
    dated = _evenly(int(stated.first[place]), int(stated.last[place]), chances.days)
    return np.asarray((1 - weight) * learnt + weight * dated)


def _as_learnt(won: Floats) -> Floats:
    total = won.sum()
    return np.asarray(won / total if total > 0 else np.eye(len(won))[-1])


def _evenly(first: int, last: int, days: int) -> Floats:
    """Returns the same chance for each of some days; what lies too far ahead falls on the last."""
    spread = np.zeros(days)
    first, last = min(first, days), min(last, days)
    spread[first - 1 : last] = 1.0 / (last - first + 1)
    return spread


@dataclass(frozen=True, slots=True)
class Step:
    """What a fact about a deal changes: the chance to win after it has been taken into account."""

    name: str
    reason: str
    chance: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a deal's chance is what it is. ``closes`` are P10, P50 and P90 of the day of the win,
    None where it cannot be won. ``within`` are chances to be won in so many days."""

    deal: PastDeal
    age_days: int
    steps: tuple[Step, ...]
    chance: float
    within: dict[int, float]
    closes: tuple[date, date, date] | None


def explain(ground: Ground, key: str) -> Explanation | None:
    """Explains the forecast of an open deal, None if there is no such deal.

    Each step is the model's answer with one fact more: an average deal that just came in, in the
    deal's stage, of the deal's age, at this time of the quarter, and with what past forecasts were
    off by.
    """
    view = ground.view
    place = next((i for i, deal in enumerate(ground.deals) if deal.key == key), None)
    if place is None:
        return None
    deal = ground.deals[place]
    age = int(view.record.ages()[view.record.is_open][place])
    common_shock = ground.common_shock(1, COMMON_SHOCK_DAYS, "open")
    final = long_curves(view)
    total = float(final.kinds_won[:, final.place[place]].sum())
    off = float(np.exp(common_shock.mean))
    corrected = min(total * off, 1.0)
    steps = (
        *_steps(view, deal, place, age),
        Step("past forecasts", _off(common_shock.mean), corrected),
    )
    within, most = {}, 1.0
    for days in (90, 60, 30):  # A shorter time never holds more than a longer one.
        most = within[days] = min(_within(ground, final, place, days), most)
    within = dict(sorted(within.items()))
    closes = _quantiles(view.day, timing(final, place)) if total > 0 else None
    return Explanation(deal, age, steps, corrected, within, closes)


def _within(ground: Ground, chances: Curves, place: int, days: int) -> float:
    """Returns a deal's chance to be won in so many days, with what past forecasts of as many days
    were off by: the chances of all deals sum to what is expected of them together."""
    off = ground.common_shock(1, days, "open").mean
    return min(float(chances.within(1, days)[0][place] * np.exp(off)), 1.0)


def _steps(view: View, deal: PastDeal, place: int, age: int) -> Iterator[Step]:
    decided, variant = view.record.decided, view.model.variant
    base, staged, aged, final = view.model.steps(place, EVER_DAYS)
    yield Step("base rate", f"a deal that just came in; {decided:,} decided deals tell", base)
    yield Step("stage", _stage_reason(view, deal), staged)
    yield Step("age", f"came in {age:,} days ago, on {deal.entered}", aged)
    season = "the month of the quarter" if variant.season else "off: it did not improve forecasts"
    yield Step("season", season, final)


def _stage_reason(view: View, deal: PastDeal) -> str:
    if deal.stage not in view.record.open_stages:
        return (
            "not known"
            if not deal.stage
            else f"{deal.stage}; not recorded in the same way for all deals"
        )
    if view.record.has_stays:
        return f"{deal.stage}, from history and the mapping"
    return f"{deal.stage}, from the mapping: history does not record stages"


def _off(mean: float) -> str:
    if not mean:
        return "none yet that show whether more or fewer are won"
    return "won less than was expected" if mean < 0 else "won more than was expected"


def _quantiles(today: date, days: Floats) -> tuple[date, date, date]:
    cumulated = np.cumsum(days)
    low, middle, high = (
        today + timedelta(days=1 + min(int(np.searchsorted(cumulated, q)), len(days) - 1))
        for q in (0.1, 0.5, 0.9)
    )
    return low, middle, high
