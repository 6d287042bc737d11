"""Sales and project managers edit both sides at will, with faults and kills in between.

    python -m tests.reliability.machine.schedules 1000 --seed 7

runs a thousand schedules of a seed, and fails with the shortest one in which something is lost.
Without a seed the schedules are always the same.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from sync.errors import SyncError
from sync.plan.model import IssueKind
from sync.records.model import RecordKey
from sync.run import manual_actions
from sync.ways_out import Side
from taiga_pipeline.records import Kind
from taiga_pipeline.sandbox.faults import Fault
from taiga_pipeline.sandbox.models import Project
from tests.reliability.machine.cards import CardMachine
from tests.reliability.machine.faults import FAULTS
from tests.reliability.machine.oracle import Oracle, is_of
from tests.reliability.machine.people import OWN_ROLES, People
from tests.reliability.machine.witness import Witness
from tests.reliability.machine.world import MAPPINGS, World

KEYS = st.sampled_from(["D1", "D2", "D3"])
STAGES = st.sampled_from(["Needs", "Proposal", "Proposal", "Won", "Won", "Lost"])
NAMES = st.sampled_from(["Alpha", "Beta", "Gamma"])
STAFF = st.sampled_from(["ana", "bob"])
FRIENDS = st.sampled_from(["ana", "dora", "emil"])
PLACE = st.integers(0, 5)
STEPS: Final = 20
"""So long is a schedule."""


class Machine(RuleBasedStateMachine):
    """One pipeline, one Taiga, and everyone at work."""

    schedules = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).schedules += 1
        self.world = World()
        self.people = People(self.world)
        self.made: dict[str, list[int]] = {}
        self.wanted: dict[str, set[str]] = {}
        self.witness = Witness(self.world)
        self.world.wire.before = self.witness.look
        self.world.wire.after = self._note_written
        self._seen: set[int] = set()
        self.oracle = Oracle(self.world, self.people, self.made, self.wanted)

    def _note_written(self, method: str, path: str) -> None:
        """Notes for which deal the connector made a project, and what it wrote to others'."""
        self.witness.compare(method, path)
        if (method, path) != ("POST", "/projects"):
            return
        projects = self.world.sandbox.store.projects.rows
        for key in self.world.project_keys():
            for project in self.world.marked(key):
                if project.id == max(projects) and project.id not in self._seen:
                    self._seen.add(project.id)
                    self.made.setdefault(key, []).append(project.id)

    def _project(self, key: str) -> Project | None:
        """The project that people take for the deal's."""
        bound = self.world.bound(key)
        marked = [each for each in self.world.marked(key) if each.id in self.made.get(key, ())]
        return bound or next(iter(marked), None)

    def _put(self, key: str, **changes: object) -> None:
        self.world.book.put(key, **changes)
        self._note_wanted(key)

    def _note_wanted(self, deal: str) -> None:
        for key in self.world.keys_of(deal):
            group = self.world.desired(key)
            assert group is not None
            self.wanted.setdefault(key, set()).add(str(group.root.fields["title"]))

    def _at(self, key: str) -> str:
        """The project of a deal that people are at."""
        return key

    @initialize(staffed=st.booleans())
    def there_are_two_deals(self, staffed: bool) -> None:
        self._put("D1")
        self._put("D2", stage="Won")
        if staffed:
            self.world.book.staffed["D2", "ana@example.test"] = "Data"
        self.world.run()

    # --- sales

    @rule(key=KEYS, stage=STAGES)
    def sales_move_a_deal(self, key: str, stage: str) -> None:
        self._put(key, stage=stage)

    @rule(key=KEYS, name=NAMES)
    def sales_rename_a_deal(self, key: str, name: str) -> None:
        self._put(key, name=name)

    @rule(key=KEYS, customer=st.sampled_from(["Acme", "Acme & Sons"]))
    def sales_rename_a_customer(self, key: str, customer: str) -> None:
        self._put(key, customer=customer)

    @rule(key=KEYS, value=st.integers(1, 9), month=st.integers(1, 6))
    def sales_change_value_and_start(self, key: str, value: int, month: int) -> None:
        self._put(key, value=Decimal(value * 1000), start=date(2027, month, 4))

    @rule(key=KEYS, name=STAFF, role=st.sampled_from(["Back", "Data"]))
    def sales_staff_a_deal(self, key: str, name: str, role: str) -> None:
        self.world.book.staffed[key, f"{name}@example.test"] = role

    @rule(key=KEYS, name=STAFF)
    def sales_release_somebody(self, key: str, name: str) -> None:
        self.world.book.staffed.pop((key, f"{name}@example.test"), None)

    @rule(key=KEYS)
    def sales_delete_a_deal(self, key: str) -> None:
        self.world.book.deals.pop(key, None)

    # --- people, in the projects

    @rule(key=KEYS, act=st.integers(0, 13), place=PLACE, flag=st.booleans())
    def people_edit_a_project(self, key: str, act: int, place: int, flag: bool) -> None:
        key = self._at(key)
        project = self._project(key)
        if project is None:
            return
        people = self.people
        acts = [
            lambda: people.rename(project, self.wanted[key], keep_label=flag),
            lambda: people.write(project, ("above", "below", "inside")[place % 3]),
            lambda: people.spoil_facts(project),
            lambda: people.remove_facts(project),
            lambda: people.tag(project),
            lambda: people.untag(project, place),
            lambda: people.unmark(project),
            lambda: people.copy(project),
            lambda: people.lock(project, archived=flag, locked=place < 2),
            lambda: people.change_role(project, place, OWN_ROLES[flag]),
            lambda: people.remove_member(project, place),
            lambda: people.move_milestone(project),
            lambda: people.rename_story(project, place),
            lambda: people.move_story(project, place),
        ]
        acts[act]()

    @rule(key=KEYS, other=KEYS, away=st.booleans(), place=PLACE)
    def people_copy_or_move_a_story(self, key: str, other: str, away: bool, place: int) -> None:
        key, other = self._at(key), self._at(other)
        project, into = self._project(key), self._project(other)
        if project is None or into is None:
            return
        if away:
            self.people.move_story_away(project, place, into)
        else:
            self.people.copy_story(project, place, into)

    @rule(key=KEYS, name=FRIENDS)
    def people_add_a_member(self, key: str, name: str) -> None:
        key = self._at(key)
        project = self._project(key)
        if project is not None:
            self.people.add_member(project, name)

    @rule(key=KEYS, act=st.integers(0, 5), place=PLACE)
    def people_take_away(self, key: str, act: int, place: int) -> None:
        key = self._at(key)
        project = self._project(key)
        if project is None:
            return
        acts = [
            lambda: self.people.own_story(project),
            lambda: self.people.delete_story(project, place),
            lambda: self.people.delete_milestone(project),
            lambda: self.people.delete(project),
            lambda: self.people.expel(project),
            lambda: self.people.readmit(project.id),
        ]
        acts[act]()

    # --- by hand

    @rule(key=KEYS)
    def somebody_adopts_a_project(self, key: str) -> None:
        free = key in self.world.book.deals and self._project(key) is None
        if not free or key in self.world.state.index():
            return
        number = self.people.begin_own()
        target = self.world.target()
        target.connect()
        manual_actions.adopt(self.world.state, target, RecordKey(key, Kind.PROJECT), str(number))
        self.people.memory(self.world.sandbox.store.projects.rows[number])

    @rule(key=KEYS, ours=st.sampled_from([True, True, False]))
    def somebody_says_whose_a_project_without_its_mark_is(self, key: str, ours: bool) -> None:
        key = self._at(key)
        if IssueKind.UNMARKED not in self._reported(key):
            return
        project, target = self.world.bound(key), self.world.target()
        target.connect()
        with self.witness.looking_away(), suppress(SyncError):
            if not ours:
                manual_actions.unlink(self.world.state, target, key)
            elif project is not None:
                root = RecordKey(key, Kind.PROJECT)
                manual_actions.adopt(self.world.state, target, root, str(project.id))
                if self.world.state.index()[key].by_hand:
                    self._begins_afresh(key, project)

    def _begins_afresh(self, key: str, project: Project) -> None:
        """Nothing in the project said that it is the deal's: what was agreed upon is forgotten."""
        stories = self.world.sandbox.store.stories.of(project.id)
        assert not any(is_of(story, key) for story in stories), "it named the deal"
        memory = self.people.memory(project)
        memory.removed.clear()
        memory.deleted_stories.clear()
        memory.deleted_milestones = False

    @rule(key=KEYS, way=st.integers(0, 2))
    def somebody_sees_to_a_copy(self, key: str, way: int) -> None:
        key = self._at(key)
        reported = [i.issue for i in self.world.state.issues() if i.issue.key.group == key]
        copied = [i.observed for i in reported if i.kind is IssueKind.COPIED and i.key.is_root]
        if not copied or not isinstance(copied[0], frozenset):
            return
        number = min(copied[0])
        copy = self.world.sandbox.store.projects.get(int(number))
        if copy is None or way == 0:
            if copy is not None:
                self.people.delete(copy)
            return
        target = self.world.target()
        target.connect()
        with self.witness.looking_away(), suppress(SyncError):
            if way == 1:
                manual_actions.disown(self.world.state, target, key, number)
            else:
                manual_actions.adopt(self.world.state, target, RecordKey(key, Kind.PROJECT), number)

    def _reported(self, key: str) -> set[IssueKind]:
        return {i.issue.kind for i in self.world.state.issues() if i.issue.key.group == key}

    @rule(key=KEYS, side=st.sampled_from(Side))
    def somebody_resolves(self, key: str, side: Side) -> None:
        key = self._at(key)
        if not self._reported(key) & {IssueKind.CONFLICT, IssueKind.DELETED}:
            return
        project = self._project(key)
        settled = manual_actions.resolve(self.world.state, key, side)
        if any(issue.kind is IssueKind.DELETED for issue in settled):
            self.made.pop(key, None)  # it may be made once more, or is no longer followed
        if project is not None and side is Side.SALES:
            memory = self.people.memory(project)
            for issue in settled:
                if issue.field == "title":
                    memory.title = None
                elif issue.field == "role":
                    memory.roles.clear()
                elif issue.field == "subject":
                    memory.subjects.clear()
                elif issue.field in ("start", "finish"):
                    memory.dates.clear()
        elif project is not None:
            self.people.memory(project).titles_before |= self.wanted[key]

    # --- runs

    @rule(full=st.booleans())
    def a_run(self, full: bool) -> None:
        self._run(full)

    @rule(at=st.integers(1, 120))
    def a_run_is_killed(self, at: int) -> None:
        self.world.run_killed(at)

    @rule(faults=st.lists(FAULTS, min_size=1, max_size=4))
    def a_run_meets_faults(self, faults: list[Fault]) -> None:
        self.world.sandbox.faults.replace(faults)
        self._run(full=False)
        self.world.sandbox.faults.replace(())

    @rule(faults=st.lists(FAULTS, min_size=1, max_size=2), at=st.integers(1, 80))
    def a_run_meets_faults_and_is_killed(self, faults: list[Fault], at: int) -> None:
        self.world.sandbox.faults.replace(faults)
        with suppress(SyncError):
            self.world.run_killed(at)
        self.world.sandbox.faults.replace(())

    def _run(self, full: bool) -> None:
        with suppress(SyncError):  # the target could not be read: the next run will
            self.world.run(full=full)

    @rule(hours=st.sampled_from([1, 25]))
    def time_passes(self, hours: int) -> None:
        self.world.clock.advance(hours=hours)

    @rule()
    def all_is_quiet(self) -> None:
        """Two runs without trouble: then everything has to be as it should, and stay so."""
        self.world.run(full=True)
        self.world.run(full=True)
        violations = [*self.witness.violations, *self.oracle.violations()]
        assert not violations, "\n".join(violations)
        self.world.sandbox.clear_requests()
        self.world.run(full=True)
        assert not self.world.writes(), f"a further run wrote {self.world.writes()}"

    def teardown(self) -> None:
        try:
            self.all_is_quiet()
        finally:
            self.world.close()


class PhaseMachine(Machine):
    """The same with deals that have a project for each phase, while the mapping may change."""

    def __init__(self) -> None:
        super().__init__()
        self.world.mapping = MAPPINGS[1]
        self._number = 0

    def _at(self, key: str) -> str:
        keys = self.world.keys_of(key) if key in self.world.book.deals else (key,)
        return keys[self._number % len(keys)]

    @rule(number=st.integers(0, 2))
    def people_turn_to_another_phase(self, number: int) -> None:
        self._number = number

    @rule(number=st.integers(0, 2))
    def the_mapping_has_other_phases(self, number: int) -> None:
        self.world.mapping = MAPPINGS[number]
        for deal in self.world.book.deals:
            self._note_wanted(deal)


MACHINES: Final = {"projects": Machine, "cards": CardMachine, "phases": PhaseMachine}


def run_schedules(count: int, number: int | None, of: str = "projects", steps: int = STEPS) -> int:
    """Runs schedules of a seed (None: the fixed ones); returns how many there were.

    :raises AssertionError: in one of them something does not hold; the shortest one is printed.
    """
    chosen = MACHINES[of]
    machine = chosen if number is None else seed(number)(chosen)
    options = settings(
        max_examples=count,
        stateful_step_count=steps,
        deadline=None,
        derandomize=number is None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    run_state_machine_as_test(machine, settings=options)
    return chosen.schedules


def main() -> None:
    """Runs the schedules that the command line asks for."""
    parser = argparse.ArgumentParser(description="Runs schedules of edits, faults and kills.")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--of", choices=MACHINES, default="projects")
    parser.add_argument("--steps", type=int, default=STEPS, help="how long a schedule is")
    chosen = parser.parse_args()
    print(run_schedules(chosen.count, chosen.seed, chosen.of, chosen.steps))


if __name__ == "__main__":
    main()
