"""Characters that word processors and web pages put where a plain one is meant."""

from __future__ import annotations

import unicodedata
from typing import Final

_QUOTES: Final = "“”„‟«»″＂"
_APOSTROPHES: Final = "‘’‚‛′´"
_DASHES: Final = "‐‑‒–—―−﹣－"
_BLANKS: Final = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
INVISIBLE: Final = "\u200b\u2060\ufeff"
"""They are invisible, and no language needs them."""

_MEANT: Final[dict[str, str]] = {
    **dict.fromkeys(_QUOTES, 'a plain "'),
    **dict.fromkeys(_APOSTROPHES, "a plain '"),
    **dict.fromkeys(_DASHES, "a plain -"),
    **dict.fromkeys(_BLANKS + "\u202f\u205f\u3000", "a plain blank"),
    **dict.fromkeys(INVISIBLE + "\u200c\u200d\u200e\u200f\u00ad", "nothing: delete it"),
    "＝": "a plain =",
    "［": "a plain [",
    "］": "a plain ]",
    "＃": "a plain #",
    "．": "a plain .",
    "：": "a plain :",
    "／": "a plain /",
    "∕": "a plain /",
    "⁄": "a plain /",
}


_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_APOSTROPHES, "'"),
        **dict.fromkeys(_QUOTES, '"'),
        **dict.fromkeys(_BLANKS + "\u202f\u205f\u3000", " "),
        **dict.fromkeys(INVISIBLE + "\u200e\u200f\u00ad", ""),
        "＝": "=",
        "＃": "#",
        "．": ".",
        "／": "/",
    }
)


def as_meant(text: str) -> str:
    """Returns a text with the plain characters that others look like, and none that is unseen."""
    return text.translate(_PLAIN).strip()


def first_look_alike(text: str, among: str = "") -> int:
    """Returns where the first such character stands, from 0; -1 if there is none.

    :param among: only these count.
    """
    found = (at for at, each in enumerate(text) if each in _MEANT and (not among or each in among))
    return next(found, -1)


def explain_look_alike(text: str, among: str = "") -> str:
    """Says which character is not what it looks like, and what to write; "" if there is none."""
    at = first_look_alike(text, among)
    if at < 0:
        return ""
    character = text[at]
    shown = f"{character} " if character.isprintable() else ""
    name = unicodedata.name(character, "").lower() or "a character without a name"
    return (
        f"it holds {shown}(U+{ord(character):04X}, {name}), as word processors and web pages "
        f"write it; what is meant is {_MEANT[character]}"
    )
