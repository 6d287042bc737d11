"""Texts with places for values."""

from __future__ import annotations

import pytest

from taiga_pipeline.language import counted, figure, meant, plural, text, use

GAP = "\N{NO-BREAK SPACE}"


def test_values_are_put_in_their_places_in_either_language() -> None:
    assert text("closes {expected_close}", expected_close="2027-01-04") == "closes 2027-01-04"
    with use("sv"):
        assert text("closes {expected_close}", expected_close="2027-01-04") == "avslut 2027-01-04"


def test_a_value_that_looks_like_a_place_is_a_value() -> None:
    with use("sv"):
        assert text("Wrote {path}", path="{path}%s") == "Skrev {path}%s"


def test_a_text_without_a_translation_is_english() -> None:
    with use("sv"):
        assert text("nobody ever wrote this {word}", word="one") == "nobody ever wrote this one"
        assert text("") == ""


def test_a_number_decides_on_the_form() -> None:
    assert [counted(n, "deal") for n in (0, 1, 2)] == ["0 deals", "1 deal", "2 deals"]
    with use("sv"):
        assert [counted(n, "deal") for n in (0, 1, 1480)] == [
            "0 affärer",
            "1 affär",
            f"1{GAP}480 affärer",
        ]
        assert plural("{number} week", "{number} weeks", 2) == "2 veckor"


@pytest.mark.parametrize(
    ("noun", "many"), [("day", "2 days"), ("story", "2 stories"), ("status", "2 statuses")]
)
def test_english_nouns_have_their_own_plurals(noun: str, many: str) -> None:
    assert counted(2, noun) == many


@pytest.mark.parametrize(
    ("number", "form", "english", "swedish"),
    [
        (1480.5, ",.1f", "1,480.5", f"1{GAP}480,5"),
        (0.74, ".0%", "74%", f"74{GAP}%"),
        (12, ",", "12", "12"),
    ],
)
def test_figures_are_written_as_the_language_writes_them(
    number: float, form: str, english: str, swedish: str
) -> None:
    assert figure(number, form) == english
    with use("sv"):
        assert figure(number, form) == swedish


@pytest.mark.parametrize("written", ["decision maker", "Beslutsfattare", "BESLUTSFATTARE"])
def test_a_word_is_understood_in_any_language(written: str) -> None:
    assert meant(written, ["user", "decision maker"]) == "decision maker"


def test_a_word_of_no_language_means_nothing() -> None:
    assert meant("chefen", ["user", "decision maker"]) == ""
