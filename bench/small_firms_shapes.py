"""The shapes of small firms that forecasts are measured on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bench.small_firms_shape import TOO_HIGH, TOO_LOW, TRUTH, Kind, Shape, even

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

_EQUAL: Final = (
    Kind(0.5, (0.36, 0.48, 0.62, 0.80), 20_000, 0.6),
    Kind(0.5, (0.04, 0.08, 0.18, 0.40), 20_000, 0.6),
)
_ZERO: Final = (Kind(0.6, TRUTH, 20_000, 0.6), Kind(0.4, TRUTH, 0.0, 0.6))
_CURRENCIES: Final = (
    Kind(0.6, TRUTH, 20_000, 0.6, currency="EUR"),
    Kind(0.3, TRUTH, 25_000, 0.6, currency="USD"),
    Kind(0.1, TRUTH, 200_000, 0.6, currency="SEK"),
)
_BIG: Final = (Kind(0.85, TRUTH, 10_000, 0.5), Kind(0.15, TRUTH, 150_000, 0.3))
NEW: Final = (
    Shape("lead stages skipped by half", 30, 2, skips=0.5),
    Shape("half of wins entered when won", 45, 2, unseen=0.5),
    Shape("in batches of five", 40, 2, at_once=5),
    Shape("win rate dropped 120 days ago", 60, 2, easier=(120, 2.5)),
    Shape("win rate rose 120 days ago", 60, 2, easier=(120, 0.4)),
    Shape("losses cleaned up each half year", 30, 3, clean_up=182),
    Shape("losses cleaned up each quarter", 45, 2, clean_up=91),
    Shape("lost deals reopened", 40, 2, reopened=0.3),
    Shape("two stages swapped", 40, 2, reordered=250),
    Shape("quarter-end batches", 40, 3, quarter_ends=True),
    Shape("values haggled down", 40, 2, haggled=0.75),
    Shape("values upsold", 40, 2, haggled=1.3),
    Shape("cycle of 4 days", 40, 1, cycle=4),
    Shape("cycle of 600 days", 30, 3, cycle=600),
    Shape("some values nothing", 40, 2, kinds=_ZERO),
    Shape("some values nothing, open without values", 40, 2, kinds=_ZERO, priced=False),
    Shape("three currencies", 40, 2, kinds=_CURRENCIES),
    Shape("three currencies, open without values", 40, 2, kinds=_CURRENCIES, priced=False),
    Shape("one big customer", 40, 2, kinds=_BIG),
    Shape("one big customer, open without values", 40, 2, kinds=_BIG, priced=False),
    Shape("two sellers, unlike", 40, 2, kinds=_EQUAL),
    Shape("mapping says nothing", 40, 1, mapping=(None,) * 4),
    Shape("mapping is flat", 40, 1, mapping=(0.3,) * 4),
    Shape("a quarter on record", 40, 0.25),
    Shape("half a year on record", 40, 0.5),
    Shape("decline", 40, 3, growth=0.5),
    Shape("90 % win rate", 40, 1, truth=even(0.9), mapping=(0.5, 0.6, 0.7, 0.8)),
    Shape("5 % win rate, mapping right", 60, 2, truth=even(0.05), mapping=even(0.05)),
    Shape("2 % win rate", 150, 2, truth=even(0.02), mapping=(0.05, 0.1, 0.3, 0.5)),
    Shape("renamed, 60 a year, mapping right", 60, 2, mapping=TRUTH, renamed=120),
    Shape("renamed, mapping high", 30, 2, mapping=TOO_HIGH, renamed=200),
    Shape("losses removed, mapping high", 30, 3, losses=False, removed=True, mapping=TOO_HIGH),
    Shape("losses removed for a year", 40, 3, silent=1.0, removed=True),
    Shape("closed in summer, seen once, 60 a year", 60, 1.5, summers=True),
    Shape("very long tail, open without values, 15", 15, 2, sigma=2.2, priced=False),
)
"""Made up to see what else fails, before anything was mended for them."""

SHAPES: Final = (*USUAL, *UNUSUAL, *NEW)
