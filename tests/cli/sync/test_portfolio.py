"""The portfolio's life: deals move, people move cards and write on pages, runs in between."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.installing import how_to_get
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from tests.cli.conftest import Run, writes

pytestmark = pytest.mark.sampled_tests(5)

DEALS = """key,name,customer,stage,value,currency,expected_close,owner,notes
D-1,Web shop,Acme,Proposal,40000,EUR,2026-12-14,Anna,
D-2,Portal,Zeta,Needs analysis,9000,EUR,2027-01-14,Bert,
D-3,App,Beta,Won,7000,EUR,2026-11-02,Anna,Weekly demo was promised.
"""


class Board:
    """The board as someone sees it who works in Taiga."""

    def __init__(self, taiga: Sandbox) -> None:
        self.client = taiga.as_user("admin")

    @property
    def id(self) -> int:
        (found,) = [p for p in self.client.get("/projects") if p["name"] == "Portfolio"]
        return int(found["id"])

    def cards(self) -> dict[str, str]:
        rows = self.client.get(f"/userstories?project={self.id}")
        return {row["subject"]: row["status_extra_info"]["name"] for row in rows}

    def columns(self) -> list[str]:
        rows = self.client.get(f"/userstory-statuses?project={self.id}")
        return [row["name"] for row in rows]

    def card(self, subject: str) -> dict[str, Any]:
        rows = self.client.get(f"/userstories?project={self.id}")
        (found,) = [row["id"] for row in rows if row["subject"] == subject]
        card: dict[str, Any] = self.client.get(f"/userstories/{found}")
        return card

    def move(self, subject: str, column: str) -> None:
        rows = self.client.get(f"/userstory-statuses?project={self.id}")
        (status,) = [row["id"] for row in rows if row["name"] == column]
        body = {
            "project_id": self.id,
            "status_id": status,
            "bulk_userstories": [self.card(subject)["id"]],
        }
        self.client.post("/userstories/bulk_update_kanban_order", body)

    def page(self, slug: str) -> dict[str, Any]:
        (found,) = [page for page in self.client.get("/wiki") if page["slug"] == slug]
        page: dict[str, Any] = found
        return page

    def write(self, slug: str, content: str) -> None:
        page = self.page(slug)
        body = {"content": content, "version": page["version"]}
        self.client.patch(f"/wiki/{page['id']}", body)


@pytest.fixture
def board(taiga: Sandbox) -> Board:
    return Board(taiga)


@pytest.fixture
def acme(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Run:
    """Three deals and a portfolio, before the first run."""
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    Path("deals.csv").write_text(DEALS, encoding="utf-8")
    run("deals", "import", "deals.csv")
    with Path("config.toml").open("a", encoding="utf-8") as file:
        file.write("\n[portfolio]\nenabled = true\n")
    return run


def let_delivery_move_cards() -> None:
    mapping = Path("mappings/default.toml")
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(
        text.replace("[ownership]\n", '[ownership]\nstage = "delivery"\n'), encoding="utf-8"
    )


def nothing_left_to_do(run: Run, taiga: Sandbox) -> bool:
    before = len(writes(taiga))
    result = run("run")
    return result.exit_code == 0 and result.stdout == "" and len(writes(taiga)) == before


def test_one_run_makes_the_board_and_the_next_finds_nothing_to_do(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    assert acme("run").exit_code == 0
    assert board.columns() == ["Lead", "Qualified", "Needs analysis", "Proposal", "Won", "Lost"]
    assert board.cards() == {
        "Acme: Web shop": "Proposal",
        "Zeta: Portal": "Needs analysis",
        "Beta: App": "Won",
    }
    card = board.card("Acme: Web shop")
    assert card["due_date"] == "2026-12-14"
    assert "- Value: 40,000 EUR" in card["description"]
    assert "/project/tentative-acme-web-shop" in card["description"]
    assert nothing_left_to_do(acme, taiga)


def test_a_run_without_changes_asks_as_little_as_without_a_portfolio(
    acme: Run, taiga: Sandbox
) -> None:
    acme("run")
    taiga.clear_requests()
    acme("run")
    assert [f"{request.method} {request.path}" for request in taiga.requests] == [
        "POST /auth",
        "GET /users/me",
        "GET /projects",
    ]


def test_a_card_moves_with_its_deal(acme: Run, taiga: Sandbox, board: Board) -> None:
    acme("run")
    acme("deals", "move", "D-2", "Proposal", "--force")
    assert acme("run").exit_code == 0
    assert board.cards()["Zeta: Portal"] == "Proposal"
    assert "/project/tentative-zeta-portal" in board.card("Zeta: Portal")["description"]
    assert nothing_left_to_do(acme, taiga)


def test_a_card_that_people_moved_goes_back_and_is_reported(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    acme("run")
    board.move("Acme: Web shop", "Won")
    result = acme("run")
    assert "status: Won -> Proposal  (sales decides" in result.stdout
    assert board.cards()["Acme: Web shop"] == "Proposal"
    assert nothing_left_to_do(acme, taiga)


def test_where_the_mapping_says_so_a_moved_card_moves_its_deal(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    let_delivery_move_cards()
    acme("run")
    board.move("Acme: Web shop", "Won")
    result = acme("run")
    assert "D-1: Proposal → Won, as its card was moved in Taiga" in result.stdout
    deal = json.loads(acme("deals", "show", "D-1", "--json").stdout)
    assert deal["stage"] == "Won"
    assert deal["history"][-1]["by"] == "taiga"
    names = [project["name"] for project in taiga.as_user("admin").get("/projects")]
    assert "Acme: Web shop" in names
    assert nothing_left_to_do(acme, taiga)


def test_a_card_does_not_open_a_gate(acme: Run, taiga: Sandbox, board: Board) -> None:
    let_delivery_move_cards()
    acme("run")
    board.move("Zeta: Portal", "Proposal")
    result = acme("run")
    assert "still to be done: 'needs documented'" in result.stdout
    assert "pipeline-sync deals done D-2 ACTION" in result.stdout
    assert board.cards()["Zeta: Portal"] == "Needs analysis"
    assert json.loads(acme("deals", "show", "D-2", "--json").stdout)["stage"] == "Needs analysis"
    acme("run")  # compares the board once more, as it is shared again
    assert nothing_left_to_do(acme, taiga)


def test_what_people_write_on_pages_and_cards_survives(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    acme("run")
    for slug in ("from-sales", "resource-plan"):
        board.write(slug, "Ask Petra first.\n\n" + board.page(slug)["content"])
    card = board.card("Acme: Web shop")
    body = {"description": "Ours.\n\n" + card["description"], "version": card["version"]}
    board.client.patch(f"/userstories/{card['id']}", body)
    acme("run")
    acme("deals", "edit", "D-3", "--notes", "Two demos were promised.")
    acme("deals", "edit", "D-1", "--value", "50000")
    acme("people", "add", "ana@example.com", "Ana", "--role", "Back")
    assert acme("run").exit_code == 0
    sales, plan = board.page("from-sales")["content"], board.page("resource-plan")["content"]
    assert sales.startswith("Ask Petra first.\n\n――")
    assert "> Two demos were promised." in sales
    assert sales.index("Two demos") < sales.index("Weekly demo")
    assert plan.startswith("Ask Petra first.\n\n――")
    assert "| Back | 1 |" in plan
    text = board.card("Acme: Web shop")["description"]
    assert text.startswith("Ours.\n\n――")
    assert "- Value: 50,000 EUR" in text
    assert nothing_left_to_do(acme, taiga)


def test_the_plan_has_a_picture_that_is_sent_once(acme: Run, taiga: Sandbox, board: Board) -> None:
    pytest.importorskip("PIL", reason="drawing needs Pillow, of the extra 'planning'")
    acme("people", "add", "ana@example.com", "Ana", "--role", "Back")
    acme("run")
    acme("deals", "edit", "D-1", "--value", "50000")
    acme("run")
    uploads = [line for line in writes(taiga) if line == "POST /wiki/attachments"]
    assert len(uploads) == 1
    assert "![Heat map " in board.page("resource-plan")["content"]


def test_a_picture_that_could_not_be_sent_is_sent_by_the_next_run(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    pytest.importorskip("PIL", reason="drawing needs Pillow, of the extra 'planning'")
    acme("people", "add", "ana@example.com", "Ana", "--role", "Back")
    taiga.faults.add(Fault(FaultKind.SERVER_ERROR_BEFORE, "POST", "/wiki/attachments", times=1))
    assert "its picture waits for the next run" in acme("run").stderr
    acme("run")
    assert "![Heat map " in board.page("resource-plan")["content"]
    assert nothing_left_to_do(acme, taiga)


@pytest.mark.parametrize("path", ["^/wiki$", "^/userstory-statuses", "^/userstories$"])
def test_an_answer_that_was_lost_leaves_nothing_twice_and_nothing_half_made(
    acme: Run, taiga: Sandbox, board: Board, path: str
) -> None:
    acme("people", "add", "ana@example.com", "Ana", "--role", "Back")
    for method in ("POST", "DELETE"):
        taiga.faults.add(Fault(FaultKind.NO_ANSWER_AFTER, method, path))
    acme("run")
    assert acme("run").exit_code == 0
    assert board.columns() == ["Lead", "Qualified", "Needs analysis", "Proposal", "Won", "Lost"]
    assert len(board.cards()) == len(board.client.get(f"/userstories?project={board.id}"))
    if importlib.util.find_spec("PIL"):
        assert "![Heat map " in board.page("resource-plan")["content"]
    assert nothing_left_to_do(acme, taiga)


def test_a_column_that_people_removed_is_asked_for_and_found_by_its_name(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    acme("run")
    rows = board.client.get(f"/userstory-statuses?project={board.id}")
    ids = {row["name"]: row["id"] for row in rows}
    board.client.delete(f"/userstory-statuses/{ids['Proposal']}?moveTo={ids['Lead']}")
    result = acme("run", "--full")
    assert result.exit_code == 3
    assert "the board's column 'Proposal' was removed in Taiga" in result.stdout
    body = {"project": board.id, "name": "Proposal", "order": 4}
    board.client.post("/userstory-statuses", body)
    assert acme("run", "--full").exit_code == 0
    assert board.cards()["Acme: Web shop"] == "Proposal"
    assert nothing_left_to_do(acme, taiga)


def test_without_the_extra_the_plan_is_left_out_and_that_is_said_once(
    acme: Run, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taiga_pipeline.app.portfolio.find_spec", lambda name: None)
    result = acme("run")
    assert result.exit_code == 0
    assert result.stderr.count(how_to_get("planning")) == 1
    assert [page["slug"] for page in board.client.get("/wiki")] == ["from-sales"]


def test_a_portfolio_that_is_no_longer_asked_for_is_left_as_it_is(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    acme("run")
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8").replace("enabled = true", "enabled = false")
    config.write_text(text, encoding="utf-8")
    assert nothing_left_to_do(acme, taiga)
    assert board.cards()


def test_a_deal_may_not_have_the_portfolios_key(acme: Run) -> None:
    acme("deals", "add", "~portfolio-x", "x", "--stage", "Lead")
    result = acme("run")
    assert result.exit_code == 3
    assert "may not begin with '~portfolio'" in result.stdout


def test_a_portfolio_needs_a_target_with_boards(acme: Run) -> None:
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8").replace('kind = "taiga"', 'kind = "redmine"')
    config.write_text(text, encoding="utf-8")
    result = acme("plan")
    assert result.exit_code == 2
    assert (
        "portfolio.enabled: Redmine has no boards with columns of their own; set it to false "
        "(with boards: Kanboard, Odoo, Taiga)"
    ) in result.stderr
