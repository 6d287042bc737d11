"""What Taiga can hold, and how it is set up."""

from __future__ import annotations

from typing import Final

from sync.target import Capabilities
from taiga_pipeline.adapters import Setting
from taiga_pipeline.records import Kind, Story
from taiga_pipeline.targets.port import APPLICATION_TOKEN, PASSWORD, TOKEN

CAPABILITIES: Final = Capabilities(
    kinds=frozenset(
        {
            Kind.PROJECT,
            Kind.ROLE,
            Kind.MEMBERSHIP,
            Kind.MILESTONE,
            Kind.STATUS,
            Kind.STORY,
            Kind.TASK,
            Kind.WIKI,
        }
    ),
    lacks={Kind.STORY: frozenset({Story.HOURS})},  # it has points
    keeps_lines=frozenset({Kind.STORY}),
    leases=True,
    tells_untouched=True,
    copies_roots=True,
)

WAYS_IN: Final = (PASSWORD, TOKEN, APPLICATION_TOKEN)

SETTINGS: Final = (
    Setting("url", "https://taiga.example.com", "the web page of your Taiga, without /api/v1"),
    Setting("username", "pipeline-bot", "a plain account is enough"),
    Setting(
        "password_env",
        "TAIGA_PASSWORD",
        "the variable that holds the password; a secret is never",
    ),
    Setting(
        "password_file",
        "password.txt",
        "  a value in this file. Or a file of mode 0600,",
        optional=True,
    ),
    Setting(
        "token_env",
        "TAIGA_TOKEN",
        "  or a token in place of username and password",
        optional=True,
    ),
)
