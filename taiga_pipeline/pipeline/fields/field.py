"""What there is to say about a field of a deal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from taiga_pipeline.pipeline.model import Deal


class Kind(StrEnum):
    """What a field holds: how it is read, written, compared and stored."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    MONEY = "money"
    YES_NO = "yes/no"
    NOTES = "log of notes"
    CURRENCY = "currency"
    SHARE = "share"
    MOMENT = "moment"
    ROLES = "roles"
    CONTACTS = "contacts"
    ACTIONS = "actions"


OWN_KINDS: Final = (
    Kind.TEXT,
    Kind.NUMBER,
    Kind.DATE,
    Kind.CHOICE,
    Kind.MONEY,
    Kind.YES_NO,
)
"""The kinds that a field of the user's own may have."""

TEXT_KINDS: Final = frozenset({Kind.TEXT, Kind.CURRENCY})
"""Kinds whose values are text, "" for "not known"."""

LIST_KINDS: Final = frozenset({Kind.ROLES, Kind.CONTACTS, Kind.ACTIONS, Kind.NOTES})
"""Kinds that hold several things, in the notation of `taiga_pipeline.pipeline.notation`."""

_EMPTY: Final[Mapping[Kind, Any]] = {
    **dict.fromkeys(TEXT_KINDS, ""),
    Kind.ROLES: (),
    Kind.CONTACTS: (),
    Kind.ACTIONS: frozenset(),
    Kind.NOTES: (),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """How a field stands among the facts of a project.

    ``place`` is its place among them (what a planner asks for first), ``word`` its name in English,
    ``about`` what that says. ``card`` and ``page`` are its places on the card of the portfolio's
    board and on the page "From sales", 0 where it is not on them.
    """

    place: int
    word: str
    about: str
    card: int = 0
    page: int = 0


@dataclass(frozen=True, slots=True)
class DealField:
    """A field of a deal, or a column that says something about some.

    ``column`` is its place in our own CSV format. ``label`` names it for people, ``about`` says
    what it holds. ``headers`` are the headers of columns that it is known by, the surest first,
    with a bar between them. ``placeholder`` says what its placeholder stands for, "" for none;
    ``fact`` is None for what projects do not show; ``match`` says what a mapping accepts of it, ""
    for what deals are not matched by. ``is_edited`` tells whether ``deals edit`` changes it,
    ``is_stable`` that it does not change from stage to stage, so that keys may be made of it,
    ``is_listed`` that a list of deals shows it unless others are asked for, ``is_on_card`` that it
    is a custom field of the deal's card on the board of sales, ``is_grouped`` that win
    rates are recognised by it, ``is_of_stage`` that whether it is filled
    depends on how far its deal is, by its nature. ``since`` is the version of the store that
    brought it. ``choices`` and ``currency`` are of a field of the user's own, which ``is_own``: its
    values are text in its normal form.
    """

    name: str
    kind: Kind
    label: str
    about: str = ""
    column: int = 0
    headers: str = ""
    placeholder: str = ""
    fact: Fact | None = None
    match: str = ""
    is_edited: bool = True
    is_stable: bool = False
    is_listed: bool = False
    is_on_card: bool = False
    is_grouped: bool = False
    is_of_stage: bool = False
    since: int = 1
    choices: tuple[str, ...] = ()
    currency: str = ""
    is_own: bool = False

    @property
    def is_guarded(self) -> bool:
        """Whether a spreadsheet may take what is in it for a formula.

        Of one of the user's own, anything may stand there: its kind can have been another one.
        """
        return self.is_own or self.kind in TEXT_KINDS or self.kind in LIST_KINDS

    @property
    def empty(self) -> Any:
        """The value that means "not known"."""
        return "" if self.is_own else _EMPTY.get(self.kind)


@dataclass(frozen=True)
class FieldTable:
    """All fields of a deal, and the columns that only imports know (``helpers``)."""

    fields: tuple[DealField, ...]
    helpers: tuple[DealField, ...] = ()
    _by_name: Mapping[str, DealField] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {each.name: each for each in (*self.fields, *self.helpers)}
        object.__setattr__(self, "_by_name", by_name)

    def __iter__(self) -> Iterator[DealField]:
        """Goes through the fields in the order in which people see them."""
        return iter(self.fields)

    def __contains__(self, name: str) -> bool:
        """Whether a field, or a column for imports, has this name."""
        return name in self._by_name

    def __getitem__(self, name: str) -> DealField:
        """Returns the field, or the column for imports, of a name."""
        return self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in the order of the columns of our own format."""
        return tuple(each.name for each in sorted(self.fields, key=lambda each: each.column))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of everything that a column of a file may stand for."""
        return (*self.names, *(each.name for each in self.helpers))

    @property
    def own(self) -> tuple[DealField, ...]:
        """The fields of the user's own."""
        return tuple(each for each in self.fields if each.is_own)

    def where(self, is_meant: Callable[[DealField], object]) -> tuple[str, ...]:
        """Returns the names of some fields, in the order in which people see them."""
        return tuple(each.name for each in self.fields if is_meant(each))

    def of_kinds(self, *kinds: Kind) -> frozenset[str]:
        """Returns the names of the fields, and of the columns for imports, of some kinds."""
        return frozenset(name for name, each in self._by_name.items() if each.kind in kinds)

    def with_own(self, own: Iterable[DealField]) -> FieldTable:
        """Returns the table with fields of the user's own, before when a deal was updated."""
        *others, last = self.fields
        return replace(self, fields=(*others, *own, last))


def held(deal: Deal, name: str) -> Any:
    """Returns what a deal holds in a field; of one of the user's own, its text."""
    return getattr(deal, name) if name in _OF_DEAL else deal.own.get(name, "")


def with_values(deal: Deal, values: Mapping[str, Any]) -> Deal:
    """Returns the deal with other values; names that the model does not have are the user's own."""
    own = {name: value for name, value in values.items() if name not in _OF_DEAL}
    if not own:
        return replace(deal, **values)
    kept = {name: value for name, value in {**deal.own, **own}.items() if value}
    rest = {name: value for name, value in values.items() if name in _OF_DEAL}
    return replace(deal, **rest, own=kept)


_OF_DEAL: Final = frozenset(Deal.__slots__)
