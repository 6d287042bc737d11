"""Files that were reported in public, with made-up values, and more of their kinds.

Each folder beside this module is one kind. Its ``expected.toml`` says what is imported, and what
comes of it: the deals (all of them, but for ``only_some``), the rows that are left out and why,
what is said, and the exit code.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.conftest import Run
from tests.prepared import prepare_folder

HERE: Final = Path(__file__).parent
AMOUNTS: Final = ("value", "probability")


def steps() -> dict[str, list[dict[str, Any]]]:
    """Returns the imports of each case; those that go on in the same store are together."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(HERE.glob("*/expected.toml")):
        name, number = file.parent.name, 0
        for step in tomllib.loads(file.read_text(encoding="utf-8"))["import"]:
            number += not step.get("again")
            found.setdefault(f"{name}-{number}", []).append({**step, "folder": file.parent})
    return found


CASES: Final = steps()


def exported(run: Run) -> dict[str, dict[str, str]]:
    text = run("deals", "export").stdout
    return {row["key"]: row for row in csv.DictReader(io.StringIO(text))}


def is_same(name: str, text: str, expected: str) -> bool:
    if name in AMOUNTS and text and expected:
        return Decimal(text) == Decimal(expected)
    return text == expected


def write(step: dict[str, Any], folder: Path) -> str:
    """Puts the file of a step into the folder; returns its name."""
    if "file" in step:
        shutil.copy(step["folder"] / step["file"], folder)
        return str(step["file"])
    text = step["text"].removeprefix("\n")
    (folder / "text.csv").write_bytes(text.encode(step.get("encoding", "utf-8")))
    return "text.csv"


def take(step: dict[str, Any], run: Run, folder: Path) -> None:
    """Does one import and compares what comes of it."""
    file = write(step, folder)
    left_out: dict[str, str] = step.get("left_out", {})
    rows = step.get("rows_left_out", len(left_out))
    result = run("deals", "import", file, *step.get("arguments", ()), "--json")
    assert result.exit_code == step.get("exit", 3 if rows else 0), result.output
    if "error" in step:
        assert step["error"] in result.stderr
        return
    report = json.loads(result.stdout)
    reported = [notice["text"] for notice in report["notices"]]
    gone = report["disappeared"]
    reported += [
        f"{len(gone)} deal disappeared from the file, kept in the store: {', '.join(gone)}"
    ] * bool(gone)
    for words in step.get("notes", ()):
        assert any(words in text for text in reported), (words, reported)
    reasons = [(bad["key"], bad["reason"]) for bad in report["bad_rows"]]
    assert len(reasons) == rows, reasons
    for key, words in left_out.items():
        assert any(key == k and words in reason for k, reason in reasons), (key, words, reasons)
    counts = "{added} added, {changed} changed, {unchanged} unchanged".format_map(report)
    assert step.get("summary", "") in counts
    compare(step, exported(run))


def compare(step: dict[str, Any], deals: dict[str, dict[str, str]]) -> None:
    """Compares the deals of the store with those that a step names."""
    expected: dict[str, dict[str, str]] = step.get("deals", {})
    if not step.get("only_some"):
        assert deals.keys() == expected.keys()
    for key, fields in expected.items():
        for name, text in fields.items():
            assert is_same(name, deals[key][name], text), (key, name, deals[key][name], text)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("case", CASES)
def test_a_file_is_read_rightly_or_refused_with_its_column(
    case: str, run: Run, tmp_path: Path
) -> None:
    prepare_folder("empty pipeline", tmp_path, lambda: run("init"))
    for step in CASES[case]:
        take(step, run, tmp_path)
        for command in step.get("then", ()):
            assert run(*command).exit_code == 0, command
    (tmp_path / "again.csv").write_text(run("deals", "export").stdout, encoding="utf-8", newline="")
    again = json.loads(run("deals", "import", "again.csv", "--json").stdout)
    assert (again["added"], again["changed"], again["bad_rows"]) == (0, 0, [])


def test_every_folder_says_what_is_expected() -> None:
    folders = {each.name for each in HERE.iterdir() if each.is_dir() and each.name[0] not in "._"}
    assert len(CASES) > 40
    assert {file.parent.name for file in HERE.glob("*/expected.*")} >= folders - {"keys-changed"}
