"""The model, the store and every surface have the fields of the one table, and no other list."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from taiga_pipeline.cli.main import cli
from taiga_pipeline.mapping.model import mapping_model
from taiga_pipeline.mapping.schema import mapping_schema
from taiga_pipeline.mapping.values import placeholders
from taiga_pipeline.pipeline.changes import RECORDED_FIELDS, UNRECORDED
from taiga_pipeline.pipeline.columns import COLUMNS, deal_cells
from taiga_pipeline.pipeline.fields.field import Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.files.csv_export import export_deals
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.schema import DEALS
from taiga_pipeline.pipeline.tables.steps import STEPS

ROOT: Final = Path(__file__).parents[3]
NAMES: Final = {field.name for field in BUILT_IN}
MANY: Final = 5
"""So many names of fields in one literal are a list of fields."""

OTHER_LISTS: Final = {
    "taiga_pipeline/pipeline/model.py": "the model itself",
    "taiga_pipeline/pipeline/fields/headers.py": "more headers, which the table takes in",
    "taiga_pipeline/pipeline/files/table.py": "what a row of its own has at least",
    "taiga_pipeline/sources/tryton/fields.py": "what another program calls them",
    "taiga_pipeline/sources/odoo/fields.py": "what another program calls them",
    "taiga_pipeline/planning/staffing/work.py": "what planning takes from a deal",
    "taiga_pipeline/pipeline/what_changed.py": "what plans are made of, and whose changes matter",
    "taiga_pipeline/app/deals/editing.py": "what a new deal has from one that it begins from",
    "taiga_pipeline/cli/pipeline/lessons_text.py": "what a past deal is shown with",
    "taiga_pipeline/planning/lessons/similar.py": "what makes two deals alike",
    "taiga_pipeline/calendar_settings.py": "what a setting means where it is not given",
}


def test_the_model_has_the_fields_of_the_table() -> None:
    assert {field.name for field in fields(Deal)} == {*NAMES, "own"}


def test_the_store_has_a_column_for_each_field() -> None:
    compared_by = {"key_folded", "stage_folded"}
    logged = {"notes"}  # rows of their own
    assert {column.name for column in DEALS.columns} == {*NAMES - logged, "own", *compared_by}


def test_a_field_says_with_which_version_of_the_store_it_came() -> None:
    first = (ROOT / "tests/pipeline/store_samples/version_1.sql").read_text(encoding="utf-8")
    begin = first.index("CREATE TABLE deals")
    columns = first[begin : first.index(");", begin)]
    there = {name for name in NAMES if f"\n            {name} " in columns}
    assert there == {field.name for field in BUILT_IN if field.since == 1}
    assert all(1 <= field.since <= len(STEPS) for field in BUILT_IN)


def test_each_field_has_a_place_of_its_own_in_our_files() -> None:
    places = sorted(field.column for field in BUILT_IN)
    assert places == list(range(1, len(NAMES) + 1))
    stream = io.StringIO()
    export_deals([], stream)
    (header,) = csv.reader(stream.getvalue().splitlines())
    assert header == [*COLUMNS, "version"]
    assert set(COLUMNS) == NAMES == set(deal_cells(Deal("D-1", "Portal")))


def test_the_history_has_all_fields_but_those_that_tell_nothing() -> None:
    assert set(RECORDED_FIELDS) == NAMES - UNRECORDED


@pytest.mark.parametrize("command", ["add", "edit"])
def test_people_may_edit_what_the_table_says(command: str) -> None:
    deals = cli.get_command(None, "deals")  # type: ignore[arg-type]
    options = {each.name for each in deals.get_command(None, command).params}  # type: ignore[union-attr,attr-defined]
    edited = set(BUILT_IN.where(lambda field: field.is_edited))
    typed = edited - {"name"} | {"stage"}  # the name is an argument, after a key or without one
    assert options & NAMES == (typed if command == "add" else edited)


def test_mappings_match_name_and_show_what_the_table_says() -> None:
    model = mapping_model()
    match = mapping_schema()["definitions"]["MatchTable"]["properties"]
    assert set(match) - {"key_prefix"} == set(BUILT_IN.where(lambda field: field.match))
    known = set(placeholders())
    assert known - {"contact", "phase"} == set(BUILT_IN.where(lambda field: field.placeholder))
    words = model.model_fields["words"].annotation
    facts = set(BUILT_IN.where(lambda field: field.fact))
    assert words is not None and facts == words.names_of_facts
    assert facts <= set(words.model_fields)


def test_a_deal_is_shown_with_all_its_labels() -> None:
    labels = [field.label for field in BUILT_IN]
    assert len(set(labels)) == len(labels) and all(labels)
    assert all(field.about for field in BUILT_IN)


def test_money_is_of_the_kind_money() -> None:
    assert BUILT_IN.of_kinds(Kind.MONEY) == {"value"}


def literals(path: Path) -> Iterator[tuple[int, set[str]]]:
    """Yields the names of fields in each literal and each class of a module, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found: list[object] = []
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            found = [each.value for each in node.elts if isinstance(each, ast.Constant)]
        elif isinstance(node, ast.Dict):
            found = [each.value for each in node.keys if isinstance(each, ast.Constant)]
        elif isinstance(node, ast.ClassDef):
            named = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
            found = [each.id for each in named if isinstance(each, ast.Name)]
        names = {each for each in found if isinstance(each, str)} & NAMES
        if len(names) >= MANY:
            yield node.lineno, names


def test_nowhere_is_a_second_list_of_fields() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "taiga_pipeline").rglob("*.py")
        if "sandbox" not in path.parts and list(literals(path))
    }
    assert found == set(OTHER_LISTS)
