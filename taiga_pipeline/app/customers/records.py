"""What is on record of deals, read as sparingly as the place allows where they are kept.

The built-in store is asked for light views of all deals and for whole ones of a few. Any other
source is read once as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from taiga_pipeline.app.planning.metrics import delivered_of, record_of
from taiga_pipeline.app.state_access import facts_by_project, state_to_read
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.pipeline.delivery import facts_by_deal, understood
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.planning.lessons.experience import (
    Experience,
    Outcome,
    experience_of,
    outcome_of,
)
from taiga_pipeline.planning.lessons.retrospective import answers_in
from taiga_pipeline.records import PHASE_MARK
from taiga_pipeline.sources.port import TellsHistory

if TYPE_CHECKING:
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.people.model import Allocation
    from taiga_pipeline.pipeline.customers.store import CustomerStore
    from taiga_pipeline.pipeline.model import Deal, StageMove

_FEW: Final = 100
"""So many deals are asked for one by one; of more, all that is on record is read."""
_NO_MOVES: Final = (
    "deals are read from {title}, which keeps no record of how they moved: days in stages are "
    "unknown"
)
_NO_STATE: Final = "nothing was synced yet: what became of projects is unknown"


_Item = TypeVar("_Item", "StageMove", "Allocation")


class Records(Protocol):
    """Where deals and what happened to them are read."""

    def outlines(self) -> Iterable[Deal]:
        """Returns all deals; they may lack notes, contacts, roles and actions."""

    def whole(self, keys: Collection[str]) -> dict[str, Deal]:
        """Returns some deals with all that they hold, by key."""

    def moves(self, keys: Collection[str]) -> Mapping[str, Sequence[StageMove]]:
        """Returns the moves of some deals, as far as they are on record."""

    def allocations(self, keys: Collection[str]) -> Mapping[str, Sequence[Allocation]]:
        """Returns who was put on some deals."""

    def names(self) -> Mapping[str, str]:
        """Returns the names of people by lower-case address."""


@contextmanager
def customer_store(workspace: Workspace) -> Iterator[CustomerStore]:
    """Opens the customers of the built-in store, and closes them again.

    :raises ProblemsError: deals are read from elsewhere.
    :raises Unreachable: the store cannot be used.
    """
    store = workspace.open_customer_store()
    try:
        yield store
    finally:
        store.close()


class StoreRecords:
    """Those of the built-in store."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def outlines(self) -> list[Deal]:
        """See `Records`."""
        with customer_store(self._workspace) as store:
            return list(store.outlines())

    def whole(self, keys: Collection[str]) -> dict[str, Deal]:
        """See `Records`."""
        with deal_store(self._workspace) as store, store.view() as view:
            found = view.existing(keys)
        return {deal.key: deal for deal in found.values()}

    def moves(self, keys: Collection[str]) -> Mapping[str, Sequence[StageMove]]:
        """See `Records`."""
        wanted = frozenset(keys)
        with deal_store(self._workspace) as store:
            if len(wanted) <= _FEW:
                return {key: tuple(store.history(key)) for key in wanted}
            return _grouped(move for move in store.history() if move.deal_key in wanted)

    def allocations(self, keys: Collection[str]) -> Mapping[str, Sequence[Allocation]]:
        """See `Records`."""
        wanted = frozenset(keys)
        with people_store(self._workspace) as store:
            if len(wanted) <= _FEW:
                return {key: store.allocations(deal_key=key) for key in wanted}
            return _grouped(a for a in store.allocations() if a.deal_key in wanted)

    def names(self) -> Mapping[str, str]:
        """See `Records`."""
        with people_store(self._workspace) as store:
            return {person.email: person.name for person in store.people()}


class SourceRecords:
    """Those of any source, which is read once."""

    def __init__(self, workspace: Workspace) -> None:
        self._source = workspace.make_deal_source()
        reading = self._source.read()
        self._deals = {deal.key: deal for deal in reading.deals}
        self._reading = reading

    def outlines(self) -> Iterable[Deal]:
        """See `Records`."""
        return self._deals.values()

    def whole(self, keys: Collection[str]) -> dict[str, Deal]:
        """See `Records`."""
        return {key: self._deals[key] for key in keys if key in self._deals}

    def moves(self, keys: Collection[str]) -> Mapping[str, Sequence[StageMove]]:
        """See `Records`."""
        if not isinstance(self._source, TellsHistory):
            return {}
        wanted = frozenset(keys)
        with self._source.past() as past:
            return _grouped(move for move in past.moves if move.deal_key in wanted)

    def allocations(self, keys: Collection[str]) -> Mapping[str, Sequence[Allocation]]:
        """See `Records`."""
        return {key: self._reading.allocations.get(key, ()) for key in keys}

    def names(self) -> Mapping[str, str]:
        """See `Records`."""
        return {email: person.name for email, person in self._reading.people.items()}


class Past:
    """The deals of a pipeline with what became of them. Everything is read when it is asked for.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def mappings(self) -> MappingSet:
        """The rules for the deals."""
        return self._workspace.load_mappings()

    @cached_property
    def records(self) -> Records:
        """Where deals are read."""
        workspace = self._workspace
        return StoreRecords(workspace) if workspace.has_store else SourceRecords(workspace)

    @cached_property
    def outlines(self) -> list[Deal]:
        """All deals; they may lack notes, contacts, roles and actions."""
        return list(self.records.outlines())

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The names of people by lower-case address."""
        return self.records.names()

    @property
    def notices(self) -> tuple[str, ...]:
        """What cannot be known here, and why."""
        found = []
        if not self._workspace.source_capabilities.history:
            found.append(_NO_MOVES.format(title=self._workspace.source_adapter.title))
        if not self._workspace.has_state():
            found.append(_NO_STATE)
        return tuple(found)

    def outcome(self, deal: Deal) -> Outcome:
        """Returns what became of a deal so far."""
        try:
            _, stage = self.mappings.stage_of(deal)
        except NotMapped:
            return Outcome.UNKNOWN
        return outcome_of(stage.category)

    def decided(self) -> Iterator[Deal]:
        """Yields the deals that were won or lost."""
        return (deal for deal in self.outlines if self.outcome(deal) in (Outcome.WON, Outcome.LOST))

    def experiences(self, keys: Sequence[str]) -> list[Experience]:
        """Returns what became of some deals, in the order of ``keys``."""
        deals = self.records.whole(keys)
        moves, allocations = self.records.moves(keys), self.records.allocations(keys)
        facts = _facts(self._workspace, keys)
        return [
            self._experience(deals[key], moves, allocations.get(key, ()), facts.get(key, {}))
            for key in keys
            if key in deals
        ]

    def _experience(
        self,
        deal: Deal,
        moves: Mapping[str, Sequence[StageMove]],
        allocations: Sequence[Allocation],
        facts: Mapping[str, object],
    ) -> Experience:
        record = record_of(deal, self.mappings, moves, {})
        if record is None:
            return Experience(deal, Outcome.UNKNOWN, answers=answers_in(deal.notes))
        delivered = delivered_of(deal, self.mappings, allocations, facts, is_won=record.is_won)
        questions = self._workspace.settings.deals.retrospective
        today = self._workspace.today
        return experience_of(record, delivered, today, self.names, questions)


def _facts(workspace: Workspace, keys: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
    """Returns what delivery reported of some deals' projects."""
    if not workspace.has_state():
        return {}
    with state_to_read(workspace) as store:
        if len(keys) <= _FEW:
            index = store.index()
            projects = [
                each
                for key in keys
                for each in (key, *store.keys_below(key + PHASE_MARK))
                if each == key or not index[each].unlinked
            ]
            return facts_by_deal({key: understood(store.facts(key)[0]) for key in projects})
        return facts_by_deal(facts_by_project(store))


def same_name(name: str, known: Collection[str]) -> str:
    """Returns the known name that is meant: exactly this one, or the only one but for case."""
    if name in known:
        return name
    alike = [each for each in known if folded(each) == folded(name)]
    return alike[0] if len(alike) == 1 else ""


def _grouped(items: Iterable[_Item]) -> dict[str, list[_Item]]:
    grouped: dict[str, list[_Item]] = {}
    for item in items:
        grouped.setdefault(item.deal_key, []).append(item)
    return grouped
