"""Every command, when something that it stands on is not what it should be: no code 1, ever."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click
import pytest
from click.testing import CliRunner

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli

pytestmark = pytest.mark.sampled_tests(5)

CALLS: Final = {
    "plan": "",
    "run": "",
    "status": "",
    "history": "D-101",
    "conflicts": "",
    "resolve": "D-101 --take sales",
    "adopt": "D-101 1",
    "join": "D-101 D-102",
    "unlink": "D-101",
    "state show": "",
    "state move": "--yes",
    "backup": "backup.tar.gz",
    "store copy": "--to-store sqlite:///other.db",
    "deals list": "",
    "deals show": "D-101",
    "deals add": "N-1 New --stage Proposal",
    "deals note": "D-101 Called.",
    "deals notes": "D-101",
    "deals similar": "D-101",
    "deals retrospective": "D-105 --ended",
    "deals rename": "D-101 N-101",
    "deals remove": "D-116",
    "deals edit": "D-101 --value 5",
    "deals move": "D-101 Qualified",
    "deals done": "D-101 nothing",
    "deals import": "deals.csv",
    "deals export": "out.csv",
    "calendar export": "out.ics",
    "deals staff": "D-101",
    "changes": "",
    "digest": "",
    "people list": "",
    "people add": "zed@example.test Zed --role Back",
    "people edit": "dora@example.test --role Back",
    "people import": "people.csv",
    "people export": "out.csv",
    "people history": "dora@example.test",
    "people rename": "dora@example.test dot@example.test",
    "people remove": "dora@example.test",
    "customers list": "",
    "customers show": "Acme",
    "customers join": "Acme Bolt",
    "customers apart": "Acme Bolt",
    "people rate set": "Back --cost 60 --currency EUR",
    "people rate list": "",
    "people rate history": "",
    "people rate remove": "Back",
    "people rate import": "rates.csv",
    "people rate export": "out.csv",
    "people allocations list": "",
    "people allocations export": "out.csv",
    "people allocations import": "allocations.csv",
    "people off list": "",
    "people off add": "dora@example.test 2027-01-04",
    "people off remove": "dora@example.test 2027-01-04",
    "people off export": "out.csv",
    "people off import": "off.ics",
    "mapping check": "",
    "mapping explain": "D-101",
    "mapping diff": "mappings",
    "mapping schema": "",
    "capacity": "--trials 20",
    "forecast": "",
    "metrics": "",
    "report": "--trials 20",
    "scenario add": "both --win D-101",
    "scenario list": "",
    "scenario show": "both",
    "scenario compare": "",
    "scenario history": "both",
    "scenario delete": "both",
    "staff suggest": "",
    "staff advise": "--quick",
    "staff who": "D-105",
    "staff accept": "",
    "worker": "--fleet fleet.toml --check",
    "enqueue": "acme --fleet fleet.toml",
    "web user add": "zed --role read --no-password",
    "web user list": "",
    "web user remove": "zed",
    "init": ".",
    "check": "",
    "schedule": "systemd",
    "secrets rotate": "target",
}
ROOT: Final = Path(__file__).parents[2]
NOT_HERE: Final = {"demo", "sandbox"}
"""They serve until they are ended, and need no configuration; they have tests of their own."""


def leaves(group: click.Command, names: tuple[str, ...] = ()) -> Iterator[str]:
    """Yields the names of all commands."""
    context = click.Context(group)
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from leaves(found, (*names, name))
    else:
        yield " ".join(names)


def test_it_is_every_command() -> None:
    assert set(leaves(cli)) == CALLS.keys() | NOT_HERE


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "pipeline"
    init = ["init", str(folder), "--sample", "--taiga-url", "http://127.0.0.1:9"]
    assert (
        CliRunner().invoke(cli, [*init, "--username", "bot"], obj=CommandContext()).exit_code == 0
    )
    (folder / "deals.csv").write_text("key,name,stage\nZ-1,Zed,Lead\n")
    (folder / "people.csv").write_text("email,name\nz@example.test,Zed\n")
    (folder / "allocations.csv").write_text("deal,person\nD-101,z@example.test\n")
    (folder / "rates.csv").write_text("role,cost\nBack,60 EUR\n")
    (folder / "off.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    return folder


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def nothing(path: Path) -> None:
    """Leaves nothing there."""


def garbage(path: Path) -> None:
    path.write_bytes(b"\0\xff\xfe no text at all " * 100)


def loop(path: Path) -> None:
    path.symlink_to(path)


def full(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("")


INPUTS: Final = ("deals.csv", "people.csv", "off.ics", "allocations.csv", "rates.csv", "fleet.toml")
OUTPUTS: Final = ("out.csv", "backup.tar.gz", "staffing.json", "scenarios.toml", "other.db")
USE_FILES: Final = {"deals", "people", "backup", "store", "staff", "scenario", "worker", "enqueue"}
SITUATIONS: Final[dict[str, tuple[tuple[str, ...], Callable[[Path], None]]]] = {
    "an empty folder": (("config.toml", "mappings", "pipeline.db", "state.db"), nothing),
    "a folder in the place of the configuration": (("config.toml",), Path.mkdir),
    "a file in the place of the mappings": (("mappings",), garbage),
    "a store that is a link to itself": (("pipeline.db",), loop),
    "a state that is a folder": (("state.db", "state.db.lock"), full),
    "inputs that are not text": (INPUTS, garbage),
    "folders in the place of outputs": (OUTPUTS, full),
}


def unexpected(sample: Path, odd: Path, situation: str = "") -> dict[str, str]:
    """Calls every command in copies of a folder; returns what those said that ended with 1."""
    files, state = SITUATIONS.get(situation, ((), nothing))
    said = {}
    for name, arguments in CALLS.items():
        if files in (INPUTS, OUTPUTS) and name.split()[0] not in USE_FILES:
            continue
        shutil.rmtree(odd, ignore_errors=True)
        shutil.copytree(sample, odd)
        for file in files:
            _remove(odd / file)
            state(odd / file)
        os.chdir(odd)
        words = [*name.split(), *arguments.split()]
        result = CliRunner().invoke(
            cli, words, obj=CommandContext(environment={"TAIGA_PASSWORD": "x"})
        )
        if result.exit_code in (1, None) or "Unexpected error" in result.stderr:
            said[name] = result.stderr[-300:]
    return said


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_command_ends_as_unexpected(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, situation: str
) -> None:
    monkeypatch.chdir(tmp_path)  # and back
    assert unexpected(sample, tmp_path / "pipeline", situation) == {}


WITHOUT_EXTRAS: Final = """
import json, pathlib, sys
from taiga_pipeline.installing import MODULES
sys.modules.update(dict.fromkeys(MODULES))  # whoever imports one of them finds that it is missing
from tests.reliability.test_every_command import unexpected
print(json.dumps(unexpected(*map(pathlib.Path, sys.argv[1:]))))
"""


def test_no_command_ends_as_unexpected_on_an_installation_without_extras(
    sample: Path, tmp_path: Path
) -> None:
    """It is another process: in this one, the packages are there already."""
    command = [sys.executable, "-c", WITHOUT_EXTRAS, str(sample), str(tmp_path / "pipeline")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    assert json.loads(done.stdout) == {}
