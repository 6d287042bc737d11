"""Names of customers that may be one are found, and others are not."""

from __future__ import annotations

import pytest

from taiga_pipeline.pipeline.customers.names import Likeness, identity, look_alikes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme AB", "ACME"),
        ("Acmé", "Acme"),
        ("A.C.M.E. Aktiebolag (publ)", "ACME"),
        ("AB Volvo", "Volvo"),
        ("Acme, Inc.", "acme ltd"),
        ("Müller GmbH & Co. KG", "Muller"),
        ("Møller & Søn A/S", "Moller og Son AS"),
        ("McDonald’s", "McDonald's Corp."),
        ("Straße AG", "STRASSE"),
        ("Ferrero S.p.A.", "Ferrero SpA"),
        ("Saint-Gobain", "Saint Gobain"),
        ("Acme\u00a0Nordic", "Acme  Nordic"),
        ("ＡＣＭＥ", "Acme"),
        ("北京公司", "北京公司。"),
    ],
)
def test_names_that_differ_in_form_only_are_suggested(one: str, other: str) -> None:
    assert identity(one) == identity(other)
    (found,) = look_alikes([one, other])
    assert (found.names, found.likeness) == (
        tuple(sorted((one, other))),
        Likeness.SAME_BUT_FOR_FORM,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Globex Corporation", "Globx Corp"),
        ("Mueller GmbH", "Müller"),
        ("Stockholm Bygg", "Stokholm Bygg AB"),
    ],
)
def test_a_letter_that_is_missing_or_another_is_near(one: str, other: str) -> None:
    (found,) = look_alikes([one, other])
    assert found.likeness is Likeness.ONE_LETTER_APART


@pytest.mark.parametrize(
    "names",
    [
        ("Acme", "Bolt"),
        ("Acme Sweden", "Acme Norway"),
        ("Unit 12", "Unit 13"),
        ("Customer 1001", "Customer 1002"),
        ("AB", "GmbH"),
        ("???", "!!!"),
        ("Arla", "Arta"),
        tuple(f"Filial {letter}" for letter in "abcdefgh"),
        ("", ""),
    ],
)
def test_other_names_are_not(names: tuple[str, ...]) -> None:
    assert look_alikes(names) == ()


def test_names_that_somebody_keeps_apart_are_left_out_unless_a_third_is_like_them() -> None:
    apart = [("Acme AB", "Acme Inc")]
    assert look_alikes(["Acme AB", "Acme Inc"], apart) == ()
    (found,) = look_alikes(["Acme AB", "Acme Inc", "ACME"], apart)
    assert len(found.names) == 3


def test_a_name_that_is_nothing_but_signs_or_endless_is_taken() -> None:
    names = ["[red]x[/red]", "\x1b[31mx", "=1+1", "a" * 1_000, "\u200b", "'; DROP TABLE deals; --"]
    assert isinstance(look_alikes(names), tuple)
