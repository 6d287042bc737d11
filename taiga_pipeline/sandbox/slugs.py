"""Names to slugs, close to what Django and Unidecode make of them."""

import re
import unicodedata

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


def slugify(text: str) -> str:
    """Lower-case ASCII words joined by hyphens; "" when nothing is left.

    Latin and Cyrillic letters come out as a real server's; other scripts, for which it has
    tables, as their code points, which are as unique and as stable.
    """
    ascii_text = "".join(map(_plain, unicodedata.normalize("NFKD", text.lower())))
    words = re.sub(r"[^\w\s-]", "", ascii_text, flags=re.ASCII)
    return re.sub(r"[-\s]+", "-", words).strip("-_")


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character in _CYRILLIC:
        return _CYRILLIC[character].replace("_", "")
    if character in _SPECIAL:
        return _SPECIAL[character]
    return f" {ord(character):x} " if unicodedata.category(character).startswith("L") else ""
