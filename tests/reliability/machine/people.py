"""What people do in Taiga, and the memory of it: what they did last has to stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sync.records.composite_text import SEPARATOR
from taiga_pipeline.records import Kind
from taiga_pipeline.sandbox.client import Refused
from taiga_pipeline.sandbox.models import Membership, Milestone, Project, Role, Story
from taiga_pipeline.targets.taiga.identity import decode_reference

from .world import PIPELINE, World

LABELS: Final = ("(tentative)", "(lost)", "(on hold)", "(gone)")
OWN_ROLES: Final = ("UX", "Design")
"""Roles that sales never ask for."""


@dataclass
class Memory:
    """What people made of one project, as far as it has to last.

    ``titles_before`` are all titles that sales had wanted when people renamed the project.
    """

    title: str | None = None
    titles_before: frozenset[str] = frozenset()
    text: str | None = None
    tags: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    """Whom people added: only they take them away."""
    roles: dict[int, str] = field(default_factory=dict)
    """Roles that people gave, by membership. Whom sales added and release goes in any role."""
    removed: set[str] = field(default_factory=set)
    """Members whom people took away."""
    subjects: dict[int, str] = field(default_factory=dict)
    placed: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)
    """Where people put stories: status and milestone."""
    stories: set[int] = field(default_factory=set)
    """Their own."""
    deleted_stories: set[str] = field(default_factory=set)
    copied_stories: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Stories that people made a second time or moved here: subject and reference."""
    dates: dict[int, tuple[str, str]] = field(default_factory=dict)
    deleted_milestones: bool = False


class People:
    """Project managers at work. Each act returns at once where there is nothing to act upon."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hand = world.admin
        self._store = world.sandbox.store
        self.memories: dict[int, Memory] = {}
        self.copies: dict[int, str] = {}
        """Copies of projects, and the name under which each was made."""
        self._count = 0

    def memory(self, project: Project) -> Memory:
        return self.memories.setdefault(project.id, Memory())

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _patch(self, project: Project, **changes: Any) -> bool:
        """Changes a project, unless it is archived or blocked: then Taiga refuses."""
        try:
            self._hand.patch(f"/projects/{project.id}", changes)
        except Refused:
            return False
        return True

    # --- the project itself

    def rename(self, project: Project, wanted_so_far: Iterable[str], *, keep_label: bool) -> None:
        title = f"Petra's {self._number()}"
        label = next((label for label in LABELS if project.name.startswith(label)), "")
        name = f"{label} {title}" if label and keep_label else title
        if self._patch(project, name=name):
            memory = self.memory(project)
            if memory.title is None:
                memory.titles_before = frozenset(wanted_so_far)
            memory.title = title

    def write(self, project: Project, place: str) -> None:
        """Edits the description above, below, or in the midst of the facts."""
        words = f"Petra wrote this ({self._number()})."
        text, mark, facts = project.description.partition(SEPARATOR)
        if place == "above" or not mark:
            description = f"{words}\n\n{mark}{facts}" if mark else words
            expected = words
        elif place == "below":
            description = f"{project.description}\n\n{words}"
            expected = words
        else:
            lines = facts.split("\n")
            description = "\n".join([f"{text}{mark}", *lines[1:2], words, *lines[2:]])
            expected = words
        if self._patch(project, description=description):
            self.memory(project).text = expected

    def spoil_facts(self, project: Project) -> None:
        """Edits what belongs to sales, who write it back."""
        text, mark, facts = project.description.partition(SEPARATOR)
        if mark:
            spoilt = facts.replace("Customer: Acme", "Customer: nobody")
            self._patch(project, description=f"{text}{mark}{spoilt}")

    def remove_facts(self, project: Project) -> None:
        text, mark, _ = project.description.partition(SEPARATOR)
        if mark and text.strip() and self._patch(project, description=text.rstrip()):
            memory = self.memory(project)
            if memory.text is not None and memory.text not in text:
                memory.text = None  # it stood below the facts, and went with them

    def tag(self, project: Project) -> None:
        tag = f"petra {self._number()}"
        if self._patch(project, tags=[*project.tags, tag]):
            self.memory(project).tags.add(tag)

    def untag(self, project: Project, place: int) -> None:
        if project.tags:
            tag = sorted(project.tags)[place % len(project.tags)]
            if self._patch(project, tags=[each for each in project.tags if each != tag]):
                self.memory(project).tags.discard(tag)

    def unmark(self, project: Project) -> None:
        self._patch(project, tags_colors=[])

    def delete(self, project: Project) -> None:
        try:
            self._hand.delete(f"/projects/{project.id}")
        except Refused:
            return
        self.memories.pop(project.id, None)

    def copy(self, project: Project) -> None:
        name = f"Copy {self._number()}"
        bot = self._world.sandbox.people.get(self._world.sandbox.username)
        if self._store.memberships.find(bot.id, project.id) is None:
            return
        body = {"name": name, "description": "A copy.", "is_private": True}
        made = self._hand.post(f"/projects/{project.id}/duplicate", {**body, "users": [_id(bot)]})
        self.copies[made["id"]] = name

    def lock(self, project: Project, *, archived: bool, locked: bool) -> None:
        """Does what only the server's administrator can do."""
        code = {"archived_code" if archived else "blocked_code": "by-staff" if locked else None}
        self._world.sandbox.lock_project(project.id, **code)

    # --- members

    def add_member(self, project: Project, name: str) -> None:
        role = self._role(project, "Front")
        if role is None:
            return  # a project that came to be without its roles
        who = {"project": project.id, "role": role.id, "username": f"{name}@example.test"}
        if self._try("POST", "/memberships", who):
            memory = self.memory(project)
            memory.added.add(str(who["username"]))
            memory.removed.discard(str(who["username"]))

    def remove_member(self, project: Project, place: int) -> None:
        row = self._member(project, place)
        if row is not None and self._try("DELETE", f"/memberships/{row.id}"):
            memory = self.memory(project)
            memory.added.discard(self.address(row))
            if not self._is_in_doubt(project, Kind.MEMBERSHIP, self.address(row)):
                memory.removed.add(self.address(row))

    def _is_in_doubt(self, project: Project, kind: str, name: str) -> bool:
        """Whether the connector does not know yet if it made a child.

        One that people delete before it does looks to it as if it had never been made.
        """
        state = self._world.state
        keys = [key for key, row in state.index().items() if row.root_id == str(project.id)]
        return any(
            record.kind == kind and name.casefold() in (record.name, making.identity.casefold())
            for known in state.known(keys).values()
            for record, making in known.making.items()
        )

    def change_role(self, project: Project, place: int, role: str) -> None:
        row = self._member(project, place)
        wanted = self._role(project, role)
        if row is None or wanted is None:
            return
        if self._try("PATCH", f"/memberships/{row.id}", {"role": wanted.id}):
            self.memory(project).roles[row.id] = role

    def address(self, row: Membership) -> str:
        user = self._store.users.get(row.user)
        return user.email if user else str(row.email)

    def _member(self, project: Project, place: int) -> Membership | None:
        bot = self._world.sandbox.people.get(self._world.sandbox.username)
        rows = [
            row
            for row in self._store.memberships.of(project.id)
            if row.user not in (bot.id, project.owner)
        ]
        return rows[place % len(rows)] if rows else None

    def _role(self, project: Project, name: str) -> Role | None:
        roles = self._store.roles.of(project.id)
        return next((role for role in roles if role.name == name), None)

    # --- stories and milestones

    def own_story(self, project: Project) -> None:
        body = {"project": project.id, "subject": f"Petra's story {self._number()}"}
        made = self._try("POST", "/userstories", body)
        if made:
            self.memory(project).stories.add(made["id"])

    def rename_story(self, project: Project, place: int) -> None:
        story = self._story(project, place)
        if story is not None:
            body = {"subject": f"Petra's subject {self._number()}", "version": story.version}
            if self._try("PATCH", f"/userstories/{story.id}", body):
                self.memory(project).subjects[story.id] = body["subject"]

    def move_story(self, project: Project, place: int) -> None:
        story = self._story(project, place)
        if story is not None:
            statuses = project.value_base["us_statuses"]
            body = {
                "status": statuses + self._number() % 5,
                "milestone": None,
                "version": story.version,
            }
            if self._try("PATCH", f"/userstories/{story.id}", body):
                self.memory(project).placed[story.id] = (body["status"], None)

    def delete_story(self, project: Project, place: int) -> None:
        story = self._story(project, place)
        if story is not None and self._try("DELETE", f"/userstories/{story.id}"):
            memory = self.memory(project)
            memory.subjects.pop(story.id, None)
            memory.placed.pop(story.id, None)
            _, name = decode_reference(PIPELINE, story.external_reference)
            memory.copied_stories.pop(story.id, None)
            in_doubt = self._is_in_doubt(project, Kind.STORY, name)
            if not in_doubt and not self._is_there_again(project, story):
                memory.deleted_stories.add(self.reference(story))

    def _is_there_again(self, project: Project, story: Story) -> bool:
        rows = self._store.stories.of(project.id)
        return any(self.reference(row) == self.reference(story) for row in rows)

    def copy_story(self, project: Project, place: int, into: Project) -> None:
        """Makes a story a second time, with its reference: in this project, or in another one."""
        story = self._story(project, place)
        if story is not None and self.reference(story) not in self.memory(into).deleted_stories:
            body = {"subject": story.subject, "external_reference": story.external_reference}
            made = self._try("POST", "/userstories", {**body, "project": into.id})
            if made:
                copied = (story.subject, self.reference(story))
                self.memory(into).copied_stories[made["id"]] = copied

    def move_story_away(self, project: Project, place: int, into: Project) -> None:
        """Moves a story into another project, with its reference (Taiga makes it again there)."""
        story = self._story(project, place)
        if story is None or into.id == project.id:
            return
        _, name = decode_reference(PIPELINE, story.external_reference)
        if self._is_in_doubt(project, Kind.STORY, name):
            return
        before = set(self.memory(into).copied_stories)
        self.copy_story(project, place, into)
        if set(self.memory(into).copied_stories) - before:
            self.delete_story(project, place)

    @staticmethod
    def reference(story: Story) -> str:
        return str(story.external_reference)

    def move_milestone(self, project: Project) -> None:
        row = self._milestone(project)
        if row is not None:
            day = f"2031-01-{1 + self._number() % 28:02}"
            body = {"estimated_start": day, "estimated_finish": "2031-02-28"}
            if self._try("PATCH", f"/milestones/{row.id}", body):
                self.memory(project).dates[row.id] = (day, "2031-02-28")

    def delete_milestone(self, project: Project) -> None:
        row = self._milestone(project)
        if row is not None and self._try("DELETE", f"/milestones/{row.id}"):
            memory = self.memory(project)
            memory.dates.pop(row.id, None)
            if not self._is_in_doubt(project, Kind.MILESTONE, row.name):
                memory.deleted_milestones = True

    def _story(self, project: Project, place: int) -> Story | None:
        ours = [row for row in self._store.stories.of(project.id) if row.external_reference]
        return ours[place % len(ours)] if ours else None

    def _milestone(self, project: Project) -> Milestone | None:
        return next(iter(self._store.milestones.of(project.id)), None)

    # --- a project of their own

    def begin_own(self) -> int:
        """Makes a project that a deal may adopt; the connector's account may administer it."""
        petra = self._world.petra
        body = {"name": f"Petra's own {self._number()}", "description": "By Petra."}
        own = petra.post("/projects", body)
        self.readmit(own["id"])
        return int(own["id"])

    def readmit(self, project: int) -> None:
        """Lets the connector's account in."""
        bot = self._world.sandbox.people.get(self._world.sandbox.username)
        if self._store.memberships.find(bot.id, project) is None:
            role = self._role(self._store.projects.rows[project], "Product Owner")
            assert role is not None
            who = {"project": project, "role": role.id, "username": bot.email, "is_admin": True}
            self._hand.post("/memberships", who)

    def expel(self, project: Project) -> None:
        """Takes the connector's account out of a project that is not its own."""
        bot = self._world.sandbox.people.get(self._world.sandbox.username)
        row = self._store.memberships.find(bot.id, project.id)
        if row is not None and project.owner != bot.id:
            self._try("DELETE", f"/memberships/{row.id}")

    def _try(self, method: str, path: str, body: Any = None) -> Any:
        """Acts; returns the answer, or nothing where Taiga refuses."""
        try:
            return self._hand.call(method, path, body) or True
        except Refused:
            return None


def _id(user: Any) -> dict[str, int]:
    return {"id": user.id}
