"""External ids: every marker and reference has one, and it is read back as what it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sync.records.model import Marker, RecordKey
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.odoo.identity import marker_of, project_name, story_of, task_name

TEXT = st.text(min_size=1, max_size=30)


@given(TEXT, TEXT, st.integers(1, 20))
def test_a_marker_comes_back_from_the_name_of_its_project(
    pipeline: str, key: str, attempt: int
) -> None:
    marker = Marker(pipeline, key)
    name = project_name(marker, attempt)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
    assert marker_of(name) == marker


@given(TEXT, TEXT, TEXT)
def test_a_reference_comes_back_from_the_name_of_its_task(
    pipeline: str, group: str, story: str
) -> None:
    name = task_name(pipeline, RecordKey(group, Kind.STORY, story))
    assert story_of(pipeline, name) == (group, story)
    assert story_of(f"{pipeline}x", name) == ("", "")
    assert marker_of(name) is None


@given(TEXT, TEXT, TEXT, TEXT)
def test_no_two_have_one_name(first: str, second: str, third: str, fourth: str) -> None:
    assume((first, second) != (third, fourth))
    assert project_name(Marker(first, second)) != project_name(Marker(third, fourth))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "acme",
        "acme__",
        "__D-1",
        "acme__D-1_mail_alias",
        "acme__D_zz",
        "a.b__c",
        "_again1__a__b",
    ],
)
def test_names_that_others_gave_are_nobodys(name: str) -> None:
    assert marker_of(name) is None
