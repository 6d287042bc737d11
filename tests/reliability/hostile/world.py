"""A pipeline whose every text is hostile, kept in step with a sandbox by the real commands.

Each entry of the corpus is in two deals, in every field that takes text: a proposal, which also
has it for a key (`key_of`), and one that is won and staffed (``W-name``).
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from click.testing import CliRunner, Result

from sync.clock import SystemClock
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.model import Contact, ContactPart, Deal, Note, RoleDemand
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.text import line
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.reliability.hostile.corpus import STORABLE

NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MANAGER: Final = "pm@example.test"
"""A person whom the sandbox knows: Taiga limits how many strangers may be invited."""
LONGEST_KEY: Final = 200

CONFIG: Final = """\
pipeline = "acme"
field = [
    {{ name = "region" }},
    {{ name = "margin", kind = "money", fact = true }},
    {{ name = "segment", kind = "choice", choices = ["Industry"] }},
]
[source]
kind = "store"
url = "sqlite:///pipeline.db"
[target]
kind = "taiga"
url = "{url}"
username = "{username}"
password_env = "TAIGA_PASSWORD"
concurrency = 1
[sync]
state = "sqlite:///state.db"
mappings = "mappings"
[limits]
create = 1000
rename = 1000
remove_member = 1000
staff = 1000
children = 100000
mails = 1000
"""

MAPPING: Final = """\
[mapping]
name = "hostile"
[[stage]]
name = "Proposal"
category = "proposal"
[[stage]]
name = "Won"
category = "won"
[[stage]]
name = "Lost"
category = "lost"
[project]
title = "{name}"
description = "{notes}\\nSold by {owner} in {region} for {margin}"
template = "scrum"
tags = ["incoming", "{service}"]
from_sales_page = "staffed"
[project.tentative]
label = "(tentative)"
[project.retired]
label = "(lost)"
[[milestone]]
name = "Kick-off with {customer}"
id = "kick-off"
start = "+0w"
finish = "+1w"
when = "tentative"
[[story]]
id = "hand-over"
subject = "{name} for {customer}"
description = "Notes: {notes}\\n{contact}\\n{region} {next_step}"
tags = ["{service}"]
milestone = "kick-off"
when = "tentative"
"""


class FixedClock(SystemClock):
    """Says always the same day and hour, and waits for nothing."""

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        """Does not wait."""


@dataclass
class World:
    """A folder with a pipeline, and the Taiga that it is kept in step with."""

    folder: Path
    url: str
    username: str
    password: str
    taiga: Sandbox | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Result:
        """Runs a command line in the folder."""
        with contextlib.chdir(self.folder):
            return CliRunner().invoke(cli, arguments, obj=self.context())

    def context(self) -> CommandContext:
        """Returns what a command works with."""
        return CommandContext(clock=FixedClock(), environment=self.environment)

    def json(self, *arguments: str) -> Any:
        """Runs a command line with ``--json`` and reads what it prints."""
        result = self.run(*arguments, "--json")
        return json.loads(result.stdout)

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.folder / 'pipeline.db'}"

    def writes(self) -> list[str]:
        """Returns the requests since the last `forget_requests` that would change something."""
        assert self.taiga is not None
        return [
            f"{request.method} {request.path}"
            for request in self.taiga.requests
            if request.method != "GET" and "/auth" not in request.path
        ]

    def forget_requests(self) -> None:
        assert self.taiga is not None
        self.taiga.clear_requests()


def prepare(
    folder: Path,
    url: str,
    username: str,
    password: str,
    taiga: Sandbox | None = None,
    *,
    mapping: str = MAPPING,
    more: str = "",
) -> World:
    """Writes the configuration (with ``more`` at its end) and the mapping."""
    world = World(folder, url, username, password, taiga)
    world.environment["TAIGA_PASSWORD"] = password
    (folder / "mappings").mkdir()
    (folder / "mappings" / "hostile.toml").write_text(mapping, encoding="utf-8")
    text = CONFIG.format(url=url, username=username) + more
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return world


@contextlib.contextmanager
def beside_a_sandbox(folder: Path, **settings: str) -> Iterator[World]:
    """An empty pipeline beside a fresh sandbox; ``settings`` as in `prepare`."""
    with Sandbox() as taiga:
        yield prepare(folder, taiga.url, taiga.username, taiga.password, taiga, **settings)


@contextlib.contextmanager
def hostile_world(folder: Path, entries: Mapping[str, str] = STORABLE) -> Iterator[World]:
    """A pipeline full of ``entries`` beside a fresh sandbox; nothing was synced yet."""
    with beside_a_sandbox(folder) as world:
        fill(world, entries, own=("region", "margin", "segment"))
        yield world


def fill(world: World, entries: Mapping[str, str], own: Collection[str] = ("region",)) -> None:
    """Puts the two deals of each entry, and a person, into the store.

    ``own`` names the fields of the user's own that hold the entry, whatever kind they are of.
    """
    with stores(world) as (deals, people):
        people.add(Person(MANAGER, "Petra Manager"))
        for name, text in entries.items():
            for key, stage in ((key_of(name, text), "Proposal"), (f"W-{name}", "Won")):
                deals.add(replace(hostile_deal(key, text, stage), own=dict.fromkeys(own, text)))
            staff(people, name, text)


@contextlib.contextmanager
def stores(world: World) -> Iterator[tuple[DealStore, PeopleStore]]:
    """The stores of deals and of people, made if they are not there."""
    deals = DealStore.open(world.store_url, lambda: NOW, create=True)
    people = PeopleStore.open(world.store_url, lambda: NOW)
    try:
        yield deals, people
    finally:
        people.close()
        deals.close()


def toml_text(text: str) -> str:
    """Returns a text as TOML writes it, on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key_of(name: str, text: str = "") -> str:
    """Returns the key of the proposal: as much of the entry as a key can be long, and its name."""
    return line(f"{(text or STORABLE[name])[: LONGEST_KEY - 20]} {name}")


def hostile_deal(key: str, text: str, stage: str) -> Deal:
    """A deal that holds ``text`` wherever it can."""
    return Deal(
        key=key,
        name=text,
        customer=text,
        stage=stage,
        value=Decimal(1000),
        currency="EUR",
        start=date(2027, 1, 4),
        closed_on=NOW.date() if stage == "Won" else None,
        owner=text,
        team=text,
        service=text,
        lead_source=text,
        lost_reason=text,
        notes=(Note(text, by=text),),
        contacts=(Contact(text, text, text, ContactPart.DECISION_MAKER),),
        roles=(RoleDemand(" ".join(text.split()), Decimal(8), 4, 0, (text,)),),
        done=frozenset({text}),
        next_step=text,
        own=dict.fromkeys(("region", "margin", "segment"), text),
    )


def staff(people: PeopleStore, name: str, text: str) -> None:
    """Puts an entry's person on the roster, on leave, and the manager on its won deal."""
    address = f"{name}@example.org"
    people.add(Person(address, text, text, (text,), team=text))
    people.add_time_off(TimeOff(address, date(2027, 2, 1), date(2027, 2, 2), text))
    people.allocate(Allocation(f"W-{name}", MANAGER, text, Decimal(8)))


def dot_env(world: World) -> Mapping[str, str]:
    """The environment of a child process that runs a command in the world's folder."""
    return {**os.environ, **world.environment}
