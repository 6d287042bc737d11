"""Timer entries."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from taiga_pipeline.cli.setup.schedule import systemd_argument, systemd_pattern, systemd_quote
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


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "two words",
        "100% sales",
        "a $HOME of ours",
        """quotes ' and " both""",
        "brackets [1] and *",
        "back\\slash",
        "semi; colon # sharp & more",
        "Öl",
    ],
)
def test_systemd_accepts_the_units(run: Run, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG)
    analyse = program("systemd-analyze")
    text = run("schedule", "systemd", "--config", str(folder / "config.toml")).stdout
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


def test_what_holds_the_whole_line_is_not_quoted_and_patterns_are_none(run: Run) -> None:
    assert systemd_pattern("/a [1]/*?%") == r"/a \[1]/\*\?%%"
    assert systemd_argument("/a $b") == '"/a $$b"'


@pytest.mark.parametrize(
    ("name", "message"),
    [("line\nend", "with such a character"), ("blank ", "ends with a blank")],
)
def test_a_path_that_no_unit_can_name_is_refused(
    run: Run, tmp_path: Path, name: str, message: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG)
    result = run("schedule", "systemd", "--config", str(folder / "config.toml"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize("kind", ["cron", "systemd"])
def test_a_pipeline_without_variables_needs_no_file_of_them(
    run: Run, folder: Path, kind: str
) -> None:
    config = CONFIG.replace('token_env = "T"', 'token_file = "token.txt"')
    (folder / "config.toml").write_text(config)
    assert "secrets.env" not in run("schedule", kind).stdout


def test_the_service_may_write_where_the_state_is(run: Run, folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "else where" / "state.db"
    (folder / "sub").mkdir()
    (folder / "sub" / "config.toml").write_text(f'{CONFIG}[sync]\nstate = "sqlite:///{state}"\n')
    text = run("schedule", "systemd", "--config", str(folder / "sub" / "config.toml")).stdout
    assert f'ReadWritePaths={folder}/sub "{state.parent}"' in text


def test_an_account_without_a_name_is_its_number(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_number: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr("taiga_pipeline.cli.setup.schedule.pwd.getpwuid", nobody)
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert f"User={os.getuid()}\n" in run("schedule", "systemd").stdout


def test_a_configuration_that_does_not_load_gets_no_entry(run: Run) -> None:
    result = run("schedule", "cron")
    assert result.exit_code == 2
    assert result.stdout == ""
