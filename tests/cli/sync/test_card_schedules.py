"""People work on cards and sales on deals in any order, while the server fails: nothing is lost."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from tests.cli.conftest import Run, writes

from .test_cards import GATE, Board, acme, board, deal

STEPS: Final = 24
_FAULTS: Final = (FaultKind.SERVER_ERROR_BEFORE, FaultKind.NO_ANSWER_AFTER)
__all__ = ["acme", "board"]


class Office:
    """People in Taiga, and sales at their own tools; what each of them said is remembered."""

    def __init__(self, run: Run, taiga: Sandbox, board: Board, seed: int) -> None:
        self.run, self.taiga, self.board = run, taiga, board
        self.random = random.Random(seed)
        self.comments: Counter[str] = Counter()
        self.made: list[str] = []
        self.log: list[str] = []

    def step(self) -> None:
        choices: tuple[Callable[[], object], ...] = (
            self.sales_value, self.people_value, self.sales_close, self.people_close,
            self.comment, self.new_card, self.task, self.work, self.work, self.work_in_trouble,
        )  # fmt: skip
        chosen = self.random.choice(choices)
        self.log.append(chosen.__name__)
        chosen()

    def keys(self) -> list[str]:
        rows = json.loads(self.run("deals", "list", "--no-score", "--json").stdout)
        return [row["key"] for row in rows]

    def part(self) -> str:
        return self.random.choice(["Web shop", "Portal", *self.made])

    def amount(self) -> str:
        return str(self.random.randint(1, 99) * 1000)

    def sales_value(self) -> None:
        self.run("deals", "edit", self.random.choice(self.keys()), "--value", self.amount())

    def people_value(self) -> None:
        if "Value" in self.board.titles().values():
            self.board.fill(self.part(), Value=self.amount())

    def sales_close(self) -> None:
        self.run("deals", "edit", self.random.choice(self.keys()), "--expected-close", self.day())

    def people_close(self) -> None:
        self.board.edit(self.part(), due_date=self.day())

    def day(self) -> str:
        return f"2027-{self.random.randint(1, 12):02}-{self.random.randint(1, 28):02}"

    def comment(self) -> None:
        text = f"said {self.random.random():.12f}"
        self.board.edit(self.part(), comment=text)
        self.comments[text] += 1

    def new_card(self) -> None:
        name = f"New {len(self.made)}x"
        self.board.add(f"Delta: {name}", "Lead")
        self.made.append(name)

    def task(self) -> None:
        if GATE in self.board.tasks("Portal"):
            self.board.close("Portal", GATE, closed=self.random.random() < 0.7)

    def work(self) -> None:
        self.run("run")

    def work_in_trouble(self) -> None:
        kind, method = self.random.choice(_FAULTS), self.random.choice(("GET", "POST", "PATCH"))
        self.taiga.faults.add(Fault(kind, method, "/(userstories|tasks|projects)", times=1))
        self.run("run")
        self.taiga.faults.replace(())


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(8))
def test_cards_and_deals_agree_in_the_end_and_nothing_is_there_twice(
    acme: Run, taiga: Sandbox, board: Board, seed: int
) -> None:
    office = Office(acme, taiga, board, seed)
    for _ in range(STEPS):
        office.step()
    for _ in range(3):
        acme("run")
    before = len(writes(taiga))
    acme("run")
    assert len(writes(taiga)) == before, office.log
    assert disagreements(office) == [], (seed, office.log)


def disagreements(office: Office) -> list[str]:
    """Returns where a card and its deal differ without a conflict, and what is lost or doubled."""
    waiting = office.run("conflicts", "--json").stdout
    found = []
    keys = office.keys()
    cards = {row["external_reference"][1].rpartition("/")[2]: row for row in office.board.cards()}
    if sorted(cards) != sorted(keys) or len(office.board.cards()) != len(keys):
        found.append(f"cards {sorted(cards)}, deals {sorted(keys)}")
    noted: Counter[str] = Counter()
    for key in keys:
        known = deal(office.run, key)
        noted.update(note["text"] for note in known["notes"])
        shown = shown_by(office.board, cards[key])
        for name, value in shown.items():
            if value != (known[name] or "") and f"/{key}" not in waiting:
                found.append(f"{key}: {name} is {value!r} on the card and {known[name]!r} else")
    if noted != office.comments:
        found.append(f"notes {noted}, comments {office.comments}")
    return found


def shown_by(board: Board, card: dict[str, Any]) -> dict[str, str]:
    values = board.client.get(f"/userstories/custom-attributes-values/{card['id']}")
    by_title = {
        board.titles()[number]: value for number, value in values["attributes_values"].items()
    }
    return {
        "value": str(by_title.get("Value") or ""),
        "expected_close": card["due_date"] or "",
    }
