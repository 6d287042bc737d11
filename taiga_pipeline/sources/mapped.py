"""Deals through mappings: what a source of deals is to the engine."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, tzinfo
from functools import cached_property
from typing import Final, Protocol

from sync.clock import Clock
from sync.errors import SyncError, in_words
from sync.records.model import DesiredGroup, Value
from sync.source import (
    GroupFacts,
    KeyChanges,
    Quarantined,
    Reading,
    RemembersServer,
    WatchedEdits,
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
from taiga_pipeline.mapping.rules import PhaseRule, Rules, StageRule
from taiga_pipeline.mapping.several.phase_dates import Dates, dates_of
from taiga_pipeline.pipeline.delivery import delivery_facts, summed_up, understood
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts, StageMove
from taiga_pipeline.records import (
    PORTFOLIO,
    Kind,
    deal_of,
    is_phase_key,
    is_portfolio,
    phase_key,
    phase_of,
)
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
_LIKE_A_PHASE: Final = (
    "a deal's key may not end like that of a phase's project, while mappings have phases: it reads "
    "as the phase {phase} of the deal {deal}; give it another one (a deal of the built-in store "
    "with: pipeline-sync deals rename {word} NEW)"
)
_SECOND_PROJECT: Final = (
    'the phase "{name}" keeps the deal\'s project by its mapping, but has one of its own ({key}): '
    "say keeps_project = true in the phase that said so before; or stop following that one with: "
    "pipeline-sync unlink {word}"
)
_OF_ANOTHER: Final = (
    'the key of the phase "{name}" of this deal, {key}, is that of another deal that has a '
    'project: give the phase another "id", or that deal another key'
)
_LIKE_A_RENAME: Final = (
    'the phase "{name}" is new, and {left} has left the mapping: it looks like a rename, and no '
    'project was made. Give the phase id = "{old}" if it is the same, or id = "{id}" if it is '
    "another one"
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

    def add(self, deal: Deal, rules: Rules, stage: StageRule, main: str = "") -> None:
        """Takes a deal up. ``main`` is the deal whose project it is a part of, "" for its own."""

    def group(self, quarantined: Sequence[Quarantined]) -> DesiredGroup:
        """Returns the group of the deals that were taken up."""


@dataclass(frozen=True)
class PhasesThere:
    """What is known of the phases whose projects are there.

    ``keys`` are those of their projects, the deals' own aside; ``dates`` are those of milestones,
    by the projects' keys. ``others`` are keys that only look like those of phases: projects of
    deals that were called so before any mapping had phases.
    """

    keys: Collection[str] = ()
    others: Collection[str] = ()
    dates: Mapping[str, Dates] = field(default_factory=dict)

    def of(self, deal: str) -> frozenset[str]:
        """Returns the keys of the projects of a deal's phases, its own aside."""
        return self._by_deal.get(deal, frozenset())

    def is_unlinked(self, key: str) -> bool:
        """Whether a person no longer wants a phase's project followed."""
        return key in self.dates and not self.dates[key].followed

    @cached_property
    def _by_deal(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for key in self.keys:
            found.setdefault(deal_of(key), set()).add(key)
        return {deal: frozenset(keys) for deal, keys in found.items()}


@dataclass(frozen=True, slots=True)
class Extent:
    """What is asked for beyond deals' projects.

    ``holding`` says what the target can hold of all this. ``overview`` is reported every deal, and
    yields its group at the end, if ``holds_overview`` says that the target can hold it. ``at_rest``
    gives keys of groups that are not deals', to be left as they are. ``money`` works out what deals
    come to, by key, for pages that may show it; None if that cannot be known now. ``ended`` finds
    out which deals' projects have ended: they are asked ``questions`` on a page. ``moves`` gives
    what tells a deal's moves by its key, for pages from sales. ``watched`` goes through all deals
    of a reading beside it: whoever needs them need not read them again. ``phases`` tells what is
    there of deals' phases; it is asked where a mapping has any.
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
    phases: Callable[[], PhasesThere] = PhasesThere


@dataclass(frozen=True, slots=True)
class _Known:
    """What one reading knows for pages; see `Extent`."""

    money: Mapping[str, PageMoney] | None
    has_ended: Callable[[Deal], bool]
    moves: Moves
    phases: PhasesThere


class MappedSource:
    """The records that all deals of a source ask for (`sync.source.Source`, `TakesFacts`).

    Deals are mapped one by one as they are read; kept are those in phases that have not ended: what
    people make of a phase's dates decides what others are asked for. What "today" is for deals that
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
        self._deals_like_phases: set[str] = set()
        self._ended: set[str] = set()
        self._was_read = False
        self._last: _Known | None = None
        self._in_phases: dict[str, tuple[Deal, Staffing]] = {}
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
            self._extent.phases() if self._mappings.has_phases else PhasesThere(),
        )
        self._last = known
        self._in_phases.clear()
        self._deals_like_phases.clear()
        self._ended.clear()
        self._was_read = True
        together = Together(deals.joins)
        self._joins = together.main_of
        if self._overview:
            self._overview.begin(today)
        with going_through(deals.deals) as all_deals:
            for deal in self._extent.watched(deals, all_deals):
                if reserved := self._reserved(deal.key):
                    reading.quarantined.append(Quarantined(deal.key, f"deal {deal.key}", reserved))
                    continue
                if together.takes(deal):
                    continue
                if deal.part_of:
                    reading.quarantined.append(Quarantined(deal.key, f"deal {deal.key}", NOT_HERE))
                    continue
                try:
                    groups = self._of_deal(deal, _staffing(deal, deals), known, today)
                    self._update_overview(deal, next(iter(groups), None))
                except NotMapped as problem:
                    reading.quarantined.append(Quarantined(deal.key, problem.place, str(problem)))
                    continue
                except SyncError:
                    raise
                except Exception as error:
                    reading.quarantined.append(_unforeseen(deal.key, error))
                    continue
                renamed = self._held_back(deal, groups, known.phases)
                reading.quarantined.extend(renamed)
                groups = _without(groups, {row.key for row in renamed})
                if not groups:
                    reading.present.add(deal.key)
                elif all(group.retired for group in groups):
                    self._ended.add(deal.key)
                elif len(groups) > 1:
                    self._in_phases[deal.key] = deal, _staffing(deal, deals)
                yield from map(holding.part, groups)
        for each in together.projects(reading.quarantined):
            yield from map(holding.part, self._together(each, deals, reading, known, today))
        reading.complete = deals.complete
        yield from self._overall(reading)

    def follow(self, edits: Mapping[str, WatchedEdits]) -> Iterator[DesiredGroup]:
        """Yields the phases of deals in some of whose projects people moved milestones; see
        `sync.source.FollowsEdits`."""
        last = self._last
        if last is None:
            return
        dates = dict(last.phases.dates)
        moved: dict[str, None] = {}
        for key, each in edits.items():
            before = dates.get(key, Dates())
            dates[key] = before.updated(_dates_in(each))
            if dates[key] != before:
                moved[deal_of(key)] = None
        known = replace(last, phases=replace(last.phases, dates=dates))
        holding, today = self._extent.holding.settled(), self._today()
        for key in moved:
            if key not in self._in_phases:
                continue
            deal, staffing = self._in_phases[key]
            yield from map(holding.part, self._of_deal(deal, staffing, known, today))

    def _reserved(self, key: str) -> str:
        """Returns why a deal may not have a key, "" if it may."""
        if is_portfolio(key):
            return _RESERVED
        if is_phase_key(key):
            if self._mappings.has_phases:
                return _LIKE_A_PHASE.format(
                    deal=deal_of(key), phase=phase_of(key), word=shlex.quote(key)
                )
            self._deals_like_phases.add(key)
        return ""

    def _of_deal(
        self, deal: Deal, staffing: Staffing, known: _Known, today: date
    ) -> Sequence[DesiredGroup]:
        """Returns the groups of a deal; none if no mapping is for it.

        :raises NotMapped: it cannot be mapped, or its own project would become another phase's.
        """
        groups = self._mappings.desired_groups(deal, staffing, today, known.phases.dates)
        if known.phases.keys or known.phases.others:
            self._refuse_second_project(deal, known.phases)
        return [self._with_pages(deal, group, known) or group for group in groups]

    def _refuse_second_project(self, deal: Deal, there: PhasesThere) -> None:
        rules = self._mappings.choose(deal)
        for phase in rules.phases if rules else ():
            key = phase_key(deal.key, phase.id)
            if phase.keeps_project and key in there.keys:
                word = shlex.quote(key)
                text = _SECOND_PROJECT.format(name=phase.name, key=key, word=word)
                raise NotMapped(text, str(phase.where))
            if not phase.keeps_project and key in there.others:
                raise NotMapped(_OF_ANOTHER.format(name=phase.name, key=key), str(phase.where))

    def _held_back(
        self, deal: Deal, groups: Sequence[DesiredGroup], there: PhasesThere
    ) -> Sequence[Quarantined]:
        """Returns the phases that look like others that left the mapping under another name.

        Nothing is made for them, until the mapping says by an id which phase they are.
        """
        left = sorted(there.of(deal.key) - {group.key for group in groups})
        rules = self._mappings.choose(deal) if left else None
        made = {group.key for group in groups if group.create and not group.retired}
        return [
            Quarantined(key, str(phase.where), _like_a_rename(phase, left))
            for phase in (rules.phases if rules else ())
            if not (phase.has_id or phase.keeps_project)
            if (key := phase_key(deal.key, phase.id)) in made
            if key not in there.keys
            if not there.is_unlinked(key)
        ]

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
        except NotMapped as problem:
            reading.quarantined.extend(_put_off(joined, self._mappings, problem))
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
        """Returns the group with a page that asks what its project taught, if that has ended.

        Of a deal with phases, it is asked once, in the deal's own project.
        """
        if group is None or group.key != deal.key or not has_ended(deal):
            return group
        rules = self._mappings.stage_of(deal)[0]
        if rules.page is PagePhase.NEVER:
            return group
        return with_questions(group, self._extent.questions, rules.words)

    def _update_overview(self, deal: Deal, group: DesiredGroup | None) -> None:
        if self._overview and group is not None:
            main = self._joins.get(deal.key, "")
            self._overview.add(deal, *self._mappings.stage_of(deal), main)

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
        """Returns how the project of a deal that is gone from the source is retired.

        So is that of a phase that left its mapping, once its deal has ended.
        """
        has_ended = self.whole_of(key) in self._ended
        return self._extent.holding.part(self._mappings.retired(key, base, has_ended=has_ended))

    def whole_of(self, key: str) -> str:
        """Returns the deal of a phase's project; see `sync.source.TellsParts`.

        Before the deals were read, it is unknown which keys are deals' without any phases.
        """
        is_known = self._mappings.has_phases or self._was_read
        is_phase = is_known and is_phase_key(key) and key not in self._deals_like_phases
        return deal_of(key) if is_phase else ""

    def part_of(self, whole: str, key: str) -> str:
        """Returns the key of the project of the same phase of another deal."""
        return phase_key(whole, phase_of(key))

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
        of_deals = summed_up(_delivered(facts, problems), self.whole_of)
        each = with_joined(of_deals, self._joins)
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


def _like_a_rename(phase: PhaseRule, left: Sequence[str]) -> str:
    names = " or ".join(f'"{phase_of(key)}"' for key in left)
    return _LIKE_A_RENAME.format(name=phase.name, left=names, old=phase_of(left[0]), id=phase.id)


def _without(groups: Sequence[DesiredGroup], keys: Collection[str]) -> Sequence[DesiredGroup]:
    return [group for group in groups if group.key not in keys] if keys else groups


def _dates_in(edits: WatchedEdits) -> Dates:
    """Returns the dates of milestones that a look at their project found."""
    bases = {key.name: each for key, each in edits.bases.items() if key.kind == Kind.MILESTONE}
    return dates_of(bases, edits.facts)


def _delivered(facts: Iterable[GroupFacts], problems: list[str]) -> Iterator[DeliveryFacts]:
    """Yields what deals' projects tell; of one whose facts are invalid, a problem is noted."""
    for each in facts:
        if is_portfolio(each.key):
            continue
        known = understood(each.facts)
        if unknown := sorted(each.facts.keys() - known.keys()):
            names = ", ".join(unknown)
            problems.append(f"{each.key}: what its project reports as {names} has no meaning")
        try:
            delivered = delivery_facts(each.key, known, each.seen_at, each.state)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            _LOG.exception("%s: its delivery facts are invalid", each.key)
            problems.append(f"{each.key}: its delivery facts are invalid ({in_words(error)})")
            continue
        yield delivered


def _put_off(joined: Sequence[Deal], mappings: MappingSet, why: NotMapped) -> Iterator[Quarantined]:
    """Yields why deals in one project are not synced now: some of them cannot be mapped, or all
    of them together."""
    at_fault: list[str] = []
    for deal in joined:
        try:
            mappings.stage_of(deal)
        except NotMapped as problem:
            at_fault.append(deal.key)
            yield Quarantined(deal.key, problem.place, str(problem))
    if not at_fault:
        yield from (Quarantined(deal.key, why.place, str(why)) for deal in joined)
        return
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
