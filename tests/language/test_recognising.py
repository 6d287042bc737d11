"""Sentences of the layers below the surface, in another language."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from taiga_pipeline.language import translated, use
from taiga_pipeline.mapping.stories.assignee import MUST_BE


@pytest.fixture(autouse=True)
def swedish() -> Iterator[None]:
    with use("sv"):
        yield


@pytest.mark.parametrize(
    ("sentence", "swedish_one"),
    [
        ("the roster is empty, so all demand is a gap", "personallistan är tom, så allt"),
        ("there is no deal 'D-9'", "det finns ingen affär 'D-9'"),
        ("there is no deal 'D-9'; did you mean 'D-1'?", "affär 'D-9'; menade du 'D-1'?"),
        (
            "config.toml:3:1: unknown key 'timezone'; did you mean 'time_zone'?",
            "config.toml:3:1: okänd nyckel 'timezone'; menade du 'time_zone'?",
        ),
        (
            'm.toml:7:15: "probability" must be a number, without quotes; it is "0.5"',
            'm.toml:7:15: "probability" måste vara ett tal, utan citattecken; det är "0.5"',
        ),
        ('"weeks" must be at least 1; it is 0', '"weeks" måste vara minst 1; det är 0'),
        ('"tags" (number 2) must be text in quotes; it is 5', "inom citattecken; det är 5"),
        (
            f'"assignee" {MUST_BE}; it is "Ana"',
            '"assignee" måste vara en roll ("role:Back", för den som',
        ),
        ("2 deals without a customer", "2 affärer utan kund"),
        (
            "a@x is booked, with reservations, 45 h a week of 30 h in 2027-W01 to 2027-W03 (D 9 h)",
            "är med reservationer bokad 45 h i veckan av 30 h under 2027-W01 till 2027-W03 (D 9 h)",
        ),
        (
            "a@x.se is booked 45 h a week of 30 h in 2027-W01 (D-1 45 h)",
            "a@x.se är bokad 45 h i veckan av 30 h under 2027-W01 (D-1 45 h)",
        ),
        (
            "a@x.se is booked 38.4 h a week of 30 h in 2027-W01 (D-1.5 14.4 h, D-2 24 h)",
            "a@x.se är bokad 38,4 h i veckan av 30 h under 2027-W01 (D-1.5 14,4 h, D-2 24 h)",
        ),
        (
            "In 2026, 1,000 SEK won so far, 0 / 0 / 296,000 (26% for 1+) in all (P10 / P50 / P90).",
            "1\xa0000 SEK vunnet hittills, 0 / 0 / 296\xa0000 (26\xa0% för 1+) totalt",
        ),
        ("there is no version 1.2 of demo", "ingen version 1.2 av demo"),
        (
            "Close: %d/%m/%Y and %m/%d/%Y each read all of the column (2 cells); say which with "
            "--date-format %d/%m/%Y or --date-format %m/%d/%Y",
            "Close: %d/%m/%Y och %m/%d/%Y läser var för sig hela kolumnen (2 celler); säg vilket "
            "med --date-format %d/%m/%Y eller --date-format %m/%d/%Y",
        ),
        (
            "127.0.0.1:1: cannot listen there: no",
            "127.0.0.1:1: det går inte att lyssna där: no",
        ),
        ("the server answered 404", "servern svarade 404"),
        (
            "users.toml: user 3: 'boss' is not a role (see, sell)",
            "users.toml: användare 3: 'boss' är ingen roll (see, sell)",
        ),
        ("12 deals", "12 affärer"),
        ("1 milestone", "1 milstolpe"),
        ("there is no deal 'a'\nthere is no deal 'b'", "affär 'a'\ndet finns ingen affär 'b'"),
    ],
)
def test_a_sentence_is_known_by_its_words(sentence: str, swedish_one: str) -> None:
    assert swedish_one in translated(sentence)


def test_what_people_wrote_into_a_sentence_stays_as_it_is() -> None:
    said = translated("there is no deal '{key} %s \\1 {0}'")
    assert said == "det finns ingen affär '{key} %s \\1 {0}'"


@pytest.mark.parametrize("text", ["", " ", "Web shop", "a; b. c: d", "{}", "{key}", "\N{SNOWMAN}"])
def test_a_text_that_is_not_ours_stays_as_it_is(text: str) -> None:
    assert translated(text) == text


@pytest.mark.parametrize("piece", ["; : . ", "x; ", "did you mean ", "{a}", "deal deal: "])
def test_a_text_made_to_be_slow_takes_a_bounded_time(piece: str) -> None:
    text = piece * 600
    began = time.process_time()
    translated(text)
    assert time.process_time() - began < 2


def test_english_stays_english() -> None:
    with use("en"):
        assert translated("there is no deal 'D-9'") == "there is no deal 'D-9'"
