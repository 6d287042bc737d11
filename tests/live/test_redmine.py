"""Cases that only a live Redmine can settle: its traps are real, and the adapter avoids them.

Left out unless ``--redmine-url`` names a server that was set up by ``tests/live/redmine.sh``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sync.clock import SystemClock
from sync.errors import AnotherServer, Rejected, Stale, Vanished
from sync.run.lease import Terms, acquire
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Membership, Project, Story
from taiga_pipeline.targets.redmine import create
from tests.contract.targets.account import Work
from tests.contract.targets.accounts import RedmineAccount

ROBOT_KEY = os.environ.get("RM_ROBOT_KEY", "6" * 40)


@pytest.fixture
def redmine(live_redmine: Connection) -> Iterator[RedmineAccount]:
    account = RedmineAccount(live_redmine, SystemClock())
    yield account
    account.clean_up()


@pytest.fixture
def work(redmine: RedmineAccount) -> Work:
    work = Work(redmine)
    work.make()
    return work


def show(redmine: RedmineAccount, work: Work) -> dict[str, object]:
    row: dict[str, object] = redmine.call("GET", f"projects/{work.id}.json")["project"]
    return row


def test_a_write_that_is_ignored_is_answered_with_204(redmine: RedmineAccount, work: Work) -> None:
    before = show(redmine, work)
    redmine.call("PUT", f"projects/{work.id}.json", {"project": {"identifier": "other"}})
    assert show(redmine, work)["identifier"] == before["identifier"]


def test_a_filter_that_is_not_known_brings_everything(redmine: RedmineAccount, work: Work) -> None:
    Work(redmine).make()
    listed = redmine.call("GET", "projects.json?identifier=no-such-project")
    assert listed["total_count"] >= 2


def test_closing_leaves_no_trace_but_the_status(redmine: RedmineAccount, work: Work) -> None:
    before, change_token = show(redmine, work), work.observed().change_token
    redmine.call("PUT", f"projects/{work.id}/close.json", {})
    assert show(redmine, work)["updated_on"] == before["updated_on"]
    assert work.observed().change_token != change_token
    assert work.id not in {p["id"] for p in redmine.call("GET", "projects.json")["projects"]}
    with pytest.raises(Rejected, match="people closed it"):
        work.change(label="(sold)")


def test_an_archived_project_is_invisible_and_its_identifier_taken(
    redmine: RedmineAccount, work: Work
) -> None:
    redmine.call("PUT", f"projects/{work.id}/archive.json", {})
    assert work.target.observe_root(work.id) is None
    assert not work.target.find_roots(work.marker)
    with pytest.raises(Rejected, match="an archived project has it"):
        Work(redmine, work.key).make()
    redmine.call("PUT", f"projects/{work.id}/unarchive.json", {})
    assert work.target.find_roots(work.marker)


def test_a_member_really_loses_the_roles_when_the_list_is_empty(
    redmine: RedmineAccount, work: Work
) -> None:
    member = work.join("Developer").record
    work.change_child(member, role="")  # the adapter does not send it
    assert work.child(Kind.MEMBERSHIP, member.id).fields[Membership.ROLE] == "Developer"
    with pytest.raises(AssertionError, match="422"):
        redmine.call("PUT", f"memberships/{member.id}.json", {"membership": {"role_ids": []}})
    assert work.child(Kind.MEMBERSHIP, member.id).fields[Membership.ROLE] == ""


def test_custom_fields_are_filled(redmine: RedmineAccount) -> None:
    work = Work(redmine, deal_facts="Stage: Proposal ·\nProbability: 50 % ·\nValue: 1 EUR")
    work.make()
    values = {f["name"]: f["value"] for f in show(redmine, work)["custom_fields"]}  # type: ignore[attr-defined]
    assert values == {
        "Deal key": f"{redmine.pipeline}/{work.key}",
        "Stage": "Proposal",
        "Win probability": "50",
    }
    work.change(deal_facts="Stage: something else\nProbability: 80 %")
    values = {f["name"]: f["value"] for f in show(redmine, work)["custom_fields"]}  # type: ignore[attr-defined]
    assert (values["Stage"], values["Win probability"]) == ("Proposal", "80")


def test_a_reference_is_in_the_field_and_can_be_filtered_by(
    redmine: RedmineAccount, work: Work
) -> None:
    fields = {"subject": "Call", "description": "At nine", "milestone": ""}
    made = work.add(Kind.STORY, "call", **fields, tags=frozenset()).record
    issue = redmine.call("GET", f"issues/{made.id}.json")["issue"]
    assert issue["custom_fields"][0]["value"] == f"{redmine.pipeline}/{work.key}/call"
    assert work.child(Kind.STORY, made.id).fields["description"] == "At nine"
    assert issue["tracker"]["name"] == "Feature"
    assert issue.get("start_date") is None


def test_spent_hours_and_progress_are_read_back(redmine: RedmineAccount, work: Work) -> None:
    fields = {"subject": "Call", "description": "", "milestone": ""}
    made = work.add(Kind.STORY, "call", **fields, tags=frozenset()).record
    entry = {"issue_id": int(made.id), "hours": 2.25, "activity_id": _activity(redmine)}
    redmine.call("POST", "time_entries.json", {"time_entry": entry})
    redmine.call("PUT", f"issues/{made.id}.json", {"issue": {"done_ratio": 40}})
    found = work.target.observe_children([work.id])[work.id]
    (facts,) = (child.facts for child in found if child.kind == Kind.PROJECT)
    assert (facts["spent_hours"], facts["progress"]) == (2.25, 0.4)
    with pytest.raises(Rejected, match="spent time"):
        work.target.remove(Kind.STORY, made.id, work.place)


def _activity(redmine: RedmineAccount) -> int:
    found = redmine.call("GET", "enumerations/time_entry_activities.json")
    return int(found["time_entry_activities"][0]["id"])


def test_more_projects_than_a_page_holds_come_whole(redmine: RedmineAccount) -> None:
    for number in range(105):
        body = {"name": "same name", "identifier": f"ps-{redmine.pipeline}__n-{number}"}
        redmine.call("POST", "projects.json", {"project": body})
    before = redmine.target.request_count
    roots = [r for r in redmine.target.observe_roots() if r.markers and r.facts["title"]]
    mine = {m.key for r in roots for m in r.markers if m.pipeline == redmine.pipeline}
    assert len(mine) == 105
    assert redmine.target.request_count - before <= 4


def test_projects_made_at_once_become_one(
    redmine: RedmineAccount, live_redmine: Connection
) -> None:
    key = Work(redmine).key
    made: list[str] = []

    def make() -> None:
        account = RedmineAccount(live_redmine, SystemClock())
        try:
            made.append(Work(account, key).make().record.id)
        except Rejected:
            pass  # it lost the race, and was told so
        finally:
            account.target.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    (found,) = redmine.target.find_roots(Work(redmine, key).marker)
    assert set(made) == {found.id}


def test_a_plain_account_does_everything_but_look_people_up(live_redmine: Connection) -> None:
    account = RedmineAccount(replace(live_redmine, token=Secret(ROBOT_KEY)), SystemClock())
    try:
        work = Work(account)
        work.make()
        fields = {"subject": "Call", "description": "At nine", "milestone": ""}
        made = work.add(Kind.STORY, "call", **fields, tags=frozenset()).record
        assert work.child(Kind.STORY, made.id).identity == "call"
        away = {"state": "retired", "label": "(lost)"}
        work.change(**away)
        assert work.fields()[Project.STATE] == "retired"
        work.change(state="staffed", label="")
        assert work.fields()[Project.LABEL] == ""
        with pytest.raises(Rejected, match="administrator"):
            work.join("Developer")
    finally:
        account.clean_up()


def test_a_second_account_finds_the_lease_of_the_first_without_seeing_it(
    redmine: RedmineAccount, live_redmine: Connection
) -> None:
    name = redmine.pipeline
    held = acquire(redmine.target.leases, name, Terms("a" * 32, "desk", 60), SystemClock())
    held.release()
    second = RedmineAccount(replace(live_redmine, token=Secret(ROBOT_KEY)), SystemClock())
    try:
        with pytest.raises(AnotherServer, match="another account works on the pipeline"):
            acquire(second.target.leases, name, Terms("b" * 32, "spare", 60), SystemClock())
    finally:
        second.target.close()
        second._http.close()


def test_a_wrong_key_is_refused(live_redmine: Connection) -> None:
    target = create(replace(live_redmine, token=Secret("f" * 40)), SystemClock())
    with pytest.raises(Exception, match="API key"):
        target.connect()
    target.close()


def test_a_project_that_was_deleted_is_gone(redmine: RedmineAccount, work: Work) -> None:
    seen = work.observed()
    redmine.delete(work.id)
    with pytest.raises(Vanished):
        work.target.update(seen, {"label": "x"}, {**work.agreed, "label": "x"}, work.place)


@pytest.mark.parametrize("place", ["subject", "description"])
def test_an_edit_between_the_read_and_the_write_of_an_issue_is_put_back(
    redmine: RedmineAccount, work: Work, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"subject": "Call them", "description": "At nine", "milestone": ""}
    made = work.add(Kind.STORY, "call", **fields, tags=frozenset()).record
    client, put = redmine.target._client, redmine.target._client.put
    theirs = {"issue": {place: "Their own\nwords" if place == "description" else "Their own"}}

    def put_after_theirs(path: str, body: object) -> object:
        monkeypatch.setattr(client, "put", put)
        redmine.call("PUT", path, theirs)
        return put(path, body)  # type: ignore[arg-type]

    monkeypatch.setattr(client, "put", put_after_theirs)
    with pytest.raises(Stale, match=f"changed {place} at the same moment"):
        work.change_child(made, subject="Visit them", description="At ten")
    assert work.child(Kind.STORY, made.id).fields[place] == theirs["issue"][place]


def test_a_reference_stands_in_the_field_alone_where_the_field_holds_it(
    redmine: RedmineAccount, work: Work
) -> None:
    fields = {"subject": "Call them", "description": "", "milestone": ""}
    for name in ("first", "second"):
        made = work.add(Kind.STORY, name, **fields, tags=frozenset()).record
        row = redmine.call("GET", f"issues/{made.id}.json")["issue"]
        assert not row["description"]
        assert made.identity == name
        assert work.child(Kind.STORY, made.id).fields[Story.DESCRIPTION] == ""
