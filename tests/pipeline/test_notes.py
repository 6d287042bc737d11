"""A deal's notes are a log that only grows, and its text form loses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Deal, Note
from taiga_pipeline.pipeline.notes import format_notes, joined, parse_notes
from taiga_pipeline.pipeline.store import DealStore
from tests.pipeline import strategies
from tests.pipeline.conftest import StandingClock

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


@given(strategies.logs)
@settings(deadline=None)
def test_a_log_that_is_written_as_text_is_read_back(log: tuple[Note, ...]) -> None:
    assert parse_notes(format_notes(log)) == log


@pytest.mark.parametrize(
    "text", ["[2026-11-20 09:00:00Z] x", "\\[2026-11-20 09:00:00Z, a] x", "a\n[-] b", "[-, ]\nb"]
)
def test_a_note_that_looks_like_a_log_stays_one_note(text: str) -> None:
    for note in (Note(text), Note(text, AT, "a] b\\")):
        assert parse_notes(format_notes([note, Note("older", AT)])) == (note, Note("older", AT))


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidValue, match="2026-13-20 09:00:00Z is not a time"):
        parse_notes("[2026-13-20 09:00:00Z] x")


@given(strategies.logs, strategies.logs)
@settings(deadline=None)
def test_adding_to_a_log_twice_is_adding_once(
    log: tuple[Note, ...], given: tuple[Note, ...]
) -> None:
    once = joined(log, given)
    assert joined(once, given) == once
    assert set(log) <= set(once)


def test_every_note_is_in_the_history_and_repeating_one_is_no_mistake(
    store: DealStore, clock: StandingClock
) -> None:
    store.add(Deal("D-1", "Portal"))
    for _ in range(2):
        clock.forward(hours=1)
        store.add_note("D-1", Note(" Called. ", by="maya"))
    assert [note.text for note in store.get("D-1").notes] == ["Called.", "Called."]
    assert [(each.field, each.after, each.by) for each in store.changes("D-1")] == [
        ("notes", "Called.", "maya")
    ] * 2
    assert [each.after for each in store.changes(newest=1)] == ["Called."]
    assert list(store.changes(fields=["value"])) == []


def test_what_comes_from_one_place_is_taken_over_once(store: DealStore) -> None:
    store.add(Deal("D-1", "Portal"))
    comment = Note("They like it.", AT, "Ana", "taiga comment 7")
    (_, first, is_new) = store.add_note("D-1", comment)
    _, again, is_new_again = store.add_note("D-1", replace(comment, text="They like it!"))
    assert (first, again, is_new, is_new_again) == (comment, comment, True, False)
    assert store.get("D-1").notes == (comment,)


def test_a_note_without_text_is_refused(store: DealStore) -> None:
    store.add(Deal("D-1", "Portal"))
    with pytest.raises(InvalidValue, match="a note without text"):
        store.add_note("D-1", Note(" \n "))
