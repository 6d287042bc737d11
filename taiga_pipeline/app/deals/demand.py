"""Whom a deal needs, and where that is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.demand import deal_demand
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.problems import ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.model import Deal, RoleDemand


@dataclass(frozen=True, slots=True)
class Demand:
    """The roles that a deal needs. ``mapping`` is the one that they are from, "" if the deal states
    them itself. ``start`` is the deal's first day, None if it states none."""

    roles: tuple[RoleDemand, ...]
    mapping: str
    start: date | None


def demand_of(workspace: Workspace, deal: Deal) -> Demand:
    """Returns whom a deal needs; of a deal that no mapping is for, what it states itself."""
    try:
        rules = workspace.load_mappings().choose(deal)
    except (NotMapped, ProblemsError):
        rules = None
    if deal.roles and not (rules and rules.phases):
        return Demand(deal.roles, "", deal.start)
    roles = deal_demand(deal, rules) if rules else ()
    return Demand(roles, rules.name if rules else "", deal.start)
