"""The rows that the sandbox keeps: one mutable, slotted class per table. Times are aware UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taiga_pipeline.sandbox.templates import PROJECT_FLAGS


@dataclass(slots=True)
class User:
    """An account; `password` is a salted hash, empty for an account that cannot log in."""

    id: int
    username: str
    email: str
    full_name: str
    date_joined: datetime
    password: str = ""
    is_superuser: bool = False
    verified_email: bool = True
    is_active: bool = True
    lang: str = ""


@dataclass(slots=True)
class Project:
    """A project. Its statuses, points and the like come from `template`, with ids from
    `value_base`.
    """

    id: int
    name: str
    slug: str
    description: str
    owner: int
    created_date: datetime
    modified_date: datetime
    totals_updated_datetime: datetime
    template: int
    creation_template: int | None
    value_base: dict[str, int] = field(default_factory=dict)
    defaults: dict[str, int | None] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(PROJECT_FLAGS, False))
    tags: list[str] = field(default_factory=list)
    tags_colors: dict[str, str | None] = field(default_factory=dict)
    is_private: bool = True
    is_featured: bool = False
    is_looking_for_people: bool = False
    looking_for_people_note: str = ""
    total_milestones: int | None = None
    total_story_points: float | None = None
    videoconferences: str | None = None
    videoconferences_extra_data: str | None = None
    anon_permissions: list[str] = field(default_factory=list)
    public_permissions: list[str] = field(default_factory=list)
    blocked_code: str | None = None
    archived_code: str | None = None
    total_activity: int = 0
    last_ref: int = 0
    modules: dict[str, Any] = field(default_factory=dict)
    us_statuses: list[dict[str, Any]] | None = None
    """The story statuses with their ids, once they are no longer the template's."""
    stories_csv_uuid: str | None = None
    """Part of the address of the report on its stories, which needs no log-in."""


@dataclass(slots=True)
class Role:
    """A role of one project; names may repeat, slugs may not."""

    id: int
    project: int
    name: str
    slug: str
    order: int
    computable: bool
    permissions: tuple[str, ...]


@dataclass(slots=True)
class Membership:
    """A person in a project, or (`user` None) an invitation that nobody has accepted yet.

    `email` is what was typed when the person was added; None if they came by bulk or by user name.
    """

    id: int
    project: int
    role: int
    user: int | None
    email: str | None
    is_admin: bool
    created_at: datetime
    invited_by: int | None = None
    invitation_extra_text: str | None = None
    user_order: int = 0
    notify_level: int = 1
    live_notify_level: int = 1
    web_notify_level: bool = True


@dataclass(slots=True)
class Milestone:
    """A sprint. Dates are ISO text, as they came and as they go."""

    id: int
    project: int
    name: str
    slug: str
    owner: int
    estimated_start: str
    estimated_finish: str
    created_date: datetime
    modified_date: datetime
    closed: bool = False
    disponibility: float = 0.0
    order: int = 1


@dataclass(slots=True)
class HistoryEntry:
    """One change of a story or wiki page: `diff` maps each field to its old and new value."""

    id: str
    user: int
    created_at: datetime
    type: int
    diff: dict[str, list[Any]]
    comment: str = ""


@dataclass(slots=True)
class Story:
    """A user story."""

    id: int
    project: int
    ref: int
    owner: int
    subject: str
    status: int | None
    created_date: datetime
    modified_date: datetime
    description: str = ""
    version: int = 1
    milestone: int | None = None
    is_closed: bool = False
    finish_date: datetime | None = None
    due_date: str | None = None
    due_date_reason: str = ""
    assigned_to: int | None = None
    assigned_users: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    external_reference: list[str] | None = None
    points: dict[str, int] = field(default_factory=dict)
    client_requirement: bool = False
    team_requirement: bool = False
    is_blocked: bool = False
    blocked_note: str = ""
    backlog_order: int = 0
    sprint_order: int = 0
    kanban_order: int = 0
    total_comments: int = 0
    poisoned: bool = False
    history: list[HistoryEntry] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    """Values by the id of the custom attribute, with a version of their own."""
    attributes_version: int = 1


@dataclass(slots=True)
class CustomAttribute:
    """What stories of a project can have besides: its name is unique there, letter case counts."""

    id: int
    project: int
    name: str
    description: str
    type: str
    order: int
    created_date: datetime
    modified_date: datetime
    extra: Any = None


@dataclass(slots=True)
class Task:
    """A task, usually of a story. Nothing is known of it but what a board of cards needs."""

    id: int
    project: int
    ref: int
    owner: int
    subject: str
    status: int | None
    created_date: datetime
    modified_date: datetime
    user_story: int | None = None
    description: str = ""
    version: int = 1
    is_closed: bool = False
    finished_date: datetime | None = None
    due_date: str | None = None
    assigned_to: int | None = None
    tags: list[str] = field(default_factory=list)
    external_reference: list[str] | None = None
    total_comments: int = 0
    order: int = 0
    history: list[HistoryEntry] = field(default_factory=list)


@dataclass(slots=True)
class WikiPage:
    """A wiki page, unique by project and slug."""

    id: int
    project: int
    slug: str
    content: str
    owner: int
    last_modifier: int
    created_date: datetime
    modified_date: datetime
    version: int = 1
    poisoned: bool = False
    history: list[HistoryEntry] = field(default_factory=list)


@dataclass(slots=True)
class WikiLink:
    """An entry of the wiki's navigation; `href` is the slug of the page that it made."""

    id: int
    project: int
    title: str
    href: str
    order: int


@dataclass(slots=True)
class Attachment:
    """A file on a wiki page or story; of its content only size and SHA-1 are kept."""

    id: int
    project: int
    kind: str
    object_id: int
    owner: int
    name: str
    description: str
    size: int
    sha1: str
    created_date: datetime
    modified_date: datetime


@dataclass(slots=True)
class StorageEntry:
    """A value in somebody's private key-value storage."""

    id: int
    user: int
    key: str
    value: Any
    created_date: datetime
    modified_date: datetime


@dataclass(slots=True)
class Event:
    """A line of a project's timeline."""

    id: int
    project: int
    user: int
    event_type: str
    object_id: int
    created: datetime
    data: dict[str, Any]


@dataclass(slots=True)
class ApplicationToken:
    """A token that acts for a user without expiry, until it is revoked."""

    id: int
    user: int
    application: str
    token: str
