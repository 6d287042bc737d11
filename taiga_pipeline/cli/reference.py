"""The commands as a page of the docs: ``python -m taiga_pipeline.cli.reference > docs/cli.md``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.lazy import LazyGroup
from taiga_pipeline.cli.main import SHARED_OPTIONS, cli

INTRODUCTION = """\
# Commands

This page is made from the program's own help (`python -m taiga_pipeline.cli.reference`).

The result goes to stdout, the log to stderr. `--json` prints the result as one JSON document.
Colours and progress bars appear on a terminal only (set `NO_COLOR` for none).

These options may stand before or after any command:

"""
MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.UNEXPECTED: "something unexpected: a fault in the program or on the machine",
    ExitCode.USAGE: "the command line, configuration, a mapping or the state store is to be fixed",
    ExitCode.PARTIAL: "done in part: conflicts, failed or left-out records; the others were synced",
    ExitCode.REFUSED: "refused by a limit; nothing was applied",
    ExitCode.LOCKED: "another run is at work",
    ExitCode.UNREACHABLE: "source or target cannot be reached, or does not let the account in",
    ExitCode.STALE: "`status --max-age`: the last success is too long ago",
    ExitCode.PENDING: "`plan --exit-code`: there is something to do",
    ExitCode.INTERRUPTED: "ended by Ctrl-C",
}


def lines() -> Iterator[str]:
    """Yields the page, line by line."""
    yield from INTRODUCTION.splitlines()
    yield from _options(click.Context(cli), list(SHARED_OPTIONS))
    yield from ("", "| exit code | means |", "|---|---|")
    for code, meaning in MEANINGS.items():
        yield f"| {code.value} | {meaning} |"
    context = click.Context(cli, info_name="pipeline-sync")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield from _command(command, click.Context(command, info_name=name, parent=context))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yields a command's section, then those of the commands below it."""
    depth = "##" if isinstance(context.parent and context.parent.command, LazyGroup) else "###"
    yield from ("", f"{depth} {context.command_path}", "")
    yield from _paragraphs(command.help or "")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ("", "```text", usage, "```")
    own = [p for p in command.params if isinstance(p, click.Option) and p not in SHARED_OPTIONS]
    if own:
        yield ""
        yield from _options(context, own)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _command(child, click.Context(child, info_name=name, parent=context))


def _paragraphs(text: str) -> Iterator[str]:
    """Yields a docstring without its indentation and the marks that keep click from wrapping."""
    yield from inspect.cleandoc(text.replace("\b", "")).splitlines()


def _options(
    context: click.Context, options: list[click.Parameter] | list[click.Option]
) -> Iterator[str]:
    yield from ("| option | does |", "|---|---|")
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            name, meaning = (" ".join(part.split()).replace("|", "\\|") for part in record)
            yield f"| `{name}` | {meaning} |"


if __name__ == "__main__":
    click.echo("\n".join(lines()))
