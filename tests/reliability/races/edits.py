"""One run that updates a project in every way, and an edit by a person in the midst of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sync.plan.model import IssueKind
from sync.records.model import RecordKey
from sync.run import manual_actions
from sync.run.runner import RunReport
from taiga_pipeline.records import Kind
from taiga_pipeline.sandbox.models import Project
from taiga_pipeline.sandbox.persistence import dump, load
from tests.reliability.machine.oracle import Oracle
from tests.reliability.machine.people import People
from tests.reliability.machine.world import World

KEY: Final = "D1"

Edit = Callable[[People, Project, World], None]

EDITS: Final[Mapping[str, Edit]] = {
    "renames the project": lambda p, x, w: p.rename(x, _titles(w), keep_label=True),
    "renames it without its label": lambda p, x, w: p.rename(x, _titles(w), keep_label=False),
    "writes above the facts": lambda p, x, w: p.write(x, "above"),
    "writes below the facts": lambda p, x, w: p.write(x, "below"),
    "writes among the facts": lambda p, x, w: p.write(x, "inside"),
    "edits a fact": lambda p, x, w: p.spoil_facts(x),
    "deletes the facts": lambda p, x, w: p.remove_facts(x),
    "adds a tag": lambda p, x, w: p.tag(x),
    "removes a tag": lambda p, x, w: p.untag(x, 0),
    "deletes the marker": lambda p, x, w: p.unmark(x),
    "copies the project": lambda p, x, w: p.copy(x),
    "deletes the project": lambda p, x, w: p.delete(x),
    "adds a member": lambda p, x, w: p.add_member(x, "dora"),
    "adds the very member that sales add": lambda p, x, w: p.add_member(x, "bob"),
    "takes a member away": lambda p, x, w: p.remove_member(x, 0),
    "changes a role": lambda p, x, w: p.change_role(x, 0, "UX"),
    "renames a story": lambda p, x, w: p.rename_story(x, 1),
    "moves a story": lambda p, x, w: p.move_story(x, 1),
    "deletes a story": lambda p, x, w: p.delete_story(x, 1),
    "writes a story": lambda p, x, w: p.own_story(x),
    "moves a milestone": lambda p, x, w: p.move_milestone(x),
    "deletes a milestone": lambda p, x, w: p.delete_milestone(x),
}


def _titles(world: World) -> set[str]:
    """All titles that sales wanted so far."""
    return {"Acme: Title of D1", "Acme & Sons: Title of D1"}


@dataclass(frozen=True, slots=True)
class Raced:
    """What came of a run into which someone edited, and of the next one."""

    during: RunReport
    after: RunReport
    edited_before_last_write: bool
    between_look_and_write: bool
    """Whether the edit came right before a PATCH of the very object, after the last look at it."""
    violations: list[str]

    @property
    def reported(self) -> bool:
        """Whether the first run said that someone had been at work."""
        return bool(self.during.meanwhile or self.during.issues)


class Interleaving:
    """The same situation again and again."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / "state.db"
        self._prepared = folder / "prepared.db"
        self._world = World(f"sqlite:///{self._state}")
        self._prepare()
        self._data: Any = json.loads(json.dumps(dump(self._world.sandbox.store)))
        self._world.state.close()
        shutil.copy(self._state, self._prepared)

    def close(self) -> None:
        self._world.close()

    def _prepare(self) -> None:
        world = self._world
        world.book.put(KEY, stage="Won")
        world.book.staffed[KEY, "ana@example.test"] = "Back"
        world.run()
        world.run()
        deal = world.book.deals[KEY]
        later = replace(deal, customer="Acme & Sons", value=Decimal(7), start=date(2027, 2, 1))
        world.book.deals[KEY] = later
        world.book.staffed[KEY, "bob@example.test"] = "Data"

    def count_requests(self) -> int:
        """Returns how many requests the run makes that no one disturbs."""
        self._reset()
        self._world.run()
        return len(self._world.sandbox.requests)

    def race(self, at: int, edit: Edit) -> Raced:
        """Runs; right before the server takes up request ``at``, someone edits; runs again."""
        self._reset()
        world = self._world
        people = People(world)
        project = world.bound(KEY)
        assert project is not None
        number, writes_after, edited, in_between = 0, 0, False, False

        def before(method: str, path: str) -> None:
            nonlocal number, writes_after, edited, in_between
            number += 1
            if number == at:
                edited, in_between = True, method == "PATCH"
                edit(people, project, world)
            if edited and method != "GET" and "user-storage" not in path:
                writes_after += 1

        world.wire.before = before
        during = world.run()
        world.wire.before = lambda method, path: None
        after = world.run()
        oracle = Oracle(world, people, {KEY: [project.id]}, {KEY: _titles(world)})
        violations = oracle.violations()
        if self._reported(IssueKind.UNMARKED):
            violations += self._mark_again(project, after, oracle)
        world.sandbox.clear_requests()
        world.run()
        if world.writes():
            violations.append(f"a third run wrote {world.writes()}")
        return Raced(during, after, writes_after > 0, in_between, violations)

    def _reported(self, kind: IssueKind) -> bool:
        return any(each.issue.kind is kind for each in self._world.state.issues())

    def _mark_again(self, project: Project, after: RunReport, oracle: Oracle) -> list[str]:
        """Has a person mark a project again, as the issue says; returns what does not hold then.

        Until then nothing of it is written, and afterwards all is as sales want.
        """
        world = self._world
        found = [f"without its mark, {each.key} was written" for each in after.applied]
        target = world.target()
        target.connect()
        manual_actions.adopt(world.state, target, RecordKey(KEY, Kind.PROJECT), str(project.id))
        world.run()
        found += oracle.violations()
        if self._reported(IssueKind.UNMARKED) or self._reported(IssueKind.CONFLICT):
            found.append("marked again, it is not in step")
        return found

    def race_in_flight(self) -> tuple[RunReport, RunReport, Project]:
        """Runs while someone's change of the description is under way in the server, which saves
        the whole project as it was before ours: both are told that all went well.

        Returns the reports of this run and of the next, and the project after that.
        """
        self._reset()
        world = self._world
        project = world.bound(KEY)
        assert project is not None
        stale: dict[str, Any] = {}

        def before(method: str, path: str) -> None:
            if method == "PATCH" and path == f"/projects/{project.id}" and not stale:
                stale.update({name: getattr(project, name) for name in ("name", "tags")})
                stale["description"] = f"Petra was here.\n\n{project.description}"

        def after(method: str, path: str) -> None:
            if method == "PATCH" and path == f"/projects/{project.id}" and stale:
                world.wire.before = world.wire.after = lambda method, path: None
                world.admin.patch(f"/projects/{project.id}", stale)

        world.wire.before, world.wire.after = before, after
        during = world.run()
        return during, world.run(), project

    def _reset(self) -> None:
        self._world.state.close()
        for suffix in ("-wal", "-shm"):
            self._state.with_name(self._state.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._prepared, self._state)
        self._world.reopen()
        load(self._world.sandbox.store, self._data)
        self._world.sandbox.clear_requests()
