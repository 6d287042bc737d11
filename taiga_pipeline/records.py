"""The kinds of records and the names of their fields: what mappings fill and targets understand.

Dates are ISO 8601 text. Every field but the ones said to be sets holds a single value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sync.records.model import RecordKey
from sync.records.traces import Traces


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
    STATUS: Final = "status"
    """A column of the portfolio's board."""
    TASK: Final = "task"
    """What is to be done about a card of the portfolio's board."""


PORTFOLIO: Final = "~portfolio"
"""What the key of a pipeline's portfolio begins with; see `portfolio_key`."""


def task_name(deal: str, action: str) -> str:
    """Returns the name of the record of a task on a deal's card."""
    plain = " ".join(unicodedata.normalize("NFC", action).split()).casefold()
    return f"{deal}/{plain}"


def portfolio_key(pipeline: str) -> str:
    """Returns the key of a pipeline's portfolio: the one project that is not a deal's."""
    return f"{PORTFOLIO}-{pipeline}"


def member_key(group: str, address: str) -> RecordKey:
    """Returns the key of the record of a member; ``address`` is in lower case."""
    return RecordKey(group, Kind.MEMBERSHIP, address)


def is_portfolio(key: str) -> bool:
    """Whether a group's key is that of a portfolio: its project is a board, and no deal's."""
    return key.startswith(PORTFOLIO)


PHASE_MARK: Final = "::"
"""Between a deal's key and the id of a phase, in the key of that phase's project."""

_PHASE_KEY: Final = re.compile(r"(?P<deal>.+)::(?P<phase>[a-z0-9][a-z0-9-]*)", re.DOTALL)


def phase_key(deal: str, phase: str) -> str:
    """Returns the key of the project of a deal's phase. ``phase`` is its id."""
    return f"{deal}{PHASE_MARK}{phase}"


def is_phase_key(key: str) -> bool:
    """Whether a key has the form of that of a phase's project."""
    return PHASE_MARK in key and _PHASE_KEY.fullmatch(key) is not None  # asked for each of many


def deal_of(key: str) -> str:
    """Returns the deal of a project's key: for a phase's, the part before the phase."""
    match = _PHASE_KEY.fullmatch(key) if PHASE_MARK in key else None
    return match["deal"] if match else key


def phase_of(key: str) -> str:
    """Returns the id of the phase in a project's key, "" where there is none."""
    match = _PHASE_KEY.fullmatch(key)
    return match["phase"] if match else ""


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
    COPIED_FROM: Final = "copied_from"
    """Which project of the target it is a copy of (`template_project`); only at creation."""
    COPY_STARTS: Final = "copy_starts"
    """The day to which the first date in the copy is moved, None for none; only at creation."""
    PRIVATE: Final = "private"
    """A bool; only at creation."""

    OF_COPIES: Final = frozenset({COPIED_FROM, COPY_STARTS})
    """Fields for tools that copy projects (`Capabilities.copies_roots`)."""

    _PROJECT: Final = "project:"

    @classmethod
    def template_project(cls, template: str) -> str:
        """Returns the project that a mapping's template names ("project:42"), by its number, name
        in addresses, or address; "" where it names a template of the target's own."""
        named = template.strip()
        if named.startswith(("https://", "http://")):
            return named
        return named.removeprefix(cls._PROJECT).strip() if named.startswith(cls._PROJECT) else ""


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
    STATUS: Final = "status"
    """The name of the column it is in; its own record has this name, normalised, in its key."""
    DUE_DATE: Final = "due_date"
    """A date, or None."""
    HOURS: Final = "hours"
    """Planned hours as text ("16", "1.5"), None for none."""
    FACTS: Final = "facts"
    """Lines of ``Name: value`` in the description, below people's own text. Written, never read."""
    SUMMARY: Final = "summary"
    """What stands behind the subject: how much it is about, and when. Written, never read back."""
    ASSIGNED: Final = "assigned"
    """The lower-case e-mail address of the member that it is assigned to, None for no one. On a
    card that people work on it is "" for no one."""

    _FIELD: Final = "field."

    @classmethod
    def field(cls, name: str) -> str:
        """Returns the name of the field that shows the field ``name`` of a deal on its card."""
        return f"{cls._FIELD}{name}"

    @classmethod
    def of_deal(cls, name: str) -> str:
        """Returns the field of a deal that a card's field shows, "" where it is another one."""
        return name.removeprefix(cls._FIELD) if name.startswith(cls._FIELD) else ""


@dataclass(frozen=True, slots=True)
class CardField:
    """A field of a deal on its card.

    ``name`` is the deal's field, ``title`` what people see. ``kind`` is "text", "number", "date",
    "yes/no" or "choice"; on the record all are text: a number without blanks and with a dot, a date
    as ISO 8601, "yes" or "no", "" where nothing is known. ``choices`` are those of a choice.
    """

    name: str
    title: str
    kind: str = "text"
    choices: tuple[str, ...] = ()


class Task:
    """Fields of a task. Its record's key is the key of its card's record, a slash, and the task."""

    SUBJECT: Final = "subject"
    CARD: Final = "card"
    """The name of its card's record; only at creation."""
    CLOSED: Final = "closed"
    """Whether it is done (a bool)."""


class Status:
    """Fields of a column of a board. The record's key is its normalised name."""

    NAME: Final = "name"
    ORDER: Final = "order"
    """A whole number; columns are in its order."""
    CLOSED: Final = "closed"
    """Whether what is in it is done (a bool)."""
    COLOR: Final = "color"
    """``#RRGGBB``; only at creation."""


class Wiki:
    """Fields of a wiki page. The record's key is the page's address within the wiki."""

    TITLE: Final = "title"
    """How the wiki's navigation names it; only at creation."""
    TEXT: Final = "text"
    """The people's part of the page."""
    FACTS: Final = "facts"
    """The part that is kept current: lines of Markdown, without empty ones."""
    PICTURE: Final = "picture"
    """The digest of the picture that stands above the facts, "" for none."""


REFERENCES: Final[Mapping[tuple[str, str], str]] = {
    (Kind.MEMBERSHIP, Membership.ROLE): Kind.ROLE,
    (Kind.STORY, Story.MILESTONE): Kind.MILESTONE,
    (Kind.STORY, Story.ASSIGNED): Kind.MEMBERSHIP,
    (Kind.STORY, Story.STATUS): Kind.STATUS,
    (Kind.TASK, Task.CARD): Kind.STORY,
}
"""Fields, by kind and name, that name another record of the same project, and its kind."""

TRACES: Final[Mapping[str, Traces]] = {
    Kind.PROJECT: Traces(
        own={Project.LABEL: "", Project.DEAL_FACTS: ""},
        shared={Project.LOOKING_FOR_PEOPLE: False, Project.LOOKING_FOR_PEOPLE_NOTE: ""},
        sets=frozenset({Project.TAGS}),
    ),
    Kind.STORY: Traces(own={Story.FACTS: ""}, sets=frozenset({Story.TAGS})),
    Kind.WIKI: Traces(own={Wiki.FACTS: "", Wiki.PICTURE: ""}),
}
"""What the connector writes that would claim to be kept current after it has left."""
