"""What the commands of a world print, each asked for once."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import requests

from tests.reliability.hostile.checks import commands_in
from tests.reliability.hostile.world import World

_World = TypeVar("_World")
_Made = TypeVar("_Made")


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
        at = arguments.index("--") if "--" in arguments else len(arguments)
        command = (*arguments[:at], "--json", *arguments[at:])
        return _parsed(self.text(*command, codes=codes))

    def rows(self, *arguments: str, about: str) -> str:
        """Returns the lines of a command's output that name a deal or a person."""
        found = [row for row in self.text(*arguments).split("\n") if about in row]
        assert found, about
        return "\n".join(found)


class InTaiga(Commands):
    """The same for a world that was synced; and what is in Taiga."""

    def listed(self, path: str) -> list[dict[str, Any]]:
        """Returns all of a kind that there is in Taiga."""
        assert self.world.taiga is not None
        headers = {"Authorization": f"Bearer {self._token}", "x-disable-pagination": "1"}
        answer = requests.get(f"{self.world.url}/api/v1/{path}", headers=headers, timeout=120)
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows

    @cached_property
    def _token(self) -> str:
        body = {"type": "normal", "username": self.world.username, "password": self.world.password}
        answer = requests.post(f"{self.world.url}/api/v1/auth", json=body, timeout=120)
        return str(answer.json()["auth_token"])


@lru_cache(maxsize=100)
def _parsed(text: str) -> Any:
    assert commands_in(text) == []
    return json.loads(text)


def made_once(make: Callable[[_World], _Made]) -> Callable[[_World], _Made]:
    """Makes a function remember what it made of a world (of the last that it was asked about)."""
    return lru_cache(maxsize=1)(make)


def printed(show: Callable[..., None], *arguments: Any) -> str:
    """Returns what a function prints on stdout and stderr."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        show(*arguments)
    return stream.getvalue()
