"""Deals through mappings: what a source of deals is to the engine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, tzinfo
from typing import Final, Protocol

from sync.clock import Clock
from sync.errors import SyncError
from sync.records.model import DesiredGroup, Value
from sync.run.unexpected_errors import in_words
from sync.source import (
    GroupFacts,
    KeyChanges,
    Quarantined,
    Reading,
    RemembersServer,
    WriteBackResult,
)
from taiga_pipeline.days import day_of
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.holding import Asked, Holding, asked_by
from taiga_pipeline.mapping.looking_back import with_questions
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.model import PagePhase
from taiga_pipeline.mapping.page import (
    PageMoney,
    is_page,
    with_money,
    with_page_at_rest,
    with_stages,
)
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.pipeline.delivery import delivery_facts
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts, StageMove
from taiga_pipeline.records import PORTFOLIO, is_portfolio
from taiga_pipeline.sources.joined import NOT_HERE, WAITS, Together, with_joined
from taiga_pipeline.sources.port import (
    ChangesKeys,
    DealReading,
    DealSource,
    Remembers,
    TakesDeliveryFacts,
    going_through,
)

_LOG: Final = logging.getLogger(__name__)
_RESERVED: Final = (
    f"a deal's key may not begin with {PORTFOLIO!r}, which names the portfolio; give it another"
)
_NO_OVERVIEW: Final = "the portfolio stays as it is: {tool} has no boards at present"


Moves = Callable[[str, bool], Sequence[StageMove]]
"""Tells a deal's moves, by its key and whether its project may be made in this run."""


class Overview(Protocol):
    """One more group, about all deals together."""

    key: str
    """The group's key, which no deal may have."""

    @property
    def asks_for(self) -> Asked:
        """The kinds and fields that its records have."""

    def begin(self, today: date) -> None:
        """Begins again, with no deal."""

    def add(self, deal: Deal, rules: Rules, stage: StageRule) -> None:
        """Takes a deal up."""

    def group(self, quarantined: Sequence[Quarantined]) -> DesiredGroup:
        """Returns the group of the deals that were taken up."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What is asked for beyond deals' projects.

    ``holding`` says what the target can hold of all this. ``overview`` is reported every deal, and
    yields its group at the end, if ``holds_overview`` says that the target can hold it. ``at_rest``
    gives keys of groups that are not deals', to be left as they are. ``money`` works out what deals
    come to, by key, for pages that may show it; None if that cannot be known now. ``ended`` finds
    out which deals' projects have ended: they are asked ``questions`` on a page. ``moves`` gives
    what tells a deal's moves by its key, for pages from sales. ``watched`` goes through all deals
    of a reading beside it: whoever needs them need not read them again.
    """

    holding: Holding = field(default_factory=Holding)
    overview: Overview | None = None
    holds_overview: Callable[[], bool] = lambda: True
    at_rest: Callable[[], Collection[str]] = tuple
    money: Callable[[], Mapping[str, PageMoney] | None] = dict
    ended: Callable[[], Callable[[Deal], bool]] = lambda: lambda deal: False
    questions: Sequence[str] = ()
    moves: Callable[[], Moves] = lambda: lambda key, is_new: ()
    watched: Callable[[DealReading, Iterable[Deal]], Iterable[Deal]] = lambda reading, deals: deals


@dataclass(frozen=True, slots=True)
class _Known:
    """What one reading knows for pages; see `Extent`."""

    money: Mapping[str, PageMoney] | None
    has_ended: Callable[[Deal], bool]
    moves: Moves


class MappedSource:
    """The records that all deals of a source ask for (`sync.source.Source`, `TakesFacts`).

    Deals are mapped one by one as they are read; none is kept. What "today" is for deals that
    were closed long ago is the date in ``zone`` at the beginning of a read.
    """

    def __init__(
        self,
        deals: DealSource,
        mappings: MappingSet,
        clock: Clock,
        extent: Extent | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._deals = deals
        self._mappings = mappings
        self._clock = clock
        self._zone = zone
        self._extent = extent or Extent()
        self._overview = self._extent.overview
        self._joins: Mapping[str, str] = {}
        self._shows_money = any(rules.money_on_page for rules in mappings.rules)

    def read(self) -> Reading:
        """Reads the source as a whole.

        Quarantined are the deals that the source could not read, and those that cannot be mapped:
        an unknown stage, or two mappings that match equally well. Deals without a mapping
        are merely present.

        :raises Unreachable: it cannot be read at all (missing, locked, damaged).
        """
        deals = self._deals.read()
        reading = Reading(groups=(), quarantined=deals.quarantined, complete=deals.complete)
        reading.present.update(self._extent.at_rest())
        reading.fading.update(deals.fading)
        reading.notes.extend(self.notes())
        reading.groups = self._groups(deals, reading, self._today())
        return reading

    def notes(self) -> list[str]:
        """Returns what the mappings ask for and the target cannot hold."""
        rules = self._mappings.rules
        asked = [asked_by(each) for each in rules]
        if self._overview:
            asked.append(self._overview.asks_for)
        return self._extent.holding.notes(asked, rules)

    def _today(self) -> date:
        return day_of(self._clock.now(), self._zone)

    def _groups(self, deals: DealReading, reading: Reading, today: date) -> Iterator[DesiredGroup]:
        holding = self._extent.holding.settled()
        known = _Known(
            self._extent.money() if self._shows_money else {},
            self._extent.ended(),
            self._extent.moves(),
        )
        together = Together(deals.joins)
        self._joins = together.main_of
        if self._overview:
            self._overview.begin(today)
        with going_through(deals.deals) as all_deals:
            for deal in self._extent.watched(deals, all_deals):
                if is_portfolio(deal.key):
                    reading.quarantined.append(Quarantined(deal.key, f"deal {deal.key}", _RESERVED))
                    continue
                if together.takes(deal):
                    continue
                if deal.part_of:
                    reading.quarantined.append(Quarantined(deal.key, f"deal {deal.key}", NOT_HERE))
                    continue
                try:
                    group = self._mappings.desired(deal, _staffing(deal, deals), today)
                    group = self._with_pages(deal, group, known)
                    self._update_overview(deal, group)
                except NotMapped as problem:
                    reading.quarantined.append(Quarantined(deal.key, problem.place, str(problem)))
                    continue
                except SyncError:
                    raise
                except Exception as error:
                    reading.quarantined.append(_unforeseen(deal.key, error))
                    continue
                if group is None:
                    reading.present.add(deal.key)
                else:
                    yield holding.part(group)
        for each in together.projects(reading.quarantined):
            yield from map(holding.part, self._together(each, deals, reading, known, today))
        reading.complete = deals.complete
        yield from self._overall(reading)

    def _together(
        self,
        joined: Sequence[Deal],
        deals: DealReading,
        reading: Reading,
        known: _Known,
        today: date,
    ) -> Sequence[DesiredGroup]:
        """Returns the groups of deals in one project; none if one of them cannot be mapped."""
        try:
            staffed = [(deal, _staffing(deal, deals)) for deal in joined]
            first, *others = self._mappings.desired_together(staffed, today)
            groups = [self._with_pages(joined[0], first, known) or first, *others]
            for deal, group in zip(joined, groups, strict=True):
                self._update_overview(deal, group)
        except NotMapped:
            reading.quarantined.extend(_put_off(joined, self._mappings))
            return ()
        except SyncError:
            raise
        except Exception as error:
            key = joined[0].key
            reading.quarantined.append(_unforeseen(key, error))
            reading.quarantined.extend(_waiting(joined[1:], [key]))
            return ()
        return groups

    def _with_pages(
        self, deal: Deal, group: DesiredGroup | None, known: _Known
    ) -> DesiredGroup | None:
        """Returns the group with what its pages show beyond the deal itself."""
        group = self._with_money(deal, group, known.money)
        group = self._with_questions(deal, group, known.has_ended)
        return self._with_stages(deal, group, known.moves)

    def _with_money(
        self, deal: Deal, group: DesiredGroup | None, money: Mapping[str, PageMoney] | None
    ) -> DesiredGroup | None:
        """Returns the group with money on its page, if its mapping allows that to be seen there."""
        if group is None or not self._shows_money:
            return group
        rules = self._mappings.stage_of(deal)[0]
        if not rules.money_on_page:
            return group
        if money is None:
            return with_page_at_rest(group)
        return with_money(group, money.get(deal.key, PageMoney()), rules.words)

    def _with_stages(
        self, deal: Deal, group: DesiredGroup | None, moves: Moves
    ) -> DesiredGroup | None:
        """Returns the group with the history of stages on its page from sales, if it has one."""
        if group is None or not any(is_page(child.key) for child in group.children):
            return group
        return with_stages(
            group, moves(deal.key, group.create), self._mappings.stage_of(deal)[0].words
        )

    def _with_questions(
        self, deal: Deal, group: DesiredGroup | None, has_ended: Callable[[Deal], bool]
    ) -> DesiredGroup | None:
        """Returns the group with a page that asks what its project taught, if that has ended."""
        if group is None or not has_ended(deal):
            return group
        rules = self._mappings.stage_of(deal)[0]
        if rules.page is PagePhase.NEVER:
            return group
        return with_questions(group, self._extent.questions, rules.words)

    def _update_overview(self, deal: Deal, group: DesiredGroup | None) -> None:
        if self._overview and group is not None:
            self._overview.add(deal, *self._mappings.stage_of(deal))

    def _overall(self, reading: Reading) -> Iterator[DesiredGroup]:
        """Yields the overview, unless some deals were not read: it would lose them."""
        if self._overview and not self._extent.holds_overview():
            reading.present.add(self._overview.key)
            reading.notes.append(_NO_OVERVIEW.format(tool=self._extent.holding.tool))
        elif self._overview and reading.complete:
            try:
                yield self._extent.holding.part(self._overview.group(reading.quarantined))
            except SyncError:
                raise
            except Exception as error:
                reading.quarantined.append(_unforeseen(self._overview.key, error))
        elif self._overview:
            reading.present.add(self._overview.key)

    def retired(self, key: str, base: Mapping[str, Value]) -> DesiredGroup:
        """Returns how the project of a deal that is gone from the source is retired."""
        return self._extent.holding.part(self._mappings.retired(key, base))

    def key_changes(self) -> KeyChanges:
        """Returns which deals were renamed or removed; see `sync.source.ChangesKeys`."""
        return self._deals.key_changes() if isinstance(self._deals, ChangesKeys) else KeyChanges()

    @property
    def takes_facts(self) -> bool:
        """Whether delivery facts are to be written into the source."""
        return isinstance(self._deals, TakesDeliveryFacts) and self._deals.takes_facts

    def take_facts(self, facts: Iterable[GroupFacts]) -> WriteBackResult:
        """Tells the source what became of its deals; see `sync.source.TakesFacts`."""
        if not isinstance(self._deals, TakesDeliveryFacts):
            return WriteBackResult()
        problems: list[str] = []
        each = with_joined(_delivered(facts, problems), self._joins)
        write_back = self._deals.take_facts(each)
        return replace(write_back, problems=(*write_back.problems, *problems))

    def synced_with(self, pipeline: str) -> str:
        """Returns the server that the source remembers; see `sync.source.RemembersServer`."""
        if isinstance(self._deals, RemembersServer):
            return self._deals.synced_with(pipeline)
        return ""

    def note_synced_with(self, pipeline: str, server: str) -> None:
        """Has the source remember a server, if it can."""
        if isinstance(self._deals, RemembersServer):
            self._deals.note_synced_with(pipeline, server)

    def read_anew(self) -> None:
        """Has the next read ask for everything; see `taiga_pipeline.sources.port.Remembers`."""
        if isinstance(self._deals, Remembers):
            self._deals.read_anew()

    def keep(self) -> None:
        """Keeps what was read, where that spares the next run reading it again."""
        if isinstance(self._deals, Remembers):
            self._deals.keep()


def _delivered(facts: Iterable[GroupFacts], problems: list[str]) -> Iterator[DeliveryFacts]:
    """Yields what deals' projects tell; of one whose facts are invalid, a problem is noted."""
    for each in facts:
        if is_portfolio(each.key):
            continue
        try:
            delivered = delivery_facts(each.key, each.facts, each.seen_at, each.state)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            _LOG.exception("%s: its delivery facts are invalid", each.key)
            problems.append(f"{each.key}: its delivery facts are invalid ({in_words(error)})")
            continue
        yield delivered


def _put_off(joined: Sequence[Deal], mappings: MappingSet) -> Iterator[Quarantined]:
    """Yields why deals in one project are not synced now: some of them cannot be mapped."""
    at_fault: list[str] = []
    for deal in joined:
        try:
            mappings.stage_of(deal)
        except NotMapped as problem:
            at_fault.append(deal.key)
            yield Quarantined(deal.key, problem.place, str(problem))
    yield from _waiting((deal for deal in joined if deal.key not in at_fault), at_fault)


def _waiting(deals: Iterable[Deal], keys: Sequence[str]) -> Iterator[Quarantined]:
    """Yields that deals wait for those of some ``keys``, which are in one project with them."""
    for deal in deals:
        yield Quarantined(deal.key, f"deal {deal.key}", WAITS.format(keys=", ".join(keys)))


def _unforeseen(key: str, error: Exception) -> Quarantined:
    """Returns the place and the reason for a deal that a defect kept from being mapped."""
    _LOG.error("%s: an unexpected error", key, exc_info=error)
    reason = (
        f"it could not be mapped because of an unexpected error ({in_words(error)}); all others "
        "were. Where it happened is in the log: please report it"
    )
    return Quarantined(key, f"deal {key}", reason)


def _staffing(deal: Deal, deals: DealReading) -> Staffing:
    return Staffing(deals.allocations.get(deal.key, ()), deals.people)
