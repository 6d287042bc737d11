"""Which column of a file stands for which field, by the headers of well-known programs.

English, Swedish, German, French, Spanish, Portuguese, Dutch, Danish, Norwegian, Finnish, Italian,
Polish and Czech; Salesforce, HubSpot, Pipedrive, Dynamics, Odoo, Zoho, Bitrix24, vtiger and
SuiteCRM.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable
from taiga_pipeline.pipeline.fields.headers import WEIGHTED
from taiga_pipeline.pipeline.fields.table import BUILT_IN, STATUS
from taiga_pipeline.pipeline.importing.contents import (
    ENDING,
    Content,
    ContentOf,
    beside,
    unknown_content,
)
from taiga_pipeline.pipeline.values.patterns import pattern
from taiga_pipeline.pipeline.values.units import read_unit

_PREFIX: Final = pattern(
    r"^\s*(?:deal|opportunity|lead|affär|chance|verkaufschance|oportunidad|affaire)\s*[-–:.]\s*",
    re.I,
)
_LONGEST: Final = 80
_BRACKETS: Final = pattern(r"[(\[](?P<words>[^()\[\]]*)[)\]]")
_UNIT: Final = pattern(r"\s*[(\[][^()\[\]]*[)\]]\s*|\s*%\s*|\s+(?:in|i|en|em)\s+\S{1,8}$", re.I)


def plain_header(header: str) -> str:
    """Returns a header in the form in which it is compared: letters and digits only.

    The Turkish i without a dot is one with a dot: in capital letters, nothing tells them apart.
    """
    text = unicodedata.normalize("NFC", header).casefold().replace("ı", "i")
    return re.sub(r"[\W_]+", "", text)


@lru_cache(maxsize=64)
def _ranks(table: FieldTable) -> Mapping[str, tuple[str, int]]:
    """Returns for each header its field, and how sure that is (0 is surest).

    What people named for fields of their own counts before what programs call theirs.
    """
    columns: list[DealField] = [*(each for each in table if not each.is_own), *table.helpers]
    return {
        plain_header(header): (column.name, rank)
        for column in (*columns, *table.own)
        for rank, header in enumerate(column.headers.split("|"))
    }


_WEIGHTED: Final = frozenset(map(plain_header, WEIGHTED.split("|")))
_WEIGHTED_WORD: Final = pattern(
    r"\b(?:weighted|prorated|vikta[td]|vægtet|vektet|gewichtet|gewogen|pond[eé]r|"
    r"painotet|ważon|vážen)\w*",
    re.I,
)


@dataclass(frozen=True, slots=True, order=True)
class _Sureness:
    """How sure it is that a header stands for a field: the least is the surest.

    What an amount is besides (``weighted``, ``per month``) makes it less sure than any without.
    """

    is_weighted: bool
    is_qualified: bool
    rank: int
    has_unit: bool


@lru_cache(maxsize=1024)
def _known(header: str, table: FieldTable) -> tuple[str, _Sureness] | None:
    """Returns the field that a header stands for, and how sure that is."""
    ranks, bare = _ranks(table), _PREFIX.sub("", header)
    for text in (header, bare, _UNIT.sub(" ", header), _UNIT.sub(" ", bare)):
        if found := ranks.get(plain_header(text)):
            name, rank = found
            is_whole = text in (header, bare)
            is_qualified = not is_whole and bool(qualifier(header))
            return name, _Sureness(may_be_weighted(header), is_qualified, rank, not is_whole)
    return None


def is_known(header: str, table: FieldTable = BUILT_IN) -> bool:
    """Tells whether a header is one of a well-known program, or of a field of the user's own."""
    return bool(header) and len(header) <= _LONGEST and _known(header, table) is not None


def qualifier(header: str) -> str:
    """Returns what a header says in brackets that is no unit (``per month``), "" for nothing."""
    for match in _BRACKETS.finditer(header):
        words = match["words"].strip()
        if words and "%" not in words and not words.isdigit() and not _is_unit(words):
            return words
    return ""


def _is_unit(words: str) -> bool:
    try:
        read_unit(words.removeprefix("in "))
    except InvalidValue:
        return False
    return True


def may_be_weighted(header: str) -> bool:
    """Tells whether amounts below a header may be multiplied by the deal's chance already."""
    bare = _UNIT.sub(" ", _PREFIX.sub("", header))
    return plain_header(bare) in _WEIGHTED or _WEIGHTED_WORD.search(header) is not None


@dataclass(frozen=True, slots=True)
class Guess:
    """``columns``: our field -> their header. ``rivals``: our field -> the headers that stand for
    it as well and were not taken."""

    columns: Mapping[str, str]
    rivals: Mapping[str, tuple[str, ...]]


def guess_columns(
    headers: Iterable[str],
    taken: Mapping[str, str],
    table: FieldTable = BUILT_IN,
    content_of: ContentOf = unknown_content,
) -> Guess:
    """Finds the fields that well-known headers stand for.

    ``taken`` (our field -> their header) holds what is already decided; neither its fields nor its
    headers are used again. Of several headers for one field, the surest counts, else the first.
    ``content_of`` tells what a column holds where its header alone does not say.
    """
    found: dict[str, list[tuple[_Sureness, str]]] = {}
    for header in dict.fromkeys(headers):
        known = _known(header, table) if header and header not in taken.values() else None
        if known and known[0] not in taken:
            found.setdefault(known[0], []).append((known[1], header))
    for name, other in beside(table):
        if name in found and other not in found and other not in taken:
            _move_by_content(found, name, other, content_of)
    ranked = {
        name: [header for _, header in sorted(each, key=_rank)] for name, each in found.items()
    }
    if "stage" not in ranked and "stage" not in taken and STATUS in ranked:
        ranked["stage"] = ranked.pop(STATUS)  # the only word on how far a deal is
    columns = {name: each[0] for name, each in ranked.items()}
    rivals = {name: tuple(each[1:]) for name, each in ranked.items() if len(each) > 1}
    return Guess(columns, rivals)


def _move_by_content(
    found: dict[str, list[tuple[_Sureness, str]]], name: str, other: str, content_of: ContentOf
) -> None:
    """Has headers of one field stand for the one beside it, whose kind their cells are of."""
    content = Content.DATES if other.endswith(ENDING) else Content.TEXT
    moved = [each for each in found[name] if content_of(each[1]) is content]
    if moved:
        found[other] = moved
        found[name] = [each for each in found[name] if each not in moved]
        if not found[name]:
            del found[name]


def _rank(found: tuple[_Sureness, str]) -> _Sureness:
    return found[0]
