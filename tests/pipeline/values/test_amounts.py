"""Amounts are read as people mean them, or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel import numbers as cldr
from babel.core import get_global
from hypothesis import given, settings
from hypothesis import strategies as st

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.amounts import (
    read_amount,
    survey_amounts,
    unit_in_header,
)
from taiga_pipeline.pipeline.values.currencies import CODES, SIGNS, currencies_of

CROWNS = ("SEK", "NOK", "DKK", "ISK")


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("500", "500", ""),
        ("Rs. 500000", "500000", "INR PKR LKR NPR MUR SCR"),
        ("Rs.500", "500", "INR PKR LKR NPR MUR SCR"),
        ("Rs.500/-", "500", "INR PKR LKR NPR MUR SCR"),
        ("kr. 750", "750", "SEK NOK DKK ISK"),
        ("kr.750", "750", "SEK NOK DKK ISK"),
        ("500 kr.", "500", "SEK NOK DKK ISK"),
        ("SFr. 1200", "1200", "CHF"),
        ("Bs. 300", "300", "BOB VES"),
        ("kr. 1.250,00", "1250.00", "SEK NOK DKK ISK"),
        ("R$ 4.500,00", "4500.00", "BRL"),
        ("US$ 4,500.00", "4500.00", "USD"),
        ("MXN$ 5", "5", "MXN"),
        ("₹12,00,000", "1200000", "INR"),
        ("12,00,000.50", "1200000.50", ""),
        ("5000 руб.", "5000", "RUB"),
        ("1 234,50 zł", "1234.50", "PLN"),
        ("€\u00a01\u202f234,50", "1234.50", "EUR"),
        ("CHF 1'234.50", "1234.50", "CHF"),
        ("CHF 1’234.50", "1234.50", "CHF"),
        ("SEK 1 500,00 kr", "1500.00", "SEK"),
        ("1.234.567", "1234567", ""),
        ("25k", "25000", ""),
        ("1,2M", "1200000.0", ""),
        ("$3m", "3000000", "$"),
        ("€ 250K", "250000", "EUR"),
        ("€250k", "250000", "EUR"),
        ("k€ 250", "250000", "EUR"),
        ("T€ 250", "250000", "EUR"),
        ("1,5 Mio", "1500000.0", ""),
        ("1,5 Mio. €", "1500000.0", "EUR"),
        ("1,5 Mrd", "1500000000.0", ""),
        ("2 bn", "2000000000", ""),
        ("350 tkr", "350000", "SEK NOK DKK ISK"),
        ("350 kkr", "350000", "SEK NOK DKK ISK"),
        ("1,5 mkr", "1500000.0", "SEK NOK DKK ISK"),
        ("1,5 mnkr", "1500000.0", "SEK NOK DKK ISK"),
        ("MSEK 2", "2000000", "SEK"),
        ("100 TEUR", "100000", "EUR"),
        ("12 Lakh", "1200000", ""),
        ("3 Cr", "30000000", ""),
        ("₹2 CR", "20000000", "INR"),
        ("٣", "3", ""),
        ("١٢٣٤٫٥٦", "1234.56", ""),
        ("١٬٢٣٤٬٥٦٧ ر.س", "1234567", "SAR"),
        ("₹ १,००,०००", "100000", "INR"),
        ("12万元", "120000", "CNY"),
        ("３万円", "30000", "JPY"),
        ("5亿", "500000000", ""),
        ("300만원", "3000000", "KRW"),
        ("12 tis. Kč", "12000", "CZK"),
        ("1´250.50", "1250.50", ""),
        ("2,5 млн руб", "2500000.0", "RUB"),
        ("5:-", "5", ""),
        ("1250,-", "1250", ""),
        ("12.000,- €", "12000", "EUR"),
        ("1e6", "1000000", ""),
        ("1.5E+05", "150000", ""),
        ('="1200"', "1200", ""),
        ("'1200", "1200", ""),
        ("１２００", "1200", ""),
        ("\u200e1200\u200e", "1200", ""),
        ("(1,200.00)", "-1200.00", ""),
        ("$(1,200.00)", "-1200.00", "$"),
        ("(1.200,00) €", "-1200.00", "EUR"),
        ("1.234,50-", "-1234.50", ""),
        ("−5", "-5", ""),
        ("-0", "0", ""),
        ("0.123", "0.123", ""),
    ],
)
def test_an_amount_is_read_as_it_is_meant(text: str, value: str, currency: str) -> None:
    amount = read_amount(text)
    assert amount is not None
    assert str(amount.value) == value
    expected = SIGNS["$"] if currency == "$" else tuple(currency.split())
    assert amount.currencies == expected


@pytest.mark.parametrize(
    "text",
    [
        "10 pcs", "40h", "90 %", "5 mil", "5 T", "2 Billionen", "#REF!", "#DIV/0!", "abc", "EUR",
        "12 34", "1,2,3", "1.2.3", "1,23,45", "5 € / Monat", "EUR 5 USD", "€ 5 $", "5 k Mio",
        "1e999999999", "1e-999999999", "9" * 100, "9" * 100_000, "1٣", "500.00 CR",
        "CR 500", "5000+", "--5", "(5", "5)", "(-5)",
        "inf", "0x10", "1 2 3", "12-13", "5 to 7", "1/2", "½",
    ],
)  # fmt: skip
def test_what_cannot_be_an_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_amount(text)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "text", ["", " ", "-", "--", "N/A", "n.a.", "NULL", r"\N", "NaN", "(none)", "#N/A", "None"]
)
def test_a_word_for_nothing_is_no_amount(text: str) -> None:
    assert read_amount(text) is None


@pytest.mark.parametrize("text", ["1.234", "1,234", "EUR 1.500", "US$ 4,500", "$1.234M", "12.345"])
def test_an_amount_that_may_be_two_is_refused_alone(text: str) -> None:
    with pytest.raises(InvalidValue, match="--decimal"):
        read_amount(text)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.111,11", "1.000", "25.000"], ["1111.11", "1000", "25000"]),
        (["1,111.11", "1,000", "25,000"], ["1111.11", "1000", "25000"]),
        (["12,5", "1.250"], ["12.5", "1250"]),
        (["12.5", "1.250"], ["12.5", "1.250"]),
        (["1.234.567", "1.250"], ["1234567", "1250"]),
        (["1.250", "2.500", "300"], ["1250", "2500", "300"]),
        (["1,250", "2,500", "300"], ["1250", "2500", "300"]),
        (["1.250", "300"], [None, "300"]),
        (["1.250", "1.250"], [None, None]),
        (["1.250", "2,500"], [None, None]),
        (["1.250", "2,50", "2.50"], [None, "2.50", "2.50"]),
        (["KWD 1.250", "KWD 2.500"], [None, None]),
    ],
)
def test_a_column_decides_what_a_cell_leaves_open(
    cells: list[str], expected: list[str | None]
) -> None:
    reading = survey_amounts(cells)
    for cell, value in zip(cells, expected, strict=True):
        if value is None:
            with pytest.raises(InvalidValue, match="--decimal"):
                reading.read(cell)
        else:
            amount = reading.read(cell)
            assert amount is not None
            assert str(amount.value) == value


def test_the_evidence_is_named() -> None:
    assert "'1.111,11'" in survey_amounts(["1.000", "1.111,11"]).why
    assert "three digits" in survey_amounts(["1.000", "2.000"]).why
    assert survey_amounts(["1000", "2000.50"]).why == ""


def test_a_named_separator_overrides_the_cells() -> None:
    reading = survey_amounts(["1.250", "2.500"], decimal=".")
    amount = reading.read("1.250")
    assert amount is not None
    assert amount.value == Decimal("1.250")
    with pytest.raises(InvalidValue, match="decimal point"):
        reading.read("1.250,5")


@pytest.mark.parametrize(
    ("header", "factor", "currencies"),
    [
        ("Amount", 1, ()),
        ("Amount (EUR)", 1, ("EUR",)),
        ("Amount in EUR", 1, ("EUR",)),
        ("Betrag in €", 1, ("EUR",)),
        ("Belopp (tkr)", 1000, CROWNS),
        ("Value (TEUR)", 1000, ("EUR",)),
        ("Amount (in thousands)", 1000, ()),
        ("Amount (converted)", 1, ()),
        ("Deal - Value [SEK]", 1, ("SEK",)),
    ],
)
def test_a_header_says_what_its_amounts_are_in(
    header: str, factor: int, currencies: tuple[str, ...]
) -> None:
    unit = unit_in_header(header)
    assert (unit.factor, unit.currencies) == (factor, currencies)


def test_a_header_and_a_cell_do_not_multiply_twice() -> None:
    reading = survey_amounts([], "Amount (k€)")
    both = reading.read("250 k€")
    plain = reading.read("250")
    assert both is not None
    assert plain is not None
    assert both.value == plain.value == 250_000


def test_a_cell_that_contradicts_its_header_is_refused() -> None:
    with pytest.raises(InvalidValue, match="two currencies: USD and EUR"):
        survey_amounts([], "Amount (EUR)").read("250 USD")


def test_the_codes_are_those_in_use() -> None:
    rows = (row for rows in get_global("territory_currencies").values() for row in rows)
    in_use = {code for code, _, end, tender in rows if end is None and tender}
    assert in_use - CODES == set()
    assert cldr.list_currencies() >= CODES


def test_every_sign_stands_for_codes_that_exist() -> None:
    unknown = {code for codes in SIGNS.values() for code in codes} - CODES
    assert unknown == set()


@pytest.mark.parametrize("locale", ["en_US", "sv_SE", "de_DE", "de_CH", "fr_FR", "en_IN", "nb_NO"])
@settings(deadline=None)
@given(value=st.decimals(0, 999_999, places=2), currency=st.sampled_from(["EUR", "SEK", "CHF"]))
def test_what_a_locale_writes_is_read_back(locale: str, value: Decimal, currency: str) -> None:
    for form in (None, "¤¤ #,##0.00", "#,##0.00 ¤"):
        written = cldr.format_currency(value, currency, form, locale=locale)
        amount = read_amount(written)
        assert amount is not None
        assert amount.value == value
        assert currency in amount.currencies


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        amount = read_amount(text)
    except InvalidValue:
        return
    assert amount is None or amount.value.is_finite()


LANGUAGES = ("en", "sv", "de", "fr", "es", "pt", "nl", "da", "nb", "fi", "it", "pl")
USUAL = (
    "EUR USD GBP SEK NOK DKK CHF CAD AUD NZD JPY CNY INR PLN CZK HUF RUB TRY BRL MXN ZAR ILS KRW "
    "AED SAR THB SGD HKD ISK"
).split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_usual_currencies_are_known_by_their_names_in_full(language: str) -> None:
    for code in USUAL:
        for count in (None, 1, 2, 100):
            name = cldr.get_currency_name(code, count=count, locale=language)
            assert code in currencies_of(name), name


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("US Dollar", ["USD"]),
        ("us-dollars", ["USD"]),
        ("Pound Sterling", ["GBP"]),
        ("SEK - Swedish Krona", ["SEK"]),
        ("Euro (EUR)", ["EUR"]),
        ("EUR (€)", ["EUR"]),
        ("kronor", ["SEK", "NOK", "DKK", "ISK"]),
        ("EUR/USD", []),
        ("EUR - US Dollar", []),
        ("Quatloo", []),
        ("US", []),
    ],
)
def test_names_stand_for_currencies_as_codes_and_signs_do(text: str, codes: list[str]) -> None:
    assert list(currencies_of(text)) == codes


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("5 million US dollars", 5_000_000, "USD"),
        ("12 tusen svenska kronor", 12_000, "SEK"),
        ("US Dollar 300", 300, "USD"),
        ("40 thousand pounds sterling", 40_000, "GBP"),
        ("1,5 Mio. Schweizer Franken", 1_500_000, "CHF"),
    ],
)
def test_names_of_several_words_stand_around_amounts(text: str, value: int, currency: str) -> None:
    amount = read_amount(text)
    assert amount is not None
    assert (amount.value, amount.currencies) == (value, (currency,))


def test_a_word_that_is_no_currency_is_refused_among_those_that_are() -> None:
    with pytest.raises(InvalidValue, match="'bananas' is neither a currency nor a magnitude"):
        read_amount("7 US dollars bananas")
