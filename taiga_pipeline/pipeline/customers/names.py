"""Names of customers that may be one, written two ways. Pure functions.

What differs only in case, accents, punctuation, blanks or a legal form ("AB", "GmbH", "Inc.") has
the same `identity`. Names that differ by one letter of a longer word are near. Both are
suggestions: the Acme of one country and that of another may be two customers, so nothing is joined
by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final

from taiga_pipeline.look_alikes import as_meant

LEGAL_FORMS: Final = frozenset(
    (
        "ab aktiebolag publ hb kb handelsbolag kommanditbolag ek "
        "as asa aps aktieselskab aksjeselskap is ks ans oy oyj ab oyab ehf hf "
        "gmbh ggmbh mbh ag kg kgaa ohg ug gbr ev eg se "
        "ltd limited plc llp llc lp inc incorporated corp corporation co company pty pvt pte "
        "sa sas sasu sarl eurl srl srls spa snc sl slu sau bv nv vof cv bvba "
        "lda ltda eireli sro doo dd zoo spzoo spk kft zrt nyrt bt ood eood ad oü ou uab sia kk"
    ).split()
)
"""What companies are by law, as it is spelled without dots, strokes and accents."""

_JOINING: Final = frozenset("and und och og et y e".split())
"""Words for "&", which is left out of an identity."""
_LETTERS: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h"}
)
_WITHIN: Final = re.compile(r"['’.]|(?<=\b\w)/(?=\w\b)")
"""Signs within a word: "McDonald's", "S.p.A.", "A/S"."""
_WORDS: Final = re.compile(r"[^\W_]+")
_LONG: Final = 5
"""Letters of a word of which one may differ: in shorter ones, that is another word."""
_CROWD: Final = 6
"""So many names that are all near each other are numbered or lettered, not misspelled."""


class Likeness(StrEnum):
    """Why two names may be one."""

    SAME_BUT_FOR_FORM = "same but for form"
    ONE_LETTER_APART = "one letter apart"


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Names that may be one customer, in the order of their letters."""

    names: tuple[str, ...]
    likeness: Likeness


def words_of(name: str) -> tuple[str, ...]:
    """Returns the words of a name, in lower case and without accents, legal forms left out.

    A name that is nothing but legal forms keeps them; one without a letter or figure has no words.
    """
    decomposed = unicodedata.normalize("NFKD", as_meant(name).casefold())
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    whole = _WORDS.findall(_WITHIN.sub("", plain.translate(_LETTERS)))
    significant = [word for word in whole if word not in _JOINING] or whole
    first, last = 0, len(significant)
    while last > 1 and significant[last - 1] in LEGAL_FORMS:
        last -= 1
    while first < last - 1 and significant[first] in LEGAL_FORMS:
        first += 1
    return tuple(significant[first:last])


def identity(name: str) -> str:
    """Returns what is equal for names that differ in form only."""
    return "".join(words_of(name)) or name.casefold()


def look_alikes(
    names: Iterable[str], apart: Iterable[tuple[str, str]] = ()
) -> tuple[LookAlike, ...]:
    """Returns groups of names that may be one customer; the surer ones first, then by name.

    ``apart`` are pairs of which somebody said that they are two customers. A group in which every
    pair is one of them is left out.
    """
    known = frozenset(frozenset(pair) for pair in apart)
    by_identity: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(filter(None, names))):
        by_identity[identity(name)].append(name)
    same = (group for group in by_identity.values() if len(group) > 1)
    found = [LookAlike(tuple(group), Likeness.SAME_BUT_FOR_FORM) for group in same]
    near = _near_pairs(by_identity)
    found += [LookAlike(pair, Likeness.ONE_LETTER_APART) for pair in near]
    return tuple(each for each in found if not _all_apart(each.names, known))


def _all_apart(names: Sequence[str], apart: frozenset[frozenset[str]]) -> bool:
    return all(frozenset(pair) in apart for pair in combinations(names, 2))


def _near_pairs(by_identity: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Returns names of different identities that differ by one letter of a longer word."""
    holes: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for names in by_identity.values():
        for hole in dict.fromkeys(_holes(words_of(names[0]))):
            holes[hole].append(names[0])
    pairs = {
        (one, other) if one < other else (other, one)
        for group in holes.values()
        if 1 < len(group) < _CROWD
        for one, other in combinations(group, 2)
    }
    return sorted(pairs)


def _holes(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yields the words as they are, and with each letter of each longer word left out.

    Figures stay: "Unit 12" and "Unit 13" are two.
    """
    if words:
        yield tuple(words)
    for place, word in enumerate(words):
        for at, letter in enumerate(word if len(word) >= _LONG else ""):
            if not letter.isdigit():
                hole = f"{word[:at]}{word[at + 1 :]}"
                yield (*words[:place], hole, *words[place + 1 :])
