"""The shapes of small firms that forecasts are measured on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bench.small_firms import TOO_HIGH, TOO_LOW, TRUTH, Kind, Shape, even

SIZES: Final = ((15, 1), (30, 1), (60, 1), (15, 3), (30, 3), (60, 3))
MAPPINGS: Final = {"low": TOO_LOW, "right": TRUTH, "high": TOO_HIGH}
USUAL: Final = (
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
_SMALL: Final = Kind(0.75, (0.28, 0.40, 0.55, 0.75), 8_000, 0.4)
_LARGE: Final = Kind(0.25, (0.06, 0.10, 0.20, 0.40), 120_000, 0.5)
_NAMED: Final = (replace(_SMALL, service="Small"), replace(_LARGE, service="Large"))
_EIGHT: Final = (0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)

UNUSUAL: Final = (
    Shape("two kinds, as services", 45, 2, kinds=_NAMED),
    Shape("two kinds, as services, open without values", 45, 2, kinds=_NAMED, priced=False),
    Shape("two kinds, open without values", 45, 2, kinds=(_SMALL, _LARGE), priced=False),
    Shape("closed in summer, 60, 3 y", 60, 3, summers=True),
    Shape("closed in summer, 30, 2 y", 30, 2, summers=True),
    Shape("imported 60 days ago", 30, 2, imported=60),
    Shape("imported on the day", 30, 2, imported=1),
    Shape("close dates hold", 30, 2, stated=True),
    Shape("close dates hold, 60, 3 y", 60, 3, stated=True),
    Shape("close dates do not hold", 30, 2, stated=False),
    Shape("stages renamed", 30, 2, renamed=200),
    Shape("one stage", 30, 2, truth=(0.2,), mapping=(0.1,)),
    Shape("eight stages", 30, 2, truth=even(0.2, 8), mapping=_EIGHT),
    Shape("values of nothing", 30, 2, value=0.0),
    Shape("values with a long tail", 30, 2, sigma=1.6),
    Shape("values with a long tail, open without values", 30, 2, sigma=1.6, priced=False),
    Shape("open without values", 30, 2, priced=False),
    Shape("open without values, 15, 1 y", 15, 1, priced=False),
    Shape("3 a year, 1 y", 3, 1),
    Shape("3 a year, 3 y", 3, 3),
    Shape("300 a year, 1 y", 300, 1),
    Shape("300 a year, 3 y", 300, 3),
)
"""What no prior of the program was chosen by."""

SHAPES: Final = (*USUAL, *UNUSUAL)
