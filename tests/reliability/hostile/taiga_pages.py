"""Wiki pages and the portfolio's board in Taiga: columns, cards, "Resource plan".

A funnel in which each entry is the name of a stage, and of a deal that stands there: a project
with a column and a card for each, and a page on which each deal is someone's work.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from sync.records.composite_text import END, NEUTRAL_SEPARATOR, SEPARATOR
from taiga_pipeline.look_alikes import INVISIBLE
from taiga_pipeline.mapping.text import escape_markup
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.text import line
from tests.reliability.hostile.checks import (
    HTML,
    LIVE_MENTION,
    assert_begins_like,
    assert_plain,
    assert_terminal_safe,
    commands_in,
    visible,
)
from tests.reliability.hostile.commands import InTaiga
from tests.reliability.hostile.corpus import STORABLE
from tests.reliability.hostile.world import (
    MANAGER,
    NOW,
    World,
    beside_a_sandbox,
    hostile_deal,
    stores,
    toml_text,
)

MORE: Final = """\
[portfolio]
enabled = true
plan_weeks = 2
"""


def stage_name(text: str) -> str:
    """Returns an entry without what a mapping refuses in a stage: characters that are invisible."""
    return line(text.translate(dict.fromkeys(map(ord, INVISIBLE))))


STAGES: Final = "".join(
    f'[[stage]]\nname = {toml_text(stage_name(text))}\ncategory = "needs"\nprobability = 0.5\n'
    for text in STORABLE.values()
)
FUNNEL: Final = f"""\
[mapping]
name = "hostile"
{STAGES}
[[stage]]
name = "Won"
category = "won"
"""
MARKDOWN: Final = re.compile(r"[<>*_`\[\]~\\]|\B@|!\[")
"""What would be more than text on a page or a card."""
OWN_BOLD: Final = re.compile(
    r"^\*\*(To decide: .*|Nothing to decide: .*)\*\*$|^(\| )\*\*(.*?)\*\*( \| )"
    r"|(?<=\| )\*\*(-\d+)\*\*(?= \|)",
    re.MULTILINE,
)


@contextlib.contextmanager
def portfolio_world(folder: Path) -> Iterator[Board]:
    """A pipeline with a portfolio, synced twice."""
    with beside_a_sandbox(folder, mapping=FUNNEL, more=MORE) as world:
        with stores(world) as (deals, people):
            people.add(Person(MANAGER, "Petra Manager"))
            for name, text in STORABLE.items():
                deal = hostile_deal(f"D-{name}", text, stage_name(text))
                close = NOW.date() + timedelta(days=20)
                deals.add(replace(deal, expected_close=close, start=NOW.date()))
                person = Person(f"{name}@example.org", text, text, hours_per_week=Decimal(8))
                people.add(person)
                people.allocate(Allocation(f"D-{name}", person.email, text, Decimal(8)))
        yield Board(world)


class Board(InTaiga):
    """The portfolio, as it is in Taiga."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.run = world.run("--log-format", "json", "run", "-vv")
        assert self.run.exit_code == 0, self.run.stderr
        world.forget_requests()
        self.second = world.run("run", "--full", "-v")
        self.second_writes = [each for each in world.writes() if "user-storage" not in each]

    @cached_property
    def columns(self) -> list[dict[str, Any]]:
        """The board's columns."""
        return self.listed("userstory-statuses")

    @cached_property
    def cards(self) -> Mapping[str, Mapping[str, Any]]:
        """The cards with their descriptions, by deal."""
        assert self.world.taiga is not None
        client = self.world.taiga.as_user("admin")
        rows = [client.get(f"/userstories/{row['id']}") for row in self.listed("userstories")]
        return {row["external_reference"][1].rpartition("/")[2]: row for row in rows}

    @cached_property
    def plan_page(self) -> str:
        """The page with the resource plan."""
        (page,) = self.listed("wiki")
        return str(page["content"])

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """The log of the first run, an object for each line."""
        return [json.loads(row) for row in self.run.stderr.splitlines()]


def board_column(out: Board, name: str, text: str) -> None:
    status = out.cards[f"D-{name}"]["status"]
    (column,) = (row for row in out.columns if row["id"] == status)
    assert_plain(column["name"])
    assert len(column["name"]) <= 200
    assert_begins_like(column["name"], visible(stage_name(text)))
    assert len({row["name"] for row in out.columns}) == len(STORABLE) + 1


def card_subject(out: Board, name: str, text: str) -> None:
    card = out.cards[f"D-{name}"]
    assert_plain(card["subject"])
    assert not HTML.search(card["subject"])
    shown = card["subject"].translate(str.maketrans("＜＆", "<&"))
    assert_begins_like(shown, f"{visible(text)}: {visible(text)}")
    for tag, _ in card["tags"]:
        assert_plain(tag)
        assert not HTML.search(tag)


def card_facts(out: Board, name: str, text: str) -> None:
    rows = str(out.cards[f"D-{name}"]["description"]).split("\n")
    assert_plain("".join(rows))
    assert rows.count(SEPARATOR) == rows.count(END) == 1
    facts = rows[rows.index(SEPARATOR) + 1 : rows.index(END)]
    assert all(re.match(r"- [A-Z][a-z ]+: ", fact) for fact in facts)
    assert f"- Service: {visible(text)}" in map(html.unescape, facts)
    assert not any(MARKDOWN.search(fact) or LIVE_MENTION.search(fact) for fact in facts)


def plan_page(out: Board, name: str, text: str) -> None:
    rows = out.plan_page.split("\n")
    assert_plain("".join(rows))
    assert rows.count(NEUTRAL_SEPARATOR) == rows.count(END) == 1
    assert SEPARATOR not in rows
    picture, rest = out.plan_page.partition("](")[::2]
    assert "![Heat map " in picture
    words = rest.partition(")")[2]
    assert not MARKDOWN.search(without_own_bold(words))
    assert_tables_keep_their_columns(words)


def assert_tables_keep_their_columns(text: str) -> None:
    """Each row of a table of Markdown has as many cells as its heading."""
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        rows = [row.strip().count("|") for row in table.strip().split("\n")]
        assert len(set(rows)) == 1, table


def without_own_bold(text: str) -> str:
    """Returns a plan without the stars of the program: around what is to decide, a role whose sums
    follow, and hours that are missing."""
    return OWN_BOLD.sub(lambda found: "".join(filter(None, found.groups())), text)


def words_of_markdown(text: str) -> str:
    """Returns an entry as Markdown that shows its words and does nothing else."""
    return escape_markup(visible(text))


def log_json(out: Board, name: str, text: str) -> None:
    assert_terminal_safe(out.run.stderr)
    assert out.run.stderr.isascii()
    assert all(row.keys() >= {"time", "level", "logger", "message"} for row in out.log)
    assert any(row.get("deal") == f"D-{name}" or name in row["message"] for row in out.log)


def portfolio_run(out: Board, name: str, text: str) -> None:
    assert_terminal_safe(out.run.stdout)
    assert commands_in(out.text("status")) == []
    assert out.second.exit_code == 0, out.second.stderr
    assert out.second.stdout == ""
    assert out.second_writes == []


PORTFOLIO: Final[Mapping[str, Callable[[Board, str, str], None]]] = {
    "Taiga: column of the board": board_column,
    "Taiga: card": card_subject,
    "Taiga: facts on a card": card_facts,
    'Taiga: page "Resource plan"': plan_page,
    "log (JSON)": log_json,
    "second run of the portfolio": portfolio_run,
}
