"""Fields of the user's own, as the configuration declares them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import OWN_KINDS, DealField, Fact, FieldTable, Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.pipeline.values.currencies import currencies_of
from taiga_pipeline.problems import did_you_mean

MAX_FIELDS: Final = 50
MAX_CHOICES: Final = 500
NAME_FORM: Final = r"[a-z][a-z0-9_]{0,39}"
RESERVED: Final = frozenset(
    (
        *BUILT_IN.columns,
        *("contact", "key_prefix", "version", "own", "field", "fields"),
        *("chance", "history", "changes", "allocations", "project", "taken_away"),
    )
)
"""Names that mean something else in files, mappings or JSON."""

_FIRST_COLUMN: Final = 1_000
_FIRST_PLACE: Final = 100


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared about a field. ``fact`` is None where projects decide whether to show it."""

    name: str
    kind: str
    label: str = ""
    headers: Sequence[str] = ()
    choices: Sequence[str] = ()
    currency: str = ""
    fact: bool | None = None


def kind_named(name: str) -> Kind:
    """Returns the kind that a field of the user's own may have.

    :raises InvalidValue: there is no such kind; names the nearest.
    """
    if name in OWN_KINDS:
        return Kind(name)
    raise InvalidValue(
        f"unknown kind {name!r}{did_you_mean(name, _KINDS)} (kinds: {', '.join(_KINDS)})"
    )


_KINDS: Final = tuple(kind.value for kind in OWN_KINDS)


def table_with(declared: Iterable[Declaration]) -> FieldTable:
    """Returns the table of all fields, those of the user's own after the others.

    :raises InvalidValue: everything that is wrong with them.
    """
    fields = [_field(place, each) for place, each in enumerate(declared)]
    problems = list(_doubles(fields))
    if problems:
        raise InvalidValue(*problems)
    return BUILT_IN.with_own(fields)


def objections(declared: Declaration) -> Iterator[str]:
    """Yields what is wrong with a field, but for its name and its kind."""
    is_choice, is_money = declared.kind == Kind.CHOICE, declared.kind == Kind.MONEY
    if is_choice and not declared.choices:
        yield 'a field of kind "choice" needs choices = ["...", "..."]'
    if declared.choices and not is_choice:
        yield f'choices belong to a field of kind "choice", not "{declared.kind}"'
    if declared.currency and not is_money:
        yield f'currency belongs to a field of kind "money", not "{declared.kind}"'
    elif declared.currency and currencies_of(declared.currency) != (declared.currency,):
        yield f"{declared.currency!r} is not a currency code; write three letters like EUR or SEK"
    for header in (declared.label, *declared.headers):
        if "|" in header:
            yield f"{header!r}: a header cannot hold a bar"
    known: dict[str, str] = {}
    for choice in declared.choices:
        first = known.setdefault(folded(choice), choice)
        if first is not choice:
            yield f"the choices {first!r} and {choice!r} differ only in letter case"


def _field(place: int, declared: Declaration) -> DealField:
    label = declared.label or declared.name.replace("_", " ").capitalize()
    kind = Kind(declared.kind)
    is_fact = kind is not Kind.MONEY if declared.fact is None else declared.fact
    at = _FIRST_PLACE + place
    return DealField(
        name=declared.name,
        kind=kind,
        label=label,
        about=f"A field of your own ({kind}).",
        column=_FIRST_COLUMN + place,
        headers="|".join(dict.fromkeys((declared.name, label, *declared.headers))),
        placeholder=f"{label}, a field of your own ({kind}).",
        fact=Fact(at, label, f"your own field {declared.name}", at, at) if is_fact else None,
        match=f"Accepted values of {label}, a field of your own ({kind}).",
        choices=tuple(declared.choices),
        currency=declared.currency,
        is_grouped=kind in (Kind.TEXT, Kind.CHOICE, Kind.YES_NO),
        is_own=True,
    )


def _doubles(fields: Sequence[DealField]) -> Iterator[str]:
    """Yields what two fields have in common that must be one's own."""
    names: set[str] = set()
    headers: dict[str, str] = {}
    labels = {folded(word): field.name for field in BUILT_IN for word in _words(field)}
    for field in fields:
        if field.name in names:
            yield f"the name {field.name!r} is given to two fields"
        names.add(field.name)
        other = labels.setdefault(folded(field.label), field.name)
        if other != field.name:
            yield f"the label {field.label!r} stands for {other!r} and for {field.name!r}"
        reported = {folded(field.label)} if other != field.name else set()
        for header in dict.fromkeys(map(folded, field.headers.split("|"))):
            other = headers.setdefault(header, field.name)
            if other != field.name and header not in reported:
                yield f"the header {header!r} stands for {other!r} and for {field.name!r}"


def _words(field: DealField) -> Iterator[str]:
    """Yields what people read a field's value below."""
    yield field.label
    if field.fact:
        yield field.fact.word
