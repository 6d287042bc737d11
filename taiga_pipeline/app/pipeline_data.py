"""The deals and people of a pipeline, read once for everything that a command works out of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taiga_pipeline.app.state_access import facts_by_project, state_to_read
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.delivery import left_of
from taiga_pipeline.records import PHASE_MARK, Kind

if TYPE_CHECKING:
    from sync.state.store import StateStore
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.people.model import Allocation, Person
    from taiga_pipeline.pipeline.model import Deal


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What the source holds, and the rules for it.

    ``people`` are in the order of their addresses, ``facts`` what delivery reported, by deal.
    ``left`` are deals and addresses of those who are no longer in the deal's project.
    ``notices`` tell what could not be read.
    """

    mappings: MappingSet
    deals: tuple[Deal, ...]
    people: tuple[Person, ...]
    allocations: tuple[Allocation, ...]
    facts: Mapping[str, Mapping[str, object]]
    left: frozenset[tuple[str, str]]
    notices: tuple[str, ...]


def read_pipeline(workspace: Workspace) -> Pipeline:
    """Reads the source, and what delivery reported last.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    mappings = workspace.load_mappings()
    reading = workspace.make_deal_source().read()
    deals = tuple(reading.deals)
    return Pipeline(
        mappings=mappings,
        deals=deals,
        people=tuple(sorted(reading.people.values(), key=lambda person: person.email)),
        allocations=tuple(each for group in reading.allocations.values() for each in group),
        facts=reported_facts(workspace),
        left=who_left(workspace),
        notices=tuple(f"{row.place}: left out: {row.reason}" for row in reading.quarantined),
    )


def reported_facts(workspace: Workspace) -> dict[str, Mapping[str, object]]:
    """Returns what delivery reported of deals' projects, by deal, as it was last read from there.

    Nothing is read where nothing was synced yet.
    """
    if not workspace.has_state():
        return {}
    with state_to_read(workspace) as store:
        return facts_by_project(store)


def who_left(workspace: Workspace) -> frozenset[tuple[str, str]]:
    """Returns who left which deal's project, as deal key and address in lower case."""
    if not workspace.has_state():
        return frozenset()
    with state_to_read(workspace) as store:
        left = left_of(store.taken_away())
        return left - _elsewhere(store, {deal for deal, _ in left})


def _elsewhere(store: StateStore, deals: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Returns who is still in the project of another phase, as deal key and address."""
    found = set()
    for deal in deals:
        if phases := store.keys_below(f"{deal}{PHASE_MARK}"):
            known = store.known([deal, *phases]).values()
            there = (each for of in known for each in of.bound.items())
            found |= {
                (deal, key.name.casefold())
                for key, bound in there
                if key.kind == Kind.MEMBERSHIP and not bound.binding.deleted
            }
    return frozenset(found)
