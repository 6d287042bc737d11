"""Words that stand for nothing: what programs and people write where they know no value."""

from __future__ import annotations

from typing import Final

BLANK_WORDS: Final = frozenset(
    (
        r"\n null (null) <null> [null] nil none (none) n/a n.a. n.a n\a #n/a na nan #nan #null! "
        "- -- --- – — . .. … ? ?? undefined (blank) (leer) (tom) (vacío) (vide) blank (empty) "
        "empty tbd tba tbc k.a. k.a unknown unbekannt okänt okänd inconnu desconocido ukjent ukendt"
    ).split(" ")
) | {
    "not set",
    "(not set)",
    "not available",
    "no value",
    "(no value)",
    "ej angivet",
    "keine angabe",
    "no date",
    "no amount",
}
"""Compared without regard to letter case, in cells of figures and dates only: ``NA`` and ``None``
may be a name."""

_TEXT_BLANKS: Final = frozenset((r"\n", "null", "(null)", "<null>", "[null]", "#n/a", "(none)"))
"""What no customer, owner or team is called."""

_PLACEHOLDERS: Final = frozenset(("-", "--", "–", "—", "n/a", "nan", "none", "undefined"))

SPREADSHEET_ERRORS: Final = frozenset(
    "#ref! #div/0! #value! #name? #num! #error! #spill! #calc!".split()
)


def is_blank(text: str) -> bool:
    """Tells whether a cell of figures or dates says that there is no value."""
    word = " ".join(text.split()).casefold()
    return not word or word in BLANK_WORDS


def is_blank_text(text: str) -> bool:
    """Tells whether a cell of text (a customer, a note) says that there is no value."""
    word = text.strip().casefold()
    return not word or word in _TEXT_BLANKS


def is_blank_key(text: str) -> bool:
    """Tells whether a cell of keys says that there is none: rows that share such a word would be
    taken for one deal."""
    is_rule = not any(map(str.isalnum, text))  # "---", as below the header of a table in a text
    return is_rule or is_placeholder(text) or is_spreadsheet_error(text)


def is_placeholder(text: str) -> bool:
    """Tells whether a cell that may hold names (contacts, actions) says that there are none."""
    return is_blank_text(text) or text.strip().casefold() in _PLACEHOLDERS


def is_spreadsheet_error(text: str) -> bool:
    """Tells whether a spreadsheet could not compute this cell (``#REF!``)."""
    return text.strip().casefold() in SPREADSHEET_ERRORS
