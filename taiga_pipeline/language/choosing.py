"""Which language is used: one for the process, another within `use`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

ENGLISH: Final = "en"
LANGUAGES: Final = (ENGLISH, "sv")
"""The languages that there are, by their ISO 639-1 codes."""

VARIABLES: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where a person says which language they read, the strongest first (as gettext has it)."""
_NO_LANGUAGE: Final = ("c", "posix")


@dataclass(slots=True)
class _Process:
    language: str = ENGLISH


_PROCESS: Final = _Process()
_WITHIN: Final[ContextVar[str]] = ContextVar("language", default="")


def used() -> str:
    """Returns the language in which texts are written now: ``en``, ``sv``."""
    return _WITHIN.get() or _PROCESS.language


def begin(language: str) -> None:
    """Chooses the language of the whole process, its threads included."""
    _PROCESS.language = language


@contextmanager
def use(language: str) -> Iterator[None]:
    """Writes texts in ``language`` within; "" changes nothing. Threads begun within have their own.

    A page that many people read is written in the company's language, whoever runs the program;
    an answer of a web server is written in that of whom it is for.
    """
    token = _WITHIN.set(language or _WITHIN.get())
    try:
        yield
    finally:
        _WITHIN.reset(token)


def matching(name: str) -> str:
    """Returns the language meant by ``sv``, ``sv_SE.UTF-8`` or ``sv-FI``; "" if it is unknown."""
    code = name.strip().replace("-", "_").partition("_")[0].partition(".")[0].partition("@")[0]
    return code.casefold() if code.casefold() in LANGUAGES else ""


def of_environment(environment: Mapping[str, str]) -> str:
    """Returns the language that the environment asks for, "" if it asks for none.

    The strongest variable that is set decides. ``LANGUAGE`` may list several, of which the first
    that is known is taken; one that asks for unknown languages alone gets English. ``C`` and
    ``POSIX`` ask for no language.
    """
    value = next((found for name in VARIABLES if (found := environment.get(name, ""))), "")
    asked = [each for each in value.split(":") if each]
    if not asked or asked[0].partition(".")[0].casefold() in _NO_LANGUAGE:
        return ""
    return next((found for each in asked if (found := matching(each))), ENGLISH)
