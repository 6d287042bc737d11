"""Whole runs on Redmine, and what people do between them that only Redmine lets them do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.plan import IssueKind
from sync.runner import Outcome
from taiga_pipeline.credentials import Secret
from taiga_pipeline.targets.connection import Connection
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


def test_a_run_in_which_nothing_changed_needs_three_requests(
    pipeline: Pipeline, row: dict[str, object], redmine: FakeRedmine
) -> None:
    pipeline.settled()
    redmine.requests.clear()
    pipeline.run()
    # who the account is, is known by now
    assert redmine.requests == ["GET /issues.json", "GET /projects.json"]
