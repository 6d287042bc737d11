"""Commands that messages tell people to use, written so that a shell takes them for no more."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Iterator
from typing import Final

PROGRAM: Final = "pipeline-sync"
_MOST_ACCENTS: Final = 4
"""More of them on a letter cover the lines above and below."""
_SUPPLEMENT: Final = 0xE0000
"""From here on, characters cannot be seen."""


def command(name: str, *operands: str, options: str = "") -> str:
    """Returns a command line that can be pasted into a shell.

    ``name`` (``deals edit``) and ``options`` (``--take sales``) are written as they are, each
    operand as one word, whatever it holds. One that begins like an option is put behind ``--``.
    """
    words = [word(operand) for operand in operands]
    if any(operand.startswith("-") for operand in operands):
        parts = [PROGRAM, name, options, "--", *words]
    else:
        parts = [PROGRAM, name, *words, options]
    return " ".join(part for part in parts if part)


def word(text: str) -> str:
    """Returns ``text`` as one word of a shell, without anything that a terminal would obey.

    What cannot be shown is written by its bytes (``$'\\033[2J'``, which bash, zsh and POSIX 2024
    know): quoted alone, it would be copied as something else than it is.
    """
    pieces = list(_pieces(text))
    if "".join(pieces) == text:
        return shlex.quote(text)
    quoted = (_in_quotes(piece) if len(piece) == 1 else piece for piece in pieces)
    return f"$'{''.join(quoted)}'"


def _in_quotes(character: str) -> str:
    return f"\\{character}" if character in "\\'" else character


def _pieces(text: str) -> Iterator[str]:
    """Yields the characters; for each that cannot be shown, its bytes in octal."""
    accents = 0
    for character in text:
        accents = accents + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if _is_shown(character) and accents <= _MOST_ACCENTS:
            yield character
        else:
            yield "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogatepass"))


def _is_shown(character: str) -> bool:
    return character.isprintable() and ord(character) < _SUPPLEMENT
