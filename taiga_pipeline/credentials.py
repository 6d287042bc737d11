"""Secrets: looked up when they are used, shown to nobody."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from taiga_pipeline.problems import Problem, ProblemsError

_OTHERS = stat.S_IRWXO


class SecretError(ProblemsError):
    """A secret cannot be had from where the configuration says it is."""

    def __init__(self, message: str) -> None:
        super().__init__([Problem(message)])


class Secret:
    """A value that never shows itself in a message, a log or a traceback."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Returns the value, for the one who logs in with it."""
        return self._value

    def __repr__(self) -> str:
        return "(secret)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def from_environment(setting: str, variable: str, environment: Mapping[str, str]) -> Secret:
    """Returns the secret in an environment variable.

    :raises SecretError: the variable is missing or empty.
    """
    value = environment.get(variable, "")
    if not value:
        raise SecretError(
            f"{setting}: the environment variable {variable} is not set; "
            f"set it for this shell with 'export {variable}=...', or in the timer's environment"
        )
    return Secret(value)


def from_file(setting: str, path: Path) -> Secret:
    """Returns the secret in a file, without the line's end.

    :raises SecretError: the file is missing, empty, or open to everybody on the machine.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SecretError(f"{setting}: cannot read {path}: {reason}") from None
    if mode & _OTHERS:
        raise SecretError(
            f"{setting}: {path} is open to everybody on this machine "
            f"(mode {stat.S_IMODE(mode):04o}); run 'chmod 600 {path}'"
        )
    value = text.rstrip("\r\n")
    if not value:
        raise SecretError(f"{setting}: {path} is empty")
    return Secret(value)
