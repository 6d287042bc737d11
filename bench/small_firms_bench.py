"""Forecasts of small firms' pipelines against the known truth.

``python -m bench.small_firms_bench [replications [words of shapes' names]]`` (200 by default). Each
replication is one firm (see `bench.small_firms`), forecast once, as the program does it.

- Brier, 90 days: of the program, of the base rate, and of the true chances themselves;
- Brier, ever: of the program and of the mapping's stage probabilities;
- off: the mean square of (chance - true chance), which is what a Brier score exceeds the truth's
  by, without the noise of the outcomes;
- held: the share of 80 % ranges that held what came, of all wins in 90 days and of their value:
  of 500 futures of each firm rather than of the one that came;
- even: the same without the grain of whole numbers (`even_shares`); 80 % if chances are right;
- own: what the range of these futures itself holds of them: where that is more than 88 %, no range
  of so few whole numbers holds less, and "even" is what the bar is for;
- width: the mean width, of values in parts of what came; bias: expected by actual sum.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import numpy as np

from bench.small_firms import Case, simulate
from bench.small_firms_shape import DAYS_AHEAD, Shape
from bench.small_firms_shapes import SHAPES
from taiga_pipeline.planning.forecast.backtest import base_rate
from taiga_pipeline.planning.forecast.forecast import Ground, prepare, simulate_period
from taiga_pipeline.planning.forecast.outlooks import outlooks_of
from taiga_pipeline.planning.forecast.record import Floats
from taiga_pipeline.planning.forecast.simulate import QUANTILES, range_of

SOON_AT_MOST: Final = {(15, 1): 0.018, (30, 1): 0.013, (60, 1): 0.008, (60, 3): 0.005}
"""How far the Brier score at 90 days may be from the truth's own, by deals a year and years."""
EVER_SLACK: Final = 0.003
"""How much worse than the mapping the chance to be won at all may be where the mapping is right."""
RIGHT: Final = 0.005
"""How far off (mean square) a mapping may be that is right."""
DECIDES: Final = 30
"""Deals a year from which on a mapping that is wrong must be beaten."""
HELD: Final = (0.74, 0.88)
HEADINGS: Final = (
    *("shape", "90 d: ours", "base", "truth", "off"),
    *("ever: ours", "mapping", "off: ours", "mapping"),
    *("wins: held", "even", "own", "width", "bias"),
    *("value: held", "even", "own", "width", "bias", "met"),
)
_SELDOM: Final = 1e-9
_FUTURES: Final = 500
_NO_MAPPING: Final = 0.5
_CENT: Final = 0.01
"""Sums of trials are kept in single precision."""


def main() -> int:
    """Prints the table."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    words = sys.argv[2:]
    print(f"\n### {replications} firms each\n")
    print("| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS), sep="\n")
    met = True
    for shape in SHAPES:
        if not words or any(word in shape.name for word in words):
            row, missed = measure(shape, replications)
            met = met and not missed
            print("| " + " | ".join([*row, missed or "yes"]) + " |", flush=True)
    return 0 if met else 1


@dataclass(frozen=True, slots=True)
class Held:
    """The width of the range of one sum of one firm, and how far it held what came (0 to 1)."""

    width: float
    expected: float
    actual: float
    held: float
    even: float
    own: float = math.nan
    """What the range of all that may come holds of it, where that is known."""


def held_in(trials: Floats, came: Floats) -> Held:
    """Returns the range of some trials beside what came, or all that may come."""
    found = range_of(trials)
    inside = (found.low - _CENT <= came) & (came <= found.high + _CENT)
    return Held(
        found.high - found.low,
        float(trials.mean()),
        float(came.mean()),
        float(inside.mean()),
        float(even_shares(trials, came).mean()),
        held_in(came, came).held if len(came) > 1 and trials is not came else math.nan,
    )


def even_shares(trials: Floats, came: Floats) -> Floats:
    """Returns how much of what came lies between P10 and P90, of 1.

    A whole number has a chance of its own, and lies in part inside: with 30 % below one win and
    35 % for just one, one win stands for what is between P30 and P65. If chances are right that is
    80 % on average, however few different numbers can come: the probability integral transform for
    counts without its random draw (Czado, Gneiting and Held 2009).
    """
    known, number = np.sort(trials), len(trials)
    below = np.searchsorted(known, came - _CENT, "left") / number
    upto = np.searchsorted(known, came + _CENT, "right") / number
    low, high = QUANTILES
    part = np.maximum(np.minimum(upto, high) - np.maximum(below, low), 0.0)
    whole = (low <= below) & (below <= high)
    return np.where(upto > below, part / np.maximum(upto - below, _SELDOM), whole)


def measure(shape: Shape, replications: int) -> tuple[list[str], str]:
    """Returns a row of the table, and the bars that were missed."""
    chances: list[tuple[Any, ...]] = []
    wins: list[Held] = []
    value: list[Held] = []
    for seed in range(replications):
        case = simulate(shape, seed, _FUTURES)
        ground = prepare(case.history, shape.today, DAYS_AHEAD)
        chances += _chances(case, ground)
        sums = simulate_period(ground, 1, DAYS_AHEAD, seed)["all"]
        number, worth = case.futures(_FUTURES, seed)
        wins.append(held_in(sums.won, number))
        if shape.value:
            value += [held_in(trials, worth[name]) for name, trials in sums.value.items()]
    figures = _figures(np.array(chances, dtype=float))
    texts = [f"{figure:.3f}" for figure in figures]
    row = [shape.name, *texts, *_ranges(wins), *_ranges(value, in_parts=True)]
    return row, ", ".join(_missed(shape, figures, wins, value))


def _chances(case: Case, ground: Ground) -> Iterator[tuple[Any, ...]]:
    """Yields the chances of each open deal beside the truth."""
    mapped = case.history.chances
    usual = float(np.mean(list(mapped.values()))) if mapped else _NO_MAPPING
    soon, _ = ground.view.open.within(1, DAYS_AHEAD)
    factor = np.exp(ground.common_shock(1, DAYS_AHEAD, "open").mean)
    found = outlooks_of(ground)
    base = base_rate(ground.view.record, DAYS_AHEAD)
    for at, (deal, fate) in enumerate(zip(ground.deals, case.open, strict=True)):
        ours = min(soon[at] * factor, 1.0), found.by_deal[deal.key].probability
        yield (*ours, base, mapped.get(deal.stage, usual), *astuple(fate))


def _missed(
    shape: Shape, figures: list[float], wins: Sequence[Held], value: Sequence[Held]
) -> Iterator[str]:
    """Yields the names of the bars that were missed."""
    soon, ever, mapping = figures[3], figures[6], figures[7]
    if soon > SOON_AT_MOST.get((shape.a_year, shape.years), np.inf):
        yield "90 d"
    is_right = mapping <= RIGHT
    slack = EVER_SLACK if is_right or shape.a_year < DECIDES else 0.0
    if ever > mapping + slack:
        yield "ever"
    for name, held in (("wins", wins), ("value", value)):
        if held and not HELD[0] <= round(_fair_share(held), 2) <= HELD[1]:
            yield name


def _share(held: Sequence[Held], what: str = "held") -> float:
    return float(np.mean([getattr(each, what) for each in held]))


def _fair_share(held: Sequence[Held]) -> float:
    """Returns the share of what came that ranges held. Where so few wins come that the range of the
    truth itself holds more than ranges should, it is that without the grain of whole numbers."""
    return _share(held, "even" if _share(held, "own") > HELD[1] else "held")


def _figures(chances: Any) -> list[float]:
    ours, ever, base, mapping, true_soon, true_ever, soon, won = chances.T

    def brier(guess: Any, outcome: Any) -> float:
        return float(((guess - outcome) ** 2).mean())

    return [
        *(brier(each, soon) for each in (ours, base, true_soon)),
        brier(ours, true_soon),
        brier(ever, won),
        brier(mapping, won),
        brier(ever, true_ever),
        brier(mapping, true_ever),
    ]


def _ranges(held: Sequence[Held], *, in_parts: bool = False) -> list[str]:
    """Returns the share of ranges that held, that of `even_share`, the mean width, and expected by
    actual sum. Widths may be ``in_parts`` of the mean that came."""
    if not held:
        return [""] * 5
    width = float(np.mean([each.width for each in held]))
    came = sum(each.actual for each in held)
    if in_parts:
        width = width / max(came / len(held), 1.0)
    bias = sum(each.expected for each in held) / max(came, 1.0)
    shares = [f"{_share(held, each):.0%}" for each in ("held", "even", "own")]
    return [*shares, f"{width:.2f}", f"{bias:.2f}"]


if __name__ == "__main__":
    sys.exit(main())
