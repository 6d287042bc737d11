"""What Kanboard does badly, and what the adapter makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.errors import Rejected, Unauthorised
from sync.records.model import Observed, RecordKey
from taiga_pipeline.credentials import Secret
from taiga_pipeline.records import (
    Kind,
    Membership,
    Milestone,
    Project,
    Status,
    Story,
    portfolio_key,
)
from taiga_pipeline.targets.kanboard import create
from taiga_pipeline.targets.kanboard.adapter import is_before
from taiga_pipeline.targets.kanboard.client import BATCH
from taiga_pipeline.targets.kanboard.identity import encode_identifier
from tests.contract.targets.account import Work
from tests.contract.targets.accounts import KanboardAccount
from tests.contract.targets.test_runs import Pipeline
from tests.targets.kanboard.conftest import CONNECTION
from tests.targets.kanboard.fake import PERSON_TOKEN, FakeKanboard, Fault
from tests.targets.support import ManualClock

STORY = {"subject": "Call them", "description": "At nine", "milestone": ""}


def test_a_lost_answer_about_the_connectors_own_project_costs_no_deal_anything(
    kanboard: FakeKanboard, bot: KanboardAccount
) -> None:
    bot.lose_next_answer()
    Work(bot, "D-1").make()
    home, made = kanboard.projects.values()
    assert (home["is_active"], made["is_active"]) == (0, 1)


# --- an identifier that several requests at once may all take


def test_a_project_that_was_made_twice_at_once_is_taken_back_by_whoever_was_later(
    kanboard: FakeKanboard, bot: KanboardAccount
) -> None:
    work = Work(bot, "D-1")
    body = {"name": "The other machine's", "identifier": encode_identifier(work.marker)}

    def other_machine() -> None:
        kanboard.races = lambda: None
        kanboard._createProject(**body)

    Work(bot, "D-0").make()
    kanboard.projects.clear()
    kanboard.races = other_machine
    made = work.make()
    (left,) = kanboard.projects.values()
    assert (left["name"], made.record.id) == (body["name"], str(left["id"]))


def test_an_identifier_of_peoples_own_stays_and_a_line_says_whose_the_project_is(
    kanboard: FakeKanboard, bot: KanboardAccount
) -> None:
    number = bot.call("createProject", name="Theirs", identifier="PORTAL", description="Hello")
    work = Work(bot, "D-7")
    bot.target.mark(str(number), work.marker)
    assert kanboard.projects[number]["identifier"] == "PORTAL"
    assert [root.id for root in bot.target.find_roots(work.marker)] == [str(number)]
    bot.target.unmark(str(number), work.marker)
    assert (kanboard.projects[number]["description"], bot.target.find_roots(work.marker)) == (
        "Hello",
        [],
    )


def test_a_second_project_of_one_deal_is_refused_with_the_number_of_the_first(
    bot: KanboardAccount, work: Work
) -> None:
    number = bot.call("createProject", name="Theirs")
    with pytest.raises(Rejected, match=f"project {work.id} is"):
        bot.target.mark(str(number), work.marker)


# --- false, without a reason


def test_an_owner_who_is_no_member_is_named(kanboard: FakeKanboard, work: Work) -> None:
    with pytest.raises(Rejected, match=r"ana@example\.invalid cannot have tasks in project"):
        work.add(Kind.STORY, "call", **STORY, assigned="ana@example.invalid")
    work.join("Project Viewer")
    with pytest.raises(Rejected, match="only a member who is more than a viewer"):
        work.add(Kind.STORY, "call", **STORY, assigned="ana@example.invalid")


def test_a_task_has_its_owner_and_its_day(kanboard: FakeKanboard, work: Work) -> None:
    work.join("Back")
    made = work.add(
        Kind.STORY, "call", **STORY, assigned="ana@example.invalid", due_date="2026-12-24"
    )
    assert made.record.fields[Story.ASSIGNED] == "ana@example.invalid"
    assert work.child(Kind.STORY, made.record.id).fields[Story.DUE_DATE] == "2026-12-24"
    work.change_child(made.record, assigned=None, due_date=None)
    after = work.child(Kind.STORY, made.record.id).fields
    assert (after[Story.ASSIGNED], after[Story.DUE_DATE]) == (None, None)


def test_a_user_who_is_disabled_or_has_a_twin_is_not_guessed(
    kanboard: FakeKanboard, work: Work, clock: ManualClock
) -> None:
    kanboard.users[2]["is_active"] = 0
    with pytest.raises(Rejected, match="disabled in Kanboard"):
        work.join("Back")
    kanboard.users[2]["is_active"] = 1
    kanboard.users[3]["email"] = "ana@example.invalid"
    again = Work(KanboardAccount(CONNECTION, clock), "D-1")
    again.make()
    with pytest.raises(Rejected, match="2 users of Kanboard have this address"):
        again.join("Back")


def test_a_project_without_a_name_is_called_by_its_key(bot: KanboardAccount) -> None:
    work = Work(bot, "D-9", title="", label="")
    assert work.make().record.facts["title"] == "D-9"
    assert "title was empty: the deal's key is used" in work.desired.notes


# --- who may what


def test_a_person_who_is_no_administrator_is_refused_at_once(
    kanboard: FakeKanboard, clock: ManualClock
) -> None:
    kanboard.role = "app-manager"
    person = replace(CONNECTION, username="bo", token=Secret(PERSON_TOKEN))
    with pytest.raises(Unauthorised, match=r"bo is no administrator.*token of the application"):
        create(person, clock).connect()


def test_a_project_that_an_administrator_is_not_in_spoils_no_other(
    kanboard: FakeKanboard, bot: KanboardAccount, clock: ManualClock
) -> None:
    works = [Work(bot, f"D-{number}") for number in range(4)]
    for work in works:
        work.make()
        work.add(Kind.STORY, "call", **STORY)
    for work in works[1:]:
        kanboard.members[int(work.id)][3] = "project-manager"
    theirs = replace(CONNECTION, username="bo", token=Secret(PERSON_TOKEN), pipeline="other")
    person = create(theirs, clock)
    assert person.advice()
    found = person.observe_children([work.id for work in works])
    assert sorted(found) == sorted(work.id for work in works[1:])


# --- people's edits


def test_what_people_disabled_is_not_written_and_what_the_connector_disabled_is(
    kanboard: FakeKanboard, work: Work
) -> None:
    kanboard.projects[int(work.id)]["is_active"] = 0
    with pytest.raises(Rejected, match="people disabled it in Kanboard"):
        work.change(label="(sold)")
    kanboard.projects[int(work.id)]["is_active"] = 1
    work.change(state="retired", label="(lost)")
    kanboard.projects[int(work.id)]["is_active"] = 1
    assert work.fields()[Project.STATE] == "none", "enabled again by people: sales decide"


def test_a_task_with_peoples_work_is_not_deleted(work: Work, bot: KanboardAccount) -> None:
    made = work.add(Kind.STORY, "call", **STORY).record
    bot.call("createComment", task_id=int(made.id), content="Spoke with them")
    assert not work.target.untouched_child(made, work.place)
    with pytest.raises(Rejected, match="has comments, subtasks, files or spent time"):
        work.target.remove(Kind.STORY, made.id, work.place)


def test_a_story_is_untouched_also_after_the_connector_changed_it(work: Work) -> None:
    made = work.add(Kind.STORY, "call", **STORY).record
    work.change_child(made, subject="Visit them")
    assert work.target.untouched_child(work.child(Kind.STORY, made.id), work.place)


def test_a_day_is_the_day_in_kanboards_own_time_zone(
    kanboard: FakeKanboard, work: Work, clock: ManualClock
) -> None:
    fields = {"name": "Kick-off", "start": "2027-01-05", "finish": "2027-01-12"}
    made = work.add(Kind.MILESTONE, "Kick-off", **fields).record
    assert (made.fields[Milestone.START], made.fields[Milestone.FINISH]) == (
        "2027-01-05",
        "2027-01-12",
    )
    kanboard.zone = "America/New_York"
    west = Work(KanboardAccount(CONNECTION, clock), "D-1")
    west.make()
    assert west.child(Kind.MILESTONE, made.id).fields[Milestone.FINISH] == "2027-01-11"


def test_a_role_of_the_mapping_is_kept_where_kanboard_has_no_place_for_it(
    kanboard: FakeKanboard, work: Work
) -> None:
    member = work.join("Back").record
    assert kanboard.members[int(work.id)] == {2: "project-member"}
    work.add(Kind.ROLE, "Manager", name="Manager")
    work.change_child(member, role="Manager")
    assert kanboard.members[int(work.id)] == {2: "project-manager"}
    assert work.child(Kind.MEMBERSHIP, member.id).fields[Membership.ROLE] == "Manager"


# --- a board


def test_a_board_has_the_columns_that_are_asked_for_and_no_other(
    kanboard: FakeKanboard, bot: KanboardAccount
) -> None:
    key = portfolio_key("acme")
    board = Work(bot, key)
    board.make()
    for order, name in enumerate(("Lead", "Proposal", "Won"), 1):
        board.add(Kind.STATUS, name.casefold(), name=name, order=order)
    board.add(Kind.STATUS, "needs", name="Needs", order=2)
    columns = [row["title"] for row in kanboard._getColumns(int(board.id))]
    assert columns == ["Lead", "Needs", "Proposal", "Won"]
    card = board.add(Kind.STORY, "D-1", subject="Acme", status="Proposal", facts="Value: 1").record
    assert card.fields[Story.STATUS] == "Proposal"
    moved = board.change_child(card, status="Won").record
    assert moved.fields[Story.STATUS] == "Won"
    proposal = board.bound[RecordKey(key, Kind.STATUS, "proposal")]
    renamed = board.change_child(board.child(Kind.STATUS, proposal), name="Offer").record
    assert renamed.fields[Status.NAME] == "Offer"


# --- batches


def test_no_request_holds_more_than_a_hundred_calls(
    kanboard: FakeKanboard, bot: KanboardAccount
) -> None:
    roots = [str(bot.call("createProject", name=f"P {number}")) for number in range(40)]
    kanboard.requests.clear()
    assert len(bot.target.observe_children(roots)) == 40
    sizes = [len(names) for names in kanboard.requests if names != ["getAllUsers"]]
    assert max(sizes) <= BATCH
    assert len(sizes) == 3


def test_older_versions_send_numbers_as_text(kanboard: FakeKanboard, clock: ManualClock) -> None:
    kanboard.as_text = True
    account = KanboardAccount(CONNECTION, clock)
    work = Work(account, "D-1")
    work.make()
    work.join("Back")
    made = work.add(Kind.STORY, "call", **STORY).record
    work.change_child(made, subject="Visit them")
    assert work.child(Kind.STORY, made.id).fields[Story.SUBJECT] == "Visit them"


def test_a_database_that_is_locked_is_waited_for(
    kanboard: FakeKanboard, bot: KanboardAccount, clock: ManualClock
) -> None:
    locked = ["saveProjectMetadata", "getAllTasks"]

    def fault(what: str) -> None:
        if what in locked:
            locked.remove(what)
            raise Fault(0, "SQLSTATE[HY000]: General error: 5 database is locked")

    kanboard.faults = fault
    work = Work(bot, "D-1")
    work.make()
    work.add(Kind.STORY, "call", **STORY)
    assert not locked
    assert kanboard._getProjectMetadata(int(work.id))["deal"] == "acme/D-1"
    assert clock.slept == [0.2, 0.2]


def test_a_run_that_changes_nothing_makes_two_requests(
    kanboard: FakeKanboard, bot: KanboardAccount, clock: ManualClock, tmp_path: Path
) -> None:
    pipeline = Pipeline(bot, tmp_path)
    for number in range(30):
        pipeline.want(f"D-{number}")
    pipeline.run()
    clock.sleep(60)
    pipeline.run()
    pipeline.account = KanboardAccount(CONNECTION, clock)
    kanboard.requests.clear()
    report = pipeline.run()
    pipeline.store.close()
    assert not report.applied
    assert len(kanboard.requests) <= 2


def test_who_is_a_viewer_or_disabled_is_not_given_a_task(
    kanboard: FakeKanboard, clock: ManualClock
) -> None:
    connection = replace(CONNECTION, assigns_stories=True)

    def member(role: str, *, active: int = 1) -> Observed:
        work = Work(KanboardAccount(connection, clock), f"D-{role}-{active}")
        work.make()
        joined = work.join(role).record
        kanboard.users[2]["is_active"] = active
        (seen,) = work.children(Kind.MEMBERSHIP)
        assert active == 0 or seen.unavailable == joined.unavailable
        return seen

    assert member("Back").unavailable == ""
    assert "cannot have tasks" in member("Project Viewer").unavailable
    assert "cannot have tasks" in member("Back", active=0).unavailable


@pytest.mark.parametrize(
    ("version", "is_told"),
    [
        ("1.2.13", True),
        ("v1.2.9", True),
        ("1.2.14", False),
        ("1.2.51", False),
        ("main.1", False),
    ],
)
def test_a_kanboard_that_leaves_hours_out_is_told_from_one_that_takes_them(
    version: str, is_told: bool
) -> None:
    assert is_before(version, (1, 2, 14)) is is_told
