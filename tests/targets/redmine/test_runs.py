"""Whole runs on Redmine, and what people do between them that only Redmine lets them do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.plan.model import IssueKind
from sync.run.runner import Outcome
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.targets.redmine.custom_fields import CustomFields
from tests.contract.targets.accounts import RedmineAccount
from tests.contract.targets.test_runs import Pipeline
from tests.targets.redmine.fake import KEY, URL, FakeRedmine
from tests.targets.support import ManualClock

DEAL = "D-1"


@pytest.fixture
def pipeline(redmine: FakeRedmine, clock: ManualClock, tmp_path: Path) -> Iterator[Pipeline]:
    account = RedmineAccount(Connection(URL, "acme", token=Secret(KEY)), clock)
    pipeline = Pipeline(account, tmp_path)
    yield pipeline
    pipeline.store.close()


@pytest.fixture
def row(pipeline: Pipeline, redmine: FakeRedmine) -> dict[str, object]:
    """The project of a deal that was synced, as Redmine has it."""
    pipeline.want(DEAL, "staffed")
    pipeline.run()
    (row,) = redmine.projects.values()
    return row


def kinds(issues: object) -> list[IssueKind]:
    return [issue.kind for issue in issues]  # type: ignore[attr-defined]


def test_a_project_that_people_closed_is_left_alone_as_long_as_nothing_is_to_be_written(
    pipeline: Pipeline, row: dict[str, object]
) -> None:
    row["status"] = 5
    pipeline.settled()


def test_what_waits_for_a_closed_project_is_reported_and_done_once_it_is_reopened(
    pipeline: Pipeline, row: dict[str, object]
) -> None:
    row["status"] = 5
    pipeline.want(DEAL, "staffed", title="Renamed")
    report = pipeline.run()
    assert kinds(report.issues) == [IssueKind.OBSTACLE]
    assert row["status"] == 5
    row["status"] = 1
    assert pipeline.run().outcome is Outcome.DONE
    assert row["name"] == "Renamed D-1"
    pipeline.settled()


def test_a_retired_project_that_people_reopened_is_closed_again(
    pipeline: Pipeline, row: dict[str, object]
) -> None:
    pipeline.want(DEAL, "retired")
    pipeline.run()
    assert row["status"] == 5
    row["status"] = 1
    assert pipeline.run().outcome is Outcome.DONE
    assert row["status"] == 5
    pipeline.settled()


def test_an_archived_project_is_reported_not_made_again_and_taken_up_when_it_is_back(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine
) -> None:
    redmine.archive(int(str(row["id"])))
    assert kinds(pipeline.run().issues) == [IssueKind.DELETED]
    assert len(redmine.projects) == 1
    row["status"] = 1
    report = pipeline.run()
    assert (report.outcome, report.issues) == (Outcome.DONE, ())
    pipeline.settled()


def test_what_is_archived_with_the_project_above_it_is_reported_until_it_is_back_itself(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine
) -> None:
    above = int(str(row["id"]))
    pipeline.want("D-2", "staffed")
    pipeline.run()
    (below,) = redmine.projects.keys() - {above}
    redmine.projects[below]["parent"] = {"id": above, "name": row["name"]}
    redmine.archive(above)
    assert kinds(pipeline.run().issues) == [IssueKind.DELETED] * 2
    redmine.unarchive(above)
    (left,) = pipeline.run().issues
    assert (left.kind, left.key.group) == (IssueKind.DELETED, "D-2")
    redmine.unarchive(below)
    assert not pipeline.run().issues
    assert len(redmine.projects) == 2
    pipeline.settled()


@pytest.mark.parametrize("lost", ["close.json", "reopen.json"])
def test_a_run_that_was_cut_off_between_two_steps_is_finished_by_the_next(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine, lost: str
) -> None:
    if lost == "reopen.json":
        pipeline.want(DEAL, "retired")
        pipeline.run()

    def cut_off(what: str) -> None:
        moment = what if lost == "close.json" else what.removeprefix("after ")
        if moment.endswith(lost) and (lost == "close.json" or what != moment):
            raise KeyboardInterrupt

    redmine.faults = cut_off
    wanted = "retired" if lost == "close.json" else "staffed"
    pipeline.want(DEAL, wanted)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run()
    redmine.faults = lambda what: None
    pipeline.run()
    assert row["status"] == (5 if wanted == "retired" else 1)
    assert ("(retired)" in str(row["description"])) is (wanted == "retired")
    pipeline.settled()


def test_a_run_in_which_nothing_changed_asks_for_its_own_projects_alone(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine
) -> None:
    strangers(redmine, 250)
    pipeline.settled()
    redmine.requests.clear()
    pipeline.run()
    # who the account is, and what fields there are, is known by now
    assert redmine.requests == ["GET /projects.json", "GET /issues.json"]


@pytest.mark.parametrize("why", ["no field", "no filter"])
def test_all_projects_are_read_where_the_server_does_not_filter(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine, why: str
) -> None:
    strangers(redmine, 250)
    if why == "no filter":
        redmine.project_fields[0]["is_filter"] = True
        pipeline.settled()
        redmine.project_fields[0]["is_filter"] = False
    else:
        row["custom_fields"] = []
        redmine.project_fields.clear()
        pipeline.account.target._custom = CustomFields(pipeline.account.target._client)  # type: ignore[attr-defined]
        pipeline.run()
    redmine.requests.clear()
    assert not pipeline.run().issues
    assert redmine.requests.count("GET /projects.json") >= 3


def test_a_project_whose_field_was_emptied_is_asked_for_by_its_number(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine
) -> None:
    strangers(redmine, 250)
    row["custom_fields"] = [{"id": 1, "name": "Deal key", "value": ""}]
    row["name"] = "(sold) Their own"
    pipeline.want(DEAL, "staffed")
    redmine.requests.clear()
    assert not pipeline.run().issues
    assert redmine.requests.count("GET /projects.json") == 2


def test_a_new_deal_is_looked_for_among_all_projects(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine
) -> None:
    number = 5000
    redmine.projects[number] = {
        **row, "id": number, "identifier": "theirs", "name": "Acme D-2", "custom_fields": [],
        "description": "pipeline-sync: acme/D-2",
    }  # fmt: skip
    pipeline.want("D-2")
    pipeline.run()
    assert pipeline.projects("D-2") == [str(number)]


def strangers(redmine: FakeRedmine, count: int) -> None:
    """Adds projects that are nobody's deal."""
    for number in range(1000, 1000 + count):
        redmine.projects[number] = {
            "id": number,
            "name": f"P {number}",
            "identifier": f"p{number}",
            "status": 1,
            "updated_on": "",
            "custom_fields": [{"id": 1, "name": "Deal key", "value": ""}],
        }


def test_a_project_without_the_module_for_issues_says_which_and_is_left_as_it_is(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine
) -> None:
    redmine.without_issues.add(int(str(row["id"])))
    for _ in range(2):
        report = pipeline.run(full=True)
        (issue,) = report.issues
        assert issue.kind is IssueKind.OBSTACLE
        assert "the module 'Issue tracking' is off in the project" in issue.message
        assert not report.applied
    redmine.without_issues.clear()
    assert not pipeline.run().issues
    pipeline.settled()
