"""Bad networks, busy servers, other people: each with the outcome that a user would call right."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from sync.errors import (
    IncompleteRead,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Unauthorised,
    Unavailable,
)
from taiga_pipeline.credentials import Secret
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from taiga_pipeline.targets.taiga import paging, reading
from tests.targets.support import ManualClock
from tests.targets.taiga.account import Account, MadeProject

BREAKS = [
    FaultKind.NO_ANSWER_BEFORE,
    FaultKind.NO_ANSWER_AFTER,
    FaultKind.RESET_BEFORE,
    FaultKind.RESET_AFTER,
    FaultKind.TRUNCATED_BODY,
    FaultKind.NOT_JSON,
    FaultKind.SERVER_ERROR_BEFORE,
    FaultKind.SERVER_ERROR_AFTER,
]
DONE = {
    FaultKind.NO_ANSWER_AFTER,
    FaultKind.RESET_AFTER,
    FaultKind.TRUNCATED_BODY,
    FaultKind.NOT_JSON,
    FaultKind.SERVER_ERROR_AFTER,
}
"""Faults after which the server has done what it was asked to."""


def project_by_pm(sandbox: Sandbox, bot: Account) -> MadeProject:
    """A project of the connector's that the project manager works in, too."""
    project = bot.project()
    project.add(Kind.MEMBERSHIP, "pm@example.test", email="pm@example.test", role="back")
    (joined,) = [m for m in project.children(Kind.MEMBERSHIP) if m.identity == "pm@example.test"]
    bot.call("PATCH", f"memberships/{joined.id}", {"is_admin": True})
    return project


# Creations


@pytest.mark.parametrize("kind", BREAKS)
def test_a_project_whose_creation_was_not_answered_is_found_by_its_marker(
    sandbox: Sandbox, bot: Account, kind: FaultKind
) -> None:
    bot.project()
    sandbox.faults.replace([Fault(kind, "POST", r"/projects$")])
    before = len(list(bot.target.observe_roots()))
    with pytest.raises(OutcomeUnknown):
        bot.project("D-17")
    found = [r for r in bot.target.observe_roots() if r.markers[0].key == "D-17"]
    assert len(found) == (1 if kind in DONE else 0)
    assert len(list(bot.target.observe_roots())) == before + len(found)


def test_a_half_made_project_stays_out_of_sight_and_does_not_hinder_the_next(
    sandbox: Sandbox, bot: Account
) -> None:
    sandbox.faults.replace([Fault(FaultKind.HALF_MADE_PROJECT)])
    with pytest.raises(OutcomeUnknown):
        bot.project("D-17")
    project = bot.project("D-17")
    assert [root.id for root in bot.target.find_roots(project.marker)] == [project.id]


@pytest.mark.parametrize("kind", BREAKS)
def test_a_project_that_was_not_completed_is_returned_and_completed_later(
    sandbox: Sandbox, bot: Account, kind: FaultKind
) -> None:
    sandbox.faults.replace([Fault(kind, "PATCH", r"/projects/", times=20)])
    project = bot.project(looking_for_people=True, looking_for_people_note="Back")
    sandbox.faults.replace([])
    assert project.written.record.fields[Project.LOOKING_FOR_PEOPLE] is False
    lacking = {Project.LABEL, Project.LOOKING_FOR_PEOPLE, Project.LOOKING_FOR_PEOPLE_NOTE}
    assert project.written.unwritten == lacking
    made = project.target.split(project.written.record, [project.desired.fields])
    assert (made[Project.LABEL], made[Project.TITLE]) == ("", project.desired.fields[Project.TITLE])
    wanted = {"looking_for_people": True, "looking_for_people_note": "Back"}
    project.change(project.observed(), label="(tentative)", **wanted)
    assert project.fields()[Project.LABEL] == "(tentative)"
    assert project.fields()[Project.LOOKING_FOR_PEOPLE_NOTE] == "Back"


@pytest.mark.parametrize("kind", BREAKS)
def test_a_story_whose_creation_was_not_answered_is_found_by_its_reference(
    sandbox: Sandbox, bot: Account, kind: FaultKind
) -> None:
    project = bot.project()
    sandbox.faults.replace([Fault(kind, "POST", r"/userstories$")])
    with pytest.raises(OutcomeUnknown):
        project.add(Kind.STORY, "s", subject="S")
    assert len(project.children(Kind.STORY)) == (1 if kind in DONE else 0)


@pytest.mark.parametrize("kind", sorted(DONE))
def test_a_membership_whose_answer_was_lost_is_settled_at_once(
    sandbox: Sandbox, bot: Account, kind: FaultKind
) -> None:
    project = bot.project()
    sandbox.faults.replace([Fault(kind, "POST", r"/memberships$")])
    address = "ana@example.test"
    written = project.add(Kind.MEMBERSHIP, address, email=address, role="back")
    assert written.record.identity == address
    assert not written.found


# Repeatable requests


@pytest.mark.parametrize("kind", BREAKS)
def test_a_change_whose_answer_was_lost_is_sent_again(
    sandbox: Sandbox, bot: Account, kind: FaultKind
) -> None:
    project = bot.project()
    observed = project.observed()
    sandbox.faults.replace([Fault(kind, "PATCH", r"/projects/")])
    project.change(observed, label="(lost)")
    assert project.fields(label="(lost)")[Project.LABEL] == "(lost)"


@pytest.mark.parametrize("kind", BREAKS)
def test_a_reading_is_repeated(sandbox: Sandbox, bot: Account, kind: FaultKind) -> None:
    project = bot.project()
    sandbox.faults.replace([Fault(kind, "GET", r"/projects$")])
    assert [root.id for root in bot.target.observe_roots()] == [project.id]


def test_a_server_that_only_fails_is_unavailable(sandbox: Sandbox, bot: Account) -> None:
    sandbox.faults.replace([Fault(FaultKind.SERVER_ERROR_BEFORE, status=503, times=99)])
    with pytest.raises(Unavailable, match="503"):
        list(bot.target.observe_roots())


# Rate limits and tokens


def test_a_throttled_creation_waits_and_makes_one_project(sandbox: Sandbox, bot: Account) -> None:
    sandbox.faults.replace([Fault(FaultKind.THROTTLED, "POST", r"/projects$", seconds=60)])
    project = bot.project()
    assert [root.id for root in bot.target.observe_roots()] == [project.id]


def test_a_throttle_that_does_not_end_leaves_nothing_behind(sandbox: Sandbox, bot: Account) -> None:
    sandbox.faults.replace([Fault(FaultKind.THROTTLED, "POST", r"/projects$", seconds=60, times=9)])
    with pytest.raises(NotSent):
        bot.project()
    assert list(bot.target.observe_roots()) == []


def test_a_token_that_expires_in_the_middle_is_renewed(sandbox: Sandbox, bot: Account) -> None:
    sandbox.faults.replace([Fault(FaultKind.TOKEN_EXPIRED, "POST", r"/projects$")])
    project = bot.project()
    assert [root.id for root in bot.target.observe_roots()] == [project.id]


def test_a_lost_refresh_answer_is_followed_by_a_new_log_in(sandbox: Sandbox, bot: Account) -> None:
    sandbox.expire_tokens()
    sandbox.faults.replace([Fault(FaultKind.REFRESH_ANSWER_LOST)])
    project = bot.project()
    assert [root.id for root in bot.target.observe_roots()] == [project.id]
    paths = [request.path for request in sandbox.requests]
    assert sum(path.endswith("/auth/refresh") for path in paths) == 1
    assert sum(path.endswith("/auth") for path in paths) == 2


def test_a_wrong_password_is_tried_once(sandbox: Sandbox, bot: Account) -> None:
    sandbox.clear_requests()
    wrong = replace(bot.connection, password=Secret("not-the-password"))
    with pytest.raises(Unauthorised, match="pipeline-bot") as error:
        Account(wrong, ManualClock())
    assert "not-the-password" not in str(error.value)
    assert len(sandbox.requests) == 1


def test_a_token_of_the_wrong_kind_is_noticed_although_projects_are_public(
    sandbox: Sandbox, bot: Account
) -> None:
    stranger = replace(bot.connection, password=None, token=Secret("no-such-token"))
    with pytest.raises(Unauthorised, match="token"):
        Account(stranger, ManualClock())


def test_an_account_without_a_verified_address_is_warned_about(
    sandbox: Sandbox, bot: Account, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.people.add("fresh", verified_email=False)
    caplog.set_level(logging.WARNING)
    account = Account(replace(bot.connection, username="fresh"), ManualClock())
    assert "not verified" in account.target.warnings[0]
    assert "not verified" in caplog.text
    account.close()


# Lists that do not come whole


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    monkeypatch.setattr(reading, "PAGE_SIZE", 2)


def test_a_list_takes_one_request_per_page(
    small_pages: None, sandbox: Sandbox, bot: Account
) -> None:
    ids = {bot.project().id for _ in range(5)}
    before = bot.target.request_count
    assert {root.id for root in bot.target.observe_roots()} == ids
    assert bot.target.request_count - before == 3


@pytest.mark.parametrize("amount", [1, -1])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_list_that_moves_while_it_is_read_is_read_again(
    small_pages: None, sandbox: Sandbox, bot: Account, page: int, amount: int
) -> None:
    ids = sorted(bot.project().id for _ in range(5))
    fault = Fault(FaultKind.SHIFTED_PAGE, path=r"/projects$", occurrence=page, amount=amount)
    sandbox.faults.replace([fault])
    assert sorted(root.id for root in bot.target.observe_roots()) == ids


@pytest.mark.parametrize("kind", [FaultKind.WRONG_COUNT, FaultKind.EMPTY_LIST])
def test_a_list_that_was_wrong_once_is_read_again(
    small_pages: None, sandbox: Sandbox, bot: Account, kind: FaultKind
) -> None:
    ids = sorted(bot.project().id for _ in range(5))
    sandbox.faults.replace([Fault(kind, path=r"/projects$", occurrence=2)])
    assert sorted(root.id for root in bot.target.observe_roots()) == ids


def test_nothing_is_concluded_from_a_list_that_never_comes_whole(
    sandbox: Sandbox, bot: Account
) -> None:
    bot.project()
    sandbox.faults.replace([Fault(FaultKind.WRONG_COUNT, path=r"/projects$", times=99)])
    with pytest.raises(IncompleteRead, match="1 of 2 arrived, 3 times"):
        list(bot.target.observe_roots())


# Other people


def test_a_project_of_others_is_not_listed(sandbox: Sandbox, bot: Account) -> None:
    body = {"name": "Theirs", "description": "d", "is_private": False}
    theirs = sandbox.as_user("pm").post("/projects", body)
    assert list(bot.target.observe_roots()) == []
    assert bot.target.observe_root(str(theirs["id"])) is not None


def test_a_project_where_the_account_is_no_administrator_says_so(
    sandbox: Sandbox, bot: Account
) -> None:
    pm = sandbox.as_user("pm")
    theirs = pm.post("/projects", {"name": "Theirs", "description": "d"})
    role = theirs["roles"][0]["id"]
    member = {"project": theirs["id"], "role": role, "username": f"{sandbox.username}@example.test"}
    pm.post("/memberships", member)
    (root,) = bot.target.observe_roots()
    assert "not an administrator" in root.obstacle


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ({"archived_code": "archived-by-staff"}, "archived"),
        ({"blocked_code": "blocked-by-staff"}, "blocked-by-staff"),
    ],
)
def test_an_archived_or_blocked_project_is_left_alone_with_the_reason(
    sandbox: Sandbox, bot: Account, lock: dict[str, str], words: str
) -> None:
    project = bot.project()
    made = project.add(Kind.STORY, "s", subject="S").record
    observed = project.observed()
    sandbox.lock_project(int(project.id), **lock)
    assert words in project.observed().obstacle
    with pytest.raises(Rejected, match=words):
        project.change(observed, label="(lost)")
    with pytest.raises(Rejected, match=words):
        project.change(made, subject="T")
    with pytest.raises(Rejected, match=words):
        project.add(Kind.MILESTONE, "m", name="M", start="2026-01-01", finish="2026-01-02")
    with pytest.raises(Rejected, match=words):
        bot.target.mark(project.id, replace(project.marker, key="x"))


@pytest.mark.parametrize("address", ["ana@example.test", "Ana.B@Example.test"])
def test_a_member_whom_a_person_added_is_found_in_any_letter_case(
    sandbox: Sandbox, bot: Account, address: str
) -> None:
    if sandbox.store.find_user(address) is None:
        sandbox.people.add("anab", address)
    project = project_by_pm(sandbox, bot)
    role = project.written.children[0].id
    body = {"project": int(project.id), "role": int(role), "username": address}
    added = sandbox.as_user("pm").post("/memberships", body)
    key = address.casefold()
    written = project.add(Kind.MEMBERSHIP, key, email=key, role="back")
    assert written.found
    assert written.record.id == str(added["id"])


def test_a_milestone_that_a_person_made_is_found(sandbox: Sandbox, bot: Account) -> None:
    project = project_by_pm(sandbox, bot)
    dates = {"estimated_start": "2026-01-01", "estimated_finish": "2026-01-02"}
    body = {"project": int(project.id), "name": "Kick-off", **dates}
    sandbox.as_user("pm").post("/milestones", body)
    written = project.add(
        Kind.MILESTONE, "kick-off", name="Kick-off", start="2026-12-01", finish="2026-12-02"
    )
    assert written.found
    assert written.record.fields["start"] == "2026-01-01"


def test_a_project_that_others_worked_in_is_not_untouched(sandbox: Sandbox, bot: Account) -> None:
    project = project_by_pm(sandbox, bot)
    assert bot.target.untouched(project.id)
    body = {"project": int(project.id), "subject": "Theirs"}
    sandbox.as_user("pm").post("/userstories", body)
    assert not bot.target.untouched(project.id)


def test_a_project_to_which_others_brought_people_is_not_untouched(
    sandbox: Sandbox, bot: Account
) -> None:
    project = project_by_pm(sandbox, bot)
    role = int(project.written.children[0].id)
    body = {"project": int(project.id), "role": role, "username": "ana@example.test"}
    sandbox.as_user("pm").post("/memberships", body)
    assert not bot.target.untouched(project.id)


# Figures


def test_a_second_look_at_many_projects_takes_one_request_beside_the_log_in(
    sandbox: Sandbox, bot: Account
) -> None:
    for _ in range(5):
        bot.project()
    sandbox.clear_requests()
    again = Account(bot.connection, ManualClock())
    assert len(list(again.target.observe_roots())) == 5
    assert again.target.request_count == len(sandbox.requests) == 3
    again.close()
