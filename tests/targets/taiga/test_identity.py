"""Markers and references: any key survives the way to Taiga and back."""

from hypothesis import given
from hypothesis import strategies as st

from sync.records.model import Marker, RecordKey
from taiga_pipeline.targets.taiga.identity import (
    decode_markers,
    decode_reference,
    encode_marker,
    encode_reference,
)

anything = st.text(st.characters(), min_size=1) | st.text(":/% aA\x00\ud800", min_size=1)


@given(pipeline=anything, key=anything)
def test_any_marker_survives(pipeline: str, key: str) -> None:
    marker = Marker(pipeline, key)
    written = encode_marker(marker)
    written.encode("utf-8")
    assert "\x00" not in written
    assert decode_markers({written: None}) == (marker,)


@given(pipeline=anything, group=anything, name=anything)
def test_any_reference_survives(pipeline: str, group: str, name: str) -> None:
    reference = encode_reference(pipeline, RecordKey(group, "story", name))
    assert decode_reference(pipeline, reference) == (group, name)


def test_a_marker_is_readable_for_people() -> None:
    assert encode_marker(Marker("acme", "Deal 17 Å")) == "pipeline-sync:acme:Deal 17 Å"


def test_keys_that_differ_in_letter_case_alone_are_different() -> None:
    assert encode_marker(Marker("acme", "a")) != encode_marker(Marker("acme", "A"))


def test_other_entries_are_no_markers() -> None:
    others = ["bug", "pipeline-sync", "pipeline-sync:a", "pipeline-sync::", "x:a:b"]
    assert (
        decode_markers(dict.fromkeys([*others, "pipeline-sync:a:%FF", "pipeline-sync:a:b:c"])) == ()
    )
    assert decode_markers(None) == ()


def test_markers_of_other_pipelines_are_seen() -> None:
    found = decode_markers({"pipeline-sync:one:k": "#ff0000", "pipeline-sync:two:k": None})
    assert found == (Marker("one", "k"), Marker("two", "k"))


def test_references_of_others_are_none_of_ours() -> None:
    for reference in (None, [], ["github", "1"], ["pipeline-sync", "other:d/kickoff"], "text"):
        assert decode_reference("acme", reference) == ("", "")
