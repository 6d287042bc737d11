"""What the commands of a world print, each asked for once."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tests.reliability.hostile_checks import commands_in
from tests.reliability.hostile_world import World


class Commands:
    """Runs each command once, when its output is first looked at, and keeps that."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._texts: dict[tuple[str, ...], tuple[str, str]] = {}

    def text(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Returns what a command prints."""
        return self.both(*arguments, codes=codes)[0]

    def both(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> tuple[str, str]:
        """Returns what a command prints, and what it says on stderr."""
        if arguments not in self._texts:
            result = self.world.run(*arguments)
            assert result.exit_code in codes, result.output
            self._texts[arguments] = (result.stdout, result.stderr)
        return self._texts[arguments]

    def data(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
        """Returns what a command prints as JSON, in which no character does harm."""
        return _parsed(self.text(*arguments, "--json", codes=codes))

    def rows(self, *arguments: str, about: str) -> str:
        """Returns the lines of a command's output that name a deal or a person."""
        found = [row for row in self.text(*arguments).split("\n") if about in row]
        assert found, about
        return "\n".join(found)


@lru_cache(maxsize=100)
def _parsed(text: str) -> Any:
    assert commands_in(text) == []
    return json.loads(text)


def printed(show: Callable[..., None], *arguments: Any) -> str:
    """Returns what a function prints on stdout and stderr."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        show(*arguments)
    return stream.getvalue()
