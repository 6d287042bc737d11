"""Forecasts of small firms' pipelines against the known truth.

``python -m bench.small_firms_bench [replications [words of shapes' names]]`` (200 by default). Each
replication is one firm (see `bench.small_firms`), forecast once, as the program does it.

- Brier, 90 days: of the program, of the base rate, and of the true chances themselves;
- Brier, ever: of the program and of the mapping's stage probabilities;
- off: the mean square of (chance - true chance), which is what a Brier score exceeds the truth's
  by, without the noise of the outcomes;
- held: of how many firms the 80 % range of all wins in 90 days held what came; width: its mean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import astuple
from typing import Any, Final

import numpy as np

from bench.small_firms import DAYS_AHEAD, TODAY, TOO_HIGH, TOO_LOW, TRUTH, Shape, even, simulate
from taiga_pipeline.planning.forecast.backtest import base_rate
from taiga_pipeline.planning.forecast.forecast import prepare, simulate_period
from taiga_pipeline.planning.forecast.outlooks import outlooks_of
from taiga_pipeline.planning.forecast.simulate import range_of

SIZES: Final = ((15, 1), (30, 1), (60, 1), (15, 3), (30, 3), (60, 3))
MAPPINGS: Final = {"low": TOO_LOW, "right": TRUTH, "high": TOO_HIGH}
SHAPES: Final = (
    *(
        Shape(f"{size} a year, {years} y, mapping {name}", size, years, mapping=mapping)
        for name, mapping in MAPPINGS.items()
        for size, years in SIZES
    ),
    Shape("no stage history", 30, 1, stage_history=False),
    Shape("no stage history, 60, 3 y", 60, 3, stage_history=False),
    Shape("no stage history, mapping right", 60, 3, mapping=TRUTH, stage_history=False),
    Shape("month-end batches", 30, 1, month_ends=True),
    Shape("growth", 30, 3, growth=1.6),
    Shape("quarter shocks", 60, 3, shock=0.5),
    Shape("5 % win rate", 60, 1, truth=even(0.05)),
    Shape("70 % win rate", 60, 1, truth=even(0.70)),
    Shape("400-day cycles", 30, 3, cycle=400),
    Shape("no losses recorded", 30, 3, losses=False),
    Shape("no losses recorded, mapping right", 30, 3, losses=False, mapping=TRUTH),
    Shape("no losses recorded, no stages", 30, 3, losses=False, stage_history=False),
    Shape("no losses recorded for a year", 30, 3, silent=1.0),
    Shape("losses removed", 30, 3, losses=False, removed=True),
    Shape("losses removed, mapping right", 30, 3, losses=False, removed=True, mapping=TRUTH),
    Shape("three stages", 30, 1, truth=(0.15, 0.35, 0.6), mapping=(0.1, 0.2, 0.5)),
    Shape("six stages", 30, 2, truth=even(0.12, 6), mapping=(0.1, 0.1, 0.2, 0.4, 0.5, 0.6)),
    Shape("35 % win rate, 45 days", 45, 1, truth=even(0.35), cycle=45),
    Shape("even times", 30, 2, gamma=3.0),
    Shape("uneven times", 30, 2, gamma=0.5),
    Shape("seasonal arrivals", 45, 2, season=0.7),
    Shape("mapping with gaps", 30, 1, mapping=(0.1, None, None, 0.5)),
)


SOON_AT_MOST: Final = {(15, 1): 0.018, (30, 1): 0.013, (60, 1): 0.008, (60, 3): 0.005}
"""How far the Brier score at 90 days may be from the truth's own, by deals a year and years."""
EVER_SLACK: Final = 0.003
"""How much worse than the mapping the chance to be won at all may be where the mapping is right."""
DECIDES: Final = 30
HELD: Final = (0.74, 0.88)
HEADINGS: Final = (
    *("shape", "90 d: ours", "base", "truth", "off"),
    *("ever: ours", "mapping", "off: ours", "mapping", "held", "width", "bias", "met"),
)


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


def measure(shape: Shape, replications: int) -> tuple[list[str], str]:
    """Returns a row of the table, and the bars that were missed."""
    chances: list[tuple[Any, ...]] = []
    ranges = []
    for seed in range(replications):
        case = simulate(shape, seed)
        mapped = case.history.chances
        usual = float(np.mean(list(mapped.values())))
        ground = prepare(case.history, TODAY, DAYS_AHEAD)
        soon, _ = ground.view.open.within(1, DAYS_AHEAD)
        factor = np.exp(ground.common_shock(1, DAYS_AHEAD, "open").mean)
        found = outlooks_of(ground)
        base = base_rate(ground.view.record, DAYS_AHEAD)
        for at, (deal, fate) in enumerate(zip(ground.deals, case.open, strict=True)):
            ours = min(soon[at] * factor, 1.0), found.by_deal[deal.key].probability
            truth = astuple(fate)
            chances.append((*ours, base, mapped.get(deal.stage, usual), *truth))
        wins = simulate_period(ground, 1, DAYS_AHEAD, seed)["all"].won
        held = range_of(wins)
        ranges.append((held.low, held.high, case.wins, wins.mean()))
    figures, held, rest = _figures(np.array(chances, dtype=float), np.array(ranges))
    texts = [f"{figure:.3f}" for figure in figures]
    return [shape.name, *texts, f"{held:.0%}", *rest], ", ".join(_missed(shape, figures, held))


def _missed(shape: Shape, figures: list[float], held: float) -> Iterator[str]:
    """Yields the names of the bars that were missed."""
    soon, ever, mapping = figures[3], figures[6], figures[7]
    if shape.is_exact and soon > SOON_AT_MOST.get((shape.a_year, shape.years), np.inf):
        yield "90 d"
    is_right = mapping <= EVER_SLACK
    slack = EVER_SLACK if is_right or shape.a_year < DECIDES else 0.0
    if ever > mapping + slack:
        yield "ever"
    if not HELD[0] <= round(held, 2) <= HELD[1]:
        yield "held"


def _figures(chances: Any, ranges: Any) -> tuple[list[float], float, list[str]]:
    ours, ever, base, mapping, true_soon, true_ever, soon, won = chances.T
    low, high, actual, expected = ranges.T

    def brier(guess: Any, outcome: Any) -> float:
        return float(((guess - outcome) ** 2).mean())

    figures = [
        *(brier(each, soon) for each in (ours, base, true_soon)),
        brier(ours, true_soon),
        brier(ever, won),
        brier(mapping, won),
        brier(ever, true_ever),
        brier(mapping, true_ever),
    ]
    held = float(((low <= actual) & (actual <= high)).mean())
    bias = expected.sum() / max(actual.sum(), 1)
    return figures, held, [f"{(high - low).mean():.2f}", f"{bias:.2f}"]


if __name__ == "__main__":
    sys.exit(main())
