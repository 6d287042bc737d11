"""What a creation that is cut off leaves behind is completed or reported, in whole runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.plan.model import IssueKind
from sync.records.model import Desired, RecordKey
from sync.run.executor import SETTLE_WAITS
from sync.run.manual_actions import resolve
from sync.run.runner import Outcome
from sync.ways_out import Side
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from tests.contract.targets.accounts import TaigaAccount, new_pipeline
from tests.contract.targets.test_runs import Pipeline
from tests.targets.support import ManualClock


@pytest.fixture
def pipeline(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    monkeypatch.setattr("sync.run.executor.SETTLE_WAITS", tuple(0.01 for _ in SETTLE_WAITS))
    password = Secret(sandbox.password)
    connection = Connection(
        sandbox.url,
        new_pipeline(),
        username=sandbox.username,
        password=password,
        reads_pages=True,
    )
    pipeline = Pipeline(TaigaAccount(connection, ManualClock()), tmp_path)
    yield pipeline
    pipeline.store.close()


def want_page(pipeline: Pipeline) -> None:
    """Has D-1 want a page in the wiki."""
    pipeline.want("D-1")
    group = pipeline.deals.groups["D-1"]
    fields = {"title": "From sales", "text": "", "facts": "A line.", "picture": ""}
    page = Desired(RecordKey("D-1", Kind.WIKI, "from-sales"), fields)
    object.__setattr__(group, "children", (*group.children, page))


def links(sandbox: Sandbox, project: str) -> list[str]:
    rows = sandbox.as_user(sandbox.username).get(f"/wiki-links?project={project}")
    return [row["href"] for row in rows]


def half_make(sandbox: Sandbox, pipeline: Pipeline) -> None:
    """The server dies while it makes the project of D-1; the next run makes it whole."""
    pipeline.want("D-1")
    sandbox.faults.replace([Fault(FaultKind.HALF_MADE_PROJECT)])
    assert pipeline.run().outcome is Outcome.PARTIAL
    sandbox.faults.replace([])
    assert pipeline.run().outcome is Outcome.DONE


def test_a_half_made_project_is_mentioned_until_somebody_has_seen_to_it(
    sandbox: Sandbox, pipeline: Pipeline
) -> None:
    half_make(sandbox, pipeline)
    for _ in range(3):
        (issue,) = (item.issue for item in pipeline.store.issues())
        assert issue.kind is IssueKind.LEFTOVER
        assert "that this account cannot see has the address 'tentative-acme-d-1'" in issue.message
        report = pipeline.run(full=True)
        assert (report.outcome, report.applied) == (Outcome.DONE, ())
    resolve(pipeline.store, "D-1", Side.DELIVERY)
    assert pipeline.run(full=True).issues == ()
    assert len(pipeline.projects("D-1")) == 1


def test_a_superuser_learns_the_number_of_the_half_made_project(
    sandbox: Sandbox, pipeline: Pipeline
) -> None:
    sandbox.people.get(sandbox.username).is_superuser = True
    half_make(sandbox, pipeline)
    (issue,) = (item.issue for item in pipeline.store.issues())
    halves = [
        project
        for project in sandbox.as_user("admin").get("/projects")
        if project["slug"] == "tentative-acme-d-1"
    ]
    assert f"project {halves[0]['id']} has the address" in issue.message


def test_a_creation_that_never_happened_leaves_nothing_to_mention(
    sandbox: Sandbox, pipeline: Pipeline
) -> None:
    pipeline.want("D-1")
    sandbox.faults.replace([Fault(FaultKind.SERVER_ERROR_BEFORE, "POST", r"/projects$")])
    assert pipeline.run().outcome is Outcome.PARTIAL
    sandbox.faults.replace([])
    assert pipeline.run().issues == ()


@pytest.mark.parametrize("lost", ["the answer", "the run"])
def test_a_page_whose_creation_was_cut_off_is_shown_in_the_navigation(
    sandbox: Sandbox, pipeline: Pipeline, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    want_page(pipeline)
    if lost == "the answer":
        kind = FaultKind.NO_ANSWER_AFTER
        sandbox.faults.replace([Fault(kind, "POST", r"/wiki$")])
        pipeline.run()
        sandbox.faults.replace([])
    else:
        with monkeypatch.context() as killed:
            killed.setattr("taiga_pipeline.targets.taiga.pages._link", _die)
            with pytest.raises(KeyboardInterrupt):
                pipeline.run()
    assert pipeline.run().outcome is Outcome.DONE
    (project,) = pipeline.projects("D-1")
    assert links(sandbox, project) == ["from-sales"]
    pipeline.settled()


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_link_that_people_took_off_the_navigation_stays_off(
    sandbox: Sandbox, pipeline: Pipeline
) -> None:
    want_page(pipeline)
    pipeline.run()
    (project,) = pipeline.projects("D-1")
    user = sandbox.as_user(sandbox.username)
    (link,) = user.get(f"/wiki-links?project={project}")
    user.delete(f"/wiki-links/{link['id']}")
    pipeline.run(full=True)
    assert links(sandbox, project) == []


def want_people(pipeline: Pipeline) -> None:
    """Has D-1 look for people, so that its making takes two requests."""
    pipeline.want("D-1")
    fields = pipeline.deals.groups["D-1"].root.fields
    assert isinstance(fields, dict)
    fields |= {"looking_for_people": True, "looking_for_people_note": "Back"}


@pytest.mark.parametrize("how", ["killed", "refused"])
def test_a_project_that_was_made_without_its_label_gets_it_in_the_next_run(
    sandbox: Sandbox, pipeline: Pipeline, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    want_people(pipeline)
    if how == "killed":
        with monkeypatch.context() as killed:
            killed.setattr("taiga_pipeline.targets.taiga.adapter.TaigaTarget._complete", _die)
            with pytest.raises(KeyboardInterrupt):
                pipeline.run()
    else:
        fault = Fault(FaultKind.SERVER_ERROR_BEFORE, "PATCH", r"/projects/", times=99)
        sandbox.faults.replace([fault])
        pipeline.run()
        sandbox.faults.replace([])
    (project,) = pipeline.projects("D-1")
    user = sandbox.as_user(sandbox.username)
    assert user.get(f"/projects/{project}")["name"] == "Acme D-1"
    report = pipeline.run()
    assert report.outcome is Outcome.DONE, report.issues
    shown = user.get(f"/projects/{project}")
    assert (shown["name"], shown["slug"]) == ("(tentative) Acme D-1", "acme-d-1")
    assert shown["is_looking_for_people"] is True
    assert pipeline.projects("D-1") == [project]
    pipeline.settled()


def test_projects_that_were_written_are_read_back_together(pipeline: Pipeline) -> None:
    keys = [f"D-{number}" for number in range(20)]
    for each in keys:
        pipeline.want(each)
    sent: list[tuple[str, str]] = []
    transport = pipeline.account.target._client._transport  # type: ignore[attr-defined]
    send = transport.send

    def noted(method: str, path: str, **rest: object) -> object:
        sent.append((method, path))
        return send(method, path, **rest)

    transport.send = noted
    assert pipeline.run().outcome is Outcome.DONE
    single = [path for method, path in sent if method == "GET" and path.startswith("projects/")]
    assert single == []
    assert sum(path == "projects" and method == "GET" for method, path in sent) <= 2
