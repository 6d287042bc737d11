"""Which rate counts for whom, on which day, in which currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from taiga_pipeline.people.model import Rate
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.planning.money.rates import Price, RateBook, less

ANA = "ana@example.org"
DAY = date(2026, 11, 23)


def rate(
    whose: str, cost: int | None = None, bill: int | None = None, since: date | None = None
) -> Rate:
    email, role = (whose, "") if "@" in whose else ("", whose)
    amounts = (None if each is None else Decimal(each) for each in (cost, bill))
    return Rate(email, role, since, *amounts, currency="EUR")


def test_a_persons_own_rate_counts_before_that_of_the_role() -> None:
    book = RateBook([rate("Back", 60, 120), rate(ANA, 80)])
    assert book.cost("back", ANA, DAY) == Price(80.0, "EUR")
    assert book.cost("Back", "bo@example.org", DAY) == Price(60.0, "EUR")
    # Ana has no bill rate of her own: that of her role counts.
    assert book.bill("Back", ANA, DAY) == Price(120.0, "EUR")


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2025, 12, 31), 50.0), (date(2026, 1, 1), 60.0), (date(2026, 12, 31), 60.0)],
)
def test_the_latest_rate_that_has_begun_counts(day: date, expected: float) -> None:
    later = rate("Back", 70, since=date(2027, 1, 1))
    book = RateBook([later, rate("Back", 60, since=date(2026, 1, 1)), rate("Back", 50)])
    found = book.cost("Back", "", day)
    assert found is not None and found.amount == expected


def test_a_rate_that_says_only_one_amount_leaves_the_other_in_force() -> None:
    book = RateBook([rate("Back", 60, 120), rate("Back", bill=130, since=DAY)])
    assert book.cost("Back", "", DAY) == Price(60.0, "EUR")
    assert book.bill("Back", "", DAY) == Price(130.0, "EUR")


def test_who_has_no_rate_is_remembered() -> None:
    book = RateBook([rate("Back", 60, since=DAY)])
    assert book.cost("Back", "", date(2026, 1, 1)) is None
    assert book.bill("Design", "", DAY) is None
    assert book.missing == {("cost", "Back"), ("bill", "Design")}


def test_currencies_are_converted_where_there_is_a_rate_between_them() -> None:
    exchange = Rates("EUR", {"SEK": Decimal("0.1")})
    kronor = Rate("", "Back", None, Decimal(600), None, "SEK")
    pounds = Rate("", "Front", None, Decimal(50), None, "GBP")
    book = RateBook([kronor, pounds], exchange)
    assert book.cost("Back", "", DAY) == Price(60.0, "EUR")
    assert book.cost("Front", "", DAY) == Price(50.0, "GBP")


def test_margin_keeps_currencies_apart() -> None:
    assert less({"EUR": 100.0}, {"EUR": 60.0, "GBP": 5.0}) == {"EUR": 40.0, "GBP": -5.0}
