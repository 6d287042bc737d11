"""Names to slugs, close to what Django and Unidecode make of them."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from taiga_pipeline.sandbox.errors import server_error
from taiga_pipeline.sandbox.store import unique_slug

_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "io",
            "zh",
            "z",
            "i",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "_",
            "y",
            "_",
            "e",
            "iu",
            "ia",
        ],
        strict=True,
    )
)
_SPECIAL = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "þ": "th", "ı": "i"}


LIMIT = 250
"""Characters that a slug's column has. A real server cuts none to fit: it answers 500."""


def slugify(text: str) -> str:
    """Lower-case ASCII words joined by hyphens; "" when nothing is left.

    Latin and Cyrillic letters come out as a real server's; other scripts, for which it has
    tables, as their code points, which are as unique and as stable, and as long as most of what
    a real server makes of a Chinese character (up to six letters and a hyphen).
    """
    ascii_text = "".join(map(_plain, _taken_apart(text.lower())))
    words = re.sub(r"[^\w\s-]", "", ascii_text, flags=re.ASCII)
    return re.sub(r"[-\s]+", "-", words).strip("-_")


def _taken_apart(text: str) -> str:
    """Letters without their accents; Korean syllables stay whole, as on a real server."""
    return "".join(
        each if "\uac00" <= each <= "\ud7a3" else unicodedata.normalize("NFKD", each)
        for each in unicodedata.normalize("NFC", text)
    )


def free_slug(name: str, taken: Iterable[str] | dict[str, Any]) -> str:
    """The slug of something called `name` beside those that are `taken`.

    Raises:
        ApiError: 500 if it is longer than its column.
    """
    slug = unique_slug(slugify(name), taken)
    if len(slug) > LIMIT:
        raise server_error()
    return slug


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character in _CYRILLIC:
        return _CYRILLIC[character].replace("_", "")
    if character in _SPECIAL:
        return _SPECIAL[character]
    return f" u{ord(character):x} " if unicodedata.category(character).startswith("L") else ""
