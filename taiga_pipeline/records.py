"""The kinds of records and the names of their fields: what mappings fill and targets understand.

Dates are ISO 8601 text. Every field but the ones said to be sets holds a single value.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ProjectState(StrEnum):
    """In which state a deal's project is."""

    NONE = "none"
    TENTATIVE = "tentative"
    STAFFED = "staffed"
    RETIRED = "retired"


class Kind:
    """Kinds of records. A project is a root, the others are its children."""

    PROJECT: Final = "project"
    ROLE: Final = "role"
    MEMBERSHIP: Final = "membership"
    MILESTONE: Final = "milestone"
    STORY: Final = "story"
    WIKI: Final = "wiki"


class Project:
    """Fields of a project."""

    STATE: Final = "state"
    """`ProjectState` value. A target without such a state shows it by the fields below."""
    LABEL: Final = "label"
    """Shown before the title ("(tentative)"), "" for none."""
    TITLE: Final = "title"
    TAGS: Final = "tags"
    """A set."""
    TEXT: Final = "text"
    """The people's part of the description."""
    DEAL_FACTS: Final = "deal_facts"
    """The part of the description that is kept current: lines of ``Name: value``."""
    LOOKING_FOR_PEOPLE: Final = "looking_for_people"
    """Whether roles are still open (a bool)."""
    LOOKING_FOR_PEOPLE_NOTE: Final = "looking_for_people_note"
    TEMPLATE: Final = "template"
    """The target's template that the project is made from; only at creation."""
    PRIVATE: Final = "private"
    """A bool; only at creation."""


class Role:
    """Fields of a role. The record's key names the role (case does not matter)."""

    NAME: Final = "name"


class Membership:
    """Fields of a membership. The record's key is the lower-case e-mail address."""

    EMAIL: Final = "email"
    ROLE: Final = "role"
    """The name of the role; the role's own record has this name in its key."""
    ADMIN: Final = "admin"
    """Whether the member may administer the project (a bool); only at creation."""


class Milestone:
    """Fields of a milestone. The record's key is the name in the mapping file."""

    NAME: Final = "name"
    START: Final = "start"
    FINISH: Final = "finish"


class Story:
    """Fields of a story. The record's key is an id that stays when the subject is edited."""

    SUBJECT: Final = "subject"
    DESCRIPTION: Final = "description"
    MILESTONE: Final = "milestone"
    """The key name of the milestone's record, "" for none; only at creation."""
    TAGS: Final = "tags"
    """A set."""
