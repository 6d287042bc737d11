"""The history of a pipeline as a forecast may see it, and what of it was known on a past day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class StageSpell:
    """From the day ``since`` on, a deal was in ``stage``."""

    since: date
    stage: str


@dataclass(frozen=True, slots=True)
class ValueSpell:
    """From the day ``since`` on, a deal was said to be worth ``value`` (None: not known)."""

    since: date
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class CloseSpell:
    """From the day ``since`` on, a deal was said to close on ``close`` (None: not known)."""

    since: date
    close: date | None


@dataclass(frozen=True, slots=True)
class PastDeal:
    """A deal with the days on which things about it became known.

    ``entered`` is the day on which work on it began; ``closed`` and ``won`` are None for open
    deals. ``stages`` holds open stages only, as far as moves are on record. ``filled`` names the
    fields that hold something today; it is there to warn about fields that tell the outcome, and
    no model reads it. ``expected_close`` is the last stated close date, ``stated`` all of them, as
    far as they are on record. ``arrived`` is False for a deal that was merely first seen on the day
    ``entered``: it came in before, it is unknown when, and is not an arrival. Stage names are the
    mapping's.
    """

    key: str
    entered: date
    closed: date | None = None
    won: bool | None = None
    currency: str = ""
    service: str = ""
    expected_close: date | None = None
    stages: tuple[StageSpell, ...] = ()
    values: tuple[ValueSpell, ...] = ()
    filled: frozenset[str] = frozenset()
    arrived: bool = True
    stated: tuple[CloseSpell, ...] = ()

    @property
    def stage(self) -> str:
        """The last stage known, "" if none is."""
        return self.stages[-1].stage if self.stages else ""

    def stated_on(self, day: date) -> date | None:
        """Returns the close date that was stated at the end of ``day``."""
        if not self.stated:
            return self.expected_close
        known = [spell.close for spell in self.stated if spell.since <= day]
        return known[-1] if known else None

    @property
    def value(self) -> Decimal | None:
        """The last value known."""
        return self.values[-1].value if self.values else None

    def known_on(self, day: date) -> PastDeal | None:
        """Returns the deal as it was known at the end of ``day``, None if it was not yet there."""
        if self.entered > day:
            return None
        later = self.closed is not None and self.closed > day
        stages = tuple(spell for spell in self.stages if spell.since <= day)
        values = tuple(spell for spell in self.values if spell.since <= day)
        stated = tuple(spell for spell in self.stated if spell.since <= day)
        before = len(self.stages), len(self.values), len(self.stated)
        if not later and (len(stages), len(values), len(stated)) == before:
            return self
        return replace(
            self,
            closed=None if later else self.closed,
            won=None if later else self.won,
            stages=stages,
            values=values,
            expected_close=self.stated_on(day),
            stated=stated,
        )


@dataclass(frozen=True, slots=True)
class History:
    """Deals to learn from and to forecast.

    ``chances`` are the mapping's probabilities of open stages, by name. ``left_out`` counts deals
    that cannot be used, by reason. ``notices`` are sentences on what the record lacks.
    ``outcomes`` are those of them of which the day and the kind of decision are known: they count
    as won or lost. Of those that someone typed then (``arrived``), as many more are expected;
    nothing else is learnt from them.
    """

    deals: tuple[PastDeal, ...]
    chances: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    outcomes: tuple[PastDeal, ...] = ()

    def known_on(self, day: date) -> History:
        """Returns what was known at the end of ``day``. The mapping's chances are today's."""
        known = (deal.known_on(day) for deal in self.deals)
        return replace(
            self,
            deals=tuple(deal for deal in known if deal is not None),
            outcomes=tuple(deal for deal in self.outcomes if deal.entered <= day),
        )

    @property
    def open(self) -> tuple[PastDeal, ...]:
        """The deals that are not decided."""
        return tuple(deal for deal in self.deals if deal.closed is None)

    @property
    def undated(self) -> int:
        """How many open deals there are without the day on which they came in."""
        return sum(not deal.arrived for deal in self.open)

    @property
    def decided(self) -> tuple[PastDeal, ...]:
        """The deals that were won or lost."""
        return tuple(deal for deal in self.deals if deal.closed is not None)

    def find(self, key: str) -> PastDeal | None:
        """Returns the deal of this key, None if there is none that can be used."""
        return next((deal for deal in self.deals if deal.key == key), None)
