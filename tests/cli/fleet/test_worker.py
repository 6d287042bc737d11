"""``worker``, ``enqueue`` and ``status --all``: what they ask for, and what they say without it."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest

from taiga_pipeline.installing import how_to_get
from tests.cli.conftest import Run

CONFIG = 'pipeline = "acme"\n[target]\nurl = "https://t.example.com"\ntoken_env = "T"\n'
FLEET = '[queue]\nurl_env = "QUEUE_URL"\n'
NOBODY = "postgresql+psycopg://me:hunter2@127.0.0.1:9/none"


@pytest.fixture
def fleet(run: Run, tmp_path: Path) -> Run:
    """A folder with a fleet of one."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "config.toml").write_text(CONFIG)
    (tmp_path / "workers.toml").write_text(FLEET)
    return run


def test_a_fleet_is_checked_without_its_database(fleet: Run, tmp_path: Path) -> None:
    result = fleet("worker", "--check")
    assert result.exit_code == 0
    assert result.stdout == "1 pipeline on 1 host, no problems found.\n"
    (tmp_path / "acme" / "config.toml").write_text(CONFIG + "tokn = 1\nusernam = 2\n")
    result = fleet("worker", "--check")
    assert result.exit_code == 2
    assert result.stderr.count("acme/config.toml:") == 2


def test_the_fleet_is_named_by_option_or_variable(
    fleet: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "workers.toml").rename(tmp_path / "other.toml")
    assert "there is no fleet 'workers.toml'" in fleet("worker", "--check").stderr
    assert fleet("worker", "--check", "--fleet", "other.toml").exit_code == 0
    environment["PIPELINE_SYNC_FLEET"] = "other.toml"
    assert fleet("worker", "--check").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [("worker", "--once"), ("worker", "--setup"), ("enqueue", "acme"), ("status", "--all")],
    ids=" ".join,
)
def test_a_database_that_does_not_answer_is_named_without_its_password(
    fleet: Run, environment: dict[str, str], arguments: tuple[str, ...]
) -> None:
    assert "QUEUE_URL is not set" in fleet(*arguments).stderr
    environment["QUEUE_URL"] = NOBODY
    result = fleet(*arguments)
    assert result.exit_code == 6
    assert "127.0.0.1:9" in result.stderr
    assert "hunter2" not in result.stderr + result.stdout


def test_what_to_queue_has_to_be_said(fleet: Run) -> None:
    for arguments in ((), ("acme", "--all")):
        result = fleet("enqueue", *arguments)
        assert result.exit_code == 2
        assert "Name the pipelines to run, or use --all." in result.stderr


def test_a_pipeline_that_is_none_is_met_with_the_nearest(fleet: Run) -> None:
    result = fleet("enqueue", "acne")
    assert result.exit_code == 2
    assert "did you mean 'acme'?" in result.stderr


def test_a_fleet_goes_with_all(fleet: Run) -> None:
    result = fleet("status", "--fleet", "workers.toml")
    assert result.exit_code == 2
    assert "--fleet goes with --all" in result.stderr


@pytest.mark.parametrize("command", ["worker", "enqueue"])
def test_without_the_packages_it_says_how_to_get_them(
    fleet: Run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str, *rest: str | None) -> object:
        return None if name == "procrastinate" else util.find_spec(name, *rest)

    monkeypatch.setattr("taiga_pipeline.app.extras.find_spec", find)
    result = fleet(command, "--setup")
    assert result.exit_code == 2
    assert how_to_get("workers") in result.stderr
