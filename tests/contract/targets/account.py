"""What the suite needs of a target besides the port: to act as a person, and as a bad network.

An adapter joins the suite with a subclass of `Account` and one line in ``conftest.py``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pytest

from sync.clock import Clock
from sync.errors import OutcomeUnknown
from sync.records.model import Desired, DesiredGroup, Marker, Observed, RecordKey, Value
from sync.target import Capabilities, Place, Target, Written
from taiga_pipeline.mapping.holding import Holding
from taiga_pipeline.records import Kind, Project


def needs(kind: str, *fields: str) -> pytest.MarkDecorator:
    """Marks a case as one for targets that hold such records, with these fields."""
    return pytest.mark.needs.with_args(kind, *fields)


tells_untouched = pytest.mark.tells_untouched
"""Marks a case as one for targets that tell what no one has touched."""


keeps_leases = pytest.mark.keeps_leases
"""Marks a case as one for targets that keep a second machine out."""


copies_projects = pytest.mark.copies_projects
takes_two_milestones = pytest.mark.takes_two_milestones
"""Marks a case as one for targets that copy projects which people keep as templates."""


class Account(Protocol):
    """The connector's account in a tool, and the people around it.

    ``roles`` are the names of two roles that the tool has, ``member`` is an e-mail address that it
    can add. ``workers`` are the addresses of two people who have an account there.
    ``capabilities`` are the adapter's: cases that need more are left out (`needs`), and
    no one is asked to do more than the tool can. ``shows_state`` tells whether it has a place for a
    project's state. ``tells_untouched_children`` may say that it never tells whether a child is as
    the connector made it, ``hides_retired`` that nothing of what is in a retired project can be
    seen (`hides_retired`).
    """

    target: Target
    pipeline: str
    clock: Clock
    member: str
    workers: tuple[str, str]
    roles: tuple[str, str]
    capabilities: Capabilities
    shows_state: bool

    @property
    def writes(self) -> int:
        """How many requests were sent that may change something."""

    def rename(self, root_id: str, name: str) -> None:
        """A person gives a project another name."""

    def tag(self, root_id: str, add: str = "", remove: str = "") -> None:
        """A person adds a tag to a project, or takes one off; only where there are tags."""

    def delete(self, root_id: str) -> None:
        """A person deletes a project."""

    def add_story(self, root_id: str, subject: str) -> None:
        """A person adds a story of their own."""

    def edit_story(self, root_id: str, story_id: str, subject: str) -> None:
        """A person gives a story another subject."""

    def estimate_story(self, root_id: str, story_id: str, hours: float) -> None:
        """A person enters how many hours a story takes, 0 for none; only where it has any."""

    def assign_story(self, root_id: str, story_id: str, address: str) -> None:
        """A person gives a story to a member, to no one by ""; only where stories are for someone
        and projects have members."""

    def copy_story(self, root_id: str, story_id: str) -> str:
        """Makes a story with the reference of another, as a second machine does, or a person who
        copies it into the same project or another one; returns its id."""

    def delete_story(self, root_id: str, story_id: str) -> None:
        """A person deletes a story."""

    def delete_milestone(self, root_id: str, milestone_id: str) -> None:
        """A person deletes a milestone; its stories stay."""

    def copy_milestone(self, root_id: str, milestone_id: str) -> str:
        """Makes a milestone that answers to the name of another one, as a second machine does;
        returns its id. Only where the tool takes two."""

    def plan_story(self, root_id: str, story_id: str, milestone_id: str) -> None:
        """Plans a story for another milestone, as the machine does that made both; only where
        `copy_milestone` is."""

    def add_planned_story(self, root_id: str, subject: str, milestone_id: str) -> str:
        """A person adds a story of their own to a milestone; returns its id. Only where
        `copy_milestone` is."""

    def planned_for(self, root_id: str, story_id: str) -> set[str]:
        """Returns the ids of the milestones that a story is planned for; only where
        `copy_milestone` is."""

    def move_story(self, root_id: str, story_id: str, other_id: str) -> None:
        """A person moves a story into another project, with its reference."""

    def copy(self, root_id: str, name: str) -> str:
        """A person copies a project as the tool does, its marker with it; returns the copy's id."""

    def make_template(self, name: str) -> str:
        """A person makes a project that is a template, if the tool copies projects: a milestone
        Kick-off from 2026-03-02 to 2026-03-06, a story in it that is due on 2026-03-04, and one
        that has no date. Returns its number."""

    def contents(self, root_id: str) -> list[tuple[str, str]]:
        """What is in a project that people see: names of milestones and stories, with their last
        days, "" for none; what the tool has no place for is missing."""

    def lose_next_answer(self) -> None:
        """The answer to the next creation does not arrive, although it took place."""

    def clean_up(self) -> None:
        """Deletes what was made, and ends the connections."""


def hides_retired(account: Account) -> bool:
    """Whether a project's contents are seen, and kept in step, only once it is restored."""
    return getattr(account, "hides_retired", False)


class Wire:
    """Stands between a client and its server: counts writes, and loses answers when told to."""

    def __init__(
        self, transport: Any, is_reading: Callable[[str], bool] = lambda path: False
    ) -> None:
        self._send = transport.send
        self._is_reading = is_reading
        transport.send = self.send
        self.writes = 0
        self.loses_next = False

    def send(self, method: str, path: str, **rest: Any) -> Any:
        """Sends a request through."""
        answer = self._send(method, path, **rest)
        if method == "GET" or path == "auth" or self._is_reading(path):
            return answer
        self.writes += 1
        if method == "POST" and self.loses_next:
            self.loses_next = False
            raise OutcomeUnknown(f"{method} {path}: the answer was lost by the test")
        return answer


class Work:
    """A project that a test made as the engine does, and what happens in it."""

    def __init__(self, account: Account, key: str = "", **fields: Value) -> None:
        self.account = account
        self.target = account.target
        self.key = key or f"D-{uuid.uuid4().hex[:8]}"
        self.marker = Marker(account.pipeline, self.key)
        self.desired = self._held(
            Desired(
                RecordKey(self.key, Kind.PROJECT),
                {
                    Project.STATE: "tentative",
                    Project.LABEL: "(tentative)",
                    Project.TITLE: f"Acme {self.key}",
                    Project.TEXT: "Hello",
                    Project.DEAL_FACTS: "Customer: Acme\nValue: 40,000 EUR",
                    Project.TAGS: frozenset({"incoming"}),
                    **fields,
                },
            )
        )
        self.bound: dict[RecordKey, str] = {}
        self.id = ""
        self.agreed: Mapping[str, Value] = self.desired.fields
        """The fields as they were last written."""

    def _held(self, desired: Desired) -> Desired:
        """Returns a record as the mapping layer and the target leave it."""
        holding = Holding(capabilities=lambda: self.account.capabilities)
        return self.target.fit(holding.part(DesiredGroup(desired)).root)

    def make(self) -> Written:
        """Makes the project."""
        written = self.target.create_root(self.desired, self.marker)
        self.id = written.record.id
        self.bound[self.desired.key] = self.id
        return written

    @property
    def place(self) -> Place:
        return Place(self.id, dict(self.bound))

    @property
    def name(self) -> str:
        return f"{self.desired.fields[Project.LABEL]} {self.desired.fields[Project.TITLE]}"

    def observed(self) -> Observed:
        """The project as it is now."""
        root = self.target.observe_root(self.id)
        assert root is not None
        return root

    def fields(self) -> Mapping[str, Value]:
        """The project's fields as they are now."""
        return self.target.split(self.observed(), [self.agreed])

    def change(self, **changes: Value) -> Written:
        """Writes changes as the engine does."""
        observed = self.observed()
        known = {**self.agreed, **self.target.split(observed, [self.agreed])}
        self.agreed = {**known, **changes}
        return self.target.update(observed, changes, self.agreed, self.place)

    def add(self, kind_: str, name_: str, /, **fields: Value) -> Written:
        """Makes a child."""
        desired = self._held(Desired(RecordKey(self.key, kind_, name_), fields))
        written = self.target.create_child(desired, self.place)
        self.bound[desired.key] = written.record.id
        return written

    def join(self, role: str) -> Written:
        """Adds the member, in a role where the tool has any."""
        if self.account.capabilities.holds(Kind.ROLE):
            self.add(Kind.ROLE, role, name=role)
        member = self.account.member
        return self.add(Kind.MEMBERSHIP, member, email=member, role=role, admin=False)

    def children(self, kind: str) -> list[Observed]:
        """The children of one kind."""
        found = self.target.observe_children([self.id])[self.id]
        return [child for child in found if child.kind == kind and child.identity]

    def child(self, kind: str, target_id: str) -> Observed:
        """One child."""
        (found,) = (child for child in self.children(kind) if child.id == target_id)
        return found

    def change_child(self, observed: Observed, **changes: Value) -> Written:
        """Writes changes to a child."""
        return self.target.update(observed, changes, {**observed.fields, **changes}, self.place)
