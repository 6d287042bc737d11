"""A small world for tests of the engine: a source that is a dict, a target in memory, a clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from sync.database.engine import writing
from sync.in_memory_target import InMemoryTarget
from sync.plan.model import Plan
from sync.plan.pipeline_planner import Rules
from sync.records.model import (
    Desired,
    DesiredGroup,
    Observed,
    Owner,
    RecordKey,
    Value,
    WhenDeleted,
    WhenDropped,
    WhenRetired,
)
from sync.run.runner import Options, Runner, RunReport
from sync.source import Quarantined, Reading
from sync.state.schema import metadata
from sync.state.store import StateStore

OWNERS = {"title": Owner.SHARED, "text": Owner.DELIVERY, "role": Owner.SHARED}


class FakeClock:
    """A clock that stands still until it is told to go on, or someone sleeps."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)

    def advance(self, **delta: float) -> None:
        self.time += timedelta(**delta)


class DictSource:
    """A source whose groups a test sets as it likes."""

    def __init__(self) -> None:
        self.groups: dict[str, DesiredGroup] = {}
        self.quarantined: list[Quarantined] = []
        self.complete = True

    def read(self) -> Reading:
        return Reading(self._stream(), self.quarantined, complete=self.complete)

    def _stream(self) -> Iterator[DesiredGroup]:
        yield from self.groups.values()

    def retired(self, key: str, base: Mapping[str, Value]) -> DesiredGroup:
        fields = {**base, "state": "retired", "label": "(gone)"}
        return DesiredGroup(
            Desired(RecordKey(key, "project"), fields, OWNERS), create=False, follow_children=False
        )


def deal(
    key: str,
    state: str = "tentative",
    *,
    title: str | None = None,
    tags: tuple[str, ...] = ("incoming",),
    members: Mapping[str, str] | None = None,
    stories: tuple[str, ...] = (),
    create: bool | None = None,
    when_deleted: WhenDeleted = WhenDeleted.REPORT,
    when_retired: WhenRetired = WhenRetired.MARK,
    **fields: Value,
) -> DesiredGroup:
    """Returns a group as a mapping would make it."""
    retired = state == "retired"
    values: dict[str, Value] = {
        "state": state,
        "label": {"tentative": "(tentative)", "retired": "(lost)"}.get(state, ""),
        "title": title if title is not None else f"Deal {key}",
        "tags": frozenset(tags),
        "text": "Welcome.",
        **fields,
    }
    children = [
        Desired(
            RecordKey(key, "membership", email),
            {"email": email, "role": role},
            OWNERS,
            when_dropped=WhenDropped.REMOVE,
        )
        for email, role in (members or {}).items()
    ]
    children += [
        Desired(RecordKey(key, "story", name), {"subject": name}, {"subject": Owner.SHARED})
        for name in stories
    ]
    return DesiredGroup(
        Desired(RecordKey(key, "project"), values, OWNERS, reason=f"stage is {state}"),
        children=() if retired else tuple(children),
        create=not retired if create is None else create,
        follow_children=not retired,
        when_deleted=when_deleted,
        when_retired=when_retired,
    )


@dataclass
class World:
    """Source, target and state of one pipeline, and what can be done with them."""

    folder: Path
    source: DictSource = field(default_factory=DictSource)
    target: InMemoryTarget = field(default_factory=InMemoryTarget)
    clock: FakeClock = field(default_factory=FakeClock)
    options: Options = field(default_factory=Options)
    pipeline: str = "acme"
    url: str = ""

    def __post_init__(self) -> None:
        self.store = self.open_store()

    def open_store(self) -> StateStore:
        return StateStore(
            self.url or f"sqlite:///{self.folder / 'state.db'}", self.pipeline, self.clock
        )

    def lose_state(self) -> None:
        """Takes the state store away, and opens a new one in its place."""
        with writing(self.store._engine) as connection:
            for table in (*metadata.tables, "schema_version"):
                connection.execute(text(f"DROP TABLE {table}"))
        self.store.close()
        self.store = self.open_store()

    def want(self, *groups: DesiredGroup) -> None:
        """Puts groups into the source, over those of the same key."""
        self.source.groups.update({group.key: group for group in groups})

    def runner(self, **rules: object) -> Runner:
        options = self.options
        if rules:
            options = Options(rules=Rules(**rules), concurrency=options.concurrency)  # type: ignore[arg-type]
        return Runner(self.source, self.target, self.store, self.clock, options)

    def plan(self) -> Plan:
        return self.runner().plan()

    def run(self, **rules: object) -> RunReport:
        self.clock.advance(minutes=15)
        return self.runner(**rules).run()

    def project(self, title: str | None = None) -> Observed:
        """Returns the one project (of a title)."""
        found = [r for r in self.target.roots if title in (None, r.fields["title"])]
        assert len(found) == 1, found
        return found[0]

    def settled(self) -> RunReport:
        """Runs once more and asserts that this writes nothing."""
        writes = self.target.writes
        report = self.run()
        assert self.target.writes == writes, report.applied
        assert not report.applied
        return report
