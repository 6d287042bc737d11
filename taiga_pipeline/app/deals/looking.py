"""Lists of deals, and everything about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from taiga_pipeline.app.deals.filters import Conditions, refuse_unknown, stages_meant
from taiga_pipeline.app.deals.follow_ups import Followed, Score, Waiting
from taiga_pipeline.app.deals.funnel import chance_of
from taiga_pipeline.app.state_access import facts_in, state_to_read
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.tables.joins import main_deals
from taiga_pipeline.records import PHASE_MARK

if TYPE_CHECKING:
    from sync.records.model import RecordKey
    from taiga_pipeline.people.model import Allocation
    from taiga_pipeline.pipeline.model import Deal, DeliveryFacts, FieldChange, StageMove


@dataclass(frozen=True, slots=True)
class DealView:
    """A deal with the chance that counts for it: its own, or 1 or 0 once it is decided."""

    deal: Deal
    chance: Decimal | None


@dataclass(frozen=True, slots=True)
class DealDetails:
    """A deal, what happened to it (the oldest first), who is on it, and what became of it.

    ``waiting`` is what it waits for, ``score`` its learnt chance with the main reasons, None before
    the proposal stage. ``version`` is handed back with an edit, so that it takes nothing back that
    others wrote meanwhile. ``facts`` are those of its project as they were read at ``seen_at``
    (UTC); both are empty for a deal that was never synced. ``projects`` are those of a deal with
    phases, each as it was last read, in the order of their starts; none of a deal with one project.
    ``taken_away`` are records that people took out of a project. ``in_project`` are the keys of all
    deals that share the project, the main one first.
    """

    deal: Deal
    chance: Decimal | None
    version: str
    waiting: Waiting
    score: Score | None
    moves: tuple[StageMove, ...]
    changes: tuple[FieldChange, ...]
    allocations: tuple[Allocation, ...]
    facts: Mapping[str, Any]
    seen_at: datetime | None
    taken_away: tuple[RecordKey, ...]
    in_project: tuple[str, ...]
    projects: tuple[DeliveryFacts, ...] = ()


def find_deals(
    workspace: Workspace,
    *,
    stages: Sequence[str] = (),
    team: str = "",
    owner: str = "",
    text: str = "",
    where: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> tuple[DealView, ...]:
    """Returns deals in the order of their keys, at most ``limit``.

    A stage means all names that the mappings have for it. ``text`` occurs in key, name, customer,
    service or notes. ``where``: field -> the text that stands for what it holds, "" for nothing;
    it is read as it is when people edit the field.

    :raises UnknownFilters: nothing was found, because a name in the filter is unknown.
    :raises InvalidValue: a text that the field cannot hold.
    :raises ProblemsError: deals are read from elsewhere.
    :raises Unreachable: the store cannot be used.
    """
    conditions = Conditions.of(where, workspace.fields) if where else Conditions()
    with deal_store(workspace) as store:
        meant = stages_meant(workspace, stages)
        deals = store.deals(stages=meant, team=team, owner=owner, text=text)
        with closing(deals):
            found = list(islice(filter(conditions.are_met_by, deals), limit))
        if not found:
            asked = {"stage": tuple(stages), "team": (team,), "owner": (owner,)}
            named = {name: (*asked.get(name, ()), *each) for name, each in conditions.words.items()}
            refuse_unknown(workspace, store.deals, {**asked, **named})
    chance = chance_of(workspace)
    return tuple(DealView(deal, chance(deal)) for deal in found)


def deal_of(workspace: Workspace, key: str) -> Deal:
    """Returns a deal alone.

    :raises UnknownDeal: there is none; names the nearest.
    """
    with deal_store(workspace) as store:
        return store.get(key)


def deal_seen(workspace: Workspace, key: str) -> tuple[Deal, str]:
    """Returns a deal, and its version: to be handed back with an edit.

    :raises UnknownDeal: there is none; names the nearest.
    """
    with deal_store(workspace) as store:
        deal, version = store.seen(key)
    return deal, str(version)


def show_deal(workspace: Workspace, key: str) -> DealDetails:
    """Returns everything about a deal.

    :raises UnknownDeal: there is none; names the nearest.
    """
    with deal_store(workspace) as store, people_store(workspace) as people:
        deal, version = store.seen(key)
        moves, changes = tuple(store.history(deal.key)), tuple(store.changes(deal.key))
        allocations = tuple(people.allocations(deal_key=deal.key))
        mains = main_deals(store.joins())
    main = mains.get(deal.key, deal.key)
    with state_to_read(workspace) as state:
        (facts, seen_at), taken = state.facts(main), list(state.taken_away(main))
        phases = state.keys_below(f"{deal.key}{PHASE_MARK}")
        taken += [key for phase in phases for key in state.taken_away(phase)]
        whole = facts_in(state, deal.key) if phases else None
    chance, followed = chance_of(workspace)(deal), Followed(workspace)
    return DealDetails(
        deal=deal,
        chance=chance,
        version=str(version),
        waiting=followed.waiting(deal),
        score=followed.score(deal, with_reasons=True),
        moves=moves,
        changes=changes,
        allocations=allocations,
        facts=facts,
        seen_at=seen_at,
        taken_away=tuple(taken),
        projects=whole.projects if whole else (),
        in_project=(main, *sorted(key for key, its in mains.items() if its == main)),
    )
