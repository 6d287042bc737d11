"""What Redmine can hold, and how it is set up."""

from __future__ import annotations

from typing import Final

from sync.target import Capabilities
from taiga_pipeline.adapters import Setting
from taiga_pipeline.records import Kind, Membership, Milestone, Project, Story
from taiga_pipeline.targets.port import PASSWORD, TOKEN

CAPABILITIES: Final = Capabilities(
    kinds=frozenset({Kind.PROJECT, Kind.ROLE, Kind.MEMBERSHIP, Kind.MILESTONE, Kind.STORY}),
    lacks={
        Kind.PROJECT: frozenset(
            {
                Project.TAGS,
                Project.LOOKING_FOR_PEOPLE,
                Project.LOOKING_FOR_PEOPLE_NOTE,
                Project.TEMPLATE,
            }
        ),
        Kind.MEMBERSHIP: frozenset({Membership.ADMIN}),
        Kind.MILESTONE: frozenset({Milestone.START}),
        Kind.STORY: frozenset({Story.TAGS}),
    },
    leases=True,
    tells_copies=True,
)

WAYS_IN: Final = (TOKEN, PASSWORD)

SETTINGS: Final = (
    Setting("url", "https://redmine.example.com", "the web page of your Redmine"),
    Setting("token_env", "REDMINE_TOKEN", "the variable that holds the account's API key"),
    Setting(
        "token_file",
        "token.txt",
        "  (My account, API access key), or a file of mode 0600",
        optional=True,
    ),
)
