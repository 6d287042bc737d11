"""Identifiers, marks and references: what is written is read back, and nothing else is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.records.model import Marker, RecordKey
from taiga_pipeline.targets.marks import (
    Line,
    decode_mark,
    decode_reference,
    encode_mark,
    encode_reference,
    join_line,
    split_line,
)
from taiga_pipeline.targets.redmine.identity import (
    LONGEST_IDENTIFIER,
    decode_identifier,
    encode_identifier,
    is_spelled_out,
)

NAMES = st.text(min_size=1, max_size=80)
PIPELINES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", fullmatch=True)


@given(PIPELINES, NAMES, st.integers(1, 20))
def test_an_identifier_is_valid_and_tells_its_marker(pipeline: str, key: str, attempt: int) -> None:
    marker = Marker(pipeline, key)
    identifier = encode_identifier(marker, attempt)
    assert re.fullmatch(r"[a-z0-9_-]+", identifier)
    assert not identifier.isdecimal()
    assert len(identifier) <= LONGEST_IDENTIFIER
    expected = marker if identifier.startswith("ps-") else None
    assert decode_identifier(identifier) == expected


@given(st.lists(st.tuples(PIPELINES, NAMES), unique=True, max_size=20))
def test_no_two_markers_share_an_identifier(pairs: list[tuple[str, str]]) -> None:
    identifiers = [encode_identifier(Marker(*pair)) for pair in pairs]
    assert len(set(identifiers)) == len(identifiers)


def test_an_identifier_can_be_read_by_people() -> None:
    assert encode_identifier(Marker("acme", "hub-1001")) == "ps-acme__hub-1001"
    assert encode_identifier(Marker("acme", "D-1")) == "ps-acme___d-1"
    assert not is_spelled_out(Marker("acme", "x" * 200))


@pytest.mark.parametrize(
    "identifier", ["new", "ps-", "ps-acme", "ps-__a", "ps-acme__", "ps-a__b__c", "ps-a__b__1", "x"]
)
def test_peoples_own_identifiers_are_no_markers(identifier: str) -> None:
    assert decode_identifier(identifier) is None


@given(PIPELINES, NAMES)
def test_a_mark_is_read_back(pipeline: str, key: str) -> None:
    marker = Marker(pipeline, key)
    assert decode_mark(encode_mark(marker)) == marker
    assert re.fullmatch(r"\S+", encode_mark(marker))


@pytest.mark.parametrize("text", ["", "released", "a/b/c", "/b", "a/", "a /b", "free text"])
def test_other_texts_are_no_marks(text: str) -> None:
    assert decode_mark(text) is None


@given(PIPELINES, NAMES, NAMES)
def test_a_reference_is_read_back_by_its_own_pipeline_alone(
    pipeline: str, group: str, name: str
) -> None:
    reference = encode_reference(pipeline, RecordKey(group, "story", name))
    assert decode_reference(pipeline, reference) == (group, name)
    assert decode_reference(f"{pipeline}x", reference) == ("", "")


@given(st.text(alphabet="ab \n"), st.booleans())
def test_a_line_is_found_and_leaves_the_text_as_it_was(text: str, retired: bool) -> None:
    line = Line("acme/D-1", retired)
    assert split_line(join_line(text, line)) == (text, line)


def test_words_below_the_line_stay() -> None:
    text, line = split_line("above\n\npipeline-sync: acme/D-1\nbelow")
    assert line == Line("acme/D-1")
    assert text == "above\n\nbelow"


def test_a_text_without_the_line_stays_as_it_is() -> None:
    assert split_line("one\r\ntwo") == ("one\ntwo", None)
