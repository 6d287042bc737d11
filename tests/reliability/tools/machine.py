"""Sales and project managers at work on a tool in memory, while runs meet faults and are killed.

python -m tests.reliability.tools.machine TOOL COUNT [SEED]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from sync.plan.model import IssueKind
from sync.records.model import DesiredGroup, Observed
from sync.state.store import StateStore
from tests.contract.targets.account import Account
from tests.reliability.tools.edge import Fault
from tests.reliability.tools.office import ANA, BO, Original, World, deal, original
from tests.reliability.tools.servers import PIPELINE, SERVERS, Server

KEYS: Final = st.sampled_from(("CALM", "CHANGED", "NEW"))
EXPECTED: Final = frozenset({IssueKind.CONFLICT, IssueKind.DELETED})
"""What people can bring about here. Nothing may have failed or be uncertain for good."""
STEPS: Final = 12
"""So long is a schedule."""


@dataclass
class Wish:
    """What sales want of a deal."""

    state: str = "tentative"
    members: frozenset[str] = frozenset()
    title: str = ""
    start: str = "2027-01-05"


@dataclass
class Memory:
    """What people did in a deal's project, and sales have not overruled since."""

    title: str = ""
    own: set[str] = field(default_factory=set)
    subjects: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)


class Machine(RuleBasedStateMachine):
    """One pipeline, one tool, and everyone at work. ``begins`` is the world that it begins with."""

    begins: Original
    schedules = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).schedules += 1
        self.world: World = self.begins.again()
        self.wishes = {
            "CALM": Wish(members=frozenset({ANA})),
            "CHANGED": Wish(members=frozenset({ANA})),
            "LOST": Wish("staffed", frozenset({BO})),
            "BACK": Wish("retired"),
        }
        self.memory = {key: Memory() for key in (*self.wishes, "NEW")}
        self.gone: set[str] = set()
        self._number = 0
        self.world.wanted = self._wanted
        for _ in range(2):
            self.world.run()
        self._requests = sorted(set(self.world.edge.asked))

    def _wanted(self, account: Account) -> list[DesiredGroup]:
        return [
            deal(
                account, key, wish.state, *sorted(wish.members), title=wish.title, start=wish.start
            )
            for key, wish in self.wishes.items()
        ]

    def _fresh(self, what: str) -> str:
        self._number += 1
        return f"{what} {self._number}"

    # --- sales

    @rule(key=KEYS, state=st.sampled_from(("tentative", "staffed", "retired")))
    def sales_move_a_deal(self, key: str, state: str) -> None:
        self.wishes.setdefault(key, Wish()).state = state

    @rule(key=KEYS)
    def sales_rename_a_deal(self, key: str) -> None:
        self.wishes.setdefault(key, Wish()).title = self._fresh("Sales' title")
        self.memory[key].title = ""

    @rule(key=KEYS, month=st.integers(1, 6))
    def sales_move_the_start(self, key: str, month: int) -> None:
        self.wishes.setdefault(key, Wish()).start = f"2027-0{month}-05"
        self.memory[key].subjects.clear()

    @rule(key=KEYS, members=st.frozensets(st.sampled_from((ANA, BO))))
    def sales_staff_a_deal(self, key: str, members: frozenset[str]) -> None:
        self.wishes.setdefault(key, Wish()).members = members

    # --- people, in the projects

    @contextmanager
    def _people(self, key: str) -> Iterator[tuple[Account, Observed] | None]:
        """People act in a project that is there and open, once nothing is under way in it."""
        self.world.edge.is_open = False
        store = StateStore(self.world.url, PIPELINE, self.world.clock)
        under_way = bool(store.open_intents())
        store.close()
        account = self.world.server.account(self.world.clock)
        found = [
            root for root in account.target.observe_roots() for m in root.markers if m.key == key
        ]
        is_open = found and not str(found[0].facts["title"]).startswith("(lost)")
        yield (account, found[0]) if is_open and not under_way else None
        account.target.close()  # type: ignore[attr-defined]
        self.world.edge.is_open = True

    @rule(key=KEYS)
    def people_rename_a_project(self, key: str) -> None:
        with self._people(key) as there:
            if there:
                account, root = there
                label = str(root.facts["title"]).partition(")")[0]
                self.memory[key].title = self._fresh("Petra's title")
                is_labelled = str(root.facts["title"]).startswith("(")
                name = f"{label}) " if is_labelled else ""
                account.rename(root.id, f"{name}{self.memory[key].title}")

    @rule(key=KEYS)
    def people_add_a_story(self, key: str) -> None:
        with self._people(key) as there:
            if there:
                subject = self._fresh("Their own")
                there[0].add_story(there[1].id, subject)
                self.memory[key].own.add(subject)

    @rule(key=KEYS, name=st.sampled_from(("call", "visit")), away=st.booleans())
    def people_edit_or_delete_a_story(self, key: str, name: str, away: bool) -> None:
        with self._people(key) as there:
            story = self._story(*there, name) if there else None
            if there is None or story is None:
                return
            if away:
                there[0].delete_story(there[1].id, story.id)
                self.memory[key].deleted.add(name)
                self.memory[key].subjects.pop(name, None)
            else:
                self.memory[key].subjects[name] = self._fresh("Petra's subject")
                there[0].edit_story(there[1].id, story.id, self.memory[key].subjects[name])

    @rule(key=st.sampled_from(("CALM", "NEW")))
    def people_delete_a_project(self, key: str) -> None:
        with self._people(key) as there:
            if there:
                there[0].delete(there[1].id)
                self.gone.add(key)
                self.memory[key] = Memory()

    @staticmethod
    def _story(account: Account, root: Observed, name: str) -> Observed | None:
        children = account.target.observe_children([root.id]).get(root.id, ())
        return next((c for c in children if c.kind == "story" and c.identity == name), None)

    # --- runs

    @rule(full=st.booleans())
    def a_run(self, full: bool) -> None:
        self.world.run(full=full)

    @rule(at=st.integers(1, 150))
    def a_run_is_killed(self, at: int) -> None:
        self.world.run_killed(at)

    @rule(fault=st.sampled_from(list(Fault)), place=st.integers(0, 40), lasting=st.booleans())
    def a_run_meets_a_fault(self, fault: Fault, place: int, lasting: bool) -> None:
        about = self._requests[place % len(self._requests)]
        self.world.edge.trouble(fault, about, lasting=lasting)
        self.world.run()
        self.world.edge.calm()

    @rule()
    def all_is_quiet(self) -> None:
        """Three runs without trouble: then everything has to be as it should, and stay so."""
        for _ in range(3):
            self.world.run()
        violations = list(self._violations())
        assert not violations, "\n".join(violations)
        assert not self.world.not_quiet(), self.world.writes()

    def teardown(self) -> None:
        self.all_is_quiet()

    # --- what has to hold

    def _violations(self) -> Iterator[str]:
        store = StateStore(self.world.url, PIPELINE, self.world.clock)
        issues = [each.issue for each in store.issues()]
        store.close()
        yield from (f"unexpected: {i.message}" for i in issues if i.kind not in EXPECTED)
        conflicts = {i.key.group for i in issues if i.kind is IssueKind.CONFLICT}
        self.world.edge.is_open = False
        account = self.world.server.account(self.world.clock)
        roots = list(account.target.observe_roots())
        for key in self.wishes:
            mine = [root for root in roots for m in root.markers if m.key == key]
            for each in self._of_deal(key, mine, account, is_disputed=key in conflicts):
                yield f"{key}: {each}"
        account.target.close()  # type: ignore[attr-defined]
        self.world.edge.is_open = True

    def _of_deal(
        self, key: str, roots: list[Observed], account: Account, *, is_disputed: bool
    ) -> Iterator[str]:
        wish, memory = self.wishes[key], self.memory[key]
        if len(roots) > 1:
            yield f"{len(roots)} projects"
        if key in self.gone:
            if roots:
                yield "people deleted it, and it is back"
            return
        if not roots:
            if wish.state != "retired":
                yield "it has no project"
            return
        name = str(roots[0].facts["title"])
        label = {"tentative": "(tentative)", "retired": "(lost)"}.get(wish.state, "")
        if not name.startswith(label or "") or (not label and name.startswith("(")):
            yield f"the label is not {label!r}: {name}"
        if memory.title and memory.title not in name:
            yield f"a person's title {memory.title!r} became {name!r}"
        is_ours = not memory.title and not is_disputed and "Petra's" not in name
        if wish.title and is_ours and wish.title not in name:
            yield f"the title is {name!r}, not {wish.title!r}"
        seen = str(self.world.picture())
        yield from (f"people's own {each!r} is gone" for each in memory.own if each not in seen)
        yield from self._of_stories(roots[0], memory, account, is_open=wish.state != "retired")

    @staticmethod
    def _of_stories(
        root: Observed, memory: Memory, account: Account, *, is_open: bool
    ) -> Iterator[str]:
        children = account.target.observe_children([root.id])[root.id]
        ours = {c.identity: c for c in children if c.kind == "story" and c.identity}
        count = sum(c.kind == "story" and bool(c.identity) for c in children)
        if count != len(ours):
            yield f"{count} stories for {sorted(ours)}"
        if is_open and {"call", "visit"} - memory.deleted != ours.keys() - memory.deleted:
            yield f"its stories are {sorted(ours)}"
        for name in memory.deleted & ours.keys():
            yield f"a story that people deleted is back: {name}"
        for name, subject in memory.subjects.items():
            shown = ours[name].fields.get("subject") if name in ours else None
            if shown != subject:
                yield f"a person's subject {subject!r} became {shown!r}"


def run_schedules(server: Server, count: int, number: int | None, steps: int = STEPS) -> int:
    """Runs schedules of a seed (None: the fixed ones); returns how many there were.

    :raises AssertionError: in one of them something does not hold; the shortest one is printed.
    """
    with ExitStack() as stack:
        begins = stack.enter_context(original(server))
        chosen = type("MachineOf", (Machine,), {"begins": begins, "schedules": 0})
        machine: Callable[..., Any] = chosen if number is None else seed(number)(chosen)
        options = settings(
            max_examples=count,
            stateful_step_count=steps,
            deadline=None,
            derandomize=number is None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        run_state_machine_as_test(machine, settings=options)
        return int(chosen.schedules)  # type: ignore[attr-defined]


if __name__ == "__main__":
    _server = next(each for each in SERVERS if each.name == sys.argv[1])
    _seed = int(sys.argv[3]) if len(sys.argv) > 3 else None
    print(run_schedules(_server, int(sys.argv[2]), _seed))
