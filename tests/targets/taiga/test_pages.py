"""A wiki page holds people's text, a picture, and a part that is kept current."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.records.composite_text import END, SEPARATOR, plain_facts, plain_text
from sync.records.model import Desired, RecordKey
from taiga_pipeline.records import Kind, Wiki
from taiga_pipeline.targets.taiga.fitting import fit
from taiga_pipeline.targets.taiga.pages import CONTENT, join_page, split_page

FACTS = "### Short\n| a | b |\n|---|--:|\n| x | 1 |\n- Customer: Acme\n> a note"
IMAGE = "![Heat map 0123abcd](https://taiga.example/media/heat.png#_taiga-refresh=wikipage:7)"


def page(text: str = "", facts: str = FACTS, image: str = "") -> str:
    return join_page({Wiki.TEXT: text, Wiki.FACTS: facts}, image)


def test_tables_and_headings_have_empty_lines_around_them_as_markdown_wants() -> None:
    assert page("Ours.").split("\n") == [
        "Ours.",
        "",
        SEPARATOR,
        "",
        "### Short",
        "",
        "| a | b |",
        "|---|--:|",
        "| x | 1 |",
        "",
        "- Customer: Acme",
        "",
        "> a note",
        "",
        END,
    ]


def test_a_page_is_distinguished_as_it_was_joined() -> None:
    parts = split_page({CONTENT: page("Ours.", FACTS, IMAGE)}, [{Wiki.FACTS: FACTS}])
    assert parts[Wiki.TEXT] == "Ours."
    assert parts[Wiki.FACTS] == FACTS
    assert parts[Wiki.PICTURE] == "0123abcd"


def test_a_page_that_is_not_from_sales_does_not_say_that_it_is() -> None:
    fields = {Wiki.TEXT: "Ours.", Wiki.FACTS: "| a | b |"}
    old, new = join_page(fields, ""), join_page(fields, "", "resource-plan")
    assert "From sales" in old
    assert "From sales" not in new
    for content in (old, new):  # as it was written before, and as it is written now
        found = split_page({CONTENT: content}, [fields])
        assert (found[Wiki.TEXT], found[Wiki.FACTS]) == ("Ours.", "| a | b |")


def test_a_page_without_a_picture_names_none() -> None:
    assert split_page({CONTENT: page()}, [])[Wiki.PICTURE] == ""


def test_lines_that_people_typed_below_are_theirs() -> None:
    typed = page("Ours.").replace("- Customer: Acme", "- Customer: Acme\nAsk Petra!")
    parts = split_page({CONTENT: typed + "\n\nAnd Ben."}, [{Wiki.FACTS: FACTS}])
    assert parts[Wiki.TEXT] == "Ours.\n\nAsk Petra!\n\nAnd Ben."
    assert parts[Wiki.FACTS] == FACTS


def test_tables_of_an_older_page_are_never_taken_for_peoples_text() -> None:
    old = page("Ours.", "### Old\n| q | r |\n|---|---|\n| 7 | 8 |\n- Customer: Acme")
    assert split_page({CONTENT: old}, [{Wiki.FACTS: FACTS}])[Wiki.TEXT] == "Ours."


def test_headings_of_people_stay_when_the_marked_lines_are_gone() -> None:
    parts = split_page({CONTENT: "# Ours\n\ntext"}, [{Wiki.FACTS: FACTS}])
    assert (parts[Wiki.TEXT], parts[Wiki.FACTS]) == ("# Ours\n\ntext", "")


@given(st.text(max_size=200))
def test_whatever_people_write_above_comes_back(text: str) -> None:
    ours = plain_text(text).replace("![Heat map", "!")
    parts = split_page({CONTENT: page(ours)}, [{Wiki.FACTS: FACTS}])
    assert parts[Wiki.FACTS] == plain_facts(FACTS)
    assert str(parts[Wiki.TEXT]).rstrip("\n") == ours.rstrip("\n")


def test_a_page_is_cut_at_the_end_of_a_line_below_50_kilobytes() -> None:
    key = RecordKey("g", Kind.WIKI, "plan")
    facts = "\n".join(f"| Zeile {number} | {'ü' * 40} |" for number in range(2_000))
    fitted = fit(Desired(key, {Wiki.FACTS: facts}))
    kept = str(fitted.fields[Wiki.FACTS]).split("\n")
    assert len(page(facts=str(fitted.fields[Wiki.FACTS])).encode()) < 50_000
    assert kept[-1] == "…"
    assert kept[-2].endswith("ü |")
    assert fitted.notes
