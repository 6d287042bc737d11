"""What a command works with: the settings, the clock, and doors to stores and adapters.

Everything is opened when it is first asked for, so that a command pays only for what it uses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from taiga_pipeline.config import Settings

CONFIG_VARIABLE: Final = "PIPELINE_SYNC_CONFIG"
DEFAULT_CONFIG: Final = "config.toml"


def utc_now() -> datetime:
    """Returns the time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass
class Context:
    """Handed to every command that asks for it with `pass_context`.

    ``clock`` returns aware UTC; ``environment`` is where secrets' variables are looked up.
    ``verbosity`` counts the ``-v``s.
    """

    clock: Callable[[], datetime] = utc_now
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    verbosity: int = 0
    quiet: bool = False
    _config: str | None = None
    _settings: Settings | None = None

    def use_config(self, path: str) -> None:
        """Names the configuration file."""
        self._config = path
        self._settings = None

    def be_verbose(self, count: int) -> None:
        """Says more on stderr: 1 for what happens, 2 for every request."""
        self.verbosity = count
        self.start_logging()

    def be_quiet(self) -> None:
        """Says nothing on stderr but errors."""
        self.quiet = True
        self.start_logging()

    def start_logging(self) -> None:
        """Sends the log to stderr, as loud as was asked for."""
        from taiga_pipeline.cli.log import configure  # noqa: PLC0415

        configure(self.verbosity, self.quiet)

    @property
    def config_path(self) -> Path:
        """The configuration file: ``--config``, else the variable, else ``./config.toml``."""
        return Path(self._config or self.environment.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)

    @property
    def settings(self) -> Settings:
        """The configuration, loaded once.

        :raises ConfigErrors: every problem in it, with file, line and column.
        """
        if self._settings is None:
            from taiga_pipeline.config import load  # noqa: PLC0415

            self._settings = load(self.config_path)
        return self._settings


pass_context = click.make_pass_decorator(Context)
"""Hands a command its `Context` as the first argument."""
