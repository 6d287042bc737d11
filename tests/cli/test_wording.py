"""What a terminal says of errors that carry their reasons."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import Refused
from taiga_pipeline.app import engine, source_needs, starting
from taiga_pipeline.app.deals import filters
from taiga_pipeline.app.planning import capacity, forecast, scenarios, staffing
from taiga_pipeline.app.sync import running
from taiga_pipeline.cli import wording
from taiga_pipeline.pipeline import errors
from taiga_pipeline.pipeline.importing.rows import BadRow
from taiga_pipeline.problems import Problem, ProblemsError

ROOT = Path(__file__).parents[2]
MODULES = (
    *(errors, filters, capacity, forecast, scenarios, starting),
    *(engine, running, source_needs, staffing),
)


def classes() -> Iterator[str]:
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, ProblemsError | Refused):
                yield name


def test_every_entry_of_the_table_is_an_error_that_exists() -> None:
    assert set(wording._WORDS) <= set(classes())


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (errors.GateClosed("D-1", "Lead", ["a"]), "pipeline-sync deals done D-1 ACTION"),
        (errors.KeyTaken("D-1", "D-1"), "pipeline-sync deals edit D-1"),
        (errors.AddressTaken("a@x.se", "Ann"), "pipeline-sync people edit a@x.se"),
        (errors.AddressTaken("a@x.se", "Ann", "b@x.se"), "pipeline-sync people remove b@x.se"),
        (errors.UnknownPerson("a@x.se"), "pipeline-sync people add a@x.se NAME"),
        (errors.UnknownDeal("D-1"), "pipeline-sync deals list"),
        (errors.NotMappedDeal("D-1", "", ""), "pipeline-sync mapping explain D-1"),
        (errors.NothingToChange("person"), "--role Design"),
        (errors.FixedFields(["stage"]), "deals move"),
        (errors.InvalidFields({"expected_close": ["no day"]}), "--expected-close: no day"),
        (errors.InvalidFields({"value+currency": ["two"]}), "--value and --currency: two"),
        (errors.EditConflict("D-1", []), "pipeline-sync deals show D-1"),
        (scenarios.ScenarioThere("x"), "--replace"),
        (staffing.NoSuggestion("none"), "make one with: pipeline-sync staff suggest"),
        (staffing.SuggestionOutdated("old"), "make one with: pipeline-sync staff suggest"),
        (source_needs.NoHistory([Problem("none")]), "pipeline-sync deals import FILE"),
        (running.NotASavedPlan([Problem("no")]), "pipeline-sync plan --out FILE"),
        (engine.UnknownLimits([Problem("unknown limit 'x'")]), "--allow: unknown limit 'x'"),
        (capacity.WeekNotShown("2030-W01", "a", "b"), "--from and --weeks"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_the_way_out_is_a_command_or_an_option(error: Exception, way_out: str) -> None:
    assert way_out in wording.words(error)
    assert way_out not in str(error)


def test_where_a_near_name_is_known_it_is_the_way_out() -> None:
    assert wording.words(errors.UnknownDeal("D1", "D-1")).endswith("did you mean 'D-1'?")
    assert wording.words(errors.UnknownPerson("a@x.se", "b@x.se")).endswith("'b@x.se'?")


def test_rows_that_were_left_out_say_the_way_too() -> None:
    gate = BadRow(2, "D-1", "may not", missing=("a",))
    assert "pipeline-sync deals done D-1 ACTION" in wording.row_words(gate)
    nobody = BadRow(2, "", "nobody has it", unknown_person="a@x.se")
    assert "pipeline-sync people add a@x.se NAME" in wording.row_words(nobody)
    assert wording.row_words(BadRow(2, "D-1", "no day")) == "no day"


def test_no_use_case_names_a_command() -> None:
    named = [
        f"{path.name}:{node.lineno}: {node.value[:60]!r}"
        for path in (ROOT / "taiga_pipeline" / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.search(r"pipeline-sync [a-z]|(?<![\w-])--[a-z]{2,}", node.value)
        if "pg_dump" not in node.value and "``--" not in node.value
    ]
    assert named == []
