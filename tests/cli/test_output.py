"""Results on stdout."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import pytest

from taiga_pipeline.cli import output
from taiga_pipeline.cli.output import print_pairs, shorten, style, table, to_json, use_colour


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


def test_columns_line_up_with_wide_characters() -> None:
    lines = table(["name", "hours"], [["陈伟", "32"], ["Bob", "8"]], right=[1])
    assert lines == ["name  hours", "陈伟     32", "Bob       8"]


def test_a_cell_never_breaks_a_line() -> None:
    assert table(["name"], [["two\nlines"]]) == ["name", "two lines"]


def test_shortened_text_shows_that_something_is_missing() -> None:
    assert shorten("Alder & Finch", 8) == "Alder &…"
    assert shorten("陈伟陈伟", 5) == "陈伟…"
    assert shorten("short", 5) == "short"


def test_a_day_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taiga_pipeline.cli.output.terminal_width", lambda: 26)
    row = ["D-1", "2026-12-14", "somebody with a long name"]
    found = table(["Deal", "From", "Who"], [row, ["D-2", "", ""]])
    assert "2026-12-14  somebod…" in found[1]


def test_the_widest_column_gives_way_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taiga_pipeline.cli.output.terminal_width", lambda: 20)
    lines = table(["key", "name"], [["D-1", "a very long name that does not fit"]])
    assert lines[1] == "D-1  a very long na…"


def test_keys_and_figures_are_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taiga_pipeline.cli.output.terminal_width", lambda: 40)
    lines = table(
        ["key", "name", "won value"],
        [["OPP-2031-0007", "a name that does not fit", "1,240,000 EUR"]],
        right=[2],
    )
    assert lines[1] == "OPP-2031-0007  a name th…  1,240,000 EUR"


def test_where_a_table_would_be_of_no_use_each_row_is_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("taiga_pipeline.cli.output.terminal_width", lambda: 30)
    headings = ["Key", "Name", "Customer", "Value", ""]
    rows = [
        ["D-1", "A new portal for customers", "Alder & Finch", "40,000 EUR", "new\n"],
        ["D-2", "Audit", "", "", ""],
    ]
    assert table(headings, rows, right=[3]) == [
        "Key:      D-1",
        "Name:     A new portal for customers",
        "Customer: Alder & Finch",
        "Value:    40,000 EUR",
        "          new",
        "",
        "Key:  D-2",
        "Name: Audit",
    ]


def test_columns_without_headings_are_all_there_in_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("taiga_pipeline.cli.output.terminal_width", lambda: 20)
    headings = ["Quarter", "Cost", "", "Margin", "", ""]
    rows = [["2026-Q4", "30,820", "20,000 to 40,000", "8,227", "1,000 to 9,000", "EUR"]]
    assert table(headings, rows, right=range(1, 5)) == [
        "Quarter: 2026-Q4",
        "Cost:    30,820",
        "         20,000 to 40,000",
        "Margin:  8,227",
        "         1,000 to 9,000",
        "         EUR",
    ]


class Terminal(io.StringIO):
    """A terminal of 60 cells, in the place of stdout."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Returns a terminal that shows colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("taiga_pipeline.cli.output.terminal_width", lambda: 60)
    return Terminal()


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    coloured: bool,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with redirect_stdout(terminal):
        assert use_colour() is coloured
        assert ("\x1b" in style("text", colour="red")) is coloured
        assert ("\x1b" in "".join(table(["name"], [["Bob"]]))) is coloured


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"])
def test_a_file_is_never_coloured_or_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("COLUMNS", "20")
    long = "x" * 500
    assert table(["key", "note"], [["D-1", long]]) == ["key  note", f"D-1  {long}"]
    print_pairs({"Note": long})
    assert capsys.readouterr().out == f"Note: {long}\n"


MARKUP: Final = "[red]a[/red] [/] [link=https://x.example]b[/] :boom: \\[c] [@click=x()]d"


def test_nothing_in_a_cell_is_markup(terminal: Terminal) -> None:
    with redirect_stdout(terminal):
        heading, *cells = table(["name", MARKUP], [["Bob", "1"], [MARKUP, "2"]])
        styled = style(MARKUP, bold=True)
    assert MARKUP[:20] in heading
    assert cells[1].startswith(MARKUP[:20])
    assert "\x1b" not in "".join(cells)
    assert styled == f"\x1b[1m{MARKUP}\x1b[0m"


def test_what_a_terminal_would_obey_is_shown_in_a_cell() -> None:
    lines = table(["name"], [["a\x1b[2J\x07\u202eb\u200bc"]])
    assert lines[1] == r"a\x1b[2J\x07\u202eb\u200bc"


def test_a_table_of_no_rows_has_its_headings() -> None:
    assert table(["key", "name"], []) == ["key  name"]


def test_names_of_pairs_line_up_with_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_pairs({"陈伟": "1", "Owner": "2"})
    print_pairs({})
    assert capsys.readouterr().out == "陈伟:  1\nOwner: 2\n"


@pytest.mark.parametrize("name", ["e\u0301", "👨\u200d👩\u200d👧", "می\u200cخواهم"])
def test_columns_line_up_with_letters_that_are_made_of_several(name: str) -> None:
    cells = {"e\u0301": 1, "👨\u200d👩\u200d👧": 2, "می\u200cخواهم": 7}[name]
    assert table(["a" * 9, "b"], [[name, "|"]])[1] == f"{name}{' ' * (11 - cells)}|"


def test_a_quiet_command_loads_nothing_to_draw_with() -> None:
    code = (
        "import sys; from taiga_pipeline.cli import output, paint, progress, sync\n"
        "output.style('x', bold=True); paint.painter(); progress.Progress('projects')(1, 2)\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'rich'])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_file_gets_the_lines_that_a_terminal_would_get(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["陈伟", "32", "a · b\u00ad"], ["Åsa", "8", ""], ["", "1,000", "e\u0301 👩‍👩‍👧"]]
    given = ["name", "hours", "ways [bold]"], rows, [1]
    in_a_file = table(*given)
    monkeypatch.setattr(output, "is_plain", lambda: False)
    assert table(*given) == in_a_file
