"""What Kanboard can hold, and how it is set up."""

from __future__ import annotations

from typing import Final

from sync.target import Capabilities
from taiga_pipeline.adapters import Setting
from taiga_pipeline.records import Kind, Membership, Project, Status, Story
from taiga_pipeline.targets.port import PASSWORD, TOKEN

CAPABILITIES: Final = Capabilities(
    kinds=frozenset(
        {
            Kind.PROJECT,
            Kind.ROLE,
            Kind.MEMBERSHIP,
            Kind.MILESTONE,
            Kind.STATUS,
            Kind.STORY,
        }
    ),
    lacks={
        Kind.PROJECT: frozenset(
            {
                Project.TAGS,
                Project.LOOKING_FOR_PEOPLE,
                Project.LOOKING_FOR_PEOPLE_NOTE,
                Project.TEMPLATE,
                Project.PRIVATE,
            }
        ),
        Kind.MEMBERSHIP: frozenset({Membership.ADMIN}),
        Kind.STATUS: frozenset({Status.CLOSED, Status.COLOR}),
        Kind.STORY: frozenset({Story.TAGS, Story.SUMMARY}),
    },
    leases=True,
    tells_copies=True,
)

WAYS_IN: Final = (TOKEN, PASSWORD)

SETTINGS: Final = (
    Setting("url", "https://kanboard.example.com", "the web page of your Kanboard"),
    Setting("token_env", "KANBOARD_TOKEN", "the variable that holds the API token"),
    Setting(
        "token_file",
        "token.txt",
        "  (Settings, API), or a file of mode 0600",
        optional=True,
    ),
)
