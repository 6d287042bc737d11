"""A dash for a file: standard input or output in every command that takes one, or refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.file_arguments import Place, ReadFile, WrittenFile
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import FixedClock, Run

pytestmark = pytest.mark.sampled_tests(12)

MAIN = [sys.executable, "-m", "taiga_pipeline"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pipeline")
    program(place, "init . --sample --taiga-url http://127.0.0.1:9 --username bot")
    return place


def program(place: Path, line: str, content: bytes = b"", code: int = 0) -> bytes:
    done = subprocess.run(
        [*MAIN, *line.split()], cwd=place, input=content, capture_output=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert not list(place.glob("-*")), "a file was made whose name is a dash"
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize(
    ("things", "unchanged"),
    [
        ("deals", b"64 unchanged"),
        ("people", b"8 unchanged"),
        ("people off", b"6 unchanged"),
        ("people allocations", b"72 unchanged"),
    ],
)
def test_what_is_exported_to_a_dash_is_imported_from_a_dash(
    folder: Path, things: str, unchanged: bytes
) -> None:
    exported = program(folder, f"{things} export -")
    assert exported == program(folder, f"{things} export")
    assert unchanged in program(folder, f"{things} import -", exported)


def test_a_calendar_is_told_from_standard_input_too(folder: Path) -> None:
    content = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"
    assert b"0 left out" in program(folder, "people off import -", content)


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("mapping schema --out -", b"{"),
        ("capacity --csv - --trials 10", b"role,week,"),
        ("report - --trials 10", b"<!doctype html>"),
        ("staff suggest --quick --out -", b"{"),
    ],
)
def test_results_go_to_a_dash_alone(folder: Path, line: str, begins: bytes) -> None:
    assert program(folder, line).startswith(begins)


def test_a_backup_to_a_dash_is_whole(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(program(folder, "backup -"))) as archive:
        assert "pipeline.db" in archive.getnames()


def test_a_plan_goes_to_a_dash_alone_and_comes_from_one(
    run: Run, taiga: Sandbox, environment: dict[str, str]
) -> None:
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--sample", "--taiga-url", taiga.url, "--username", taiga.username)
    plan = run("plan", "--out", "-")
    assert json.loads(plan.stdout)["fingerprint"]
    context = CommandContext(clock=FixedClock(), environment=environment)
    arguments = ["run", "--plan", "-", "--allow", "create", "--allow", "staff"]
    done = CliRunner().invoke(cli, arguments, obj=context, input=plan.stdout)
    assert "saved plan" not in done.output


@pytest.mark.parametrize("command", ["check", "diff"])
def test_a_mapping_is_read_from_a_dash(folder: Path, command: str) -> None:
    content = (folder / "mappings/default.toml").read_bytes()
    assert program(folder, f"mapping {command} -", content)


@pytest.mark.parametrize(
    "line",
    ["init -", "report --png -", "--config - check", "sandbox --data -", "status --all --fleet -"],
)
def test_what_cannot_be_a_stream_is_refused(folder: Path, line: str) -> None:
    assert b"./-" in program(folder, line, code=2)


def test_no_command_takes_a_path_without_deciding_what_a_dash_means() -> None:
    def walk(command: click.Command, name: str) -> None:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for each in command.list_commands(context):
                found = command.get_command(context, each)
                assert found is not None
                walk(found, f"{name} {each}")
        for parameter in command.params:
            if isinstance(parameter.type, click.Path | click.File):
                assert isinstance(parameter.type, ReadFile | WrittenFile | Place), name

    walk(cli, "pipeline-sync")
