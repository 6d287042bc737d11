"""The sandbox's tables, their indices and sequences; everything a request changes is in here."""

import secrets
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from taiga_pipeline.sandbox.clock import Clock
from taiga_pipeline.sandbox.models import (
    ApplicationToken,
    Attachment,
    CustomAttribute,
    Event,
    Membership,
    Milestone,
    Project,
    Role,
    StorageEntry,
    Story,
    Task,
    User,
    WikiLink,
    WikiPage,
)
from taiga_pipeline.sandbox.templates import TEMPLATES


class _Row(Protocol):
    id: int


class _ProjectRow(Protocol):
    id: int
    project: int


RowT = TypeVar("RowT", bound=_Row)
ProjectRowT = TypeVar("ProjectRowT", bound=_ProjectRow)


class Table(Generic[RowT]):
    """Rows by id, with the sequence that numbers them; ids are never used twice."""

    def __init__(self) -> None:
        self.rows: dict[int, RowT] = {}
        self.last_id = 0

    def __iter__(self) -> Iterator[RowT]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def next_id(self) -> int:
        """Take the next number."""
        self.last_id += 1
        return self.last_id

    def get(self, row_id: int | None) -> RowT | None:
        """The row with an id, or None."""
        return None if row_id is None else self.rows.get(row_id)

    def add(self, row: RowT) -> RowT:
        """Keep a row under its id."""
        self.rows[row.id] = row
        self.last_id = max(self.last_id, row.id)
        return row

    def remove(self, row: RowT) -> None:
        """Forget a row."""
        del self.rows[row.id]


class ProjectTable(Table[ProjectRowT]):
    """Rows that belong to a project, found by it without a scan."""

    def __init__(self) -> None:
        super().__init__()
        self._by_project: dict[int, dict[int, ProjectRowT]] = {}

    def of(self, project_id: int) -> list[ProjectRowT]:
        """The rows of one project, in the order they were made."""
        return list(self._by_project.get(project_id, {}).values())

    def count(self, project_id: int) -> int:
        """How many rows one project has."""
        return len(self._by_project.get(project_id, {}))

    def add(self, row: ProjectRowT) -> ProjectRowT:
        self._by_project.setdefault(row.project, {})[row.id] = row
        return super().add(row)

    def remove(self, row: ProjectRowT) -> None:
        del self._by_project[row.project][row.id]
        super().remove(row)

    def remove_all(self, project_id: int) -> None:
        """Forget all rows of one project."""
        for row_id in self._by_project.pop(project_id, {}):
            del self.rows[row_id]


class MembershipTable(ProjectTable[Membership]):
    """Memberships, found by person too."""

    def __init__(self) -> None:
        super().__init__()
        self._by_user: dict[int, dict[int, Membership]] = {}

    def add(self, row: Membership) -> Membership:
        if row.user is not None:
            self._by_user.setdefault(row.user, {})[row.project] = row
        return super().add(row)

    def remove(self, row: Membership) -> None:
        if row.user is not None:
            self._by_user[row.user].pop(row.project, None)
        super().remove(row)

    def remove_all(self, project_id: int) -> None:
        for row in self.of(project_id):
            self.remove(row)

    def find(self, user_id: int, project_id: int) -> Membership | None:
        """The membership of a person in a project."""
        return self._by_user.get(user_id, {}).get(project_id)

    def of_user(self, user_id: int) -> dict[int, Membership]:
        """A person's memberships by project id."""
        return self._by_user.get(user_id, {})


class ProjectIndex(Table[Project]):
    """Projects, found by slug, listed by name."""

    def __init__(self) -> None:
        super().__init__()
        self.by_slug: dict[str, Project] = {}
        self._ordered: list[Project] | None = None

    def add(self, row: Project) -> Project:
        self.by_slug[row.slug] = row
        self._ordered = None
        return super().add(row)

    def remove(self, row: Project) -> None:
        self.by_slug.pop(row.slug, None)
        self._ordered = None
        super().remove(row)

    def renamed(self) -> None:
        """Say that a name changed, so that the order is worked out anew."""
        self._ordered = None

    def in_order(self) -> list[Project]:
        """All projects by name, then id: the order of the project list."""
        if self._ordered is None:
            self._ordered = sorted(self.rows.values(), key=lambda row: (row.name, row.id))
        return self._ordered


class Store:
    """All state of a sandbox, behind one lock (`lock`, re-entrant), with one clock."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.lock = threading.RLock()
        self.clock = clock or Clock()
        self.secret = secrets.token_hex(32)
        self.clear()

    def clear(self) -> None:
        """Forget everything except the clock and the signing secret."""
        self.users: Table[User] = Table()
        self.projects = ProjectIndex()
        self.roles: ProjectTable[Role] = ProjectTable()
        self.memberships = MembershipTable()
        self.milestones: ProjectTable[Milestone] = ProjectTable()
        self.stories: ProjectTable[Story] = ProjectTable()
        self.tasks: ProjectTable[Task] = ProjectTable()
        self.story_attributes: ProjectTable[CustomAttribute] = ProjectTable()
        self.wiki_pages: ProjectTable[WikiPage] = ProjectTable()
        self.wiki_links: ProjectTable[WikiLink] = ProjectTable()
        self.attachments: ProjectTable[Attachment] = ProjectTable()
        self.events: ProjectTable[Event] = ProjectTable()
        self.storage: Table[StorageEntry] = Table()
        self.application_tokens: Table[ApplicationToken] = Table()
        self.value_sequences: dict[str, int] = dict.fromkeys(TEMPLATES[1].values, 0)
        self.spent_refresh_tokens: set[str] = set()
        self.revoked_access_tokens: set[str] = set()
        self.applications: set[str] = set()
        self.application_codes: dict[str, tuple[int, str, str]] = {}
        self.list_cache: dict[int, tuple[bytes, bytes]] = {}
        self.changes = 0

    def tables(self) -> dict[str, Table[Any]]:
        """Every table by name, for saving and loading."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Table)}

    def touched(self, project_id: int) -> None:
        """Drop what was prepared for listing a project; call it after any change to it."""
        self.list_cache.pop(project_id, None)
        self.changes += 1

    def tasks_of(self, story: Story) -> list[Task]:
        """The tasks of a story, in the order they were made."""
        return [task for task in self.tasks.of(story.project) if task.user_story == story.id]

    def find_user(self, name: str) -> User | None:
        """The account with a username or e-mail, in any case."""
        wanted = name.lower()
        for user in self.users:
            if wanted in (user.username.lower(), user.email.lower()):
                return user
        return None

    def user_by_email(self, email: str) -> User | None:
        """The account with this e-mail, in any case."""
        wanted = email.lower()
        return next((user for user in self.users if user.email.lower() == wanted), None)

    def take_values(self, kind: str, count: int) -> int:
        """Number `count` new statuses, points or the like; the first of the numbers."""
        first = self.value_sequences[kind] + 1
        self.value_sequences[kind] += count
        return first

    def remove_project(self, project: Project) -> None:
        """Forget a project and everything in it."""
        for table in self.tables().values():
            if isinstance(table, ProjectTable):
                table.remove_all(project.id)
        self.projects.remove(project)
        self.touched(project.id)

    def record(
        self, project: Project, user: User, event_type: str, object_id: int, data: dict[str, Any]
    ) -> None:
        """Write a line of the timeline; that is what moves a project's activity and totals."""
        now = self.clock.tick()
        row = Event(self.events.next_id(), project.id, user.id, event_type, object_id, now, data)
        self.events.add(row)
        project.total_activity += 1
        project.totals_updated_datetime = now
        self.touched(project.id)


def unique_slug(base: str, taken: Iterable[str] | dict[str, Any]) -> str:
    """Taiga's way to a free slug: `base`, `base-1`, ...; "null" for a text without letters."""
    potential = base or "null"
    suffix = 0
    while potential in taken:
        suffix += 1
        potential = f"{base}-{suffix}"
    return potential
