"""What comes out in Kanboard, where descriptions are Markdown.

It is a Kanboard that answers from memory (`tests.targets.kanboard.fake`); everything is looked at
while it does, and kept.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from sync.records.composite_text import END, SEPARATOR
from sync.records.model import Marker, RecordKey
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.kanboard.identity import decode_identifier, decode_task, is_spelled_out
from taiga_pipeline.targets.marks import decode_mark, split_line
from tests.reliability.hostile.checks import (
    assert_begins_like,
    assert_plain,
    assert_terminal_safe,
    visible,
)
from tests.reliability.hostile.commands import Commands
from tests.reliability.hostile.corpus import STORABLE
from tests.reliability.hostile.redmine import LIVE, MEMBER, MENTION
from tests.reliability.hostile.surfaces import FACTS, both
from tests.reliability.hostile.world import (
    MAPPING,
    World,
    hostile_deal,
    key_of,
    prepare,
    stores,
)
from tests.targets.kanboard.fake import TOKEN, URL, FakeKanboard

LONGEST: Final = 255


@contextlib.contextmanager
def kanboard_world(folder: Path) -> Iterator[InKanboard]:
    """The pipeline full of hostile text, synced twice with a Kanboard."""
    world = prepare(folder, URL, "bot", "a-password", mapping=MAPPING)
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8").replace('kind = "taiga"', 'kind = "kanboard"')
    text = re.sub('username = .*\npassword_env = "TAIGA_PASSWORD"', 'token_env = "KEY"', text)
    config.write_text(text, encoding="utf-8")
    world.environment["KEY"] = TOKEN
    with stores(world) as (deals, people):
        people.add(Person(MEMBER, "Ana"))
        for name, entry in STORABLE.items():
            deals.add(hostile_deal(key_of(name), entry, "Proposal"))
            deals.add(hostile_deal(f"W-{name}", entry, "Won"))
            people.allocate(Allocation(f"W-{name}", MEMBER, "Developer", Decimal(8)))
    fake = FakeKanboard()
    with fake.answer():
        found = InKanboard(world, fake)
    yield found


class InKanboard(Commands):
    """What is in Kanboard after a run, and how the next one went."""

    def __init__(self, world: World, kanboard: FakeKanboard) -> None:
        super().__init__(world)
        self.kanboard = kanboard
        self.run = world.run("run", "-vv")
        assert self.run.exit_code == 0, self.run.output
        kanboard.requests.clear()
        self.second = world.run("run", "--full")
        self.second_writes = kanboard.writes()

    @cached_property
    def projects(self) -> Mapping[str, Mapping[str, Any]]:
        """The projects by the deal's key that identifier or line names."""
        found: dict[str, Mapping[str, Any]] = {}
        for row in self.kanboard.projects.values():
            marker = _marker(row)
            if marker is not None:  # the connector's own project has none
                assert marker.key not in found, "made twice"
                found[marker.key] = row
        return found

    def task(self, kind: str, key: str) -> dict[str, Any]:
        """Returns the one story or milestone in a deal's project."""
        project = self.projects[key]["id"]
        rows = (row for row in self.kanboard.tasks.values() if row["project_id"] == project)
        (row,) = (row for row in rows if _record(row).kind == kind)
        return row


def _marker(row: Mapping[str, Any]) -> Marker | None:
    line = split_line(row["description"] or "")[1]
    return decode_mark(line.mark) if line else decode_identifier(row["identifier"])


def _record(row: Mapping[str, Any]) -> RecordKey:
    found = decode_task("acme", row["reference"], split_line(row["description"])[1])
    assert found is not None
    return found


def project_name(out: InKanboard, name: str, text: str) -> None:
    for key in both(name):
        shown = str(out.projects[key]["name"])
        assert_plain(shown)
        assert len(shown) <= LONGEST
        title = shown if key == f"W-{name}" else shown.removeprefix("(tentative) ")
        assert_begins_like(title, visible(text))


def project_identifier(out: InKanboard, name: str, text: str) -> None:
    for key in both(name):
        identifier = out.projects[key]["identifier"]
        assert re.fullmatch("[A-Z0-9]{1,50}", identifier)
        marker = Marker("acme", key)
        assert decode_identifier(identifier) == (marker if is_spelled_out(marker) else None)


def project_description(out: InKanboard, name: str, text: str) -> None:
    for key in both(name):
        people, line = split_line(str(out.projects[key]["description"]))
        assert (line is None) == is_spelled_out(Marker("acme", key))
        rows = people.split("\n")
        assert_plain("".join(rows))
        assert rows.count(SEPARATOR) == rows.count(END) == 1
        facts = rows[rows.index(SEPARATOR) + 1 : rows.index(END)]
        names = [fact.partition(":")[0] for fact in facts]
        assert len(set(names)) == len(names)
        assert set(names) <= FACTS
        assert facts[names.index("Value")].startswith("Value: 1,000 EUR")
        assert not LIVE.search(people)


def project_metadata(out: InKanboard, name: str, text: str) -> None:
    for key in both(name):
        values = out.kanboard.metadata["project", out.projects[key]["id"]]
        marker = decode_mark(values["deal"])
        assert marker == Marker("acme", key) or len(values["deal"]) == LONGEST
        for at, value in values.items():
            assert_plain(at + value)
            assert (len(at) <= 50, len(value) <= LONGEST) == (True, True)


def task_title(out: InKanboard, name: str, text: str) -> None:
    for key in both(name):
        title = str(out.task(Kind.STORY, key)["title"])
        assert_plain(title)
        assert len(title) <= LONGEST
        assert_begins_like(title, f"{visible(text)} for {visible(text)}")


def task_description(out: InKanboard, name: str, text: str) -> None:
    for key in both(name):
        description = split_line(str(out.task(Kind.STORY, key)["description"]))[0]
        assert_plain(description, lines=True)
        assert not LIVE.search(description)
        assert not MENTION.search(description)


def task_reference(out: InKanboard, name: str, text: str) -> None:
    for key in both(name):
        row = out.task(Kind.STORY, key)
        assert _record(row) == RecordKey(key, Kind.STORY, "hand-over")
        assert_plain(row["reference"])
        assert len(row["reference"]) <= 191


def milestone_title(out: InKanboard, name: str, text: str) -> None:
    for key in both(name):
        shown = str(out.task(Kind.MILESTONE, key)["title"])
        assert_plain(shown)
        assert len(shown) <= 190
        assert_begins_like(shown, f"Kick-off with {visible(text)}")


def kanboard_run(out: InKanboard, name: str, text: str) -> None:
    for said in (out.run.stdout, out.run.stderr):
        assert_terminal_safe(said)
    assert f"W-{name}" in out.run.stdout
    assert out.second.exit_code == 0, out.second.stderr
    assert out.second.stdout == ""
    assert out.second_writes == []


KANBOARD: Final[Mapping[str, Callable[[InKanboard, str, str], None]]] = {
    "Kanboard: project name": project_name,
    "Kanboard: identifier": project_identifier,
    "Kanboard: project description": project_description,
    "Kanboard: metadata": project_metadata,
    "Kanboard: task title": task_title,
    "Kanboard: task description": task_description,
    "Kanboard: task reference": task_reference,
    "Kanboard: milestone": milestone_title,
    "Kanboard: run, and a second one": kanboard_run,
}
