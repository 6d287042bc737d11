"""Chances are per cent or fractions, by the evidence of their column."""

from __future__ import annotations

from decimal import Decimal

import pytest

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.shares import Scale, read_share, survey_shares


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        ("Probability (%)", ["1", "0.5", "60"], ["0.01", "0.005", "0.6"]),
        ("Probability (%)", ["0,74 %", "1 %"], ["0.0074", "0.01"]),
        ("Sannolikhet i procent", ["1", "0,5"], ["0.01", "0.005"]),
        ("Probability", ["0.74", "1.0", "57.3"], ["0.0074", "0.010", "0.573"]),
        ("Probability", ["0.5", "1", "0"], ["0.5", "1", "0"]),
        ("Probability", ["50%", "5 %", "0"], ["0.5", "0.05", "0"]),
        ("Probability", ["1"], [None]),
        ("Probability", ["1", "0"], [None, "0"]),
        ("Probability", ["50%", "0.5"], ["0.5", None]),
        ("Probability", ["abc", "50"], [None, "0.5"]),
        ("Probability (0-1)", ["1"], ["1"]),
        ("Probability (0-100)", ["1", "0.5"], ["0.01", "0.005"]),
        ("Olasılık", ["%50", "% 5"], ["0.5", "0.05"]),
        ("الاحتمال", ["٥٠٪", "٪٧٥"], ["0.5", "0.75"]),
    ],
)  # fmt: skip
def test_a_column_decides(header: str, cells: list[str], expected: list[str | None]) -> None:
    reading = survey_shares(cells, header)
    for cell, value in zip(cells, expected, strict=True):
        if value is None:
            with pytest.raises(InvalidValue):
                reading.read(cell)
        else:
            assert reading.read(cell) == Decimal(value)


def test_the_evidence_is_named_where_it_changes_a_value() -> None:
    assert "57.3 is above 1" in survey_shares(["0.74", "57.3"]).why
    assert "header" in survey_shares(["1"], "Chance %").why
    assert survey_shares(["10", "60"]).why == ""


def test_a_refusal_names_both_meanings_and_the_option() -> None:
    with pytest.raises(InvalidValue, match=r"may be 1 % or 100 %.*--probability-scale percent"):
        survey_shares(["1"]).read("1")


@pytest.mark.parametrize(
    ("text", "value"), [("0.5", "0.5"), ("50 %", "0.5"), ("50", "0.5"), ("1", "1"), ("0,5", "0.5")]
)
def test_a_chance_that_stands_alone_is_read_by_its_size(text: str, value: str) -> None:
    assert read_share(text) == Decimal(value)


def test_a_named_scale_decides() -> None:
    assert survey_shares(["57.3"], scale=Scale.PER_CENT).read("0.74") == Decimal("0.0074")
    assert survey_shares([], scale=Scale.FRACTION).read("1") == 1


@pytest.mark.parametrize("text", ["NaN", "", "N/A", "-"])
def test_a_word_for_nothing_is_no_chance(text: str) -> None:
    assert read_share(text) is None


@pytest.mark.parametrize("text", ["abc", "1e999999999", "9" * 100_000, "50 per annum"])
def test_what_is_no_chance_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        read_share(text)
