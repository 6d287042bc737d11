"""The board as the place where sales works: cards, edits, tasks and comments reach the deals."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Protocol

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run

from .test_portfolio import nothing_left_to_do

pytestmark = pytest.mark.sampled_tests(5)

DEALS = """key,name,customer,stage,value,currency,expected_close,owner,start
D-1,Web shop,Acme,Proposal,40000,EUR,2026-12-14,Petra Manager,
D-2,Portal,Zeta,Needs analysis,9000,EUR,2027-01-14,Bert,2027-02-01
"""
GATE = "needs documented"


class Person(Protocol):
    """Someone who works in a Taiga, through its API."""

    def get(self, path: str) -> Any: ...

    def post(self, path: str, body: Any) -> Any: ...

    def patch(self, path: str, body: Any) -> Any: ...

    def delete(self, path: str) -> Any: ...


class Board:
    """The board as someone sees it who works in Taiga."""

    def __init__(self, client: Person, title: str = "Portfolio") -> None:
        self.client = client
        self.title = title

    @property
    def name(self) -> str:
        """The name of who works on it."""
        return str(self.client.get("/users/me")["full_name"])

    @property
    def project(self) -> dict[str, Any]:
        rows = self.client.get("/projects")
        (found,) = [row["id"] for row in rows if row["name"] == self.title]
        project: dict[str, Any] = self.client.get(f"/projects/{found}")
        return project

    def cards(self) -> list[dict[str, Any]]:
        path = f"/userstories?project={self.project['id']}&include_tasks=1"
        rows: list[dict[str, Any]] = self.client.get(path)
        return rows

    def card(self, part: str) -> dict[str, Any]:
        (found,) = [row for row in self.cards() if part in row["subject"]]
        return found

    def fields(self, part: str) -> dict[str, Any]:
        path = f"/userstories/custom-attributes-values/{self.card(part)['id']}"
        values = self.client.get(path)["attributes_values"]
        return {self.titles()[number]: value for number, value in values.items()}

    def titles(self) -> dict[str, str]:
        path = f"/userstory-custom-attributes?project={self.project['id']}"
        return {str(row["id"]): row["name"] for row in self.client.get(path)}

    def edit(self, part: str, **changes: Any) -> None:
        card = self.card(part)
        self.client.patch(f"/userstories/{card['id']}", {**changes, "version": card["version"]})

    def fill(self, part: str, **texts: Any) -> None:
        path = f"/userstories/custom-attributes-values/{self.card(part)['id']}"
        now = self.client.get(path)
        by_title = {title: number for number, title in self.titles().items()}
        values = {by_title[title.replace("_", " ")]: text for title, text in texts.items()}
        body = {"attributes_values": now["attributes_values"] | values, "version": now["version"]}
        self.client.patch(path, body)

    def column(self, name: str) -> int:
        (found,) = [row["id"] for row in self.project["us_statuses"] if row["name"] == name]
        return int(found)

    def add(self, subject: str, column: str, **more: Any) -> None:
        body = {"project": self.project["id"], "subject": subject, "status": self.column(column)}
        self.client.post("/userstories", body | more)

    def move(self, part: str, column: str) -> None:
        """Drags a card into a column, as the page does: the card's version stays what it was."""
        moved = {"status_id": self.column(column), "bulk_userstories": [self.card(part)["id"]]}
        body = {"project_id": self.project["id"], **moved}
        self.client.post("/userstories/bulk_update_kanban_order", body)

    def tasks(self, part: str) -> dict[str, bool]:
        return {task["subject"]: task["is_closed"] for task in self.card(part)["tasks"]}

    def close(self, part: str, subject: str, *, closed: bool = True) -> None:
        (found,) = [task for task in self.card(part)["tasks"] if task["subject"] == subject]
        task = self.client.get(f"/tasks/{found['id']}")
        states = [row for row in self.project["task_statuses"] if row["is_closed"] is closed]
        body = {"status": states[0]["id"], "version": task["version"]}
        self.client.patch(f"/tasks/{task['id']}", body)

    def comments(self, part: str) -> list[str]:
        path = f"/history/userstory/{self.card(part)['id']}?type=comment"
        return [row["comment"] for row in self.client.get(path)]


@pytest.fixture
def board(taiga: Sandbox) -> Board:
    return Board(taiga.as_user("admin"))


@pytest.fixture
def acme(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Run:
    """Two deals and a board that sales works on, after the first run."""
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    Path("deals.csv").write_text(DEALS, encoding="utf-8")
    run("deals", "import", "deals.csv")
    with Path("config.toml").open("a", encoding="utf-8") as file:
        file.write('\n[portfolio]\nenabled = true\neditable = "sales"\nplan_weeks = 0\n')
        file.write('members = ["pm@example.test", "ana@example.test"]\n')
        file.write('\n[[field]]\nname = "region"\nkind = "choice"\nchoices = ["North", "South"]\n')
    result = run("run")
    assert result.exit_code == 0, result.output
    return run


def deal(run: Run, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("deals", "show", key, "--json").stdout)
    return found


def test_a_card_shows_its_deal_at_a_glance_and_in_fields(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    assert board.card("Web shop")["subject"] == "Acme: Web shop · 40,000 EUR · 2026-12-14"
    shown = board.fields("Web shop")
    assert (shown["Value"], shown["Currency"], shown["Customer"]) == ("40000", "EUR", "Acme")
    assert GATE in board.tasks("Portal")
    assert nothing_left_to_do(acme, taiga)


def test_a_run_without_changes_asks_as_little_as_without_a_board(acme: Run, taiga: Sandbox) -> None:
    taiga.clear_requests()
    acme("run")
    assert [f"{request.method} {request.path}" for request in taiga.requests] == [
        "POST /auth",
        "GET /users/me",
        "GET /projects",
    ]


def test_what_people_edit_on_a_card_is_edited_in_the_deal(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    pm = taiga.as_user("admin").get("/users/me")
    board.edit("Web shop", subject="Acme & Co: Web store · 40,000 EUR", due_date="2027-01-11")
    board.fill("Web store", Value=52000, Probability=65, Start="2027-02-01", Region="South")
    result = acme("run")
    assert result.exit_code == 0, result.output
    found = deal(acme, "D-1")
    assert (found["name"], found["customer"]) == ("Web store", "Acme & Co")
    assert (found["value"], found["expected_close"]) == ("52000", "2027-01-11")
    assert (found["probability"], found["start"]) == ("0.65", "2027-02-01")
    assert found["region"] == "South"
    assert pm["full_name"] in result.stdout
    subject = board.card("Web store")["subject"]
    assert subject == "Acme & Co: Web store · 52,000 EUR · 2027-01-11"
    assert nothing_left_to_do(acme, taiga)


def test_sales_edits_reach_the_card_and_both_sides_at_once_is_a_conflict(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    acme("deals", "edit", "D-1", "--value", "41000")
    board.fill("Web shop", Value=42000, Service="Shops")
    result = acme("run")
    assert result.exit_code == 3
    assert deal(acme, "D-1")["service"] == "Shops"
    assert deal(acme, "D-1")["value"] == "41000"
    assert board.fields("Web shop")["Value"] == 42000
    pipeline = tomllib.loads(Path("config.toml").read_text(encoding="utf-8"))["pipeline"]
    acme("resolve", f"~portfolio-{pipeline}/story/D-1", "--take", "delivery")
    acme("run")
    assert deal(acme, "D-1")["value"] == "42000"


def test_a_new_card_is_a_new_deal(acme: Run, taiga: Sandbox, board: Board) -> None:
    board.add("Delta: Intranet", "Lead", due_date="2027-03-01")
    result = acme("run")
    assert result.exit_code == 0, result.output
    (key,) = [
        each["key"]
        for each in json.loads(acme("deals", "list", "--json").stdout)
        if each["name"] == "Intranet"
    ]
    found = deal(acme, key)
    assert (found["customer"], found["stage"]) == ("Delta", "Lead")
    assert found["expected_close"] == "2027-03-01"
    assert board.comments("Intranet") == [f"This card is the deal {key} now."]
    assert len([card for card in board.cards() if "Intranet" in card["subject"]]) == 1
    assert nothing_left_to_do(acme, taiga)


def test_closing_the_tasks_of_a_card_opens_its_gate(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    board.move("Portal", "Proposal")
    acme("run")
    assert deal(acme, "D-2")["stage"] == "Needs analysis"
    assert board.card("Portal")["status_extra_info"]["name"] == "Needs analysis"
    (comment,) = board.comments("Portal")
    assert "went back" in comment and GATE in comment
    for task in board.tasks("Portal"):
        board.close("Portal", task)
    board.move("Portal", "Proposal")
    result = acme("run")
    assert result.exit_code == 0, result.output
    found = deal(acme, "D-2")
    assert found["stage"] == "Proposal" and GATE in found["done"]
    assert nothing_left_to_do(acme, taiga)


def test_a_task_that_is_opened_again_is_no_longer_done(acme: Run, board: Board) -> None:
    board.close("Portal", GATE)
    acme("run")
    assert GATE in deal(acme, "D-2")["done"]
    board.close("Portal", GATE, closed=False)
    acme("run")
    assert GATE not in deal(acme, "D-2")["done"]


def test_a_comment_is_a_note_once(acme: Run, taiga: Sandbox, board: Board) -> None:
    board.edit("Web shop", comment="They ask for a reference.")
    acme("run")
    acme("run", "--full")
    notes = deal(acme, "D-1")["notes"]
    assert [note["text"] for note in notes] == ["They ask for a reference."]
    assert nothing_left_to_do(acme, taiga)


def test_a_comment_below_a_question_answers_the_retrospective(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    acme("deals", "move", "D-1", "Won", "--force")
    acme("run")
    board.edit(
        "Web shop", comment="What went well?\nThe team.\n\n2. What did we underestimate?\nIt."
    )
    acme("run")
    found = json.loads(acme("deals", "retrospective", "D-1", "--json").stdout)
    answers = [(each["question"], each["text"]) for each in found["answers"]]
    assert answers == [("What went well?", "The team."), ("What did we underestimate?", "It.")]
    assert found["has_ended"] and nothing_left_to_do(acme, taiga)


def test_a_value_that_is_none_goes_back_with_one_comment(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    board.fill("Web shop", Roles_needed="many people")
    result = acme("run")
    assert "its card goes back" in result.stdout
    assert not board.fields("Web shop").get("Roles needed")
    (comment,) = board.comments("Web shop")
    assert "'many people'" in comment
    acme("run", "--full")
    assert len(board.comments("Web shop")) == 1
    assert nothing_left_to_do(acme, taiga)


def test_a_card_is_assigned_to_who_sells_and_back(acme: Run, taiga: Sandbox, board: Board) -> None:
    acme("people", "add", "ana@example.test", "Ana Berg", "--role", "Sales")
    acme("deals", "edit", "D-2", "--owner", "Ana Berg")
    acme("run")
    members = {row["full_name"]: row["id"] for row in board.project["members"]}
    ana = board.card("Portal")["assigned_to_extra_info"]["full_name_display"]
    board.edit("Web shop", assigned_to=members[ana])
    acme("run")
    assert deal(acme, "D-1")["owner"] == "Ana Berg"
    assert nothing_left_to_do(acme, taiga)


def test_a_deal_that_is_renamed_keeps_its_card_and_tasks(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    acme("deals", "rename", "D-2", "X-1")
    assert acme("run").exit_code == 0
    assert len(board.cards()) == 2
    assert board.card("Portal")["external_reference"][1].endswith("/X-1")
    references = [task["external_reference"][1] for task in board.client.get("/tasks")]
    assert len(references) == 2 and all("/X-1%2F" in reference for reference in references)
    board.close("Portal", GATE)
    acme("run")
    assert GATE in deal(acme, "X-1")["done"]
    assert nothing_left_to_do(acme, taiga)


def test_the_card_of_a_deal_that_was_a_mistake_is_removed_once_a_person_says_so(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    board.edit("Portal", comment="We still talk to them.")
    acme("run")
    acme("deals", "remove", "D-2")
    result = acme("run")
    assert "people have worked with it" in result.stdout
    assert board.card("Portal")
    pipeline = tomllib.loads(Path("config.toml").read_text(encoding="utf-8"))["pipeline"]
    acme("resolve", f"~portfolio-{pipeline}/story/D-2", "--take", "sales")
    acme("run")
    assert [card["subject"].partition(" ·")[0] for card in board.cards()] == ["Acme: Web shop"]
    assert nothing_left_to_do(acme, taiga)
