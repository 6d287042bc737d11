"""Fields of records are said in words, and of long texts only what differs."""

from __future__ import annotations

import pytest

from taiga_pipeline import records
from taiga_pipeline.language import use
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.report.record_words import (
    LABELS,
    differing_lines,
    field_in_words,
    value_in_words,
)

_WITH_FIELDS = (
    *(records.Project, records.Role, records.Membership, records.Milestone, records.Story),
    *(records.Task, records.Status, records.Wiki),
)


def test_every_field_of_a_record_has_words() -> None:
    names = {
        value
        for kind in _WITH_FIELDS
        for name, value in vars(kind).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    }
    assert names == LABELS.keys()
    assert all("_" not in label for label in LABELS.values())


def test_a_deals_field_on_its_card_is_called_as_the_deals() -> None:
    assert field_in_words("field.expected_close", BUILT_IN) == "Expected close"
    assert field_in_words("field.of_their_own", BUILT_IN) == "of their own"
    with use("sv"):
        assert field_in_words("looking_for_people", BUILT_IN) == "söker personer"
        assert value_in_words("state", "tentative") == "preliminär"
        assert value_in_words("looking_for_people", True) == "ja"
        assert value_in_words("title", "tentative") == "tentative"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Stage: Lead\nStart: –", "Stage: Won\nStart: –", ("Stage: Lead → Won",)),
        ("Stage: Lead ·\nValue: 5", "Stage: Won ·\nValue: 5", ("Stage: Lead → Won",)),
        ("a\nb", "a\nc: d", ("+ c: d", "− b")),
        ("", "Stage: Won\nValue: 5", ("+ Stage: Won", "+ Value: 5")),
        ("one", "another", ()),
        (None, "a\nb", ()),
    ],
)
def test_of_a_long_text_what_differs_is_said(
    old: object, new: object, said: tuple[str, ...]
) -> None:
    assert differing_lines(old, new) == said


def test_of_very_much_that_differs_the_rest_is_counted() -> None:
    found = differing_lines("", "\n".join(f"line {number}" for number in range(50)))
    assert len(found) == 13 and found[-1] == "(+38)"
