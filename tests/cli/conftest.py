"""What the tests of the command line share: a folder, a program to run in it, a small Taiga."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.prepared import prepare

SAMPLE_DEALS = 64
"""So many deals the sample pipeline has."""
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FixedClock:
    """Stands still."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Does not wait."""


Run = Callable[..., Result]
"""Runs a command line in the test's own folder: ``run("init", "--sample")``."""


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment variables that a command sees; a test may add to them."""
    return {}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        context = CommandContext(clock=FixedClock(), environment=environment)
        return CliRunner().invoke(cli, arguments, obj=context)

    return invoke


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    """A small Taiga on loopback."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sample(run: Run, taiga: Sandbox, environment: dict[str, str], tmp_path: Path) -> Run:
    """A folder with the sample pipeline, connected to `taiga`: runs commands there."""
    environment["TAIGA_PASSWORD"] = taiga.password

    def make() -> None:
        result = run("init", "--sample", "--taiga-url", taiga.url, "--username", taiga.username)
        assert result.exit_code == 0, result.stderr

    prepare("sample of the command line", tmp_path, taiga, make)
    return run


def writes(taiga: Sandbox) -> list[str]:
    """Returns the requests so far that changed something, as ``POST /api/v1/projects``."""
    return [
        f"{request.method} {request.path}"
        for request in taiga.requests
        if request.method != "GET" and "/auth" not in request.path
    ]


def project_names(taiga: Sandbox) -> list[str]:
    """Returns the names of all projects in the sandbox, sorted."""
    return sorted(project["name"] for project in taiga.as_user("admin").get("/projects"))


def damage_stage(key: str, stage: str) -> None:
    """Gives a deal a stage that no command would let through (an import from elsewhere might)."""
    connection = sqlite3.connect("pipeline.db")
    connection.execute("UPDATE deals SET stage = ? WHERE key = ?", (stage, key))
    connection.commit()
    connection.close()
