"""Every key and value of a TOML document is found where it stands."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.toml_places import (
    Document,
    KeyPath,
    Places,
    find_places,
    parse_document,
    read_document,
)

DOCUMENT = '''\
# a comment with [brackets] = "and quotes"
title = "x"  # [not.a.table]
a . "b c" . 'd' = 1
dates = [1979-05-27 07:32:00Z, 07:32:00]

[project]
tags = [
    "one",   # "no"
    'two', [1, {deep = "er"}],
]
long = """
[[stage]] ""\\""" """""
path = \'\'\'C:\\\'\'\'

  [project.tentative]
  label = "(tentative)"

[[stage]]
name = "A"
[stage.inner]
x = {y.z = 1, w = [ ]}
[[stage]]
name = "B"
  [[stage.gate]]
  what = 1
  [[stage.gate]]
  what = 2
[ "quoted ] table" ]
k=0'''


def leaves(data: Any, path: KeyPath = ()) -> list[tuple[KeyPath, Any]]:
    """Lists everything that is not a table, with its path; arrays with what they hold."""
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in leaves(value, (*path, key))]
    if isinstance(data, list):
        inner = [leaf for n, value in enumerate(data) for leaf in leaves(value, (*path, n))]
        return [*inner, (path, data)]
    return [(path, data)]


def assert_places_are_exact(text: str) -> None:
    """Cuts every value and key out of the text at its place and reads it again."""
    data = tomllib.loads(text)
    places = find_places(text)
    for path, value in leaves(data):
        span = places.values[path]
        raw = text[span.start : span.end]
        if raw.startswith("[[") and isinstance(value, list) and isinstance(value[0], dict):
            continue  # an array of tables has its header's place
        assert tomllib.loads(f"v = {raw}")["v"] == value, path
    for path, span in places.keys.items():
        raw = text[span.start : span.end]
        name = next(part for part in reversed(path) if isinstance(part, str))
        if raw.startswith("[["):
            assert str([{}]) in str(tomllib.loads(raw)) and repr(name) in str(tomllib.loads(raw))
        else:
            assert next(iter(tomllib.loads(f"{raw} = 0"))) == name
    assert {path for path, _ in leaves(data)} <= set(places.values)


def test_everything_is_found_in_a_document_with_every_kind_of_syntax() -> None:
    assert_places_are_exact(DOCUMENT)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("title",), (2, 9)),
        (("a", "b c", "d"), (3, 19)),
        (("project", "tags", 1), (9, 5)),
        (("project", "tags", 2, 1, "deep"), (9, 24)),
        (("project", "tentative"), (15, 3)),
        (("stage", 0), (18, 1)),
        (("stage", 0, "inner", "x", "y", "z"), (21, 12)),
        (("stage", 1, "name"), (23, 8)),
        (("stage", 1, "gate", 1, "what"), (27, 10)),
        (("quoted ] table", "k"), (29, 3)),
        (("a", "b c"), (3, 5)),
    ],
)
def test_a_values_place_is_its_first_character(path: KeyPath, expected: tuple[int, int]) -> None:
    assert find_places(DOCUMENT).value(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("title",), (2, 1)),
        (("a", "b c"), (3, 5)),
        (("project", "tags", 2, 1, "deep"), (9, 17)),
        (("project", "tentative"), (15, 12)),
        (("stage", 0, "inner", "x", "w"), (21, 15)),
        (("stage", 1, "gate", 0, "what"), (25, 3)),
    ],
)
def test_a_keys_place_is_its_own_part_of_a_dotted_name(
    path: KeyPath, expected: tuple[int, int]
) -> None:
    assert find_places(DOCUMENT).key(path) == expected


def test_what_is_missing_has_the_place_of_the_table_it_is_missing_from() -> None:
    places = find_places(DOCUMENT)
    assert places.value(("stage", 1, "category")) == (22, 1)
    assert places.value(("nothing",)) == (1, 1)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
SCALARS = st.one_of(
    TEXT,
    st.booleans(),
    st.integers(-1000, 1000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_everything_is_found_in_any_document_that_a_library_writes(data: dict[str, Any]) -> None:
    assert_places_are_exact(tomlkit.dumps(data).replace("\r\n", "\n"))


GAPS = st.sampled_from(["", " ", "\t "])
LINES = st.sampled_from(["\n", "\n\n", " # [x] = 'y'\n", "\n  "])
KEYS = st.sampled_from(["a", '"a b"', "'q.r'", "b-1", '"\\u00e4"', "ö".join('""')])
RAW_VALUES = st.recursive(
    st.sampled_from(
        ["1", "true", '"]"', "'}'", '"\\""', '"""\n""\\"""""', "1979-05-27 07:32:00", "'''\n'''"]
    ),
    lambda inner: st.tuples(GAPS, LINES, st.lists(inner, max_size=3)).map(
        lambda parts: f"[{parts[1]}" + f"{parts[0]},{parts[1]}".join(parts[2]) + "]"
    ),
    max_leaves=6,
)


@given(st.data())
def test_everything_is_found_however_the_document_is_laid_out(data: st.DataObject) -> None:
    draw = data.draw
    text = ""
    for table in range(draw(st.integers(0, 3))):
        gap = draw(GAPS)
        name = draw(st.sampled_from([f"t{table}", f"t{table}.{draw(KEYS)}", "x.y"]))
        array = name == "x.y" or draw(st.booleans())
        header = f"[[{gap}{name}{gap}]]" if array else f"[{gap}{name}{gap}]"
        text += draw(GAPS) + header + draw(LINES)
        for number in range(draw(st.integers(0, 3))):
            key = f"k{number}{gap}.{gap}{draw(KEYS)}"
            text += f"{draw(GAPS)}{key}{draw(GAPS)}={draw(GAPS)}{draw(RAW_VALUES)}{draw(LINES)}"
    assert_places_are_exact(text)


def test_a_brace_is_found_behind_escapes() -> None:
    text = r'subject = "\tA \"B\" {name} {bad}"'
    places = find_places(text)
    decoded = tomllib.loads(text)["subject"]
    column = text.index("{bad}") + 1
    assert places.inside(("subject",), decoded, decoded.index("{bad}")) == (1, column)


def test_escaped_braces_are_reported_at_the_start_of_their_string() -> None:
    text = r'subject = "\u007bname} {bad}"'
    decoded = tomllib.loads(text)["subject"]
    assert find_places(text).inside(("subject",), decoded, decoded.index("{bad}")) == (1, 11)


def problem_of(text: str) -> str:
    """Returns what is reported about a document that cannot be parsed."""
    with pytest.raises(ProblemsError) as caught:
        parse_document(text, "m.toml")
    return str(caught.value)


def test_a_syntax_error_has_its_place() -> None:
    assert problem_of("a = 1\nb = = 2\n").startswith("m.toml:2:5: is not TOML: ")


def test_a_syntax_error_at_the_end_has_a_place_too() -> None:
    assert problem_of("a = 1\nb = [1,").startswith("m.toml:2:8: is not TOML: ")


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    file = tmp_path / "m.toml"
    file.write_bytes(b"\xef\xbb\xbf[a]\r\nb = 0.5\r\nc = 1\r\n")
    document = read_document(file)
    assert document.data == {"a": {"b": Decimal("0.5"), "c": 1}}
    assert document.places.value(("a", "c")) == (3, 5)


def test_a_file_in_another_encoding_is_refused_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "m.toml"
    file.write_bytes('a = 1\nb = "Förslag"'.encode("latin-1"))
    with pytest.raises(ProblemsError, match=r"m.toml:2:7: is not UTF-8 text; save the file"):
        read_document(file)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match=r"none.toml: cannot be read: No such file"):
        read_document(tmp_path / "none.toml")


def test_a_document_makes_problems_that_point_at_keys_and_values() -> None:
    document = parse_document("[a]\nbad = 1\n", "m.toml")
    assert isinstance(document, Document)
    assert isinstance(document.places, Places)
    assert str(document.at_key(("a", "bad"), "unknown key")) == "m.toml:2:1: unknown key"
    assert str(document.at_value(("a", "bad"), "too small")) == "m.toml:2:7: too small"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = " + b"9" * 5_000, "is not TOML"),
        (b"x = " + b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
        (b"#" * 10_000_001, "is larger than 10 MB"),
    ],
)
def test_a_file_that_exceeds_a_bound_is_a_problem(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ProblemsError, match=message):
        read_document(path)
