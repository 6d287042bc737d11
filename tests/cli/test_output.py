"""Results on stdout."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from taiga_pipeline.cli.output import display_width, shorten, table, to_json, use_colour


def test_json_keeps_money_exact_and_dates_in_iso_form() -> None:
    data = {
        "value": Decimal("12.30"),
        "start": date(2026, 11, 23),
        "at": datetime(2026, 11, 23, 9, tzinfo=UTC),
        "tags": frozenset({"b", "a"}),
    }
    assert json.loads(to_json(data)) == {
        "value": "12.30",
        "start": "2026-11-23",
        "at": "2026-11-23T09:00:00+00:00",
        "tags": ["a", "b"],
    }


def test_json_is_readable_in_any_language() -> None:
    assert "Förslag 陈伟" in to_json(["Förslag 陈伟"])


def test_json_survives_a_lone_surrogate() -> None:
    text = to_json({"name": "a\ud800b"})
    text.encode("utf-8")
    assert json.loads(text) == {"name": "a\ud800b"}


def test_json_refuses_what_json_has_no_word_for() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(float("nan"))


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("陈伟", 4), ("e\u0301", 1), ("", 0), ("a\u200db", 2)]
)
def test_width_counts_terminal_cells(text: str, width: int) -> None:
    assert display_width(text) == width


def test_columns_line_up_with_wide_characters() -> None:
    lines = table(["name", "hours"], [["陈伟", "32"], ["Bob", "8"]], right=[1])
    assert lines == ["name  hours", "陈伟     32", "Bob       8"]


def test_a_cell_never_breaks_a_line() -> None:
    assert table(["name"], [["two\nlines"]]) == ["name", "two lines"]


def test_shortened_text_shows_that_something_is_missing() -> None:
    assert shorten("Alder & Finch", 8) == "Alder &…"
    assert shorten("陈伟陈伟", 5) == "陈伟…"
    assert shorten("short", 5) == "short"


def test_the_widest_column_gives_way_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taiga_pipeline.cli.output.terminal_width", lambda: 20)
    lines = table(["key", "name"], [["D-1", "a very long name that does not fit"]])
    assert lines[1] == "D-1  a very long na…"


class Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert use_colour(Terminal()) is coloured  # type: ignore[arg-type]
