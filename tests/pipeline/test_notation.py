"""Lists in one cell: what is written is read back, what is wrong is pointed at."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Contact, ContactPart, RoleDemand
from taiga_pipeline.pipeline.notation import (
    format_contacts,
    format_list,
    format_roles,
    format_skills,
    parse_contacts,
    parse_list,
    parse_roles,
    parse_skills,
)
from tests.pipeline.strategies import contacts, lines, roles


def test_roles_are_read_as_documented() -> None:
    assert parse_roles("Back:30h x10w; Design:16h x4w@+2w [figma, print]") == (
        RoleDemand("Back", Decimal(30), 10),
        RoleDemand("Design", Decimal(16), 4, 2, ("figma", "print")),
    )


@pytest.mark.parametrize(
    "text", ["Back:7.5h x10w", "Back: 7,5h  x 10w ;", " ;Back:7.5h x10w@0w", "Back:7.5h x10w@+0w"]
)
def test_roles_may_be_written_with_some_freedom(text: str) -> None:
    assert parse_roles(text) == (RoleDemand("Back", Decimal("7.5"), 10),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Back", "no colon after the role"),
        ("Back:", "no hours and weeks after the colon"),
        ("Back:30h", "no hours and weeks after the colon"),
        ("Back:30 x10w", "no hours and weeks after the colon"),
        ("Back:xh x10w", "'x' is not a number of hours"),
        ("Back:30h xtenw", "'ten' is not a number of weeks"),
        ("Back:-3h x10w", "-3 hours per week"),
        ("Back:NaNh x10w", "NaN hours per week"),
        ("Back:1e9h x10w", "hours per week"),
        ("Back:30h x0w", "0 weeks"),
        ("Back:30h x10w@-2w", "start in week -2"),
        (":30h x10w", "no name before the colon"),
        ("Back:30h x10w [", "no hours and weeks after the colon"),
    ],
)
def test_wrong_roles_are_explained(text: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        parse_roles(text)


def test_every_wrong_role_is_pointed_at() -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_roles("Back:30h x10w; Design; Front:9h")
    assert [problem.message[-24:] for problem in caught.value.problems] == [
        "t character 16: 'Design')"[-24:],
        "haracter 24: 'Front:9h')"[-24:],
    ]


@given(st.lists(roles, max_size=4))
def test_roles_that_are_written_are_read_back(demand: list[RoleDemand]) -> None:
    assert parse_roles(format_roles(demand)) == tuple(demand)


@given(st.text(max_size=60))
def test_any_text_is_read_or_explained(text: str) -> None:
    for parse in (parse_roles, parse_contacts, parse_list, parse_skills):
        try:
            parse(text)
        except InvalidValue as error:
            assert str(error)


@given(st.lists(contacts, max_size=3))
def test_contacts_that_are_written_are_read_back(people: list[Contact]) -> None:
    assert parse_contacts(format_contacts(people)) == tuple(people)


@given(st.lists(lines, max_size=4))
def test_lists_that_are_written_are_read_back(names: list[str]) -> None:
    assert parse_list(format_list(names)) == tuple(names)
    assert parse_skills(format_skills(names)) == tuple(names)


def test_a_contact_needs_only_a_name() -> None:
    assert parse_contacts("Anna; Bo|bo@example.org") == (
        Contact("Anna"),
        Contact("Bo", "bo@example.org"),
    )


@pytest.mark.parametrize("word", ["Decision-Maker", "decision_maker", "DECISION  MAKER"])
def test_parts_in_a_decision_may_be_written_with_some_freedom(word: str) -> None:
    assert parse_contacts(f"Anna|||{word}")[0].part is ContactPart.DECISION_MAKER


def test_an_unknown_part_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidValue, match="did you mean 'influencer'"):
        parse_contacts("Anna|||influenser")
