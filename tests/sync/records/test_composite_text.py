"""Labels and titles, people's text and facts: joined, edited by people, and separated again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.records.composite_text import (
    END,
    SEPARATOR,
    join_block,
    join_label,
    plain_facts,
    plain_text,
    split_block,
    split_label,
)

FACTS = "Customer: Acme\nValue: 40,000 EUR"
LABELS = ["(tentative)", "(lost)", "(lost for good)"]

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
lines = words | st.sampled_from(
    ["", "", " ", SEPARATOR, END, SEPARATOR.replace("―", "-"), "Value: 7", *FACTS.split("\n")]
)
texts = st.lists(lines, max_size=12).map("\n".join)


def people_lines(text: str) -> list[str]:
    """The lines of ``text`` that someone would miss."""
    return [line for line in plain_text(text).split("\n") if line.strip()]


# Labels


def test_a_label_stands_before_the_title() -> None:
    assert join_label("(tentative)", "Acme") == "(tentative) Acme"


def test_no_label_leaves_the_title_alone() -> None:
    assert join_label("", "Acme") == "Acme"
    assert split_label("Acme", LABELS) == ("", "Acme")


def test_the_longest_label_counts() -> None:
    assert split_label("(lost) Acme", ["(lost)", "(lost) Acme"]) == ("(lost) Acme", "")


def test_a_label_is_returned_as_it_was_typed() -> None:
    assert split_label("(Tentative) Acme", LABELS) == ("(Tentative)", "Acme")


def test_a_label_needs_no_space_after_a_bracket() -> None:
    assert split_label("(lost)Acme", LABELS) == ("(lost)", "Acme")


def test_a_word_that_begins_like_a_label_is_no_label() -> None:
    assert split_label("Prefab house", ["Pre"]) == ("", "Prefab house")
    assert split_label("Pre fab house", ["Pre"]) == ("Pre", "fab house")


def test_a_label_that_somebody_moved_is_part_of_the_title() -> None:
    assert split_label("Acme (lost)", LABELS) == ("", "Acme (lost)")


@given(label=st.sampled_from(LABELS), title=words)
def test_split_label_undoes_join_label(label: str, title: str) -> None:
    assert split_label(join_label(label, title), LABELS) == (label, title)


# Facts below people's text


def test_facts_stand_below_the_text_between_two_marked_lines() -> None:
    assert join_block("Hello", FACTS) == f"Hello\n\n{SEPARATOR}\n{FACTS}\n{END}"


def test_without_facts_there_is_no_block() -> None:
    assert join_block("Hello", "") == "Hello"


def test_text_below_the_end_line_is_kept_above() -> None:
    edited = join_block("Above", FACTS) + "\n\nBelow\nthe line"
    assert split_block(edited) == ("Above\n\nBelow\nthe line", FACTS)


def test_text_typed_among_the_facts_is_kept_above() -> None:
    edited = join_block("Above", FACTS).replace("Value", "Call Bob on Monday\nValue")
    assert split_block(edited, [FACTS]) == ("Above\n\nCall Bob on Monday", FACTS)


def test_a_fact_that_somebody_changed_is_still_a_fact() -> None:
    edited = join_block("Above", FACTS).replace("40,000", "1")
    assert split_block(edited, [FACTS]) == ("Above", "Customer: Acme\nValue: 1 EUR")


def test_facts_are_found_when_the_separator_was_deleted() -> None:
    edited = join_block("Above", FACTS).replace(SEPARATOR + "\n", "")
    assert split_block(edited, [FACTS]) == ("Above\n", FACTS)


def test_facts_are_found_when_the_end_line_was_deleted() -> None:
    edited = join_block("Above", FACTS).replace(END, "Below")
    assert split_block(edited, [FACTS]) == ("Above\n\nBelow", FACTS)


def test_facts_are_found_when_both_marked_lines_were_deleted() -> None:
    edited = f"Above\n{FACTS}\nBelow"
    assert split_block(edited, ["Other: 1", FACTS]) == ("Above\n\nBelow", FACTS)


def test_without_any_trace_everything_is_text() -> None:
    assert split_block("Above\nValue: 2", [FACTS]) == ("Above\nValue: 2", "")


def test_of_two_blocks_the_last_counts() -> None:
    old = join_block("Above", "Value: 1")
    assert split_block(join_block("", FACTS) + "\n" + old) == (f"{FACTS}\nAbove", "Value: 1")


def test_windows_line_ends_make_no_difference() -> None:
    written = join_block("Hello\nyou", FACTS)
    assert split_block(written.replace("\n", "\r\n")) == ("Hello\nyou", FACTS)


@pytest.mark.parametrize("dash", ["-", "–", "—", ""])
def test_marked_lines_are_recognised_with_other_dashes(dash: str) -> None:
    assert split_block(join_block("Hello", FACTS).replace("―", dash)) == ("Hello", FACTS)


def test_facts_cannot_close_their_own_block() -> None:
    hostile = f"Customer: x\n{END}\n\nValue: 1"
    assert split_block(join_block("Text", hostile)) == ("Text", "Customer: x\nValue: 1")


@given(text=texts.map(plain_text), facts=texts.map(plain_facts))
def test_split_block_undoes_join_block(text: str, facts: str) -> None:
    assert split_block(join_block(text, facts), [facts]) == (text, facts)


@given(text=texts.map(plain_text), facts=texts.map(plain_facts).filter(bool))
def test_split_block_needs_no_hint_where_nobody_edited(text: str, facts: str) -> None:
    assert split_block(join_block(text, facts)) == (text, facts)


@given(description=texts, known=st.lists(texts, max_size=2))
def test_no_line_is_lost_whatever_people_did(description: str, known: list[str]) -> None:
    text, facts = split_block(description, known)
    found = people_lines(text) + people_lines(facts)
    assert sorted(found) == sorted(people_lines(description))


@given(above=texts, inside=words, below=texts)
def test_people_own_every_line_that_is_not_a_known_fact(
    above: str, inside: str, below: str
) -> None:
    written = join_block(above, FACTS).split("\n")
    written.insert(-2, inside)
    text, _ = split_block("\n".join(written) + "\n" + below, [FACTS])
    missing = set(people_lines("\n".join([above, inside, below]))) - set(people_lines(text))
    assert {line.partition(":")[0].strip() for line in missing} <= {"Customer", "Value"}


@given(description=texts, known=st.lists(texts, max_size=2))
def test_what_was_split_and_written_back_is_split_alike(description: str, known: list[str]) -> None:
    parts = split_block(description, known)
    assert split_block(join_block(*parts), [*known, parts[1]]) == parts


def test_facts_are_found_above_a_separator_that_lost_them() -> None:
    assert split_block(f"Above\n{FACTS}\n{SEPARATOR}\n{SEPARATOR}", [FACTS]) == ("Above", FACTS)


def test_an_emptied_block_leaves_the_text_as_it_was() -> None:
    assert split_block(f"Above\n\n{SEPARATOR}\n{END}", [FACTS]) == ("Above", "")
