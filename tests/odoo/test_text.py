"""Text in fields of HTML: what goes in as text comes out as that text, whatever it looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.odoo.text import to_html, to_text

LINES = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=20)


@given(st.lists(LINES.map(str.rstrip), max_size=6).map("\n".join))
def test_text_comes_back_line_by_line(text: str) -> None:
    assert to_text(to_html(text)) == text.strip("\n")


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "&amp;", "<script>alert(1)</script>", "<!-- x", "a < b > c & d", "]]>"]
)
def test_what_looks_like_html_is_text(text: str) -> None:
    html = to_html(text)
    assert "<script" not in html and "<b>" not in html
    assert to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (False, ""),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One<br>Two</div>", "One\nTwo"),
        ("<ul><li>One</li><li><p>Two</p></li></ul><p>Three</p>", "- One\n- Two\n\nThree"),
        ("<p>One</p><style>p {}</style><script>x()</script>", "One"),
        ("<h1>Title</h1>\n  <p>a  <b>b</b>\n c</p>", "Title\n\na b c"),
        ("<p>unclosed <i>text", "unclosed text"),
    ],
)
def test_what_people_write_is_read_as_they_see_it(html: object, text: str) -> None:
    assert to_text(html) == text
