"""Timer entries."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from taiga_pipeline.cli.schedule import systemd_quote
from tests.live.leaving_out import program

Run = Callable[..., Result]

CONFIG = 'pipeline = "acme"\n[target]\nurl = "https://taiga.example.com"\ntoken_env = "T"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def test_cron_gets_absolute_paths_and_the_interval(run: Run, folder: Path) -> None:
    entry = run("schedule", "cron", "--minutes", "5").stdout.splitlines()[-1]
    assert entry.startswith("*/5 * * * * set -a; . ")
    assert f"--config {folder}/config.toml run" in entry
    assert f"{folder}/secrets.env" in entry


def test_crons_own_special_character_is_escaped(run: Run, tmp_path: Path) -> None:
    odd = tmp_path / "100% sales"
    odd.mkdir()
    (odd / "config.toml").write_text(CONFIG)
    entry = run("schedule", "cron", "--config", str(odd / "config.toml")).stdout.splitlines()[-1]
    assert r"100\% sales/config.toml'" in entry


def test_systemd_gets_a_service_and_a_timer(run: Run, folder: Path) -> None:
    text = run("schedule", "systemd").stdout
    assert f"EnvironmentFile={folder}/secrets.env" in text
    assert "SuccessExitStatus=3 5" in text
    assert "OnCalendar=*:0/15" in text
    assert "/etc/systemd/system/pipeline-sync-acme.timer" in text


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("/a/b", "/a/b"), ("/a b", '"/a b"'), ("50%", "50%%"), ('a"b', '"a\\"b"')],
)
def test_systemd_reads_a_quoted_path_as_one_word(word: str, quoted: str) -> None:
    assert systemd_quote(word) == quoted


def test_systemd_accepts_the_units(run: Run, folder: Path, tmp_path: Path) -> None:
    analyse = program("systemd-analyze")
    text = run("schedule", "systemd").stdout
    service, timer = text.split("# 2. Save this part")
    units = tmp_path / "units"
    units.mkdir()
    (units / "pipeline-sync-acme.service").write_text(service)
    (units / "pipeline-sync-acme.timer").write_text(timer.partition("\n")[2])
    result = subprocess.run(
        [analyse, "verify", *map(str, sorted(units.iterdir()))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    complaints = [line for line in result.stderr.splitlines() if "pipeline-sync-acme" in line]
    assert complaints == []


def test_a_configuration_that_does_not_load_gets_no_entry(run: Run) -> None:
    result = run("schedule", "cron")
    assert result.exit_code == 2
    assert result.stdout == ""
