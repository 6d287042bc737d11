"""What became of deals since a moment: moved, slipped, grown, won, lost. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from taiga_pipeline.pipeline.columns import parse_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import held, with_values
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Category, Deal, FieldChange, StageMove


class What(StrEnum):
    """What can become of a deal."""

    NEW = "new"
    WON = "won"
    LOST = "lost"
    REOPENED = "reopened"
    MOVED = "moved"
    CLOSE_SLIPPED = "close slipped"
    START_SLIPPED = "start slipped"
    GROWN = "grown"
    SHRUNK = "shrunk"
    RENAMED = "renamed"
    REMOVED = "removed"


WATCHED: Final = ("value", "currency", "expected_close", "start", "key")
"""The fields whose changes are told."""
PLANNED: Final = (
    "value", "currency", "probability", "expected_close", "start", "closed_on", "roles", "service",
    "team",
)  # fmt: skip
"""The fields that plans and forecasts are made from."""

_SLIPS: Final = {"expected_close": What.CLOSE_SLIPPED, "start": What.START_SLIPPED}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that became of a deal, taken over the whole time: there and back is nothing.

    ``before`` and ``after`` are what it was and is, as text. ``days`` is by how many a date slipped
    (less than 0: it came nearer), ``amount`` by how much a value grew or shrank, in ``currency``.
    ``by`` did the last of it, ``at`` (UTC).
    """

    what: What
    key: str
    name: str
    customer: str
    before: str
    after: str
    at: datetime
    by: str = ""
    days: int | None = None
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Since:
    """What is on record of one deal since a moment, the oldest first."""

    moves: list[StageMove] = field(default_factory=list)
    changes: list[FieldChange] = field(default_factory=list)


CategoryOf = Callable[[Deal, str], Category | None]
"""Tells the category of a stage by a deal's mapping, None if it does not know it."""


def what_happened(deal: Deal, since: Since, category_of: CategoryOf) -> Iterator[Happening]:
    """Yields what became of a deal that is still there, in the order of `What`."""
    if since.moves:
        yield from _moved(deal, since.moves, category_of)
    if any(move.from_stage == "" for move in since.moves):
        return  # what changed since it came in is how it came in
    yield from _changed(deal, since.changes)


def _moved(deal: Deal, moves: Sequence[StageMove], of: CategoryOf) -> Iterator[Happening]:
    first, last = moves[0], moves[-1]
    now, was = of(deal, deal.stage), of(deal, first.from_stage) if first.from_stage else None
    if not first.from_stage:
        yield _happening(What.NEW, deal, "", deal.stage, first)
    elif first.from_stage == deal.stage:
        return
    step = (first.from_stage, deal.stage)
    if now is not was and now is Category.WON:
        yield _happening(What.WON, deal, *step, last)
    elif now is not was and now is Category.LOST:
        yield _happening(What.LOST, deal, *step, last)
    elif was is not None and was.is_closed and now is not None and not now.is_closed:
        yield _happening(What.REOPENED, deal, *step, last)
    elif first.from_stage:
        yield _happening(What.MOVED, deal, *step, last)


def _changed(deal: Deal, changes: Iterable[FieldChange]) -> Iterator[Happening]:
    first: dict[str, FieldChange] = {}
    last: dict[str, FieldChange] = {}
    for change in changes:
        first.setdefault(change.field, change)
        last[change.field] = change
    before = as_it_was(deal, first)
    for name, what in _SLIPS.items():
        was, now = held(before, name), held(deal, name)
        if name in first and isinstance(was, date) and isinstance(now, date) and was != now:
            days = (now - was).days
            yield _happening(what, deal, str(was), str(now), last[name], days=days)
    same = before.currency == deal.currency
    if same and before.value is not None and deal.value is not None and before.value != deal.value:
        more = deal.value - before.value
        what = What.GROWN if more > 0 else What.SHRUNK
        texts = format(before.value, "f"), format(deal.value, "f")
        yield _happening(what, deal, *texts, last["value"], amount=more, currency=deal.currency)
    if "key" in last:
        yield _happening(What.RENAMED, deal, first["key"].before, deal.key, last["key"])


def removed(change: FieldChange) -> Happening:
    """Returns that a deal was removed."""
    return Happening(
        What.REMOVED, change.before, "", "", change.before, "", change.at, by=change.by
    )


def as_it_was(deal: Deal, first: Mapping[str, FieldChange]) -> Deal:
    """Returns a deal with what fields held before the first change of each.

    What cannot be read any more stays as it is.
    """
    values: dict[str, Any] = {}
    for name, change in first.items():
        if name in PLANNED:
            try:
                values[name] = parse_cell(BUILT_IN[name], change.before)
            except InvalidValue:  # written by a program that knew another notation
                continue
    return with_values(deal, values) if values else deal


def _happening(
    what: What,
    deal: Deal,
    before: str,
    after: str,
    step: StageMove | FieldChange,
    **more: Any,
) -> Happening:
    named = (deal.key, deal.name, deal.customer)
    return Happening(what, *named, before, after, step.at, by=step.by, **more)
