"""Projects that are copied for deals: no second copy, whatever the account may do in the first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import Rejected
from sync.plan.model import IssueKind
from sync.records.model import Desired, RecordKey
from sync.run.runner import Outcome, RunReport
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.sandbox.client import TestClient
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.project_factory import join
from taiga_pipeline.targets.taiga.copies import Copies
from taiga_pipeline.targets.taiga.paging import Row
from tests.contract.targets.accounts import LABELS, TaigaAccount, new_pipeline
from tests.contract.targets.test_runs import Pipeline
from tests.contract.targets.test_templates import want_copy
from tests.targets.support import ManualClock


@pytest.fixture
def pipeline(sandbox: Sandbox, tmp_path: Path) -> Iterator[Pipeline]:
    password = Secret(sandbox.password)
    connection = Connection(
        sandbox.url,
        new_pipeline(),
        username=sandbox.username,
        password=password,
        labels=LABELS,
    )
    account = TaigaAccount(connection, ManualClock())
    found = Pipeline(account, tmp_path)
    yield found
    found.store.close()
    account.target.close()


@pytest.fixture
def admin(sandbox: Sandbox) -> TestClient:
    return TestClient(sandbox.application, sandbox.people.get("admin"))


def foreign_template(admin: TestClient, *, is_private: bool = False) -> str:
    """A project of another person, with a sprint in it."""
    body = {"name": "Template", "description": "Ours.", "is_private": is_private}
    made = admin.post("/projects", body)
    dates = {"estimated_start": "2026-03-02", "estimated_finish": "2026-03-06"}
    admin.post("/milestones", {"project": made["id"], "name": "Kick-off", **dates})
    return str(made["id"])


def leave(sandbox: Sandbox, project: int) -> None:
    """Ends the membership of the connector's account."""
    membership = sandbox.store.memberships.find(sandbox.people.get(sandbox.username).id, project)
    assert membership is not None
    sandbox.store.memberships.remove(membership)
    sandbox.store.touched(project)


def belong(sandbox: Sandbox, project: int, role: int, *, admin: bool) -> None:
    """Makes the connector's account a member."""
    store = sandbox.store
    bot = sandbox.people.get(sandbox.username)
    join(store, store.projects.rows[project], store.roles.rows[role], bot, admin=admin)
    store.touched(project)


def copies(sandbox: Sandbox) -> list[int]:
    return [row.id for row in sandbox.store.projects.in_order() if "Acme" in row.name]


def said(report: RunReport) -> str:
    return "\n".join(issue.message for issue in report.issues)


def keep_out(sandbox: Sandbox, patch: pytest.MonkeyPatch) -> None:
    """Whoever copies a project does not belong to the copy."""
    make = Copies.make

    def copied(self: Copies, source: Row, body: Row) -> Row:
        made = make(self, source, body)
        leave(sandbox, made["id"])
        return made

    patch.setattr(Copies, "make", copied)


def test_a_template_of_others_is_refused_before_anything_is_copied(
    sandbox: Sandbox, pipeline: Pipeline, admin: TestClient
) -> None:
    template = foreign_template(admin)
    fields = {"title": "Acme", Project.COPIED_FROM: template, Project.COPY_STARTS: None}
    wanted = Desired(RecordKey("D1", Kind.PROJECT), fields)
    (foreseen,) = pipeline.account.target.foresee([wanted])
    assert foreseen.is_certain
    assert "not a member" in foreseen.message
    for deal in ("D1", "D2"):
        want_copy(pipeline, deal, template, None)
    for _ in range(2):
        report = pipeline.run()
        assert [issue.kind for issue in report.issues] == [IssueKind.FAILED] * 2
        assert f"not a member of project '{template}'" in said(report)
        assert not copies(sandbox)
        assert not pipeline.store.open_intents()


def test_a_template_that_does_not_show_whole_is_refused(
    sandbox: Sandbox, pipeline: Pipeline, admin: TestClient
) -> None:
    template = foreign_template(admin, is_private=True)
    body = {"project": template, "name": "Guest", "permissions": ["view_project", "view_us"]}
    role = admin.post("/roles", body)["id"]
    belong(sandbox, int(template), role, admin=False)
    with pytest.raises(Rejected, match="lacks view_milestones"):
        Copies(pipeline.account.target._client).source(template)


@pytest.mark.parametrize("is_private", [True, False])
def test_a_copy_that_the_account_does_not_belong_to_stays_the_only_one(
    sandbox: Sandbox, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, *, is_private: bool
) -> None:
    keep_out(sandbox, monkeypatch)
    template = pipeline.account.make_template("Template")
    want_copy(pipeline, "D1", template, None)
    pipeline.deals.groups["D1"].root.fields["private"] = is_private  # type: ignore[index]
    first = pipeline.run()
    (copy,) = copies(sandbox)
    assert [issue.kind for issue in first.issues] == [IssueKind.UNCERTAIN]
    assert f"project {copy} was made, and is not complete" in said(first)
    assert "no answer" not in said(first)
    for full in (False, True):
        report = pipeline.run(full=full)
        assert copies(sandbox) == [copy]
        assert [issue.kind for issue in report.issues] == [IssueKind.OBSTACLE], report.issues
        assert report.outcome is Outcome.PARTIAL
    sandbox.store.remove_project(sandbox.store.projects.rows[copy])
    pipeline.run()
    assert len(copies(sandbox)) == 1, "what a person deleted is made again"
    assert copies(sandbox) != [copy]


def test_a_copy_is_gone_on_with_once_the_account_belongs_to_it(
    sandbox: Sandbox, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = pipeline.account.make_template("Template")
    want_copy(pipeline, "D1", template, None)
    with monkeypatch.context() as patch:
        keep_out(sandbox, patch)
        pipeline.run()
    (copy,) = copies(sandbox)
    belong(sandbox, copy, next(iter(sandbox.store.roles.of(copy))).id, admin=True)
    report = pipeline.run()
    assert report.outcome is Outcome.DONE, said(report)
    assert copies(sandbox) == [copy]
    names = {name for name, _ in pipeline.account.contents(str(copy))}
    assert names == {"Kick-off", "Invite", "Look back"}
    pipeline.settled()
