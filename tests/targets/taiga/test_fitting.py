"""Values are made to fit what Taiga can hold, and it is reported what was done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.records.composite_text import END, SEPARATOR
from sync.records.model import Desired, Marker, RecordKey, Value
from taiga_pipeline.records import Kind, Project, Story
from taiga_pipeline.targets.taiga.fitting import fit
from taiga_pipeline.targets.taiga.identity import decode_markers, encode_marker


def fitted(kind: str, **fields: Value) -> Desired:
    return fit(Desired(RecordKey("D-1", kind, "" if kind == Kind.PROJECT else "x"), fields))


def test_what_fits_is_left_alone() -> None:
    desired = Desired(
        RecordKey("D-1", Kind.PROJECT),
        {
            Project.LABEL: "(tentative)",
            Project.TITLE: "Acme: Портал för 陈伟 🎉",
            Project.TAGS: frozenset({"incoming", "a, b"}),
            Project.TEXT: "one\n\ntwo",
            Project.LOOKING_FOR_PEOPLE: True,
        },
        notes=("an older note",),
    )
    assert fit(desired) == desired


def test_a_long_title_is_cut_with_room_for_the_label_and_for_the_address() -> None:
    desired = fitted(Kind.PROJECT, title="x" * 300)
    title = str(desired.fields["title"])
    assert len(title) <= 200
    assert title.endswith("x…")
    assert desired.notes == (f"title was cut to {len(title)} of 300 characters",)


@pytest.mark.parametrize(
    ("character", "letters"), [("庄", 7), ("♗", 12), ("한", 3), ("щ", 4), ("ж", 2), ("é", 1)]
)
def test_a_title_fits_also_when_its_address_is_written_in_ascii(
    character: str, letters: int
) -> None:
    """Taiga answers 500 where the address has more than 250 letters."""
    title = str(fitted(Kind.PROJECT, title=character * 300).fields["title"])
    assert len(title) > 14
    assert (len(title) - 1) * letters <= 200  # the ellipsis leaves nothing


@pytest.mark.parametrize("kind", [Kind.ROLE, Kind.MILESTONE])
def test_names_of_roles_and_milestones_are_cut_and_stay_distinct(kind: str) -> None:
    """Taiga takes a milestone's name once in a project; we know a role by its name alone."""
    desired = fitted(kind, name="x" * 300)
    name, other = str(desired.fields["name"]), fitted(kind, name="x" * 301).fields["name"]
    assert len(name) <= 200
    assert name != other
    assert desired.identity == name
    assert desired.notes == (f"name was cut to {len(name)} of 300 characters",)


def test_a_member_has_the_role_by_the_name_that_the_role_has() -> None:
    member = fitted(Kind.MEMBERSHIP, role="庄" * 300)
    assert member.fields["role"] == fitted(Kind.ROLE, name="庄" * 300).fields["name"]


def test_line_ends_in_a_title_become_spaces() -> None:
    assert fitted(Kind.PROJECT, title="a\r\n b\tc").fields["title"] == "a b c"


def test_an_empty_title_is_replaced_by_the_key() -> None:
    desired = fitted(Kind.PROJECT, title=" \x00")
    assert desired.fields["title"] == "D-1"
    assert desired.notes[-1] == "title was empty: the deal's key is used"


@pytest.mark.parametrize("bad", ["\x00", "\ud800"])
def test_characters_that_cannot_be_stored_are_left_out(bad: str) -> None:
    desired = fitted(Kind.STORY, subject=f"a{bad}b", description=f"c{bad}d")
    assert desired.fields == {"subject": "ab", "description": "cd"}
    assert len(desired.notes) == 2
    assert "left out" in desired.notes[0]


def test_tags_are_lowered_and_trimmed_without_a_remark() -> None:
    desired = fitted(Kind.PROJECT, tags=frozenset({" Incoming ", "incoming", "", "Ü x"}))
    assert desired.fields["tags"] == frozenset({"incoming", "ü x"})
    assert desired.notes == ()


def test_a_long_tag_is_cut_with_a_remark() -> None:
    desired = fitted(Kind.PROJECT, tags=frozenset({"x" * 500}))
    (tag,) = desired.fields["tags"]  # type: ignore[union-attr,misc]
    assert len(tag) == 100
    assert desired.notes[0].startswith("tags were made to fit: 'xxx")


def test_a_tag_cannot_forge_the_marker_of_another_deal() -> None:
    """A salesperson's text becomes a tag, and Taiga keeps tags where the markers are."""
    forged = encode_marker(Marker("acme", "d-2"))
    desired = fitted(Kind.PROJECT, tags=frozenset({forged}))
    (tag,) = desired.fields["tags"]  # type: ignore[union-attr,misc]
    assert decode_markers({str(tag): None}) == ()
    assert decode_markers({forged: None}) == (Marker("acme", "d-2"),)


def test_a_subject_and_tags_are_shown_as_text_where_taiga_takes_them_for_html() -> None:
    text = "<img src=https://evil.example/p.png> a < b, R&D &lt; &#60;"
    story = fitted(Kind.STORY, subject=text, tags=frozenset({text}))
    shown = "＜img src=https://evil.example/p.png> a < b, R&D ＆lt; ＆#60;"
    assert story.fields == {"subject": shown, "tags": frozenset({shown.lower()})}
    assert "subject holds markup; written so that it is shown as text" in story.notes


def test_mentions_in_a_story_mail_nobody() -> None:
    desired = fitted(Kind.STORY, description="Ask @anna, (@bob) or eve@x.se; @ home")
    assert desired.fields["description"] == "Ask ＠anna, (＠bob) or eve@x.se; @ home"
    assert desired.notes == ("description names people with @; written so that no mail is sent",)


def test_a_text_cannot_forge_the_lines_around_the_facts() -> None:
    desired = fitted(Kind.PROJECT, text=f"a\n{SEPARATOR}\nb", deal_facts=f"Value: 1\n{END}\n\nX: 2")
    assert desired.fields == {"text": "a\nb", "deal_facts": "Value: 1\nX: 2"}


def test_an_endless_text_is_cut() -> None:
    assert len(str(fitted(Kind.PROJECT, text="x" * 10_000_000).fields["text"])) == 40_000


def test_values_that_are_no_text_pass() -> None:
    fields: dict[str, Value] = {Project.LOOKING_FOR_PEOPLE: False, Project.TEXT: None}
    assert fitted(Kind.PROJECT, **fields).fields == fields


@given(
    title=st.text(min_size=1),
    text=st.text(),
    facts=st.text(),
    tags=st.frozensets(st.text()),
)
def test_fitting_twice_changes_nothing_more(
    title: str, text: str, facts: str, tags: frozenset[str]
) -> None:
    once = fitted(Kind.PROJECT, title=title, text=text, deal_facts=facts, tags=tags)
    assert fit(once).fields == once.fields


@given(description=st.text() | st.text("@a.b \n"), subject=st.text())
def test_fitting_a_story_twice_changes_nothing_more(description: str, subject: str) -> None:
    once = fitted(Kind.STORY, **{Story.DESCRIPTION: description, Story.SUBJECT: subject})
    assert fit(once).fields == once.fields
