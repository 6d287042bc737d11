"""Values of deals as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.mapping.text import (
    amount,
    escape_markup,
    normalise,
    one_line,
    percent,
    plain_number,
    slug,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\tc\u2028d", "a b c d"),
        (" a\x00\x1b[31mb ", "a[31mb"),
        ("a\ud800b", "ab"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("Förslag 👩‍💻", "Förslag 👩‍💻"),
        ("\x00 \x01", ""),
    ],
)
def test_text_becomes_one_clean_line(text: str, expected: str) -> None:
    assert one_line(text) == expected


@given(st.text())
def test_a_line_is_clean_and_stays_as_it_is(text: str) -> None:
    line = one_line(text)
    assert one_line(line) == line
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal(120000), "120,000 EUR"),
        (Decimal("1234.5"), "1,234.50 EUR"),
        (Decimal("1.2E+5"), "120,000 EUR"),
        (Decimal("-3"), "-3 EUR"),
        (Decimal("1E+999999"), "1E+999999 EUR"),
        (Decimal("NaN"), "NaN EUR"),
        (Decimal(0), "0 EUR"),
        (None, ""),
    ],
)
def test_money_is_written_with_its_currency(value: Decimal | None, expected: str) -> None:
    assert amount(value, "EUR") == expected


def test_money_without_a_currency_is_a_number() -> None:
    assert amount(Decimal(1000), "") == "1,000"


@pytest.mark.parametrize(
    ("value", "expected"), [("0.5", "50 %"), ("0.125", "12.5 %"), ("1", "100 %"), ("0", "0 %")]
)
def test_a_probability_is_written_in_percent(value: str, expected: str) -> None:
    assert percent(Decimal(value)) == expected


def test_numbers_have_no_exponent_and_no_needless_zeros() -> None:
    assert [plain_number(Decimal(n)) for n in ("30", "7.50", "1E+2")] == ["30", "7.5", "100"]


def test_names_are_compared_by_form_case_and_blanks() -> None:
    assert normalise(" FO\u0308RSLAG  nu") == normalise("förslag nu")


def test_markup_is_shown_as_it_is() -> None:
    assert escape_markup("<b> [x](y) ![z] #1 A & B &amp;") == (
        "&#60;b&#62; &#91;x&#93;(y) &#33;&#91;z&#93; &#35;1 A & B &#38;amp;"
    )


def test_a_slug_is_plain_ascii() -> None:
    assert slug("Överlämning från {owner}!") == "overlamning-fran-owner"
