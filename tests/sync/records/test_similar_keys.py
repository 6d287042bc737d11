"""Which new groups may be ones that are gone: by their keys, and by what else they are alike in."""

from __future__ import annotations

import pytest

from sync.records.similar_keys import Likeness, find_matches


def pairs(new: dict[str, str], gone: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Matches keys, each with its likeness."""
    made = {key: Likeness(text, text) for key, text in new.items()}
    missing = {key: Likeness(text, text) for key, text in gone.items()}
    return {match.new: match.former for match in find_matches(made, missing)}


@pytest.mark.parametrize(
    ("former", "new"),
    [
        ("De-1", "DE-1"),
        ("\u00c5-1", "A\u030a-1"),
        ("00123", "123"),
        ("123", "00123"),
        ("1001", "1001.0"),
        ("1002", "1,002"),
        ("00123", '="00123"'),
        ("00124", "'00124"),
        ("123456789012", "1.23457E+11"),
        ("1.23457E+11", "123456789012"),
        ("14316300001", "1.43163e+10"),
        ("99999960000", "1E+11"),
        ("006Ab00000aaaa1", "006Ab00000aaaa1AAE"),
        ("006Ab00000aaaa1IAA", "006Ab00000aaaa1"),
        ("006Ab00000aaaa1", "006ab00000aaaa1iaa"),
        ("006Ab00000aaaa1", "006AB00000AAAA1IAA"),
    ],
)
def test_one_key_written_in_two_ways_is_one_key_whatever_the_name(former: str, new: str) -> None:
    assert pairs({new: "Alpha"}, {former: "Beta"}) == {new: (former,)}


@pytest.mark.parametrize(
    ("former", "new"),
    [
        ("006Ab00000aaaa1", "006AB00000aaaa1"),  # the letter case tells two of them apart
        ("123", "1230"),
        ("123456789012", "1.23458E+11"),
        ("D-1", "D-2"),
        ("1001", "CRM-1001"),
    ],
)
def test_other_keys_are_others(former: str, new: str) -> None:
    assert pairs({new: "Alpha"}, {former: "Beta"}) == {}


def test_what_several_keys_round_to_is_none_of_them_for_certain() -> None:
    gone = {"14316300001": "Alpha", "14316300002": "Beta"}
    assert pairs({"1.43163E+10": "Gamma"}, gone) == {}
    assert pairs({"1.43163E+10": "Beta"}, gone) == {"1.43163E+10": ("14316300002",)}


def test_any_new_key_of_the_same_name_is_the_one_that_is_gone() -> None:
    assert pairs({"X9": "Alpha"}, {"1001": "Alpha"}) == {"X9": ("1001",)}
    assert pairs({"X9": "Alpha"}, {"1001": "Beta"}) == {}
    assert pairs({"X9": ""}, {"1001": ""}) == {}


def test_a_really_new_one_beside_renumbered_ones_is_new() -> None:
    new = {"CRM-1": "Alpha", "CRM-2": "Beta", "CRM-3": "Gamma"}
    assert pairs(new, {"1": "Alpha", "2": "Beta"}) == {"CRM-1": ("1",), "CRM-2": ("2",)}


def test_two_of_one_name_are_distinguished_by_the_numbers_in_their_keys() -> None:
    same = "Acme\nMaintenance"
    found = pairs({"CRM-1": same, "CRM-2": same}, {"0002": same, "0001": same})
    assert found == {"CRM-1": ("0001",), "CRM-2": ("0002",)}


def test_two_of_one_name_that_nothing_tells_apart_are_both_in_doubt() -> None:
    same = "Acme\nMaintenance"
    found = pairs({"a": same, "b": same}, {"x": same, "y": same})
    assert found == {"a": ("x", "y"), "b": ("x", "y")}


def test_more_came_than_went_nobody_knows_which_is_new() -> None:
    found = pairs({"a": "Alpha", "b": "Alpha"}, {"x": "Alpha"})
    assert found == {"a": ("x",), "b": ("x",)}


def test_once_it_is_known_by_its_key_another_of_its_name_is_new() -> None:
    assert pairs({"123": "Alpha", "9": "Alpha"}, {"00123": "Alpha"}) == {"123": ("00123",)}


def test_groups_that_were_synced_before_are_known_by_their_titles() -> None:
    made = {"CRM-1": Likeness("acme\nalpha", "Acme: Alpha")}
    (match,) = find_matches(made, {"1": Likeness(title="Acme: Alpha")})
    assert match.former == ("1",)


def test_many_are_matched_one_by_one() -> None:
    gone = {f"{number:08}": f"Deal {number}" for number in range(20_000)}
    new = {f"CRM-{number}": f"Deal {number}" for number in range(20_000)}
    assert len(pairs(new, gone)) == 20_000
