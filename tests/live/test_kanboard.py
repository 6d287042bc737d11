"""Cases that only a live Kanboard can settle: its traps are real, and the adapter avoids them.

Left out unless ``--kanboard-url`` names a server that was set up by ``tests/live/kanboard.sh``.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sync.clock import SystemClock
from sync.errors import Rejected, Unauthorised
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Milestone, Status, Story, portfolio_key
from taiga_pipeline.targets.kanboard import create
from taiga_pipeline.targets.kanboard.client import BATCH
from tests.contract.targets.account import Work
from tests.contract.targets.accounts import KanboardAccount

AT_ONCE = 6
PERSON_TOKEN = os.environ.get("KB_PERSON_TOKEN", "p" * 40)
STORY = {"subject": "Call them", "description": "At nine", "milestone": ""}


@pytest.fixture
def kanboard(live_kanboard: Connection) -> Iterator[KanboardAccount]:
    account = KanboardAccount(live_kanboard, SystemClock())
    yield account
    account.clean_up()


@pytest.fixture
def work(kanboard: KanboardAccount) -> Work:
    work = Work(kanboard)
    work.make()
    return work


def at_once(functions: list[Callable[[], object]]) -> None:
    """Calls all at the same moment, and waits for them."""
    barrier = threading.Barrier(len(functions))

    def after_all_are_ready(function: Callable[[], object]) -> None:
        barrier.wait(300)
        function()

    threads = [
        threading.Thread(target=after_all_are_ready, args=(function,)) for function in functions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)


def test_connectors_that_make_a_project_at_once_end_with_one(
    kanboard: KanboardAccount, live_kanboard: Connection
) -> None:
    accounts = [KanboardAccount(live_kanboard, SystemClock()) for _ in range(AT_ONCE)]
    try:
        for _ in range(5):
            key = Work(kanboard).key
            made: list[str] = []
            troubles: list[Rejected] = []

            def make(account: KanboardAccount) -> None:
                try:
                    made.append(Work(account, key).make().record.id)  # noqa: B023
                except Rejected as error:
                    troubles.append(error)  # noqa: B023

            at_once([lambda account=account: make(account) for account in accounts])  # type: ignore[misc]
            (found,) = kanboard.target.find_roots(Work(kanboard, key).marker)
            assert set(made) == {found.id}
            assert len(made) + len(troubles) == AT_ONCE
    finally:
        for account in accounts:
            account.target.close()
            account._http.close()


def test_a_rename_leaves_no_trace_but_the_name(kanboard: KanboardAccount, work: Work) -> None:
    before, token = kanboard.call("getProjectById", project_id=int(work.id)), work.observed()
    kanboard.rename(work.id, "(tentative) Theirs")
    after = kanboard.call("getProjectById", project_id=int(work.id))
    assert after["last_modified"] == before["last_modified"]
    assert work.observed().change_token != token.change_token


def test_the_metadata_names_the_deal_and_its_facts(kanboard: KanboardAccount, work: Work) -> None:
    def metadata() -> dict[str, str]:
        found: dict[str, str] = kanboard.call("getProjectMetadata", project_id=int(work.id))
        return found

    deal = f"{kanboard.pipeline}/{work.key}"
    assert metadata() == {"deal": deal, "deal.Customer": "Acme", "deal.Value": "40,000 EUR"}
    work.change(deal_facts="Customer: Zeta")
    assert metadata() == {"deal": deal, "deal.Customer": "Zeta", "deal.Value": ""}


def test_days_come_back_as_they_were_sent_and_links_lead_to_milestones(
    kanboard: KanboardAccount, work: Work
) -> None:
    work.join("Back")
    fields = {"name": "Kick-off", "start": "2027-01-05", "finish": "2027-01-12"}
    milestone = work.add(Kind.MILESTONE, "Kick-off", **fields).record
    assert milestone.fields == {
        Milestone.NAME: "Kick-off",
        Milestone.START: "2027-01-05",
        Milestone.FINISH: "2027-01-12",
    }
    given = {**STORY, "milestone": "Kick-off", "due_date": "2026-12-24"}
    made = work.add(Kind.STORY, "call", **given, assigned="ana@example.invalid").record
    assert made.fields[Story.DUE_DATE] == "2026-12-24"
    assert made.fields[Story.ASSIGNED] == "ana@example.invalid"
    (link,) = kanboard.call("getAllTaskLinks", task_id=int(milestone.id))
    assert (str(link["task_id"]), link["label"]) == (made.id, "is a milestone of")


def test_a_board_has_the_columns_that_are_asked_for_and_no_other(
    kanboard: KanboardAccount,
) -> None:
    board = Work(kanboard, portfolio_key(kanboard.pipeline))
    board.make()
    for order, name in enumerate(("Lead", "Proposal", "Won"), 1):
        board.add(Kind.STATUS, name.casefold(), name=name, order=order)
    board.add(Kind.STATUS, "needs", name="Needs", order=2)
    columns = kanboard.call("getColumns", project_id=int(board.id))
    assert [row["title"] for row in columns] == ["Lead", "Needs", "Proposal", "Won"]
    card = board.add(Kind.STORY, "D-1", subject="Acme", status="Proposal", facts="Value: 1").record
    moved = board.change_child(card, status="Won").record
    assert moved.fields[Story.STATUS] == "Won"
    seen = {column.fields[Status.NAME] for column in board.children(Kind.STATUS)}
    assert seen == {"Lead", "Needs", "Proposal", "Won"}


def test_a_wrong_token_and_a_person_without_rights_are_refused(live_kanboard: Connection) -> None:
    wrong = create(replace(live_kanboard, token=Secret("f" * 40)), SystemClock())
    with pytest.raises(Unauthorised, match="the token"):
        wrong.connect()
    person = replace(live_kanboard, username="ana", token=None, password=Secret(PERSON_TOKEN))
    with pytest.raises(Unauthorised, match="ana is no administrator"):
        create(person, SystemClock()).connect()


def test_two_hundred_projects_take_one_request_to_list_and_thirteen_to_read(
    kanboard: KanboardAccount,
) -> None:
    roots = [str(kanboard.call("createProject", name=f"P {number}")) for number in range(200)]
    try:
        before = kanboard.target.request_count
        seen = {root.id for root in kanboard.target.observe_roots()}
        assert seen >= set(roots)
        most = 1 + math.ceil(2 * len(seen) / BATCH)
        assert kanboard.target.request_count - before <= most, "one, and those that moved just now"
        before = kanboard.target.request_count
        assert set(kanboard.target.observe_children(roots)) == set(roots)
        assert kanboard.target.request_count - before == 13
    finally:
        for root in roots:
            kanboard.delete(root)
