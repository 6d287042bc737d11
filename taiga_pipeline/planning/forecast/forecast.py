"""The forecast: wins, won value and decisions by month and quarter, with their ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.calibration import NOTHING_YET, Calibration, Calibrator
from taiga_pipeline.planning.forecast.common_shock import (
    PRIOR_SD,
    WHOLE_PRIOR_SD,
    CommonShock,
    learn_common_shock,
)
from taiga_pipeline.planning.forecast.deal_value import DealValue, learn_deal_values, values_of
from taiga_pipeline.planning.forecast.funnel.hidden_losses import last_clean_up, unrecorded_losses
from taiga_pipeline.planning.forecast.funnel.model import Funnel
from taiga_pipeline.planning.forecast.hazards import MONTH_CORRELATION, STAGE_DEALS, Variant
from taiga_pipeline.planning.forecast.periods import Period, months, quarters
from taiga_pipeline.planning.forecast.record import Floats
from taiga_pipeline.planning.forecast.replay import (
    Referee,
    Tally,
    View,
    look,
    replay,
    replay_days,
)
from taiga_pipeline.planning.forecast.simulate import (
    TRIALS,
    Newcomers,
    NewPrice,
    Prices,
    Range,
    Sums,
    draw_factors,
    range_of,
    simulate_new,
    simulate_open,
    under_shock,
)
from taiga_pipeline.planning.forecast.times_of_year import next_quiet_time
from taiga_pipeline.planning.history.model import History, PastDeal

MOST_OFF: Final = 5.0
"""By how many times the expected wins a model may be off. Where next to none are expected, what few
decisions leave open is a thousand times as much; a factor of such a spread is no number."""
_PACE_DAYS: Final = 30
"""So many days before the end of a time tell how many wins come there."""
MOST_REPLAYS: Final = 26
"""The common shock is learnt from so many past forecasts; older ones are ignored."""
PARTS: Final = {"open": PRIOR_SD, "coming": PRIOR_SD, "all": WHOLE_PRIOR_SD}


@dataclass(frozen=True, slots=True)
class Split:
    """A range for the deals that are open now, for those that are not there yet, and for all."""

    open: Range
    coming: Range
    all: Range


@dataclass(frozen=True, slots=True)
class SoFar:
    """What was won and decided in the days of a period that are over. ``value`` is by currency."""

    won: int
    decided: int
    value: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """What is expected of a period, of its rest if it has begun. ``value`` is by currency."""

    period: Period
    won: Split
    decided: Split
    value: Mapping[str, Split]
    so_far: SoFar

    @property
    def won_in_whole(self) -> Range:
        """What is won in the whole month or quarter: so far, and expected of its rest."""
        return self.won.all.plus(self.so_far.won)

    @property
    def decided_in_whole(self) -> Range:
        """The same of decisions."""
        return self.decided.all.plus(self.so_far.decided)

    def value_in_whole(self, currency: str) -> Range:
        """Returns the same of the value in a currency."""
        return self.value[currency].all.plus(self.so_far.value[currency])


@dataclass(frozen=True, slots=True)
class Basis:
    """What a forecast stands on.

    ``history_weight`` is about how much the pipeline's own history counts beside the mapping's
    stage probabilities (0 to 1). ``arrival_weeks`` tell how many deals come in; 0: none does yet.
    ``no_losses_since`` is the day from which on losses seem not to be recorded, ``quiet`` the next
    time of the year, first to last day, in which little is decided. ``cleans_up`` says that lost
    deals are closed many at a time. ``shift`` is by how much the log-odds of moving on are higher
    now than all the time on record tells, ``kept_value`` what wins brought in parts of what was
    stated of them.
    """

    open: int
    decided: int
    won: int
    first_decision: date | None
    last_decision: date | None
    history_weight: float
    variant: Variant
    learns_stages: bool
    asleep: int
    arrivals_per_week: float
    arrival_weeks: int
    common_shock: CommonShock
    past_forecasts: int
    no_losses_since: date | None = None
    quiet: tuple[date, date] | None = None
    cleans_up: bool = False
    shift: float = 0.0
    kept_value: float = 1.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected from ``day`` on."""

    day: date
    months: tuple[Row, ...]
    quarters: tuple[Row, ...]
    basis: Basis
    calibration: Calibration = NOTHING_YET


@dataclass(frozen=True, slots=True)
class Ground:
    """Today's view, and the past ones that tell how far off such forecasts are.

    ``history`` is what was known on the day, ``deals`` are the open ones of it, ``value_models`` is
    what wins were worth, by currency.
    """

    view: View
    history: History
    deals: tuple[PastDeal, ...]
    value_models: Mapping[str, DealValue]
    past: tuple[Tally, ...]
    calibration: Calibration = NOTHING_YET

    def common_shock(self, first: int, last: int, part: str) -> CommonShock:
        """Returns the common shock of wins in days ``first`` to ``last`` ahead.

        Where the funnel knows today's stages and not those of the past, past forecasts were made
        without stages: what they were off by says nothing of today's. What the model may be off by,
        being learnt from few decisions, is shared by all deals as well.
        """
        past, model = self.past, self.view.model
        if isinstance(model, Funnel) and model.record.has_stays:
            past = tuple(each for each in past if each.made >= model.record.staged_since)
        windows = [each.window(first, last, part) for each in past if each.days >= last]
        learnt = learn_common_shock(windows, last, PARTS[part])
        if not isinstance(model, Funnel):
            return learnt
        off = min(model.off_by(*_wins_of(self.view, first, last, part)), MOST_OFF)
        mean = learnt.mean if model.record.has_stays else 0.0
        return replace(learnt, mean=mean, sd=float(np.hypot(learnt.sd, off)))


def _wins_of(view: View, first: int, last: int, part: str) -> tuple[Floats, float, float]:
    """Returns what wins of days ``first`` to ``last`` ahead are made of: see `Funnel.off_by`."""
    with_open, with_new = part != "coming", part != "open"
    here, _ = view.open.within(first, last)
    coming, _ = view.coming.daily()
    new = with_new * float(coming[first - 1 : last].sum())
    # Deals come in as they do: only what becomes of them goes faster.
    pace = with_new * _pace(coming, first, last) - new
    if with_open:
        pace += _pace(view.open.daily()[0], first, last)
    return here * with_open, new, pace


def _pace(daily: Floats, first: int, last: int) -> float:
    """Returns how many more wins fall into days ``first`` to ``last`` if all goes faster, as a
    derivative by the logarithm of the pace: what comes at the end of the time, by its length."""

    def at(day: int) -> float:
        before = daily[max(day - _PACE_DAYS, 0) : day]
        return day * float(before.mean()) if day else 0.0

    return at(last) - at(first - 1)


def ground_of(view: View, known: History, past: tuple[Tally, ...]) -> Ground:
    """Returns the ground of a forecast; ``known`` is what was known on the day of the view."""
    return Ground(view, known, known.open, learn_deal_values(known), past)


def prepare(history: History, day: date, horizon: int) -> Ground:
    """Learns from a history what is known on ``day``, and how good that was in the past."""
    known = history.known_on(day)
    days = replay_days(known, day)
    step = max(-(-len(days) // MOST_REPLAYS), 1)
    referee = Referee()
    past: list[Tally] = []
    calibrator = Calibrator()
    for each in replay(known, days[::step], day, horizon, referee):
        today = each.view.record.today
        then = Ground(each.view, known, (), {}, tuple(tally.known_on(today) for tally in past))
        calibrator.add(each, then.common_shock)
        past.append(each.tally())
    view = look(known, day, referee, horizon)
    return replace(ground_of(view, known, tuple(past)), calibration=calibrator.result())


def make_forecast(history: History, day: date, *, months_ahead: int = 6, seed: int = 0) -> Forecast:
    """Returns what is expected in the rest of this month and the months after it.

    The same history, day and seed give the same numbers.
    """
    return forecast_of(
        prepare(history, day, horizon_of(day, months_ahead)), day, months_ahead, seed
    )


def horizon_of(day: date, months_ahead: int) -> int:
    """Returns how many days ahead a forecast of so many months looks."""
    spans = (months(day, months_ahead), quarters(day, months_ahead))
    return max(period.last for span in spans for period in span)


def forecast_of(ground: Ground, day: date, months_ahead: int = 6, seed: int = 0) -> Forecast:
    """Returns the forecast of a ground that was prepared for at least `horizon_of` days."""
    by_month = tuple(_row(ground, each, seed) for each in months(day, months_ahead))
    by_quarter = tuple(_row(ground, each, seed) for each in quarters(day, months_ahead))
    return Forecast(day, by_month, by_quarter, basis(ground), ground.calibration)


def _row(ground: Ground, period: Period, seed: int) -> Row:
    sums = simulate_period(ground, period.first, period.last, seed)
    won = {part: range_of(each.won) for part, each in sums.items()}
    decided = {part: range_of(each.decided) for part, each in sums.items()}
    value = {
        name: Split(**{part: range_of(each.value[name]) for part, each in sums.items()})
        for name in sums["open"].value
    }
    return Row(period, Split(**won), Split(**decided), value, _so_far(ground, period, value))


def _so_far(ground: Ground, period: Period, currencies: Iterable[str]) -> SoFar:
    before = ground.view.day - timedelta(days=period.passed)
    known = (*ground.history.decided, *ground.history.outcomes)
    decided = [deal for deal in known if deal.closed and deal.closed > before]
    won = [deal for deal in decided if deal.won]
    return SoFar(
        len(won),
        len(decided),
        {
            currency: float(sum(deal.value or 0 for deal in won if deal.currency == currency))
            for currency in dict.fromkeys(
                (*currencies, *sorted({deal.currency for deal in won if deal.value}))
            )
        },
    )


def simulate_period(
    ground: Ground, first: int, last: int, seed: int, trials: int = TRIALS
) -> dict[str, Sums]:
    """Returns trials of days ``first`` to ``last`` ahead, for open, coming and all deals."""
    view, value_models = ground.view, ground.value_models
    won, decided = view.open.within(first, last)
    prices = prices_of(ground)
    coming_won, coming_decided = view.coming.within(first, last)
    new = Newcomers(
        float(coming_won.sum()),
        float(coming_decided.sum()),
        view.arrivals.spread(float(coming_decided.sum())),
        {
            name: NewPrice(
                each.mean,
                (each.spread_of_all * each.mean) ** 2,
                each.share,
                each.doubt,
                each.nothing,
            )
            for name, each in value_models.items()
        },
    )
    sums = {}
    for part in PARTS:
        random = np.random.default_rng(seed)
        shock = ground.common_shock(first, last, part)
        factor = draw_factors(shock, random, trials)
        off = random.standard_normal(trials)
        parts = []
        if part != "coming":
            before = under_shock(won, shock), under_shock(decided, shock)
            parts.append(simulate_open(before, prices, factor, random, off))
        if part != "open":
            parts.append(simulate_new(new, factor, random, off))
        sums[part] = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    return sums


def prices_of(ground: Ground) -> dict[str, Prices]:
    """Returns what each open deal brings if won, by currency."""
    only = len(ground.value_models) == 1
    return {
        name: Prices(
            *values_of(ground.deals, value_model, only), value_model.doubt, value_model.nothing
        )
        for name, value_model in ground.value_models.items()
    }


def basis(ground: Ground) -> Basis:
    """Returns what a forecast stands on."""
    view, record = ground.view, ground.view.record
    decided = [deal for deal in ground.history.decided if deal.closed]
    days = [deal.closed for deal in decided if deal.closed]
    silent = unrecorded_losses(record)
    return Basis(
        open=len(ground.deals),
        decided=len(decided),
        won=sum(bool(deal.won) for deal in decided),
        first_decision=min(days, default=None),
        last_decision=max(days, default=None),
        history_weight=history_weight(days),
        variant=view.model.variant,
        learns_stages=record.learns_stages,
        asleep=view.model.asleep,
        arrivals_per_week=view.arrivals.per_day * 7,
        arrival_weeks=view.arrivals.weeks,
        common_shock=ground.common_shock(1, min(90, view.open.days), "open"),
        past_forecasts=len(ground.past),
        no_losses_since=None if silent is None else date.fromordinal(silent),
        quiet=next_quiet_time(record),
        cleans_up=last_clean_up(record) is not None,
        shift=view.model.shift if isinstance(view.model, Funnel) else 0.0,
        kept_value=next((each.kept for each in ground.value_models.values()), 1.0),
    )


def history_weight(decided: Sequence[date]) -> float:
    """Returns about how much history weighs beside the mapping's stage probabilities.

    n / (n + k) with k = `STAGE_DEALS` and n the effective number of decisions: m of one month count
    as m / (1 + (m - 1) rho), the design effect of clusters (Kish), rho = `MONTH_CORRELATION`.
    """
    by_month: dict[tuple[int, int], int] = {}
    for day in decided:
        by_month[day.year, day.month] = by_month.get((day.year, day.month), 0) + 1
    effective = sum(m / (1 + (m - 1) * MONTH_CORRELATION) for m in by_month.values())
    return effective / (effective + STAGE_DEALS)
