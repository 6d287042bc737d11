"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taiga_pipeline.cli.context import Context
from taiga_pipeline.cli.main import cli

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

    def invoke(*arguments: str, **settings: object) -> Result:
        context = Context(clock=FixedClock(), environment=environment)
        return CliRunner().invoke(cli, arguments, obj=context, **settings)  # type: ignore[arg-type]

    return invoke
