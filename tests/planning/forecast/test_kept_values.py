"""Wins bring what was stated of them, or what is left of it after haggling."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from taiga_pipeline.planning.forecast.deal_value import (
    STATED_DEALS,
    learn_deal_values,
)
from taiga_pipeline.planning.history.model import History, PastDeal, ValueSpell

DAY = date(2026, 3, 1)


def won(number: int, *values: tuple[int, int]) -> PastDeal:
    """A win of `DAY`; ``values`` are days before it, and what was stated from then on."""
    spells = tuple(ValueSpell(DAY - timedelta(ago), Decimal(value)) for ago, value in values)
    entered = DAY - timedelta(days=100)
    return PastDeal(str(number), entered, DAY, won=True, currency="EUR", values=spells)


def kept(*deals: PastDeal) -> float:
    return learn_deal_values(History(deals))["EUR"].kept


def test_open_deals_are_taken_for_what_wins_brought_of_what_was_stated() -> None:
    wins = [won(number, (90, 100 * (number + 1)), (0, 70 * (number + 1))) for number in range(45)]
    share = (45 * 0.7 + STATED_DEALS) / (45 + STATED_DEALS)
    assert kept(*wins) == pytest.approx(share)
    deal = PastDeal("open", DAY, currency="EUR", values=(ValueSpell(DAY, Decimal(1000)),))
    model = learn_deal_values(History((*wins, deal)))["EUR"]
    assert model.of(deal) == (pytest.approx(1000 * share), 0.0)


def test_values_that_never_changed_were_kept() -> None:
    assert kept(*(won(number, (90, 100)) for number in range(9))) == 1.0


def test_what_was_stated_lately_is_no_forecast() -> None:
    """Haggled down a week before the win: four weeks before it, more was stated."""
    assert kept(*(won(number, (90, 100), (7, 50), (0, 50)) for number in range(9))) < 0.75


def test_a_value_that_came_with_the_decision_says_nothing() -> None:
    assert kept(*(won(number, (0, 50)) for number in range(9))) == 1.0


def test_a_placeholder_does_not_make_all_deals_a_thousand_times_larger() -> None:
    assert kept(won(0, (90, 1), (0, 50_000)), *(won(n, (90, 100)) for n in range(1, 9))) < 1.3
