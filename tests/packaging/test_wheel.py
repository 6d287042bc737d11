"""The wheel, installed into an empty environment and used outside the source tree.

Nothing is fetched: the wheel is built with the setuptools at hand, and the environment borrows the
dependencies of the one that runs the tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from taiga_pipeline import __version__

pytestmark = pytest.mark.sampled_tests(3)

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("pyproject.toml", "README.md", "LICENSE", "sync", "taiga_pipeline", "mappings")


def call(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
    }
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(source, folder / name)
    return folder


def build(sources: Path, what: str, into: str) -> Path:
    """Returns a wheel of one of the distributions that the sources hold."""
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", into)
    result = call(sys.executable, "-m", "pip", "wheel", *options, what, cwd=sources)
    assert result.returncode == 0, result.stderr
    (built,) = (sources / into).glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(sources: Path) -> Path:
    """The wheel that everybody installs."""
    return build(sources, ".", "wheels")


@pytest.fixture(scope="module")
def sandbox_wheel(sources: Path) -> Path:
    """The wheel of the practice server."""
    return build(sources, "./taiga_pipeline/sandbox", "sandbox-wheels")


def install(python: Path, wheel: Path) -> None:
    options = ("--no-deps", "--no-index", "--quiet")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", *options)
    result = call(*pip, wheel, cwd=wheel.parent)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of the installed wheel."""
    folder = tmp_path_factory.mktemp("elsewhere")
    assert call(sys.executable, "-m", "venv", "--without-pip", "env", cwd=folder).returncode == 0
    install(folder / "env" / "bin" / "python", wheel)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    # A path in a .pth file is added after the environment's own: the wheel goes first.
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(borrowed) + "\n")
    return folder / "env" / "bin" / "pipeline-sync"


def test_the_wheel_holds_both_packages_and_their_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    mappings = {f"taiga_pipeline/shipped_mappings/{path.name}" for path in ROOT.glob("mappings/*")}
    expected = {"sync/py.typed", "taiga_pipeline/py.typed", "taiga_pipeline/data/config.toml"}
    assert expected | mappings <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "sync",
        "taiga_pipeline",
        "pipeline_sync",
    }


def test_it_is_the_installed_program_that_runs(program: Path, tmp_path: Path) -> None:
    python = program.with_name("python")
    found = call(
        python, "-c", "import taiga_pipeline; print(taiga_pipeline.__file__)", cwd=tmp_path
    )
    assert found.stdout.startswith(str(program.parents[1]))
    assert call(program, "--version", cwd=tmp_path).stdout == f"pipeline-sync {__version__}\n"


def test_it_works_outside_the_source_tree(program: Path, tmp_path: Path) -> None:
    for command in (["init", "--sample"], ["mapping", "check"], ["check", "--offline"]):
        result = call(program, *command, cwd=tmp_path)
        assert result.returncode == 0, result.stderr


def modules(folder: Path) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in folder.rglob("*.py")}


def test_the_sandbox_is_a_wheel_of_its_own(wheel: Path, sandbox_wheel: Path) -> None:
    usual, practice = (set(zipfile.ZipFile(each).namelist()) for each in (wheel, sandbox_wheel))
    sandbox = modules(ROOT / "taiga_pipeline" / "sandbox")
    python = {name for name in usual if name.endswith(".py")}
    assert python == (modules(ROOT / "taiga_pipeline") | modules(ROOT / "sync")) - sandbox
    assert {name for name in practice if name.endswith(".py")} == sandbox
    assert "taiga_pipeline/sandbox/serving/templates/base.html.j2" in practice
    assert "taiga_pipeline/report/page/templates/page.html.j2" in usual
    assert sandbox_wheel.name.startswith(f"pipeline_sync_sandbox-{__version__}-")


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_without_the_sandbox_a_line_says_how_to_get_it(
    program: Path, tmp_path: Path, command: str
) -> None:
    result = call(program, command, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"Error: {command} needs packages that are not installed")
    assert result.stderr.rstrip().endswith("pipeline-sync-sandbox")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.whole_only
def test_with_the_sandbox_the_demo_runs(program: Path, sandbox_wheel: Path, tmp_path: Path) -> None:
    install(program.with_name("python"), sandbox_wheel)
    result = call(program, "demo", "--fast", "--dir", "story", cwd=tmp_path)
    assert result.returncode == 0
    beside = re.compile(r"note: |\d+ deals?; ")
    assert [line for line in result.stderr.splitlines() if not beside.match(line)] == []
