"""What to know about a forecast, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.planning.forecast.calibration import WINDOW_DAYS

if TYPE_CHECKING:
    from taiga_pipeline.planning.forecast.forecast import Basis, Forecast
    from taiga_pipeline.planning.forecast.simulate import Range
    from taiga_pipeline.planning.history.model import History

_OLD_DAYS: Final = 90
_LITTLE: Final = 0.5
_NEXT_TO_NONE: Final = 0.005
_NOTABLE_SHIFT: Final = 0.25
_NOTABLE_PART: Final = 0.05


def notes(forecast: Forecast, history: History) -> list[str]:
    """Returns what to know about a forecast, in sentences."""
    basis = forecast.basis
    return [
        *_begun(forecast),
        *_learnt_from(basis),
        *_old_record(forecast),
        *_parts(basis),
        *_calibrated(forecast),
        *_values(forecast, history),
        *left_out(history),
        *history.notices,
    ]


def in_words(each: Range) -> str:
    """Returns P10 / P50 / P90; where the median rounds to 0, with the chance of at least one."""
    numbers = " / ".join(f"{number:,.0f}" for number in (each.low, each.middle, each.high))
    return f"{numbers} ({each.any:.0%} for 1+)" if shows_any(each) else numbers


def shows_any(each: Range) -> bool:
    """Whether a range needs the chance of more than nothing: its median rounds to 0, and more than
    nothing may come."""
    return round(each.middle) == 0 and each.any >= _NEXT_TO_NONE


def _begun(forecast: Forecast) -> Iterator[str]:
    """Yields what the month and the quarter that have begun come to as a whole."""
    for row in (*forecast.months, *forecast.quarters):
        if not row.period.begun:
            continue
        period, wins = row.period.name, in_words(row.won_in_whole)
        yield f"In {period}, {row.so_far.won:,} won so far, {wins} wins in all (P10 / P50 / P90)."
        for name, value in row.so_far.value.items():
            won = f"{value:,.0f} {name}".strip()
            if name in row.value:
                whole = in_words(row.value_in_whole(name))
                yield f"In {period}, {won} won so far, {whole} in all (P10 / P50 / P90)."
            else:
                yield f"In {period}, {won} won so far."


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
    if basis.arrival_weeks:
        yield (
            f"{counted(basis.open, 'open deal')}; new deals are expected to come in at "
            f"{basis.arrivals_per_week:,.1f} a week."
        )
    else:
        yield (
            f"{counted(basis.open, 'open deal')}; how many new deals come in shows only after a "
            "week of record: none are expected."
        )
    if basis.asleep:
        yield (
            f"{counted(basis.asleep, 'open deal')} older than any deal that was ever decided: "
            "expected never to close."
        )
    yield _model(basis)
    yield from _changed(basis.shift)
    if basis.quiet:
        first, last = basis.quiet
        yield f"Little is decided from {first} to {last}, as in the years on record."
    yield (
        "Ranges: what all deals share, ups and downs and what chances may be off by, is "
        f"{basis.common_shock.sd:.0%} (standard deviation), from "
        f"{counted(basis.past_forecasts, 'replayed forecast')}; "
        f"{basis.common_shock.windows:.1f} independent windows of 90 days."
    )


def _calibrated(forecast: Forecast) -> Iterator[str]:
    windows = forecast.calibration.windows
    if windows:
        held = sum(each.held for each in windows)
        yield (
            f"Made again as of past days, {held:,} of {len(windows):,} ranges of wins in "
            f"{WINDOW_DAYS} days held what came (about 8 of 10 should)."
        )


def _model(basis: Basis) -> str:
    """Returns how chances are made."""
    variant = basis.variant
    if basis.cleans_up:
        return (
            f"Lost deals are closed many at a time, the last ones on {basis.no_losses_since}: "
            "chances fall the longer a deal stays in its stage, since it may be lost already. "
            "Close each deal when it is lost to get better forecasts."
        )
    if basis.no_losses_since:
        return (
            f"No loss is on record after {basis.no_losses_since}, and more wins in a row than "
            "chance explains: how many moved on of those that had the time for it tells chances, "
            "and they fall the longer a deal stays in its stage, since it may be lost already. "
            "Close lost deals to get better forecasts."
        )
    if variant.kind == "mapping":
        return (
            "Chances are the mapping's stage probabilities, times the share of decisions that fall "
            "into the time: in this pipeline's own past that was better than what was learnt."
        )
    if variant.kind == "funnel":
        return (
            "Chances follow how deals moved from stage to stage; with little history they lean on "
            "the mapping's probability of the stage."
        )
    season, load = ("on" if each else "off" for each in (variant.season, variant.load))
    return (
        f"Month of the quarter: {season}. Team's load (closings do not grow with open deals): "
        f"{load}. Each is on only if it made past forecasts better."
    )


def _changed(shift: float) -> Iterator[str]:
    if shift >= _NOTABLE_SHIFT:
        yield "Of late more deals moved on than before, and that counts for more."
    elif shift <= -_NOTABLE_SHIFT:
        yield "Of late fewer deals moved on than before, and that counts for more."


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
    kept = forecast.basis.kept_value
    if abs(kept - 1.0) >= _NOTABLE_PART:
        yield (
            f"Won deals brought {kept:.0%} of what was stated of them four weeks before (after "
            "some caution): open deals are taken for as much."
        )
    if len(currencies) > 1:
        listed = ", ".join(sorted(name or "(no currency)" for name in currencies))
        yield (
            f"Values in {listed} are kept apart: planning.currency and planning.rates in the "
            "configuration say how to convert them, and have no rate between them."
        )


def left_out(history: History) -> Iterator[str]:
    """Yields how many deals cannot be used, or not as they should be, and why."""
    if history.undated:
        yield (
            f"{counted(history.undated, 'open deal')} without the day on which they came in "
            "(engaged_on): forecast from the day they were first seen, and not used to estimate "
            "how many come in."
        )
    for reason, number in sorted(history.left_out.items()):
        yield f"{counted(number, 'deal')} left out, because {reason}."
    if history.outcomes:
        yield (
            f"{counted(len(history.outcomes), 'decided deal')} of these count as won or lost on "
            "the day of the decision, and chances are not learnt from them."
        )
