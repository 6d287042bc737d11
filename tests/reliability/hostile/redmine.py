"""What comes out in Redmine, where descriptions are Textile or Markdown.

It is a Redmine that answers from memory (`tests.targets.redmine.fake`); everything is looked at
while it does, and kept.
"""

from __future__ import annotations

import contextlib
import html
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
from taiga_pipeline.targets.marks import decode_mark, decode_reference, encode_reference, split_line
from taiga_pipeline.targets.redmine.identity import decode_identifier, is_spelled_out
from tests.reliability.hostile.checks import (
    assert_begins_like,
    assert_plain,
    assert_terminal_safe,
    visible,
)
from tests.reliability.hostile.commands import Commands
from tests.reliability.hostile.corpus import STORABLE
from tests.reliability.hostile.surfaces import FACTS, both
from tests.reliability.hostile.world import (
    MAPPING,
    World,
    hostile_deal,
    key_of,
    prepare,
    stores,
)
from tests.targets.redmine.fake import KEY, URL, FakeRedmine, custom_field

MEMBER: Final = "ana@example.invalid"
LIVE: Final = re.compile(r"\{\{\w|!(?=[\w<=>({\[/.])|<[A-Za-z/!?]")
"""A macro, the beginning of an image in Textile or Markdown, a tag."""
MENTION: Final = re.compile(r"(?<!\w)@[\w.-]")
LONGEST_FIELD: Final = 5_000


@contextlib.contextmanager
def redmine_world(folder: Path) -> Iterator[InRedmine]:
    """The pipeline full of hostile text, synced twice with a Redmine."""
    world = prepare(folder, URL, "bot", "a-password", mapping=MAPPING)
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8").replace('kind = "taiga"', 'kind = "redmine"')
    text = re.sub('username = .*\npassword_env = "TAIGA_PASSWORD"', 'token_env = "KEY"', text)
    config.write_text(text, encoding="utf-8")
    world.environment["KEY"] = KEY
    with stores(world) as (deals, people):
        people.add(Person(MEMBER, "Ana"))
        for name, entry in STORABLE.items():
            deals.add(hostile_deal(key_of(name), entry, "Proposal"))
            deals.add(hostile_deal(f"W-{name}", entry, "Won"))
            people.allocate(Allocation(f"W-{name}", MEMBER, "Developer", Decimal(8)))
    fake = FakeRedmine()
    fake.project_fields += [
        custom_field(2, "Customer", "string", longest=LONGEST_FIELD),
        custom_field(3, "Service", "link"),
    ]
    with fake.answer():
        found = InRedmine(world, fake)
    yield found


class InRedmine(Commands):
    """What is in Redmine after a run, and how the next one went."""

    def __init__(self, world: World, redmine: FakeRedmine) -> None:
        super().__init__(world)
        self.redmine = redmine
        self.run = world.run("run", "-vv")
        assert self.run.exit_code == 0, self.run.output
        redmine.requests.clear()
        self.second = world.run("run", "--full")
        self.second_writes = redmine.writes()

    @cached_property
    def projects(self) -> Mapping[str, Mapping[str, Any]]:
        """The projects by the deal's key that identifier or mark names."""
        found: dict[str, Mapping[str, Any]] = {}
        for row in self.redmine.projects.values():
            marker = _marker(row)
            if marker is not None:  # the connector's own project has none
                assert marker.key not in found, "made twice"
                found[marker.key] = row
        return found

    def child(self, kind: str, key: str) -> dict[str, Any]:
        """Returns the one issue, version or membership in a deal's project."""
        project = self.projects[key]["id"]
        rows: Mapping[int, dict[str, Any]] = getattr(self.redmine, kind)
        (row,) = (row for row in rows.values() if row["project"]["id"] == project)
        return row


def _marker(row: Mapping[str, Any]) -> Marker | None:
    line = split_line(row["description"] or "")[1]
    if line is not None:
        return decode_mark(line.mark)
    return decode_identifier(row["identifier"]) or decode_mark(str(_value(row, "Deal key")))


def _value(row: Mapping[str, Any], field: str) -> Any:
    (value,) = (each["value"] for each in row["custom_fields"] if each["name"] == field)
    return value


def project_name(out: InRedmine, name: str, text: str) -> None:
    for key in both(name):
        shown = str(out.projects[key]["name"])
        assert_plain(shown)
        assert len(shown) <= 255
        title = shown if key == f"W-{name}" else shown.removeprefix("(tentative) ")
        assert_begins_like(title, visible(text))


def project_identifier(out: InRedmine, name: str, text: str) -> None:
    for key in both(name):
        identifier = out.projects[key]["identifier"]
        assert re.fullmatch("[a-z][a-z0-9_-]{0,99}", identifier)
        marker = Marker("acme", key)
        assert decode_identifier(identifier) == (marker if is_spelled_out(marker) else None)


def project_description(out: InRedmine, name: str, text: str) -> None:
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


def custom_fields(out: InRedmine, name: str, text: str) -> None:
    for key in both(name):
        row = out.projects[key]
        customer, address = str(_value(row, "Customer") or ""), _value(row, "Service")
        assert_plain(customer)
        assert customer == "" or not LIVE.search(customer)
        assert address is None or not re.match(r"\s*(javascript|data|file|vbscript):", address)
        assert len(customer) <= LONGEST_FIELD


def issue_subject(out: InRedmine, name: str, text: str) -> None:
    for key in both(name):
        subject = str(out.child("issues", key)["subject"])
        assert_plain(subject)
        assert len(subject) <= 255
        assert_begins_like(subject, f"{visible(text)} for {visible(text)}")


def issue_description(out: InRedmine, name: str, text: str) -> None:
    for key in both(name):
        description = str(out.child("issues", key)["description"]).replace("\r\n", "\n")
        assert_plain(description, lines=True)
        assert not LIVE.search(description)
        assert not MENTION.search(description)
        first = html.unescape(description).split("\n")[0]
        shown = first.translate(str.maketrans("｛！", "{!"))
        assert shown == html.unescape(f"Notes: {html.escape(visible(text))}")


def issue_reference(out: InRedmine, name: str, text: str) -> None:
    for key in both(name):
        reference = _value(out.child("issues", key), "Deal key")
        assert decode_reference("acme", reference)[1] == "hand-over"
        assert reference == encode_reference("acme", RecordKey(key, Kind.STORY, "hand-over"))
        assert_plain(reference)


def version_name(out: InRedmine, name: str, text: str) -> None:
    for key in both(name):
        shown = str(out.child("versions", key)["name"])
        assert_plain(shown)
        assert len(shown) <= 60
        assert_begins_like(shown, f"Kick-off with {visible(text)}")


def redmine_run(out: InRedmine, name: str, text: str) -> None:
    for said in (out.run.stdout, out.run.stderr):
        assert_terminal_safe(said)
    assert f"W-{name}" in out.run.stdout
    assert out.second.exit_code == 0, out.second.stderr
    assert out.second.stdout == ""
    assert out.second_writes == []


REDMINE: Final[Mapping[str, Callable[[InRedmine, str, str], None]]] = {
    "Redmine: project name": project_name,
    "Redmine: identifier": project_identifier,
    "Redmine: project description": project_description,
    "Redmine: custom fields": custom_fields,
    "Redmine: issue subject": issue_subject,
    "Redmine: issue description": issue_description,
    "Redmine: issue reference": issue_reference,
    "Redmine: version name": version_name,
    "Redmine: run, and a second one": redmine_run,
}
