"""Yes and no, as people and spreadsheets write them."""

from __future__ import annotations

from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.text import folded, line

_YES: Final = frozenset(
    "yes y true t 1 on x ✓ ✔ ☑ checked ja j sant sann wahr si sì s verdadero oui vrai sim "
    "verdadeiro waar sand sandt kyllä tak".split()
) | {folded("sí")}
_NO: Final = frozenset(
    "no n false f 0 off ✗ ✘ ☐ unchecked nej nei nein nee falskt falsk falsch falso non faux não "
    "nao onwaar usann usand ei nie".split()
)
_SHOWN: Final = 40

YES: Final = "yes"
NO: Final = "no"


def read_yes_no(text: str) -> bool:
    """Reads whether something is so: ``yes``, ``Ja``, ``TRUE``, ``1``, ``x``, ``nej``, ``FALSCH``.

    English, Swedish, German, French, Spanish, Portuguese, Dutch, Danish and Norwegian, with what
    spreadsheets write in them.

    :raises InvalidValue: it is neither.
    """
    word = folded(line(text)).removesuffix(".0")
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise InvalidValue(f"{text.strip()[:_SHOWN]!r} is neither yes nor no")
