"""Texts with placeholders: what they show, what they refuse, how gaps close."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.mapping.template import parse_template
from taiga_pipeline.mapping.text import escape_markup

KNOWN = ("customer", "name", "service", "team")


def render(source: str, **values: str) -> str:
    template, problems = parse_template(source, KNOWN)
    assert not problems
    return template.render(dict.fromkeys(KNOWN, "") | values)


def complaints(source: str) -> list[tuple[int, str]]:
    return [(problem.index, str(problem)) for problem in parse_template(source, KNOWN)[1]]


def test_placeholders_are_filled_in() -> None:
    assert render("{customer}: {name}", customer="Acme", name="Portal") == "Acme: Portal"


def test_doubled_braces_and_percent_signs_are_themselves() -> None:
    assert render("100 % {{{name}}} %s", name="x") == "100 % {x} %s"


@pytest.mark.parametrize("value", ["{customer}", "{{", "%s", "{0}", "{name!r}", "$name", "\\1"])
def test_a_value_is_text_and_is_never_expanded_again(value: str) -> None:
    assert render("{name} ({customer})", name=value, customer="Acme") == f"{value} (Acme)"


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("{customer}: {name}", {"name": "Portal"}, "Portal"),
        ("{customer}: {name}", {"customer": "Acme"}, "Acme"),
        ("{name} ({service})", {"name": "Portal"}, "Portal"),
        ("{name} ({service}) now", {"name": "Portal"}, "Portal now"),
        ("{name} ({service}, {team})", {"name": "Portal", "team": "A"}, "Portal (A)"),
        ("{name} ({service}, {team})", {"name": "Portal", "service": "W"}, "Portal (W)"),
        ("{name} – {service} / {team}", {"name": "Portal", "team": "A"}, "Portal – A"),
        ("{customer} / {name} / {team}", {"customer": "C", "team": "T"}, "C / T"),
        ("{customer} {name} {team}", {"customer": "C", "team": "T"}, "C T"),
        ("{customer} | {name} | {team}", {"team": "T"}, "T"),
        ("{customer} | {name} | {team}", {"customer": "C"}, "C"),
        ("{customer}{name}", {"name": "Portal"}, "Portal"),
        ("Kick-off with {customer}", {}, "Kick-off with"),
        ("pre-{service}-post", {}, "pre-post"),
        ("{customer}: {name}", {}, ""),
    ],
)
def test_an_empty_value_takes_its_separators_along(
    source: str, values: dict[str, str], expected: str
) -> None:
    assert render(source, **values) == expected


def test_a_value_keeps_its_own_punctuation_beside_a_gap() -> None:
    assert render("{name} - {service}", name="A -") == "A -"
    assert render("{service}{name}", name="(x)") == "(x)"


def test_a_line_whose_values_are_all_empty_goes_as_a_whole() -> None:
    source = "Sold: {service}\nTeam: {team}\n\nBy {customer}\n"
    assert render(source, team="A") == "Team: A"
    assert render(source, service="W", customer="C") == "Sold: W\n\nBy C"


def test_an_unknown_placeholder_is_found_with_its_index() -> None:
    assert complaints("a {nam} {name} {x}") == [
        (2, "unknown placeholder '{nam}'"),
        (15, "unknown placeholder '{x}'"),
    ]


@pytest.mark.parametrize(
    "source", ["{name!r}", "{name.upper}", "{0}", "{}", "{ name }", "{name:>9}"]
)
def test_nothing_but_a_plain_name_is_a_placeholder(source: str) -> None:
    assert complaints(source) == [(0, f"unknown placeholder '{source}'")]


def test_a_single_brace_is_refused_with_the_way_to_write_it() -> None:
    assert complaints("a } b {") == [
        (2, "a single '}': write '}}' for the character itself"),
        (6, "a single '{': write '{{' for the character itself"),
    ]


def test_values_are_escaped_and_the_templates_own_words_are_not() -> None:
    template, _ = parse_template("**{name}**", KNOWN)
    assert template.render({"name": "*x* @bob"}, escape_markup) == "**&#42;x&#42; &#64;bob**"


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), max_size=8)


@given(st.lists(st.sampled_from([*(f"{{{name}}}" for name in KNOWN), ": ", " (", ")", "a"])), TEXT)
def test_what_is_shown_of_a_value_is_always_the_whole_value(parts: list[str], value: str) -> None:
    source = "".join(parts)
    shown = render(source, name=value)
    assert shown.count(value) >= source.count("{name}") if value else True


@given(st.text(alphabet="{}ab \n%", max_size=20))
def test_any_text_is_either_a_template_or_refused(source: str) -> None:
    template, problems = parse_template(source, ("a", "ab"))
    if not problems:
        assert isinstance(template.render({"a": "1", "ab": ""}), str)
