"""``deals import`` and ``deals export`` as a person at a terminal, and cron, meet them."""

from __future__ import annotations

import csv
import json
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from taiga_pipeline.cli.pipeline import deals_files
from tests.cli.conftest import SAMPLE_DEALS, Run

TEXT = "Deal ID;Deal name;Amount;Fas\nA-1;\x1b[31mPortal;1.234,50;Offert\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_person_at_a_terminal_is_asked_and_may_decline(
    sample: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deals_files, "is_terminal", lambda: True)
    result = sample("deals", "import", str(file), "--stage", "Offert=Proposal")  # end of input
    assert result.exit_code != 0
    assert "Import this? [Y/n]" in result.stdout
    assert r"\x1b[31mPortal" in result.stdout
    assert sample("deals", "show", "A-1").exit_code != 0
    result = sample("deals", "import", str(file), "--yes")
    assert "Import this?" not in result.stdout
    assert "1 added" in result.stdout


def test_cron_is_never_asked_and_sees_the_columns_of_a_new_list_once(
    sample: Run, file: Path
) -> None:
    first, second = (sample("deals", "import", str(file)) for _ in range(2))
    assert first.stdout.startswith("1 row: 1 added")
    assert "Deal ID" in first.stderr
    assert "stages: Offert (1, in no mapping)" in first.stderr
    assert second.stdout.startswith("1 row: 0 added")
    assert "Deal ID" not in second.stderr


def test_what_was_understood_is_in_the_json(sample: Run, file: Path) -> None:
    data = json.loads(sample("deals", "import", str(file), "--dry-run", "--json").stdout)
    assert data["understood"]["kind"] == "CSV with ';' between cells, header in line 1"
    assert data["understood"]["columns"][0]["header"] == "Deal ID"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("deals.xlsx",), "deals.xlsx"),
        (("--format", "xlsx", "deals"), "deals"),
        (("--excel", "sv", "deals.csv"), "deals.csv"),
        (("--excel", "deals.csv"), "deals.csv"),
        (("deals.csv", "--excel"), "deals.csv"),
    ],
)
def test_an_export_comes_back_unchanged(
    sample: Run, tmp_path: Path, arguments: tuple[str, ...], name: str
) -> None:
    result = sample("deals", "export", *arguments)
    assert result.exit_code == 0, result.output
    assert f"{SAMPLE_DEALS} unchanged" in sample("deals", "import", name).stdout
    if "xlsx" in "".join(arguments):
        assert (
            load_workbook(BytesIO((tmp_path / name).read_bytes())).active.max_row
            == SAMPLE_DEALS + 1
        )
    else:
        assert (tmp_path / name).read_bytes().startswith(b"\xef\xbb\xbfsep=;\n")


def test_the_language_of_the_environment_counts(
    sample: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["LANG"] = "en_US.UTF-8"
    sample("deals", "export", "--excel", "deals.csv")
    lines = (tmp_path / "deals.csv").read_text(encoding="utf-8-sig").splitlines()
    assert (lines[0], next(csv.reader(lines[1:]))[0]) == ("sep=,", "key")


def test_an_unknown_language_and_one_for_a_workbook_are_refused(sample: Run) -> None:
    unknown = sample("deals", "export", "--excel", "xx", "deals.csv")
    assert (unknown.exit_code, "unknown language 'xx'" in unknown.stderr) == (2, True)
    needless = sample("deals", "export", "--excel", "sv", "deals.xlsx")
    assert (needless.exit_code, "needs no language" in needless.stderr) == (2, True)
