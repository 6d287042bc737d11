"""Every kind of children, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from taiga_pipeline.targets.taiga.boards import Statuses
from taiga_pipeline.targets.taiga.cards.tasks import Tasks
from taiga_pipeline.targets.taiga.children import (
    ChildKind,
    Memberships,
    Milestones,
    Roles,
    Stories,
)
from taiga_pipeline.targets.taiga.pages import Pages

KINDS: Final[Mapping[str, ChildKind]] = {
    item.kind: item
    for item in (Roles(), Memberships(), Milestones(), Statuses(), Stories(), Tasks(), Pages())
}
"""How to handle each kind, in the order in which they are read."""
