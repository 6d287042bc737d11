"""The program as a whole: options, the list of commands, endings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from sync import errors
from taiga_pipeline import __version__
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.errors import INTERRUPTED
from taiga_pipeline.cli.lazy import Entry
from taiga_pipeline.cli.main import COMMANDS, RootGroup, cli
from taiga_pipeline.problems import Problem, ProblemsError

Run = Callable[..., Result]


def failing(error: BaseException) -> click.Command:
    """Returns a program whose only command raises ``error``."""

    @click.command()
    def command() -> None:
        raise error

    group = RootGroup("program", params=[*cli.params])
    group.entries = {"go": Entry(f"{__name__}:GO", "", "")}
    globals()["GO"] = command
    return group


def ending(error: BaseException, *arguments: str) -> tuple[int, str]:
    """Returns the exit code and stderr of a command that raises ``error``."""
    result = CliRunner().invoke(failing(error), arguments or ("go",))
    assert result.stdout == ""
    return result.exit_code, result.stderr


def test_version_is_printed(run: Run) -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"pipeline-sync {__version__}\n")


def test_help_lists_every_command_with_its_sentence(run: Run) -> None:
    text = run("--help").stdout
    for name, entry in COMMANDS.items():
        assert name in text
        assert entry.help in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0, result.stderr
    assert "Usage: " in result.stdout


def test_a_mistyped_command_is_answered_with_the_nearest(run: Run) -> None:
    result = run("statsu")
    assert result.exit_code == 2
    assert "Did you mean 'status'?" in result.stderr


def test_verbose_may_stand_after_the_command(run: Run) -> None:
    assert run("check", "-v").exit_code == 2
    assert "--verbose" in run("check", "--help").stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProblemsError([Problem("bad key", "config.toml", 3, 1)]), 2),
        (errors.StateUnusable("damaged"), 2),
        (errors.Stop("no such database driver"), 2),
        (errors.Rejected("name too long"), 3),
        (errors.Refused("too many"), 4),
        (errors.Locked("another run"), 5),
        (errors.Unauthorised("wrong password"), 6),
        (errors.Unreachable("no server answers"), 6),
        (errors.IncompleteRead("count differs"), 6),
        (errors.Unavailable("try later"), 6),
    ],
)
def test_each_error_has_its_exit_code_and_its_message(error: Exception, code: int) -> None:
    assert ending(error) == (code, f"Error: {error}\n")


def test_an_unforeseen_error_is_one_line_and_a_hint() -> None:
    code, said = ending(KeyError("secret-looking\nsecond line"))
    assert code == 1
    assert said.startswith("Unexpected error: KeyError: ")
    assert "with -v" in said
    assert "Traceback" not in said


def test_verbose_shows_where_an_error_happened() -> None:
    code, said = ending(KeyError("x"), "-v", "go")
    assert code == 1
    assert "Traceback" in said


def test_a_full_disk_is_named() -> None:
    code, said = ending(OSError(28, "No space left on device", "state.db"))
    assert code == 1
    assert "No space left on device: state.db" in said


def test_interrupting_is_no_accident() -> None:
    code, said = ending(KeyboardInterrupt())
    assert code == 130
    assert INTERRUPTED in said


def test_a_message_cannot_command_the_terminal() -> None:
    _, said = ending(errors.Unreachable("\x1b[2Jcleared"))
    assert "\x1b" not in said


def test_the_exit_code_that_a_command_returns_is_the_programs() -> None:
    @click.command()
    def command() -> int:
        return 10

    program = failing(RuntimeError())
    globals()["GO"] = command
    assert CliRunner().invoke(program, ["go"]).exit_code == 10


def test_the_configuration_can_be_named_by_option_and_variable() -> None:
    context = CommandContext(environment={"PIPELINE_SYNC_CONFIG": "/etc/a.toml"})
    assert context.config_path == Path("/etc/a.toml")
    context.use_config("b.toml")
    assert context.config_path == Path("b.toml")
    assert CommandContext(environment={}).config_path == Path("config.toml")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    script = "from taiga_pipeline.cli.main import main; main()"
    command = f'"{sys.executable}" -c "{script}" --help | true; echo "${{PIPESTATUS[0]}}"'
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=120, check=True
    )
    assert (result.stdout, result.stderr) == ("0\n", "")


def test_the_installed_program_runs() -> None:
    script = Path(sys.executable).with_name("pipeline-sync")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "taiga_pipeline"]
    result = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, timeout=120, check=True
    )
    assert result.stdout == f"pipeline-sync {__version__}\n"
