"""An adapter of another person's, as ``docs/write-an-adapter.md`` shows it, used by the program.

It is a package of its own that the program finds by its entry point. It has projects, stories and
boards, and neither members nor milestones nor pages; neither an address nor an account.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.third_party import install

pytestmark = pytest.mark.sampled_tests(2)

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "write-an-adapter.md"
FILES = ("pyproject.toml", "cards_adapter/__init__.py", "cards_adapter/target.py")
NOTE = "Note: Cards has no place for "
DEALS = """key,name,customer,stage,value,currency,expected_close,start
D-1,Web shop,Acme,Proposal,40000,EUR,2031-01-14,2031-02-03
D-2,Portal,Zeta,Proposal,9000,EUR,2031-01-07,2031-02-03
D-3,App,Beta,Needs analysis,7000,EUR,2031-02-14,
"""

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as an installation leaves it: its code, and what it publishes."""
    return install(HERE, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pipeline is, and the file that people of Cards look at."""
    folder = tmp_path_factory.mktemp("sales")
    empty = {"id": "7f3a90", "next": 0, "projects": {}}
    (folder / "cards.json").write_text(json.dumps(empty), encoding="utf-8")
    (folder / "deals.csv").write_text(DEALS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def program(installed: Path, folder: Path) -> Program:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "taiga_pipeline", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return call


@pytest.fixture(scope="module")
def first_run(program: Program, folder: Path) -> str:
    """What the first run says; the pipeline was set up as a user does it."""
    steps = (
        ("init", "--target", "cards"),
        ("deals", "import", "deals.csv"),
        ("deals", "move", "D-2", "Won"),
    )
    for words in steps:
        done = program(*words)
        assert done.returncode == 0, done.stderr
    with (folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write("\n[portfolio]\nenabled = true\n")
    done = program("run")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def projects(folder: Path) -> dict[str, Any]:
    """The projects by their names, as people see them."""
    rows = json.loads((folder / "cards.json").read_text(encoding="utf-8"))["projects"]
    return {row["name"]: row for row in rows.values()}


def cards(board: dict[str, Any]) -> dict[str, str]:
    """The columns of a board's cards, by subject."""
    columns = {number: row["name"] for number, row in board["columns"].items()}
    return {row["subject"]: columns[row["column"]] for row in board["cards"].values()}


def test_its_lines_are_in_the_configuration_that_init_writes(first_run: str, folder: Path) -> None:
    target = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))["target"]
    assert (target["kind"], target["file"]) == ("cards", "cards.json")
    assert not target.keys() & {"url", "username", "password_env"}


def test_deals_become_projects(first_run: str, folder: Path) -> None:
    assert projects(folder).keys() == {
        "(tentative) Acme: Web shop",
        "Zeta: Portal",
        "Portfolio",
    }
    won = projects(folder)["Zeta: Portal"]
    assert won["state"] == "staffed"
    assert "9,000 EUR" in won["text"]
    assert [card["subject"] for card in won["cards"].values()]


def test_all_deals_are_cards_on_a_board(first_run: str, folder: Path) -> None:
    board = projects(folder)["Portfolio"]
    assert cards(board) == {
        "Acme: Web shop": "Proposal",
        "Zeta: Portal": "Won",
        "Beta: App": "Needs analysis",
    }
    ordered = sorted(board["columns"].values(), key=lambda column: column["order"])
    assert [column["name"] for column in ordered][-2:] == ["Won", "Lost"]


def test_what_it_cannot_hold_is_said_once(first_run: str, program: Program) -> None:
    assert first_run.count(NOTE) == 1
    (note,) = (line for line in first_run.splitlines() if line.startswith(NOTE))
    assert all(what in note for what in ("milestones", "members", "roles", "pages"))
    assert program("check").stdout.count(NOTE.removeprefix("Note: ")) == 1


def test_the_next_run_writes_and_says_nothing(
    first_run: str, program: Program, folder: Path
) -> None:
    before = (folder / "cards.json").stat()
    done = program("run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    after = (folder / "cards.json").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert program("plan", "--exit-code").returncode == 0


def test_peoples_edits_survive_and_lost_deals_are_retired(
    first_run: str, program: Program, folder: Path
) -> None:
    path = folder / "cards.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Zeta: Portal", "Zeta: the new portal"), encoding="utf-8")
    assert program("deals", "move", "D-1", "Lost").returncode == 0
    done = program("run")
    assert done.returncode == 0, done.stdout + done.stderr
    found = projects(folder)
    assert found["Zeta: the new portal"]["state"] == "staffed"
    assert found["(lost) Acme: Web shop"]["state"] == "retired"
    assert cards(found["Portfolio"])["Acme: Web shop"] == "Lost"
    done = program("run")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_file_that_is_gone_is_reported_as_unreachable(
    first_run: str, program: Program, folder: Path
) -> None:
    path = folder / "cards.json"
    path.rename(folder / "away.json")
    try:
        done = program("run")
        assert done.returncode == 6
        assert "cards.json cannot be read" in done.stderr
    finally:
        (folder / "away.json").rename(path)


@pytest.mark.parametrize("name", FILES)
def test_the_page_shows_the_very_files_that_are_tried_here(name: str) -> None:
    targets = PAGE.read_text("utf-8").partition("## A source of deals")[0]
    blocks = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", targets, re.M | re.S))
    assert blocks[name] == (HERE / name).read_text(encoding="utf-8")
