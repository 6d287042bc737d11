"""What a move of a deal would ask for, and what comes of it: looked at before it is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taiga_pipeline.app.deals.funnel import asked_by, rules_of, stage_in
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.gates import open_actions
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.pipeline.text import folded, line

if TYPE_CHECKING:
    from taiga_pipeline.mapping.rules import StageRule
    from taiga_pipeline.people.model import Allocation
    from taiga_pipeline.pipeline.model import Deal

MOST_REASONS = 50
"""So many reasons are proposed, the most frequent ones."""


@dataclass(frozen=True, slots=True)
class MovePreview:
    """A move that somebody thinks of.

    ``requires`` are the actions that its way asks for, ``open`` those among them that are not
    checked off. ``allocations`` are who is on the deal. ``project`` is the state of its project as
    the last run left it ("" for none); after the move, the next run makes ``to.state`` of it.
    ``reasons`` are those for which deals were lost, the most frequent first; none unless it would
    be lost.
    """

    deal: Deal
    to: StageRule
    requires: tuple[str, ...]
    open: tuple[str, ...]
    allocations: tuple[Allocation, ...]
    project: str
    reasons: tuple[str, ...]

    @property
    def is_asking(self) -> bool:
        """Whether the move takes more than a yes."""
        return bool(self.open) or self.to.category.is_closed


def preview_move(workspace: Workspace, key: str, stage: str) -> MovePreview:
    """Returns what a move would ask for; changes nothing.

    :raises UnknownDeal: there is no such deal.
    :raises UnknownStage: its mapping has no such stage.
    :raises NotMappedDeal: no mapping is for it.
    """
    with deal_store(workspace) as store:
        deal = store.get(key)
        rules = rules_of(workspace, deal)
        to = stage_in(rules, stage)
        is_lost = to.category is Category.LOST
        lost = list(store.deals(stages=(to.name, *to.aliases))) if is_lost else []
    requires = asked_by(rules, deal.stage, to)
    with people_store(workspace) as people:
        allocations = tuple(people.allocations(deal_key=deal.key))
    return MovePreview(
        deal=deal,
        to=to,
        requires=requires,
        open=open_actions(requires, deal.done),
        allocations=allocations,
        project=_state_of(workspace, deal.key),
        reasons=_reasons(lost),
    )


def stages_for(workspace: Workspace, deal: Deal) -> tuple[StageRule, ...]:
    """Returns the stages among which a deal may be moved, in the order of its mapping.

    :raises NotMappedDeal: no mapping is for it.
    """
    return tuple(rules_of(workspace, deal).stages)


def _state_of(workspace: Workspace, key: str) -> str:
    if not workspace.has_state():
        return ""
    with state_to_read(workspace) as state:
        row = state.index().get(key)
    return row.state if row and row.is_followed else ""


def _reasons(lost: list[Deal]) -> tuple[str, ...]:
    counted = Counter(folded(line(deal.lost_reason)) for deal in lost if deal.lost_reason)
    written = {folded(line(deal.lost_reason)): deal.lost_reason for deal in lost}
    return tuple(written[each] for each, _ in counted.most_common(MOST_REASONS))
