"""Deals that are entered when they are won: as many more come, and open deals are not like them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import DAYS_AHEAD, TODAY, Shape  # noqa: E402
from taiga_pipeline.planning.forecast.record import make_record  # noqa: E402
from taiga_pipeline.planning.forecast.replay import Referee, look  # noqa: E402
from taiga_pipeline.planning.history.model import History, PastDeal  # noqa: E402

SEEN = simulate(Shape("", 60, 2), 1).history
SUDDEN = tuple(
    PastDeal(f"S{n}", day, day, won=True)
    for n in range(24)
    for day in [TODAY - timedelta(days=15 * n + 1)]
)


def expected(history: History) -> tuple[np.ndarray, float]:
    """The chances of open deals to be won in 90 days, and how many wins of others are expected."""
    view = look(history, TODAY, Referee(), DAYS_AHEAD)
    return view.open.within(1, DAYS_AHEAD)[0], float(view.coming.daily()[0].sum())


@pytest.mark.parametrize("as_outcomes", [False, True], ids=["with a day", "without"])
def test_as_many_more_come_and_open_deals_are_not_like_them(as_outcomes: bool) -> None:
    """Whether someone typed the day on which they came in, or left it open."""
    more = (
        replace(SEEN, outcomes=SUDDEN)
        if as_outcomes
        else replace(SEEN, deals=(*SUDDEN, *SEEN.deals))
    )
    (alone, coming), (beside, coming_too) = expected(SEEN), expected(more)
    assert beside == pytest.approx(alone)
    assert coming_too - coming == pytest.approx(DAYS_AHEAD / 15, rel=0.2)


def test_those_that_a_file_brought_are_history() -> None:
    read = tuple(replace(deal, arrived=False) for deal in SUDDEN)
    assert expected(replace(SEEN, outcomes=read))[1] == pytest.approx(expected(SEEN)[1])


def test_where_all_decided_deals_are_dated_like_that_they_tell_the_chances() -> None:
    lost = tuple(replace(deal, key=f"L{deal.key}", won=False) for deal in SUDDEN)
    record = make_record(History((*SUDDEN, *lost)), TODAY)
    assert (record.decided, len(record.sudden.day)) == (48, 0)
