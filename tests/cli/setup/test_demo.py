"""The story that the program tells about itself."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from tests.cli.conftest import Run

ROOT: Final = Path(__file__).parents[3]
NAMES: Final = {"pillow": "PIL", "scikit-learn": "sklearn"}
"""Packages that are imported by another name than they are installed by."""


def left_out() -> list[str]:
    """Returns the modules that are there for other extras, but not for the demo."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    named = {
        extra: {re.split(r"[^\w-]", package)[0] for package in packages}
        for extra, packages in extras.items()
    }
    others = set().union(*named.values()) - named["demo"] - {"pipeline-sync", "setuptools"}
    modules = {NAMES.get(name, name.replace("-", "_")) for name in others}
    return sorted(name for name in modules if find_spec(name))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The demo, told once by a process of its own that has only the packages of its extra."""
    folder = tmp_path_factory.mktemp("demo") / "story"
    hidden = left_out()
    assert {"matplotlib", "ortools", "PIL"} <= set(hidden)
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({hidden!r}))\n"
        "from taiga_pipeline.cli.main import main\n"
        "main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "demo", "--fast", "--dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_ends_well_and_without_complaints(finished: subprocess.CompletedProcess[str]) -> None:
    assert finished.returncode == 0
    beside = re.compile(r"note: |\d+ deals?; ")  # the sums of a list, and what is not known
    assert [line for line in finished.stderr.splitlines() if not beside.match(line)] == []


@pytest.mark.parametrize(
    "part",
    [
        "$ pipeline-sync init --sample",
        "(tentative) Alder & Finch: Web shop",
        "$ pipeline-sync deals move D-105 Won",
        "Title: Alder & Finch: the new shop",
        "Fatima Noor",
        "- retire   D-107  (lost) Brightwater Clinic: Booking",
        "Learnt from 53 decided deals (18 won)",
        "Deals behind the hours short",
        "$ pipeline-sync staff suggest --quick",
        "Requests that changed something in Taiga: 0",
    ],
)
def test_it_tells_the_whole_story(finished: subprocess.CompletedProcess[str], part: str) -> None:
    assert part in finished.stdout


def test_the_command_at_its_end_names_a_program_that_a_shell_finds(
    finished: subprocess.CompletedProcess[str],
) -> None:
    last = finished.stdout.splitlines()[-1].partition(": ")[2]
    program, *rest = shlex.split(last)
    assert shutil.which(program)
    assert rest[:2] == ["web", "--config"]


def test_it_needs_a_folder_of_its_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = run("demo", "--fast", "--dir", str(tmp_path))
    assert result.exit_code == 2
    assert "is not empty" in result.stderr


def test_it_speaks_the_language_of_who_asks(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    environment["LANG"] = "sv_SE.UTF-8"
    assert "är inte tom; demon behöver" in run("demo", "--fast", "--dir", str(tmp_path)).stderr
