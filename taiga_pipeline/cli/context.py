"""What a command is handed: the workspace of the use cases, and how loud the log is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.language import ENGLISH, begin, matching, of_environment

if TYPE_CHECKING:
    from taiga_pipeline.config import Settings

_LANGUAGE: Final = re.compile(r"""^language\s*=\s*["']([^"']+)["']""", re.MULTILINE)
_NAMES: Final = ("PIPELINE_SYNC_USER", "USER", "LOGNAME", "USERNAME")


@dataclass
class CommandContext(Workspace):
    """Handed to every command that asks for it with `pass_context`.

    ``verbosity`` counts the ``-v``s. ``log_format`` is "" until someone chooses one.
    """

    verbosity: int = 0
    quiet: bool = False
    log_format: str = ""
    is_for_programs: bool = False

    def choose_language(self, configured: str | None = None) -> None:
        """Speaks the language of the environment, else ``configured``, else English.

        Without ``configured``, it is looked for in the configuration, which need not be right yet.
        What programs read is English.
        """
        if self.is_for_programs:
            return
        asked = of_environment(self.environment)
        if not asked:
            asked = self._named_language() if configured is None else configured
        begin(asked or ENGLISH)

    def language_of_pages(self) -> str:
        """Returns the language of a page that a person asks for."""
        return self.settings.language or of_environment(self.environment) or ENGLISH

    def _named_language(self) -> str:
        try:
            text = self.config_path.read_text(encoding="utf-8")
        except (OSError, ValueError):  # which is reported by the command that needs it
            return ""
        found = _LANGUAGE.search(text.partition("\n[")[0])
        return matching(found[1]) if found else ""

    def use_config(self, path: str) -> None:
        """Names the configuration file."""
        super().use_config(path)
        self.choose_language()

    def speak_to_programs(self) -> None:
        """Speaks English from now on, whatever the environment asks for."""
        self.is_for_programs = True
        begin(ENGLISH)

    @property
    def by(self) -> str:
        """Who runs the command, for the history: the name of the account, "" if unknown."""
        return next((name for each in _NAMES if (name := self.environment.get(each, ""))), "")

    def be_verbose(self, count: int) -> None:
        """Says more on stderr: 1 for what happens, 2 for every request."""
        self.verbosity = count
        self.start_logging()

    def be_quiet(self) -> None:
        """Says nothing on stderr but errors."""
        self.quiet = True
        self.start_logging()

    def use_log_format(self, name: str) -> None:
        """Chooses how the log looks, whatever the configuration says."""
        self.log_format = name
        self.start_logging()

    def start_logging(self) -> None:
        """Sends the log to stderr, as loud and in the format that was asked for."""
        from taiga_pipeline.cli.log import configure

        configure(self.verbosity, self.quiet, self.log_format)

    def on_settings(self, settings: Settings) -> None:
        """Follows the configuration where no one chose how the log looks."""
        self.log_format = self.log_format or settings.monitoring.log_format
        self.start_logging()
        self.choose_language(settings.language)


pass_context = click.make_pass_decorator(CommandContext)
"""Hands a command its `CommandContext` as the first argument."""
