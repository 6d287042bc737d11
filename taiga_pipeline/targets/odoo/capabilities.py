"""What Odoo can hold, and how it is set up."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sync.target import Capabilities
from taiga_pipeline.adapters import Setting
from taiga_pipeline.records import Kind, Membership, Milestone, Project, Status, Story
from taiga_pipeline.targets.port import PASSWORD, TOKEN

CAPABILITIES: Final = Capabilities(
    kinds=frozenset({Kind.PROJECT, Kind.MEMBERSHIP, Kind.MILESTONE, Kind.STORY, Kind.STATUS}),
    lacks={
        Kind.PROJECT: frozenset(
            {Project.LOOKING_FOR_PEOPLE, Project.LOOKING_FOR_PEOPLE_NOTE, Project.TEMPLATE}
        ),
        Kind.MEMBERSHIP: frozenset({Membership.ROLE}),
        Kind.MILESTONE: frozenset({Milestone.START}),
        Kind.STATUS: frozenset({Status.COLOR}),
        Kind.STORY: frozenset({Story.SUMMARY}),
    },
    leases=True,
    tells_copies=True,
    tells_untouched=True,
    copies_roots=True,
    keeps_lines=frozenset({Kind.STORY}),
)
"""The most that an Odoo can; see `held_by`."""

_NO_MILESTONES: Final = "they come with Odoo 16, and have to be switched on in Project's settings"

WAYS_IN: Final = (TOKEN, PASSWORD)

SETTINGS: Final = (
    Setting("url", "https://odoo.example.com", "where people open Odoo"),
    Setting("database", "odoo", "the database's name there", own=True),
    Setting("username", "pipeline@example.com", "the login of the account that makes projects"),
    Setting("token_env", "ODOO_KEY", "the variable that holds the account's API key"),
    Setting("token_file", "token.txt", "  or a file of mode 0600 that holds it", optional=True),
)


def held_by(*, milestones: bool, project_tags: bool, leases: bool, hours: bool) -> Capabilities:
    """Returns what an Odoo can hold that has, or does not have, what versions and rights bring."""
    found = replace(CAPABILITIES, leases=leases)
    if not hours:
        lacks = {**found.lacks}
        lacks[Kind.STORY] = lacks[Kind.STORY] | {Story.HOURS}
        found = replace(found, lacks=lacks)
    if not project_tags:
        lacks = {**found.lacks}
        lacks[Kind.PROJECT] = lacks[Kind.PROJECT] | {Project.TAGS}
        found = replace(found, lacks=lacks)
    if not milestones:
        kinds = (found.kinds or frozenset()) - {Kind.MILESTONE}
        found = replace(found, kinds=kinds, reasons={Kind.MILESTONE: _NO_MILESTONES})
    return found
