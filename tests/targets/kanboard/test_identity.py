"""Identifiers and references come back as what they were made of, and nothing else does."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.records.model import Marker, RecordKey
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.kanboard.identity import (
    LONGEST_REFERENCE,
    decode_identifier,
    decode_task,
    encode_identifier,
    encode_task,
    is_ours,
    is_spelled_out,
)

NAMES = st.text(min_size=1, max_size=80)


@settings(max_examples=60)
@given(NAMES.filter(lambda name: "\0" not in name), NAMES)
def test_an_identifier_is_what_kanboard_takes_and_names_its_deal(pipeline: str, key: str) -> None:
    marker = Marker(pipeline, key)
    identifier = encode_identifier(marker)
    assert re.fullmatch(r"[A-Z0-9]{1,50}", identifier)
    assert is_ours(identifier)
    assert decode_identifier(identifier) == (marker if is_spelled_out(marker) else None)


def test_peoples_own_identifiers_name_no_deal() -> None:
    for theirs in ("", "PS", "PS1", "PS0", "PS1AAAA", "PORTAL", "PS1!", "PS0ABC"):
        assert decode_identifier(theirs) is None
        assert not is_ours(theirs)


def test_two_deals_never_have_one_identifier() -> None:
    pairs = [("a", "b/c"), ("a/b", "c"), ("A", "b"), ("a", "B"), ("a", "b"), ("ab", "")]
    assert len({encode_identifier(Marker(*pair)) for pair in pairs}) == len(pairs)


@settings(max_examples=60)
@given(NAMES, NAMES, st.sampled_from([Kind.STORY, Kind.MILESTONE]))
def test_a_reference_fits_and_names_its_record(group: str, name: str, kind: str) -> None:
    key = RecordKey(group, kind, name)
    reference = encode_task("acme", key)
    assert len(reference.text) <= LONGEST_REFERENCE
    assert decode_task("acme", reference.text, reference.line) == key
    assert decode_task("other", reference.text, reference.line) is None


def test_a_hashed_reference_whose_line_is_gone_or_another_names_nothing() -> None:
    long, other = (encode_task("acme", RecordKey("D-1", Kind.STORY, c * 300)) for c in "xy")
    assert decode_task("acme", long.text, None) is None
    assert decode_task("acme", long.text, other.line) is None
