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
    board.add("Delta: Intranet", "Lead")
    acme("run")
    board.fill(
        "Intranet", Value=32000, Currency="EUR", Start="2026-01-05", Roles_needed="Back:20h x4w"
    )
    board.edit("Intranet", comment="They know us from the fair.")
    columns = [row["name"] for row in board.project["us_statuses"]]
    for column in columns[columns.index("Lead") + 1 : columns.index("Won") + 1]:
        acme("run")
        for task in board.tasks("Intranet"):
            board.close("Intranet", task)
        board.move("Intranet", column)
    result = acme("run")
    assert result.exit_code == 0, result.output
    (key,) = [
        each["key"]
        for each in json.loads(acme("deals", "list", "--no-score", "--json").stdout)
        if each["name"] == "Intranet"
    ]
    found = deal(acme, key)
    assert (found["stage"], found["value"], found["start"]) == ("Won", "32000", "2026-01-05")
    pages = Pages(taiga, "Intranet")
    project = pages.client.get(f"/projects/{pages.project}")
    assert "Back" in project["looking_for_people_note"]
    assert "They know us from the fair." in str(pages.client.get(f"/wiki?project={pages.project}"))
    pages.finish()
    acme("run")
    acme("run")
    page = pages.page()
    assert page is not None
    pages.write(page["content"].replace("in the next offer?", "in the next offer?\n\nAsk earlier."))
    assert acme("run").exit_code == 0
    lesson = json.loads(acme("deals", "retrospective", key, "--json").stdout)
    assert [each["text"] for each in lesson["answers"]] == ["Ask earlier."]
    assert "Ask earlier." in acme("customers", "show", "Delta").stdout
    assert nothing_left_to_do(acme, taiga)
