"""``make demo``, ``make test`` and ``make docs``: what they install, and what they say about it.

An interpreter that behaves like Python's venv and pip stands in for the real one, so that nothing
is fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

INTERPRETER: Final = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p "$3/bin"
cat >"$3/bin/python" <<'END'
#!/bin/sh
echo "$@" >>called.txt
echo "WARNING: a place for packages is ignored" >&2
[ ! -e offline ] || { echo "ERROR: no way to the packages" >&2; exit 1; }
END
cat >"$3/bin/pipeline-sync" <<'END'
#!/bin/sh
echo "the story: $@"
END
cat >"$3/bin/mkdocs" <<'END'
#!/bin/sh
echo "the site: $@"
END
chmod +x "$3/bin/python" "$3/bin/pipeline-sync" "$3/bin/mkdocs"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what make reads, and an interpreter that installs nothing."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "python3").write_text(INTERPRETER)
    (tmp_path / "python3").chmod(0o755)
    return tmp_path


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    return subprocess.run(
        ["make", f"PYTHON={checkout / 'python3'}", *arguments],
        cwd=checkout,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def installed(checkout: Path) -> list[str]:
    return (checkout / "called.txt").read_text().splitlines()


def test_the_demo_installs_only_what_it_shows(checkout: Path) -> None:
    result = make(checkout, "demo", "FAST=1")
    assert result.returncode == 0, result.stderr
    (command,) = installed(checkout)
    assert command.endswith("--editable .[demo]")
    assert "--constraint constraints.txt" in command


def test_the_story_begins_without_remarks_of_pip(checkout: Path) -> None:
    result = make(checkout, "demo", "FAST=1")
    assert result.stdout.splitlines() == [
        "Installing into .venv-demo ...",
        "the story: demo --dir .demo --fast",
    ]
    assert result.stderr == ""


def test_a_second_demo_installs_nothing(checkout: Path) -> None:
    make(checkout, "demo")
    assert make(checkout, "demo").stdout == "the story: demo --dir .demo\n"
    assert len(installed(checkout)) == 1


def test_the_demo_uses_the_packages_of_the_tests_where_they_are(checkout: Path) -> None:
    assert make(checkout, "test").returncode == 0
    assert make(checkout, "demo").stdout == "the story: demo --dir .demo\n"
    assert [call for call in installed(checkout) if "[demo]" in call] == []


def test_the_docs_are_built_strictly_with_packages_of_their_own(checkout: Path) -> None:
    result = make(checkout, "docs")
    assert result.returncode == 0, result.stderr
    (command,) = installed(checkout)
    assert command.endswith("--editable .[docs]")
    assert "the site: build --strict --clean\n" in result.stdout, "--quiet counts no warnings"


@pytest.mark.parametrize("target", ["demo", "test", "docs"])
def test_an_install_that_fails_says_why_and_where_the_rest_stands(
    checkout: Path, target: str
) -> None:
    (checkout / "offline").touch()
    result = make(checkout, target)
    assert result.returncode != 0
    assert "ERROR: no way to the packages" in result.stderr
    assert "install.log" in result.stderr
    assert "WARNING" not in result.stderr
    (log,) = checkout.glob(".venv*/install.log")
    assert "WARNING: a place for packages is ignored" in log.read_text()
    (checkout / "offline").unlink()
    assert make(checkout, target).returncode == 0
