"""The truth that forecasts of simulated firms are measured by."""

from __future__ import annotations

from datetime import timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms_lives import NEVER, Firm, Life  # noqa: E402
from bench.small_firms_shape import DAYS_AHEAD, TODAY, Shape  # noqa: E402


def open_lives(firm: Firm) -> list[Life]:
    today = TODAY.toordinal()
    return [life for life in firm.lives() if life.since[0] <= today < life.closed]


def test_drawn_futures_agree_with_the_formula_where_there_is_one() -> None:
    firm = Firm(Shape("", 60, 1), 1)
    lives = open_lives(firm)
    days, others = firm.futures(lives, [], 150, 1)
    soon, ever = (days <= DAYS_AHEAD).mean(axis=0), (days < NEVER).mean(axis=0)
    fates = [firm.fate(life) for life in lives]
    assert np.abs(soon - [fate.soon for fate in fates]).mean() < 0.05
    assert np.abs(ever - [fate.ever for fate in fates]).mean() < 0.05
    coming = sum(number * chance for number, chance in firm.coming())
    assert others.mean() == pytest.approx(coming, abs=0.2)


def test_drawn_futures_end_with_months_where_decisions_do() -> None:
    firm = Firm(Shape("", 30, 1, month_ends=True), 1)
    days, _ = firm.futures(open_lives(firm), [], 20, 1)
    won = days[days < NEVER]
    after = [TODAY + timedelta(days=int(day) + 1) for day in won]
    assert len(won) > 20
    assert {day.day for day in after} == {1}


def test_stays_that_are_much_alike_end_soon_once_they_lasted_long() -> None:
    """Of two deals in the last stage, the one that came into it long ago is decided first."""
    firm = Firm(Shape("", 30, 1, truth=(0.5,), mapping=(0.5,), gamma=9.0), 1)
    first = open_lives(firm)[0]
    today = TODAY.toordinal()
    lives = [
        Life(first.kind, 1.0, 1.0, 0, [today - ago], today + 9, True, today + 9, 0, 0, False)
        for ago in (80, 5)
    ]
    days, _ = firm.futures(lives, [], 100, 1)
    old, young = (days[days[:, at] < NEVER, at].mean() for at in (0, 1))
    assert old < 40 < young
