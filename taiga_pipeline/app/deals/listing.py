"""Deals as a list: which, in which order, with what they wait for, and what they sum up to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.app.deals.filters import (
    Conditions,
    known_stages,
    refuse_unknown,
    refuse_unknown_stages,
    stages_meant,
)
from taiga_pipeline.app.deals.follow_ups import Followed, Score, Waiting
from taiga_pipeline.app.deals.reading import all_deals
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.follow_ups import FollowUp
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.tables.queries import matcher
from taiga_pipeline.pipeline.text import folded, line

if TYPE_CHECKING:
    from taiga_pipeline.mapping.rules import StageRule


class SortBy(StrEnum):
    """What a list of deals is ordered by; deals of which that is not known come last."""

    KEY = "key"
    VALUE = "value"
    CLOSE = "close"
    STAGE = "stage"
    OWNER = "owner"
    NEXT_STEP = "next-step"
    DAYS = "days-in-stage"
    SCORE = "score"
    FOLLOW_UP = "follow-up"


@dataclass(frozen=True, slots=True)
class Span:
    """From one value to another, both included; None where it has no end."""

    least: Any = None
    most: Any = None

    def holds(self, value: Any) -> bool:
        """Whether a value lies within; one that is not known does not, unless it has no ends."""
        if self.least is None and self.most is None:
            return True
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deals are listed, and in which order.

    ``stages`` are names or aliases; ``owner`` is a part of a name. ``follow_ups``: any of them.
    ``close`` is the day of the decision, or the one on which it is expected; ``score`` is from 0 to
    1. ``where`` is as that of `find_deals`. ``scored`` asks for scores even if nothing depends on
    them.
    """

    stages: Sequence[str] = ()
    team: str = ""
    owner: str = ""
    text: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    follow_ups: Sequence[FollowUp] = ()
    value: Span = Span()
    close: Span = Span()
    score: Span = Span()
    sort: SortBy = SortBy.KEY
    reverse: bool = False
    limit: int | None = None
    scored: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """A deal with the chance that counts for it, what it waits for, and its learnt chance.

    ``chance`` is its own, or 1 or 0 once it is decided. ``weight`` is what its value is weighted
    by: its own chance, else that of its stage; None if nothing tells.
    """

    deal: Deal
    stage: StageRule | None
    chance: Decimal | None
    weight: Decimal | None
    waiting: Waiting
    score: Score | None

    @property
    def close(self) -> date | None:
        """The day of the decision, or the one on which it is expected."""
        return self.deal.closed_on or self.deal.expected_close


@dataclass(frozen=True, slots=True)
class Sums:
    """How many deals, and by currency what they are worth, as stated and weighted by chance.

    ``unvalued`` deals state no value.
    """

    deals: int = 0
    value: Mapping[str, Decimal] = field(default_factory=dict)
    weighted: Mapping[str, Decimal] = field(default_factory=dict)
    unvalued: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A stage of the funnel with its deals. ``category`` is "" where no mapping knows it."""

    stage: str
    category: str
    sums: Sums
    deals: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The deals that were asked for, and what all that match sum up to, limit or not.

    ``unread`` says what is wrong with the mappings, if they cannot be read: it is not known what
    any deal waits for.
    """

    deals: tuple[Listed, ...]
    sums: Sums
    columns: tuple[Column, ...]
    unread: tuple[str, ...] = ()


_NEVER: Final = date.max


def list_deals(workspace: Workspace, selection: Selection) -> Listing:
    """Lists deals of any source.

    :raises UnknownFilters: a stage that is none, or nothing found because of an unknown name.
    :raises InvalidValue: a text that a field cannot hold.
    :raises ProblemsError: it is asked what deals wait for, and the mappings cannot be read.
    :raises Unreachable: the source cannot be used.
    """
    followed = Followed(workspace)
    if followed.unread and (selection.follow_ups or selection.sort is SortBy.FOLLOW_UP):
        raise followed.unread
    listed = lister(workspace, followed)
    found = [
        _scored(followed, each) if selection.scored else each
        for each in map(listed, _matching(workspace, selection))
        if _is_asked(each, selection)
    ]
    found = [each for each in found if selection.score.holds(each.score and each.score.chance)]
    order = _order(workspace, selection.sort)
    known = [each for each in found if order(each) is not None]
    known.sort(key=order, reverse=selection.reverse)
    ordered = (*known, *(each for each in found if order(each) is None))
    columns = tuple(_columns(workspace, ordered))
    unread = followed.unread.problems if followed.unread else ()
    return Listing(ordered[: selection.limit], sums_of(ordered), columns, tuple(map(str, unread)))


def _is_asked(each: Listed, selection: Selection) -> bool:
    """Whether a deal is asked for, by anything but its score."""
    asked = selection.follow_ups
    if asked and set(asked).isdisjoint(each.waiting.follow_ups):
        return False
    return selection.value.holds(each.deal.value) and selection.close.holds(each.close)


def _scored(followed: Followed, each: Listed) -> Listed:
    return replace(each, score=followed.score(each.deal))


def lister(workspace: Workspace, followed: Followed) -> Callable[[Deal], Listed]:
    """Returns what makes deals to listed ones, without their learnt chances.

    In a program that serves for long, a deal that did not change is the same object as before, as
    long as rules and days are what they are.
    """
    known: dict[str, Listed] = {}
    if workspace.memory is not None:
        known = workspace.remembered("listed", followed.ground(), dict[str, Listed])

    def listed(deal: Deal) -> Listed:
        found = known.get(deal.key)
        if found is None or found.deal is not deal:
            found = known[deal.key] = _as_listed(followed, deal)
        return found

    return listed


def _as_listed(followed: Followed, deal: Deal) -> Listed:
    stage = followed.stage(deal)
    weight = stage.chance(deal.probability) if stage else deal.probability
    chance = weight if stage and stage.category.is_closed else deal.probability
    return Listed(deal, stage, chance, weight, followed.waiting(deal), None)


def _matching(workspace: Workspace, asked: Selection) -> Iterator[Deal]:
    conditions = Conditions.of(asked.where, workspace.fields) if asked.where else Conditions()
    deals = all_deals(workspace)
    yield from _checked(workspace, asked, conditions, lambda: iter(deals))


def _checked(
    workspace: Workspace,
    asked: Selection,
    conditions: Conditions,
    deals: Callable[[], Iterator[Deal]],
) -> Iterator[Deal]:
    refuse_unknown_stages(workspace, deals, asked.stages)
    stages = {folded(line(name)) for name in stages_meant(workspace, asked.stages)}
    matches, found = matcher(asked.team, asked.owner, asked.text), 0
    for deal in deals():
        is_there = not stages or folded(deal.stage) in stages
        if is_there and matches(deal) and conditions.are_met_by(deal):
            found += 1
            yield deal
    if not found:
        names = {"team": (asked.team,), "owner": (asked.owner,)}
        words = {name: (*names.get(name, ()), *each) for name, each in conditions.words.items()}
        refuse_unknown(workspace, deals, {**names, **words})


def _order(workspace: Workspace, by: SortBy) -> Callable[[Listed], Any]:
    places = {folded(name): n for n, name in enumerate(known_stages(workspace))}
    orders: Mapping[SortBy, Callable[[Listed], Any]] = {
        SortBy.KEY: lambda each: _counting(each.deal.key),
        SortBy.VALUE: lambda each: each.deal.value,
        SortBy.CLOSE: lambda each: each.close,
        SortBy.STAGE: lambda each: places.get(folded(each.stage.name)) if each.stage else None,
        SortBy.OWNER: lambda each: folded(each.deal.owner) or None,
        SortBy.NEXT_STEP: lambda each: each.deal.next_step_on,
        SortBy.DAYS: lambda each: each.waiting.days_in_stage,
        SortBy.SCORE: lambda each: each.score.chance if each.score else None,
        SortBy.FOLLOW_UP: _urgency,
    }
    return orders[by]


def _counting(key: str) -> tuple[tuple[bool, int, str], ...]:
    """Returns what a key is sorted by: D-2 stands before D-10."""
    parts = filter(None, re.split(r"(\d+)", folded(key)))
    numbers = ((int(each) if each.isdecimal() else None, each) for each in parts)
    return tuple((number is None, number or 0, text) for number, text in numbers)


def _urgency(each: Listed) -> tuple[int, date] | None:
    found = each.waiting.follow_ups
    return (list(FollowUp).index(found[0]), each.deal.next_step_on or _NEVER) if found else None


def sums_of(listed: Iterable[Listed]) -> Sums:
    """Sums deals up, each currency by itself."""
    value: dict[str, Decimal] = {}
    weighted: dict[str, Decimal] = {}
    count = unvalued = 0
    for each in listed:
        count += 1
        amount, currency = each.deal.value, each.deal.currency
        if amount is None:
            unvalued += 1
            continue
        value[currency] = value.get(currency, Decimal(0)) + amount
        part = amount * (each.weight or Decimal(0))
        weighted[currency] = weighted.get(currency, Decimal(0)) + part
    return Sums(count, value, weighted, unvalued)


def _columns(workspace: Workspace, listed: Sequence[Listed]) -> Iterator[Column]:
    """Yields the stages of the mappings in their order, then those that no mapping knows."""
    by_stage: dict[str, list[Listed]] = {name: [] for name in known_stages(workspace)}
    for each in listed:
        by_stage.setdefault(each.stage.name if each.stage else each.deal.stage, []).append(each)
    for name, deals in by_stage.items():
        category = next((each.stage.category.value for each in deals if each.stage), "")
        yield Column(name, category, sums_of(deals), tuple(deals))
