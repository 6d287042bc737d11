"""A group of commands that imports a command's module only when the command is used.

The names and the one-line helps are in a table, so that `--version`, `--help` and a typing
error cost no import of a database or HTTP library.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import click

from taiga_pipeline.cli.translated_help import TranslatedContext, TranslatedGroup
from taiga_pipeline.language import text as _


@dataclass(frozen=True, slots=True)
class Entry:
    """A command (``.module:attribute`` from this package on), its one-line help, its section."""

    target: str
    help: str
    section: str

    def load(self) -> click.Command:
        """Imports the command."""
        module, attribute = self.target.split(":")
        command = getattr(importlib.import_module(module, __package__), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is not a command")
        return command


class LazyGroup(TranslatedGroup):
    """A group over a table of entries.

    ``shared_options`` are added to every command below, so that ``-v`` may stand anywhere.
    """

    entries: Mapping[str, Entry] = {}
    shared_options: tuple[click.Parameter, ...] = ()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names in the order of the table."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command, None if there is none of that name."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        command = entry.load()
        share_options(command, self.shared_options)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command; a name that does not exist is answered with the nearest one."""
        name = args[0]
        if name in self.entries or ctx.resilient_parsing or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, self.entries, n=1)
        message = _("No such command {name!r}.", name=name)
        if near:
            message += " " + _("Did you mean {name!r}?", name=near[0])
        raise click.UsageError(message, ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands' helps from the table, section by section."""
        for section in dict.fromkeys(entry.section for entry in self.entries.values()):
            rows = [(name, e.help) for name, e in self.entries.items() if e.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)


class PartlyLazyGroup(TranslatedGroup):
    """A group of which some commands, the ``later`` ones, are imported only when they are used."""

    later: Mapping[str, Entry] = {}
    shared_options: tuple[click.Parameter, ...] = ()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names by letters."""
        return sorted({*self.commands, *self.later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns the command, imported if need be; None if there is none of that name."""
        if cmd_name in self.later and cmd_name not in self.commands:
            command = self.later[cmd_name].load()
            share_options(command, self.shared_options)
            self.add_command(command, cmd_name)
        return super().get_command(ctx, cmd_name)


def share_options(command: click.Command, options: Iterable[click.Parameter]) -> None:
    """Adds ``options`` to ``command`` and all commands below it, where names are free.

    Their helps are written in the language that is used.
    """
    command.context_class = TranslatedContext
    taken = {text for parameter in command.params for text in parameter.opts}
    for option in options:
        if not taken & set(option.opts):
            command.params.append(option)
    if isinstance(command, PartlyLazyGroup):
        command.shared_options = tuple(options)
    if isinstance(command, click.Group):
        for child in command.commands.values():
            share_options(child, options)
