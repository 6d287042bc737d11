"""Secrets: looked up when they are used, never shown."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

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
    return Secret(_readable(f"{setting}: the environment variable {variable}", value))


def from_file(setting: str, path: Path) -> Secret:
    """Returns the secret in a file, without the line's end.

    :raises SecretError: the file is missing, empty, or open to everyone on the machine.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SecretError(f"{setting}: cannot read {path}: {reason}") from None
    if mode & _OTHERS:
        raise SecretError(
            f"{setting}: {path} can be read by every user of this machine (mode "
            f"{stat.S_IMODE(mode):04o}); run 'chmod 600 {path}'"
        )
    value = text.rstrip("\r\n")
    if not value:
        raise SecretError(f"{setting}: {path} is empty")
    return Secret(value)


def for_header(setting: str, secret: Secret) -> Secret:
    """Returns a token without the blanks around it, as it can be in a header of HTTP.

    :raises SecretError: a character in it can be in none; the message has its place only.
    """
    value = secret.reveal().strip()
    for number, character in enumerate(value, 1):
        if not "!" <= character <= "~":
            name = "a blank" if character == " " else f"U+{ord(character):04X}"
            raise SecretError(
                f"{setting}: the token holds a character that no HTTP header can carry "
                f"({name}, character {number} of {len(value)}); copy the token again, alone"
            )
    return Secret(value)


def _readable(what: str, value: str) -> str:
    """Returns a value of the environment.

    :raises SecretError: it is not text, or a line end of Windows stands at its end.
    """
    if value.endswith(("\r", "\n")):
        raise SecretError(
            f"{what} ends with a line end; save the file that sets it with Unix line ends (LF), "
            "and write nothing after the value"
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise SecretError(f"{what} is not UTF-8 text; save the file that sets it so") from None
    return value


_SINGLE: Final = re.compile(r"'([^']*)'")
_DOUBLE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BARE: Final = re.compile(r"(?:[^'\"\\\s]|\\.)(?:[^\\]|\\.)*")
_ESCAPED: Final = re.compile(r'\\(["\\`$])')


def unquoted(value: str) -> str:
    """Returns what a value in a file of ``NAME=value`` lines stands for.

    It is read as systemd reads it: quoted pieces one after the other, then plain characters. What
    is quoted well means the same to a shell.
    """
    value, found, at = value.strip(), "", 0
    while at < len(value):
        single, double = _SINGLE.match(value, at), _DOUBLE.match(value, at)
        if single:
            found, at = found + single[1], single.end()
        elif double:
            found, at = found + _ESCAPED.sub(r"\1", double[1]), double.end()
        else:
            bare = _BARE.fullmatch(value, at)
            return found + re.sub(r"\\(.)", r"\1", bare[0]) if bare else found + value[at:]
    return found
