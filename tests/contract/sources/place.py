"""What the suite for sources needs of a place where deals are: people at work in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import pytest

from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.sources.port import DealReading, DealSource


class Can(StrEnum):
    """What not every place can be made to do."""

    DOUBLE = "hold two rows with one key"
    SPOIL = "hold a row that is not a deal"
    FORGET_KEYS = "hold a row without a key"
    BREAK_OFF = "end a reading in the middle"
    GO_AWAY = "not be there"
    LOCK_OUT = "turn an account away"
    TAKE_FACTS = "be told what became of deals"
    REMOVE = "lose a deal"


@dataclass(frozen=True, slots=True)
class Row:
    """A deal as people type it in there. ``key`` is unique among all tests of a place."""

    key: str
    name: str = "New portal"
    customer: str = "Kunde GmbH"
    stage: str = "opportunity"
    value: str = "1200.50"
    currency: str = "EUR"
    probability: str = "0.25"
    expected_close: date = date(2027, 3, 31)
    owner: str = "Ana Åberg"

    def as_deal(self) -> Deal:
        """Returns the deal that a source has to make of it, as far as `seen` looks."""
        return Deal(
            self.key,
            self.name,
            customer=self.customer,
            stage=self.stage,
            value=Decimal(self.value),
            currency=self.currency,
            probability=Decimal(self.probability),
            expected_close=self.expected_close,
            owner=self.owner,
        )


@dataclass
class Place:
    """A place where deals are. Subclasses do what the names say; what one cannot is not asked."""

    can: frozenset[Can] = frozenset()
    many: int = 3000
    """How many rows are a lot here."""
    prefix: str = ""
    """What all keys of this test begin with, where others are at work in the same place."""
    _made: list[str] = field(default_factory=list)

    def source(self, *, writes_back: bool = False) -> DealSource:
        """Returns a source that reads here."""
        raise AssertionError

    def put(self, *rows: Row) -> None:
        """Adds rows."""
        raise AssertionError

    def rename(self, key: str, name: str) -> None:
        """Gives a deal another name."""
        raise AssertionError

    def remove(self, key: str) -> None:
        """Removes a deal."""
        raise AssertionError

    def spoil(self, key: str) -> None:
        """Adds a row with this key that cannot be a deal."""
        self.put(Row(key, name="x" * 1001))

    def forget_key(self) -> None:
        """Adds a row whose key is blank."""
        self.put(Row(""))

    def break_off(self) -> None:
        """Makes readings end in the middle from now on."""
        raise AssertionError

    def go_away(self) -> DealSource:
        """Returns a source that finds no one there."""
        raise AssertionError

    def lock_out(self) -> DealSource:
        """Returns a source whose account is turned away; its secret is ``wrong-secret``."""
        raise AssertionError

    def written_facts(self, key: str) -> tuple[object, ...]:
        """Returns the project's URL, start and progress as they stand there."""
        raise AssertionError

    def image(self) -> object:
        """Returns everything that is there, to see whether something was written."""
        raise AssertionError

    def clean_up(self) -> None:
        """Takes away what was put in, where others are at work in the same place."""

    def key(self, name: str) -> str:
        """Returns a key for this test."""
        return f"{self.prefix}{name}"

    def read(self, source: DealSource | None = None) -> tuple[dict[str, Deal], DealReading]:
        """Reads to the end; returns this test's deals, and the reading."""
        reading = (source or self.source()).read()
        deals = [deal for deal in reading.deals if deal.key.startswith(self.prefix)]
        by_key = {deal.key: seen(deal) for deal in deals}
        assert len(by_key) == len(deals), "a key came twice"
        return by_key, reading


def seen(deal: Deal) -> Deal:
    """Returns a deal without what not every place knows."""
    names = ("engaged_on", "updated_at", "stage_since")
    return replace(deal, **dict.fromkeys(names))  # type: ignore[arg-type]


Case = TypeVar("Case", bound=Callable[..., None])


def needs(*abilities: Can) -> Callable[[Case], Case]:
    """Marks a case that is for places with these abilities only."""

    def mark(case: Case) -> Case:
        case.abilities = frozenset(abilities)  # type: ignore[attr-defined]
        return case

    return mark


def abilities_of(metafunc: pytest.Metafunc) -> frozenset[Can]:
    """Returns what a case needs."""
    found: frozenset[Can] = getattr(metafunc.function, "abilities", frozenset())
    return found
