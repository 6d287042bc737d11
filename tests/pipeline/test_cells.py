"""Amounts, dates and probabilities as people write them."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.pipeline.cells import parse_amount, parse_date, parse_probability, parse_time
from taiga_pipeline.pipeline.errors import InvalidValue


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("1054", "1054", ""),
        ("1054.50", "1054.50", ""),
        ("1 054,50", "1054.50", ""),
        ("1\u00a0054,50 kr", "1054.50", ""),
        ("1\u202f054\u202f200", "1054200", ""),
        ("1.054,50 €", "1054.50", "EUR"),
        ("€1,054.50", "1054.50", "EUR"),
        ("$1,054,000", "1054000", ""),
        ("SEK 12 000", "12000", "SEK"),
        ("12 000 sek", "12000", "SEK"),
        ("CHF 1'200.50", "1200.50", "CHF"),
        ("1.234.567", "1234567", ""),
        ("1.234", "1.234", ""),
        ("0,5", "0.5", ""),
        ("-5", "-5", ""),
        ("−5", "-5", ""),
        ("1200:-", "1200", ""),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, value: str, currency: str) -> None:
    amount = parse_amount(text)
    assert (amount.value, amount.currency, amount.unsure) == (Decimal(value), currency, False)


def test_a_comma_before_three_digits_is_taken_for_thousands_and_said_to_be_unsure() -> None:
    assert parse_amount("1,234") == parse_amount("1,234", "")
    assert (parse_amount("1,234").value, parse_amount("1,234").unsure) == (Decimal(1234), True)


def test_the_decimal_separator_can_be_told() -> None:
    assert parse_amount("1,234", ",").value == Decimal("1.234")
    assert parse_amount("1.234", ",").value == Decimal(1234)
    assert parse_amount("1,234", ".").value == Decimal(1234)


@pytest.mark.parametrize(
    "text", ["", "abc", "NaN", "Infinity", "1e5", "1,23,4", "1.2.3", "12 EUROS", "--5", "1,2345,6"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_amount(text)


@given(st.decimals(0, 10**12, places=3))
def test_plain_numbers_are_read_exactly(value: Decimal) -> None:
    assert parse_amount(format(value, "f")).value == value


@given(st.text(max_size=15))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidValue):
        assert parse_amount(text).value.is_finite()


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.5", "0.5"), ("50%", "0.5"), ("50 %", "0.5"), ("50", "0.5"), ("1", "1"), ("1%", "0.01")],
)
def test_probabilities_are_read_in_both_forms(text: str, value: str) -> None:
    assert parse_probability(text) == Decimal(value)


def test_dates_are_iso_or_of_the_given_format() -> None:
    assert parse_date("2017-03-01") == parse_date("3/1/2017", "%m/%d/%Y") == date(2017, 3, 1)
    assert parse_date("2017-03-01", "%m/%d/%Y") == date(2017, 3, 1)
    assert parse_date("2017-03-01T23:30:00+02:00") == date(2017, 3, 1)


def test_a_date_of_another_form_is_answered_with_the_forms_that_fit() -> None:
    with pytest.raises(InvalidValue, match=r"try --date-format %m/%d/%Y$"):
        parse_date("10/20/2016")
    with pytest.raises(InvalidValue, match=r"%m/%d/%Y or %d/%m/%Y"):
        parse_date("10/12/2016")


def test_a_time_without_a_zone_is_utc_and_a_date_is_its_midnight() -> None:
    assert parse_time("2026-01-02T03:04:05") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert parse_time("2026-01-02T03:04:05+01:00") == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert parse_time("2026-01-02") == datetime(2026, 1, 2, tzinfo=UTC)
