"""Several deals in one project: an extension or a change order beside what was sold first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from taiga_pipeline.app.state_access import has_project
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.pipeline.errors import HasPhases, StandsAlone
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.tables.joins import main_deals
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.problems import ProblemsError


@dataclass(frozen=True, slots=True)
class Joined:
    """A deal that is part of the project of another one, ``main``.

    ``had_project`` says that it has a project of its own, which the next run retires.
    """

    deal: Deal
    main: Deal
    had_project: bool

    @property
    def other_customer(self) -> bool:
        """Whether both name a customer, and not the same one."""
        names = {folded(each.customer) for each in (self.deal, self.main) if each.customer}
        return len(names) > 1


@dataclass(frozen=True, slots=True)
class Left:
    """A deal that stands for itself again; ``main`` is the key of the deal that it had joined."""

    deal: Deal
    main: str


def join_deal(workspace: Workspace, key: str, main: str, *, by: str) -> Joined:
    """Makes a deal a part of another deal's project, as its history says.

    Demand, value, people, milestones and stories add up there from the next run on; each deal
    keeps its own stage and history.

    :raises UnknownDeal: one of them is not there.
    :raises JoinsItself: the other one is this deal, or is itself part of its project.
    :raises HasPhases: one of them has several projects by its mapping.
    """
    with deal_store(workspace) as store:
        _refuse_phases(workspace, (store.get(key), store.get(main)))
        after = store.join(key, main, by=by)
        whole = store.get(main_deals(store.joins()).get(after.key, after.part_of))
    return Joined(after, whole, has_project(workspace, after.key))


def _refuse_phases(workspace: Workspace, deals: Iterable[Deal]) -> None:
    for deal in deals:
        try:
            rules = workspace.load_mappings().choose(deal)
        except (NotMapped, ProblemsError):  # which is reported where it is mapped
            continue
        if rules and rules.phases:
            raise HasPhases(deal.key, rules.file)


def leave_project(workspace: Workspace, key: str, *, by: str) -> Left:
    """Lets a deal stand for itself again; what it brought is taken out of the other project.

    :raises UnknownDeal: there is no such deal.
    :raises StandsAlone: it is part of no other deal's project.
    """
    with deal_store(workspace) as store:
        before = store.get(key)
        if not before.part_of:
            raise StandsAlone(before.key)
        return Left(store.join(before.key, "", by=by), before.part_of)
