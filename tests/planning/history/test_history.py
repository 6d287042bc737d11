"""What a history holds, and what of it was known on a past day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taiga_pipeline.pipeline.model import Category, Deal, FieldChange, StageMove
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.planning.history.building import (
    FUTURE,
    NO_END,
    NO_STAGE,
    NO_START,
    WRONG_WAY,
    StageView,
    Stored,
    build_history,
)
from taiga_pipeline.planning.history.model import History, PastDeal

TODAY = date(2026, 6, 1)
STAGES = {
    "Lead": StageView("Lead", Category.LEAD, 0.1),
    "Offer": StageView("Offer", Category.PROPOSAL, 0.5),
    "Won": StageView("Won", Category.WON),
    "Lost": StageView("Lost", Category.LOST),
}


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def move(before: str, after: str, when: datetime) -> StageMove:
    return StageMove("A", before, after, when)


def build(
    *moves: StageMove,
    changes: tuple[FieldChange, ...] = (),
    rates: Rates | None = None,
    imported: tuple[str, ...] = (),
    **f: Any,
) -> History:
    deal = Deal(**{"key": "A", "name": "A", "currency": "EUR", **f})
    stored = Stored([deal], moves, changes, imported)
    return build_history(stored, lambda _, name: STAGES.get(name), TODAY, rates)


def only(history: History) -> PastDeal:
    (deal,) = history.deals
    return deal


def test_a_deal_came_in_on_the_day_on_which_work_began() -> None:
    history = build(move("", "Lead", at(2, 1)), stage="Lead", engaged_on=date(2026, 1, 5))
    assert only(history).entered == date(2026, 1, 5)


def test_a_deal_without_such_a_day_came_in_with_its_first_stage() -> None:
    assert only(build(move("", "Lead", at(2, 1)), stage="Lead")).entered == date(2026, 2, 1)


def test_a_decision_without_a_day_is_taken_from_the_last_move() -> None:
    moves = (move("", "Lead", at(2, 1)), move("Lead", "Won", at(3, 1)))
    deal = only(build(*moves, stage="Won"))
    assert (deal.closed, deal.won) == (date(2026, 3, 1), True)


def test_a_decision_counts_on_its_day_even_if_it_is_unknown_when_the_deal_came_in() -> None:
    usd = Rates("EUR", {"USD": Decimal("0.5")})
    won = build(
        stage="Won", closed_on=date(2026, 5, 1), value=Decimal(80), currency="USD", rates=usd
    )
    assert not won.deals and sum(won.left_out.values()) == 1
    (outcome,) = won.outcomes
    assert (outcome.closed, outcome.won, outcome.value) == (date(2026, 5, 1), True, Decimal(40))
    assert outcome.currency == "EUR"
    assert not won.known_on(date(2026, 4, 30)).outcomes
    assert not build(stage="Won", closed_on=date(2026, 7, 1)).outcomes  # still to come
    assert not build(stage="Offer").outcomes


@pytest.mark.parametrize(
    ("typed", "imported", "arrived"),
    [(at(5, 4), (), True), (at(5, 4), ("A",), False), (at(6, 20), (), False)],
    ids=["typed when won", "in a file", "typed long after"],
)
def test_a_deal_that_is_typed_when_it_is_won_came_in_then(
    typed: datetime, imported: tuple[str, ...], arrived: bool
) -> None:
    moves = [move("", "Won", typed)]
    history = build(*moves, stage="Won", closed_on=date(2026, 5, 1), imported=imported)
    assert [outcome.arrived for outcome in history.outcomes] == [arrived]


def test_a_deal_that_is_typed_as_won_was_won_on_that_day() -> None:
    moves = [move("", "Won", at(5, 4))]
    (outcome,) = build(*moves, stage="Won").outcomes
    assert (outcome.closed, outcome.won, outcome.arrived) == (date(2026, 5, 4), True, True)
    assert not build(*moves, stage="Won", imported=("A",)).outcomes


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        (NO_STAGE, {"stage": "Nowhere"}),
        (NO_START, {"stage": "Won", "closed_on": date(2026, 1, 1)}),
        (NO_END, {"stage": "Lost", "engaged_on": date(2026, 1, 1)}),
        (WRONG_WAY, {"stage": "Won", "engaged_on": TODAY, "closed_on": date(2026, 1, 1)}),
        (FUTURE, {"stage": "Lead", "engaged_on": date(2026, 7, 1)}),
    ],
)
def test_what_cannot_be_used_is_counted_with_its_reason(
    reason: str, fields: dict[str, Any]
) -> None:
    history = build(**fields)
    assert (history.deals, history.left_out) == ((), {reason: 1})


def test_an_open_deal_without_a_day_is_there_and_is_no_arrival() -> None:
    history = build(stage="Lead")
    deal = only(history)
    assert (deal.entered, deal.arrived) == (TODAY, False)
    assert history.undated == 1


def test_the_day_of_an_import_is_not_the_one_a_deal_came_in_on() -> None:
    first = move("", "Lead", at(3, 1))
    typed, imported = (build(first, stage="Lead", imported=keys) for keys in ((), ("A",)))
    assert (only(typed).arrived, only(imported).arrived) == (True, False)
    assert only(imported).entered == date(2026, 3, 1)


def test_the_past_knows_nothing_of_later_moves_values_and_decisions() -> None:
    moves = (
        move("", "Lead", at(1, 10)),
        move("Lead", "Offer", at(2, 10)),
        move("Offer", "Won", at(3, 10)),
    )
    change = FieldChange("A", "value", "100", "900", at(2, 20))
    deal = only(
        build(
            *moves,
            changes=(change,),
            stage="Won",
            value=Decimal(900),
            engaged_on=date(2026, 1, 10),
            closed_on=date(2026, 3, 10),
        )
    )
    known = {day: deal.known_on(date(2026, *day)) for day in [(1, 9), (1, 20), (2, 15), (3, 10)]}
    assert known[1, 9] is None
    early, later, end = known[1, 20], known[2, 15], known[3, 10]
    assert early and later and end
    assert (early.stage, early.value, early.won) == ("Lead", Decimal(100), None)
    assert (later.stage, later.value, later.closed) == ("Offer", Decimal(100), None)
    assert (end.won, end.value) == (True, Decimal(900))


def test_the_value_of_a_deal_imported_as_decided_was_not_known_before() -> None:
    closed = date(2026, 3, 1)
    deal = only(
        build(
            move("", "Won", at(3, 1)),
            stage="Won",
            value=Decimal(5),
            engaged_on=date(2026, 1, 1),
            closed_on=closed,
        )
    )
    before = deal.known_on(date(2026, 2, 1))
    assert before is not None
    assert before.value is None
    assert deal.value == Decimal(5)


def test_values_are_converted_only_with_a_rate() -> None:
    rates = Rates("EUR", {"USD": Decimal("0.5")})
    fields = {"stage": "Lead", "engaged_on": date(2026, 1, 1), "value": Decimal(10)}
    dollars = only(build(rates=rates, **{**fields, "currency": "USD"}))
    crowns = only(build(rates=rates, **{**fields, "currency": "SEK"}))
    assert (dollars.value, dollars.currency) == (Decimal(5), "EUR")
    assert (crowns.value, crowns.currency) == (Decimal(10), "SEK")


def test_the_mappings_chances_come_along() -> None:
    history = build(
        move("", "Lead", at(1, 1)), move("Lead", "Offer", at(2, 1)), stage="Offer", name="A"
    )
    assert history.chances == {"Lead": 0.1, "Offer": 0.5}


def test_fields_that_hold_something_are_named_those_of_ones_own_among_them() -> None:
    deal = only(build(move("", "Lead", at(2, 1)), stage="Lead", own={"region": "North"}))
    assert deal.filled == {"key", "name", "stage", "currency", "region"}
    assert "own" not in only(build(move("", "Lead", at(2, 1)), stage="Lead")).filled
