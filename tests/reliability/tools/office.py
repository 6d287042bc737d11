"""A pipeline into a tool in memory: one run of it has every kind of work to do.

The world is made once; every test begins with a copy of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sync.errors import SyncError, needed_by_every_run
from sync.plan.pipeline_planner import Rules
from sync.records.model import Desired, DesiredGroup, Owner, RecordKey, Value, WhenDropped
from sync.run.runner import Options, Outcome, Runner, RunReport
from sync.state.store import StateStore
from taiga_pipeline.mapping.holding import Holding
from taiga_pipeline.records import Kind, Project, Story
from tests.contract.targets.account import Account
from tests.contract.targets.test_runs import Deals
from tests.crashes import is_killed, observing
from tests.reliability.tools.edge import Edge
from tests.reliability.tools.servers import PIPELINE, Fake, Picture, Server, restore, saved
from tests.targets.support import ManualClock

ANA: Final = "ana@example.invalid"
BO: Final = "bo@example.invalid"
FREELY: Final = Rules(
    allow=frozenset({"create", "staff", "retire", "children", "relabel", "mails"})
)


def deal(
    account: Account,
    key: str,
    state: str = "tentative",
    *members: str,
    title: str = "",
    start: str = "2027-01-05",
) -> DesiredGroup:
    """Returns a deal's project as a mapping would ask for it of this tool."""
    label = {"tentative": "(tentative)", "retired": "(lost)"}.get(state, "")
    fields: dict[str, Value] = {
        Project.STATE: state,
        Project.LABEL: label,
        Project.TITLE: title or f"Acme {key}",
        Project.TEXT: "Welcome.",
        Project.DEAL_FACTS: f"Stage: {state}\nStart: {start}",
        Project.TAGS: frozenset({"incoming"}),
        Project.PRIVATE: True,
    }
    owners = {Project.TITLE: Owner.SHARED, Project.TEXT: Owner.DELIVERY}
    root = Desired(RecordKey(key, Kind.PROJECT), fields, owners)
    is_open = state != "retired"
    children = tuple(_children(account, key, members, start)) if is_open else ()
    group = DesiredGroup(root, children, create=is_open, follow_children=is_open)
    part = Holding(capabilities=lambda: account.capabilities).part(group)
    fit = account.target.fit
    return replace(part, root=fit(part.root), children=tuple(map(fit, part.children)))


def _children(
    account: Account, key: str, members: tuple[str, ...], start: str
) -> Iterator[Desired]:
    role = account.roles[0]
    if members:
        yield Desired(RecordKey(key, Kind.ROLE, role), {"name": role})
    for email in members:
        asked: dict[str, Value] = {"email": email, "role": role, "admin": False}
        record = RecordKey(key, Kind.MEMBERSHIP, email)
        yield Desired(record, asked, when_dropped=WhenDropped.REMOVE)
    dates: dict[str, Value] = {"name": "Kick-off", "start": start, "finish": f"{start[:8]}28"}
    yield Desired(RecordKey(key, Kind.MILESTONE, "Kick-off"), dates)
    for name in ("call", "visit"):
        story: dict[str, Value] = {
            Story.SUBJECT: f"Please {name} ({start})",
            Story.DESCRIPTION: f"All about the {name}.",
            Story.MILESTONE: "Kick-off",
            Story.TAGS: frozenset(),
        }
        owners = {Story.SUBJECT: Owner.SHARED, Story.DESCRIPTION: Owner.DELIVERY}
        yield Desired(RecordKey(key, Kind.STORY, name), story, owners)


def before(account: Account) -> list[DesiredGroup]:
    """What sales wanted when everything was in step."""
    return [
        deal(account, "CALM", "tentative", ANA),
        deal(account, "CHANGED", "tentative", ANA),
        deal(account, "LOST", "staffed", BO),
        deal(account, "BACK", "tentative"),
    ]


def after(account: Account) -> list[DesiredGroup]:
    """What they want by now."""
    return [
        deal(account, "CALM", "tentative", ANA),
        deal(account, "CHANGED", "staffed", BO, title="Acme & Sons", start="2027-02-05"),
        deal(account, "LOST", "retired"),
        deal(account, "BACK", "staffed", ANA),
        deal(account, "NEW", "tentative", ANA),
    ]


@dataclass
class World:
    """A server, and the machine that runs the pipeline into it."""

    server: Server
    clock: ManualClock
    fake: Fake
    edge: Edge
    state: Path
    wanted: Callable[[Account], list[DesiredGroup]] = after

    @property
    def url(self) -> str:
        return f"sqlite:///{self.state}"

    def picture(self) -> Picture:
        """Returns what people see."""
        return self.server.picture(self.fake)

    @contextmanager
    def process(self) -> Iterator[Runner]:
        """Begins a new process: nothing is remembered but what is in the state store."""
        with needed_by_every_run():
            account = self.server.account(self.clock)  # it logs in
        store = StateStore(self.url, PIPELINE, self.clock)
        source = Deals()
        source.groups = {group.key: group for group in self.wanted(account)}
        options = Options(rules=FREELY, holder="machine 1 (state.db)")
        try:
            yield Runner(source, account.target, store, self.clock, options)
        finally:
            store.close()
            account.target.close()  # type: ignore[attr-defined]

    def run(self, *, full: bool = True) -> RunReport | SyncError:
        """Runs as cron does, an hour after the last time; returns how it ended."""
        self.clock.sleep(3600)
        try:
            with self.process() as runner:
                return runner.run(look_at_all=full)
        except SyncError as error:
            return error

    def run_killed(self, at: int) -> bool:
        """Runs until the crash point of number ``at``; returns whether it got that far.

        From then on nothing happens any more: no clean-up sends or stores anything.
        """
        return is_killed(self.run, at)

    def crash_points(self) -> list[str]:
        """Runs, and returns the crash points that were reached."""
        names: list[str] = []
        with observing(names.append):
            self.run()
        return names

    def writes(self) -> list[str]:
        """Returns the requests since the last `forget` that may have written something."""
        return [name for name in self.edge.asked if not self.server.reads(name)]

    def settle(self) -> RunReport:
        """Runs until all is well, at most four times, and returns the last run."""
        for _ in range(4):
            ending = self.run()
            if isinstance(ending, RunReport) and ending.outcome is Outcome.DONE:
                return ending
        said = ending.issues if isinstance(ending, RunReport) else ending
        raise AssertionError(f"runs without trouble end with {said}")

    def not_quiet(self) -> str:
        """Runs once more; says what that wrote, "" if nothing."""
        self.edge.asked.clear()
        self.run()
        writes = self.writes()
        return f"one more run wrote {writes}" if writes else ""


@dataclass
class Original:
    """The world as every test finds it, and as it is after a run in which nothing went wrong."""

    world: World
    seconds: float
    data: bytes
    state: bytes
    undisturbed: Picture

    def again(self) -> World:
        """Puts the world back to its beginning."""
        world = self.world
        world.clock._now = self.seconds
        restore(world.fake, self.data)
        for suffix in ("-wal", "-shm"):
            world.state.with_name(world.state.name + suffix).unlink(missing_ok=True)
        world.state.write_bytes(self.state)
        world.edge.calm()
        world.edge.before = lambda name: None
        world.edge.asked.clear()
        world.edge.is_open = True
        world.wanted = after
        return world


@contextmanager
def original(server: Server) -> Iterator[Original]:
    """Makes the world, and finds out how it looks when nothing goes wrong."""
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() else None
    clock = ManualClock()
    fake, edge = server.begin(clock)
    with tempfile.TemporaryDirectory(dir=place, prefix="tools-") as folder, fake.answer():
        world = World(server, clock, fake, edge, Path(folder) / "state.db", before)
        world.settle()
        world.wanted = lambda account: [*before(account)[:3], deal(account, "BACK", "retired")]
        world.settle()
        _people_work(world)
        world.settle()
        data, state = saved(fake), world.state.read_bytes()
        made = Original(world, clock.monotonic(), data, state, [])
        made.again().settle()
        made.undisturbed = world.picture()
        assert not world.not_quiet()
        assert world.picture() == made.undisturbed
        yield made


def _people_work(world: World) -> None:
    """What project managers do in the projects before sales move on."""
    world.edge.is_open = False
    account = world.server.account(world.clock)
    roots = {m.key: root.id for root in account.target.observe_roots() for m in root.markers}
    account.rename(roots["CALM"], "(tentative) Petra's own name")
    account.add_story(roots["CHANGED"], "Their own story")
    account.target.close()  # type: ignore[attr-defined]
    world.edge.is_open = True


def ends_well(world: World, original: Original) -> str:
    """Lets runs settle everything; says what is not as after an undisturbed run."""
    try:
        world.settle()
    except AssertionError as error:
        return str(error)
    found = world.picture()
    missing = [each for each in original.undisturbed if each not in found]
    more = [each for each in found if each not in original.undisturbed]
    return _difference(missing, more) if missing or more else world.not_quiet()


def _difference(missing: list[Any], more: list[Any]) -> str:
    """Names the parts of projects that differ."""
    if len(missing) != 1 or len(more) != 1:
        return f"missing {missing}\nmore {more}"
    parts = [at for at in missing[0] if missing[0][at] != more[0][at]]
    return "\n".join(f"{at}: {missing[0][at]} became {more[0][at]}" for at in parts)
