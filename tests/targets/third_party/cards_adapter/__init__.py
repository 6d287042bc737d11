"""Cards as a target of pipeline-sync: a tool that keeps projects, columns and cards in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.target import Capabilities
from taiga_pipeline.adapters import Setting
from taiga_pipeline.records import Kind, Project, Story
from taiga_pipeline.targets.port import target_adapter

if TYPE_CHECKING:
    from cards_adapter.target import Cards

    from sync.clock import Clock
    from taiga_pipeline.http.connection import Connection

CAPABILITIES = Capabilities(
    kinds=frozenset({Kind.PROJECT, Kind.STORY, Kind.STATUS}),
    lacks={
        Kind.PROJECT: frozenset(
            {
                Project.TAGS,
                Project.TEMPLATE,
                Project.PRIVATE,
                Project.LOOKING_FOR_PEOPLE,
                Project.LOOKING_FOR_PEOPLE_NOTE,
            }
        ),
        Kind.STORY: frozenset({Story.TAGS, Story.HOURS}),
    },
)


@target_adapter(
    "Cards",
    capabilities=CAPABILITIES,
    settings=(Setting("file", "cards.json", "where Cards keeps everything", own=True),),
    ways_in=(),
    needs_url=False,
)
def create(connection: Connection, clock: Clock) -> Cards:
    """Makes the target; what it needs is imported only here."""
    from cards_adapter.target import Cards

    return Cards(connection)
