"""Deals and mappings for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sync.records.model import Desired, DesiredGroup, Value
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.load import MappingErrors, parse_mapping
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Deal, RoleDemand

TODAY = date(2026, 11, 23)
BACK = RoleDemand("Back", Decimal(30), 10)
DESIGN = RoleDemand("Design", Decimal(16), 4, start_week=2, skills=("figma",))
DEAL = Deal(
    key="D-1",
    name="New portal",
    customer="Acme",
    stage="Proposal",
    value=Decimal(120_000),
    currency="EUR",
    expected_close=date(2026, 12, 1),
    owner="Anna",
    team="Consulting",
    service="Web",
)

HEAD = '[mapping]\nname = "test"\n'
STAGES = """\
[[stage]]
name = "Needs"
category = "needs"
[[stage]]
name = "Proposal"
category = "proposal"
probability = 0.5
[[stage]]
name = "Won"
category = "won"
[[stage]]
name = "Lost"
category = "lost"
"""


def deal(**changes: Any) -> Deal:
    """Returns a deal at the proposal stage, with changes."""
    return replace(DEAL, **changes)


def mappings(extra: str = "", head: str = HEAD) -> MappingSet:
    """Returns a mapping of four stages and whatever else is given."""
    return parse_mapping(f"{head}{STAGES}{extra}", "test.toml")


def problems(text: str, file: str = "m.toml") -> list[str]:
    """Returns what is reported about a mapping that cannot be used."""
    with pytest.raises(MappingErrors) as caught:
        parse_mapping(text, file)
    return [str(problem) for problem in caught.value.problems]


def desired(
    subject: Deal, rules: MappingSet | None = None, *allocations: Allocation, today: date = TODAY
) -> DesiredGroup:
    """Returns what a deal asks for."""
    group = (rules or mappings()).desired(subject, Staffing(allocations), today)
    assert group is not None
    return group


def root(subject: Deal, rules: MappingSet | None = None, *allocations: Allocation) -> Any:
    """Returns the fields of a deal's project."""
    return desired(subject, rules, *allocations).root.fields


def children(group: DesiredGroup, kind: str) -> dict[str, Desired]:
    """Returns a group's children of one kind, by name."""
    return {record.key.name: record for record in group.children if record.key.kind == kind}


def fields(group: DesiredGroup, kind: str) -> dict[str, dict[str, Value]]:
    """Returns the fields of a group's children of one kind, by name."""
    return {name: dict(record.fields) for name, record in children(group, kind).items()}


def allocation(
    email: str = "ann@example.org", role: str = "Back", hours: int = 20, **changes: Any
) -> Allocation:
    """Returns a confirmed allocation to the deal."""
    return replace(Allocation("D-1", email, role, Decimal(hours)), **changes)
