"""Help in the language that is used: translated where it is written, paragraph by paragraph.

The helps of commands and options stay plain English text in the code; the catalogues take them from
the commands themselves (`tests.language.catalogues`).
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from gettext import bindtextdomain, textdomain
from typing import Final

import click

from taiga_pipeline.language import ENGLISH, text, used
from taiga_pipeline.language.catalogue import DOMAIN, FOLDER

_VARIABLE: Final = "LANGUAGE"
_EXTRA: Final = "  ["
"""What begins the part of an option's help that click writes: its default, its range."""


class TranslatedHelp(click.HelpFormatter):
    """Writes help in the language that is used."""

    def write_heading(self, heading: str) -> None:
        """Writes a heading; those of click itself are translated already."""
        super().write_heading(text(heading))

    def write_text(self, text: str) -> None:
        """Writes what a command does."""
        super().write_text("\n\n".join(translated_help(part) for part in paragraphs(text)))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Writes options or commands, each with what it does."""
        super().write_dl([(name, _row(what)) for name, what in rows], col_max, col_spacing)


class TranslatedContext(click.Context):
    """The context of every command."""

    formatter_class = TranslatedHelp


def paragraphs(help_text: str) -> list[str]:
    """Returns the paragraphs of a help, each on one line unless it is to stay as it is."""
    parts = inspect.cleandoc(help_text).split("\n\n")
    return [part if "\b" in part else " ".join(part.split()) for part in parts]


def translated_help(paragraph: str) -> str:
    """Returns a paragraph of a help in the language that is used."""
    return text(paragraph)


class TranslatedGroup(click.Group):
    """A group that lists its commands in the language that is used."""

    context_class = TranslatedContext

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands, each with what it does in one line."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        shown = [(name, each) for name, each in commands if each and not each.hidden]
        limit = formatter.width - 6 - max((len(name) for name, _each in shown), default=0)
        if shown:
            with formatter.section(text("Commands")):
                formatter.write_dl([(name, short_help(each, limit)) for name, each in shown])


def _row(what: str) -> str:
    own, extra, rest = what.partition(_EXTRA)
    return f"{text(own) if own else ''}{extra}{rest}"


def short_help(command: click.Command, limit: int) -> str:
    """Returns what a command does in one line of at most ``limit`` characters."""
    if used() == ENGLISH:
        return command.get_short_help_str(limit)
    first = paragraphs(command.short_help or command.help or "")[0]
    return click.Command(None, help=text(first)).get_short_help_str(limit)


@contextmanager
def click_in_language() -> Iterator[None]:
    """Lets click's own words ("Usage", "Missing option") be those of our catalogue, within.

    click asks gettext's functions, which know a language by the environment alone.
    """
    former, domain = os.environ.get(_VARIABLE), textdomain()
    bindtextdomain(DOMAIN, str(FOLDER))
    textdomain(DOMAIN)
    follow_language(former)
    try:
        yield
    finally:
        textdomain(domain)
        _set_variable(former)


def follow_language(former: str | None = None) -> None:
    """Lets click speak the language that is used from now on."""
    _set_variable(former if used() == ENGLISH else used())


def _set_variable(value: str | None) -> None:
    if value is None:
        os.environ.pop(_VARIABLE, None)
    else:
        os.environ[_VARIABLE] = value
