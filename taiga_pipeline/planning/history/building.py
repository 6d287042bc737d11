"""Builds a history from the deals of a store, their moves and their changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Final, TypeVar

from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Category, Deal, FieldChange, StageMove
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.planning.history.model import (
    CloseSpell,
    History,
    PastDeal,
    StageSpell,
    ValueSpell,
)


@dataclass(frozen=True, slots=True)
class StageView:
    """What the mapping says of a stage; ``probability`` is the chance to win, if it names one."""

    name: str
    category: Category
    probability: float | None = None


StageBook = Callable[[Deal, str], StageView | None]
"""Looks a stage of a deal up in its mapping; None if the mapping does not know it."""


NO_STAGE: Final = "their stage is in no mapping"
NO_START: Final = "it is not known when they came in (engaged_on)"
NO_END: Final = "they are decided, but it is not known when (closed_on)"
WRONG_WAY: Final = "they were decided before they came in"
ENTERED_LATE_DAYS: Final = 14
"""A deal that was entered so many days after its decision was entered because of it."""
FUTURE: Final = "they came in or were decided after today"


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store holds: deals, and their moves and changes, the oldest first."""

    deals: Iterable[Deal]
    moves: Iterable[StageMove] = ()
    changes: Iterable[FieldChange] = ()
    imported: Collection[str] = ()
    """Keys of deals that files brought: the day of the import is not the one they came in on."""


def build_history(
    stored: Stored,
    book: StageBook,
    today: date,
    rates: Rates | None = None,
    *,
    with_filled: bool = True,
) -> History:
    """Returns the history that a store tells. Stages are looked up in ``book``.

    Without ``with_filled``, it is left out which fields hold something.
    """
    moves_of = _grouped(stored.moves)
    changes_of = _grouped(change for change in stored.changes if change.field in DATED)
    imported = frozenset(stored.imported)
    left_out: Counter[str] = Counter()
    chances: dict[str, float] = {}
    past: list[PastDeal] = []
    fill = _filled if with_filled else _nothing
    rates = rates or Rates()
    outcomes: list[PastDeal] = []
    for deal in stored.deals:
        builder = _Builder(deal, moves_of.get(deal.key, ()), book, rates, fill)
        is_typed = deal.key not in imported
        chances.update(builder.chances())
        built = builder.build(changes_of.get(deal.key, ()), today, is_typed=is_typed)
        if isinstance(built, str):
            left_out[built] += 1
            outcomes += builder.outcome(today, is_typed=is_typed)
        else:
            past.append(built)
    return History(tuple(past), chances, dict(left_out), outcomes=tuple(outcomes))


DATED: Final = frozenset({"value", "expected_close"})
"""The fields whose changes are read: what was known of them on a past day."""
_FIELDS: Final = BUILT_IN.names
_values: Final = attrgetter(*_FIELDS)
_BLANK: Final[tuple[object, ...]] = (None, "", (), frozenset())
_Item = TypeVar("_Item", StageMove, FieldChange)


def _filled(deal: Deal) -> frozenset[str]:
    """Returns the fields that hold something, those of the user's own among them."""
    pairs = zip(_FIELDS, _values(deal), strict=True)
    built_in = (name for name, value in pairs if value or value not in _BLANK)
    return frozenset((*built_in, *deal.own))


def _nothing(_: Deal) -> frozenset[str]:
    return frozenset()


def _grouped(items: Iterable[_Item]) -> dict[str, list[_Item]]:
    grouped: dict[str, list[_Item]] = {}
    for item in items:
        grouped.setdefault(item.deal_key, []).append(item)
    return grouped


class _Builder:
    """Builds one past deal. Every stage is looked up once."""

    def __init__(
        self,
        deal: Deal,
        moves: Sequence[StageMove],
        book: StageBook,
        rates: Rates,
        fill: Callable[[Deal], frozenset[str]],
    ) -> None:
        self._deal = deal
        self._fill = fill
        self._rates = rates
        self._now = book(deal, deal.stage)
        self._moves = [(move.at.date(), book(deal, move.to_stage)) for move in moves]

    def chances(self) -> Iterator[tuple[str, float]]:
        """Yields the open stages that the deal has seen and the mapping's chances for them."""
        for view in (*(view for _, view in self._moves), self._now):
            if view and not view.category.is_closed and view.probability is not None:
                yield view.name, view.probability

    def build(
        self, changes: Sequence[FieldChange], today: date, *, is_typed: bool = True
    ) -> PastDeal | str:
        """Returns the past deal, or the reason why there cannot be one.

        An open deal without the day on which it came in is there from the day on which it was
        first seen. ``is_typed`` says that someone added it by hand when it came in.
        """
        if self._now is None:
            return NO_STAGE
        is_closed, closed = self._now.category.is_closed, self._closed()
        seen = self._first_seen()
        entered = self._deal.engaged_on or seen or (None if is_closed else today)
        arrived = self._deal.engaged_on is not None or (seen is not None and is_typed)
        if entered is None:
            return NO_START
        if is_closed and closed is None:
            return NO_END
        if closed is not None and closed < entered:
            return WRONG_WAY
        if (closed or entered) > today:
            return FUTURE
        currency = self._deal.currency
        return PastDeal(
            key=self._deal.key,
            entered=entered,
            closed=closed,
            won=self._now.category is Category.WON if is_closed else None,
            currency=self._rates.convert(None, currency)[1],
            service=self._deal.service,
            expected_close=self._deal.expected_close,
            stated=tuple(self._stated(changes, entered)),
            stages=tuple(self._stages(entered, closed)),
            values=tuple(self._values(changes, entered)),
            arrived=arrived,
            filled=self._fill(self._deal),
        )

    def outcome(self, today: date, *, is_typed: bool) -> Iterator[PastDeal]:
        """Yields what is known of a deal that cannot be learnt from: that it was decided, if it is
        known when. It is there from that day on, and came in on it if someone typed it about
        then: what is typed of former years is history."""
        closed = self._closed() or (self._typed_when_decided() if is_typed else None)
        if self._now is not None and closed is not None and closed <= today:
            value, currency = self._rates.convert(self._deal.value, self._deal.currency)
            yield PastDeal(
                key=self._deal.key,
                entered=closed,
                closed=closed,
                won=self._now.category is Category.WON,
                currency=currency,
                service=self._deal.service,
                values=(ValueSpell(closed, value),),
                arrived=is_typed and self._is_typed_about(closed),
            )

    def _typed_when_decided(self) -> date | None:
        """Returns the day on which a deal was typed that began at its end, None if it did not."""
        is_closed = self._now is not None and self._now.category.is_closed
        return self._moves[0][0] if is_closed and len(self._moves) == 1 else None

    def _is_typed_about(self, day: date) -> bool:
        return bool(self._moves) and abs((self._moves[0][0] - day).days) <= ENTERED_LATE_DAYS

    def _closed(self) -> date | None:
        """Returns when the deal was decided, None if it is open or that is unknown."""
        if self._now is None or not self._now.category.is_closed:
            return None
        return self._deal.closed_on or self._last_move()

    def _first_seen(self) -> date | None:
        """Returns when the deal came into its first stage, if that was an open one."""
        if not self._moves:
            return None
        day, view = self._moves[0]
        return None if view is None or view.category.is_closed else day

    def _last_move(self) -> date | None:
        """Returns when the deal was moved to its end; a deal that began there has no such day."""
        return self._moves[-1][0] if len(self._moves) > 1 else None

    def _stages(self, entered: date, closed: date | None) -> Iterator[StageSpell]:
        for day, view in self._moves:
            if view and not view.category.is_closed and (closed is None or day < closed):
                yield StageSpell(max(day, entered), view.name)

    def _values(self, changes: Sequence[FieldChange], entered: date) -> Iterator[ValueSpell]:
        known = self._known(entered)
        mine = [change for change in changes if change.field == "value"]
        first = _amount(mine[0].before) if mine else self._deal.value
        yield ValueSpell(known, self._converted(first))
        for change in mine:
            yield ValueSpell(max(known, change.at.date()), self._converted(_amount(change.after)))

    def _stated(self, changes: Sequence[FieldChange], entered: date) -> Iterator[CloseSpell]:
        known = self._known(entered)
        mine = [change for change in changes if change.field == "expected_close"]
        first = _day(mine[0].before) if mine else self._deal.expected_close
        yield CloseSpell(known, first)
        for change in mine:
            yield CloseSpell(max(known, change.at.date()), _day(change.after))

    def _known(self, entered: date) -> date:
        # What an import brought is on record from its first stage on: for a deal that was
        # imported when it was decided already, from its decision on.
        return max(self._moves[0][0], entered) if self._moves else entered

    def _converted(self, value: Decimal | None) -> Decimal | None:
        return self._rates.convert(value, self._deal.currency)[0]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _amount(text: str) -> Decimal | None:
    return Decimal(text) if text else None
