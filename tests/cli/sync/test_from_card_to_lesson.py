"""From a card that somebody typed to a lesson learnt, without a command but the run by cron."""

from __future__ import annotations

import json

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run

from .test_cards import Board, acme, board, deal
from .test_looking_back import Pages
from .test_portfolio import nothing_left_to_do

__all__ = ["acme", "board"]


def test_a_deal_is_typed_sold_staffed_and_learnt_from_in_taiga_alone(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    from_card_to_lesson(acme, board, "Intranet")
    assert nothing_left_to_do(acme, taiga)


def from_card_to_lesson(cron: Run, board: Board, name: str) -> None:
    """Does what people do, on the board and in the project; ``cron`` runs meanwhile."""
    board.add(f"Delta: {name}", "Lead")
    cron("run")
    board.fill(name, Value=32000, Currency="EUR", Start="2026-01-05", Roles_needed="Back:20h x4w")
    board.edit(name, comment="They know us from the fair.")
    columns = [row["name"] for row in board.project["us_statuses"]]
    for column in columns[columns.index("Lead") + 1 : columns.index("Won") + 1]:
        cron("run")
        for task in board.tasks(name):
            board.close(name, task)
        board.move(name, column)
    result = cron("run")
    assert result.exit_code == 0, result.output
    (key,) = [
        each["key"]
        for each in json.loads(cron("deals", "list", "--no-score", "--json").stdout)
        if each["name"] == name
    ]
    found = deal(cron, key)
    assert (found["stage"], found["value"], found["start"]) == ("Won", "32000", "2026-01-05")
    pages = Pages(board.client, name)
    project = pages.client.get(f"/projects/{pages.project}")
    assert "Back" in project["looking_for_people_note"]
    assert "They know us from the fair." in str(pages.client.get(f"/wiki?project={pages.project}"))
    pages.finish()
    cron("run")
    cron("run")
    page = pages.page()
    assert page is not None
    pages.write(page["content"].replace("in the next offer?", "in the next offer?\n\nAsk earlier."))
    answered = json.loads(cron("run", "--json").stdout)
    assert len(answered["follow_up"]) <= 2
    lesson = json.loads(cron("deals", "retrospective", key, "--json").stdout)
    (answer,) = lesson["answers"]
    assert (answer["text"], answer["by"]) == ("Ask earlier.", board.name)
    assert "Ask earlier." in cron("customers", "show", "Delta").stdout
    assert cron("run").stdout == ""
    assert cron("plan", "--exit-code").exit_code == 0
