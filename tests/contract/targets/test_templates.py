"""New projects that are copies of one that people keep as a template, where the tool copies any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.errors import Rejected
from sync.records.model import Desired, DesiredGroup, Owner, RecordKey, Value
from sync.run.runner import Outcome
from sync.target import Foresees
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.targets.odoo import copies as odoo_copies
from taiga_pipeline.targets.taiga import copies as taiga_copies
from tests.contract.targets.account import Account, Work, copies_projects
from tests.contract.targets.test_runs import Pipeline, key
from tests.crashes import is_killed
from tests.profiles import sampled

pytestmark = copies_projects


@pytest.fixture
def pipeline(account: Account, tmp_path: Path):  # type: ignore[no-untyped-def]
    pipeline = Pipeline(account, tmp_path)
    yield pipeline
    pipeline.store.close()


def want_copy(pipeline: Pipeline, deal: str, template: str, start: str | None) -> None:
    """Asks for a deal's project as a copy, with nothing else in it."""
    pipeline.want(deal)
    group = pipeline.deals.groups[deal]
    fields: dict[str, Value] = {
        **group.root.fields,
        Project.COPIED_FROM: template,
        Project.COPY_STARTS: start,
    }
    owners = {Project.COPIED_FROM: Owner.DELIVERY, Project.COPY_STARTS: Owner.DELIVERY}
    root = replace(group.root, fields=fields, owners=owners)
    pipeline.deals.groups[deal] = DesiredGroup(root)


def moved(account: Account, days: dict[str, str]) -> list[tuple[str, str]]:
    """What of a template a tool has a place for, with the days of each."""
    return sorted(
        (name, day)
        for name, day in days.items()
        if name != "Kick-off" or account.capabilities.holds(Kind.MILESTONE)
    )


def first_day(account: Account) -> str:
    """The first date in the template: Odoo's milestones have a last day alone."""
    return "2026-03-02" if account.capabilities.holds(Kind.MILESTONE, "start") else "2026-03-04"


def test_a_copy_has_what_the_template_has_with_its_dates_at_the_start(pipeline: Pipeline) -> None:
    account, deal = pipeline.account, key(pipeline, 1)
    template = account.make_template(f"Template {deal}")
    before = account.contents(template)
    start = first_day(account).replace("2026-03", "2027-03")
    want_copy(pipeline, deal, template, start)
    report = pipeline.run()
    assert report.outcome is Outcome.DONE, report.issues
    (root,) = pipeline.projects(deal)
    days = {"Kick-off": "2027-03-06", "Invite": "2027-03-04", "Look back": ""}
    assert account.contents(root) == moved(account, days)
    seen = account.target.observe_root(root)
    assert seen is not None
    assert seen.facts["title"] == f"(tentative) Acme {deal}"
    assert str(seen.fields["description"]).startswith("Welcome.")
    assert account.contents(template) == before, "the template stays as it is"
    pipeline.settled()
    account.delete(template)


def test_without_a_start_the_dates_are_not_moved(pipeline: Pipeline) -> None:
    account, deal = pipeline.account, key(pipeline, 1)
    template = account.make_template(f"Template {deal}")
    want_copy(pipeline, deal, template, None)
    assert pipeline.run().outcome is Outcome.DONE
    (root,) = pipeline.projects(deal)
    assert {name for name, _ in account.contents(root)} >= {"Invite", "Look back"}
    pipeline.settled()
    account.delete(template)


def test_what_came_with_a_copy_belongs_to_people(pipeline: Pipeline) -> None:
    account, deal = pipeline.account, key(pipeline, 1)
    template = account.make_template(f"Template {deal}")
    want_copy(pipeline, deal, template, "2027-03-02")
    pipeline.run()
    (root,) = pipeline.projects(deal)
    before = account.contents(root)
    want_copy(pipeline, deal, template, "2027-06-01")
    pipeline.deals.groups[deal].root.fields["deal_facts"] = "Stage: new"  # type: ignore[index]
    report = pipeline.run()
    assert report.outcome is Outcome.DONE, report.issues
    assert account.contents(root) == before, "another start moves nothing that is there"
    pipeline.settled()
    account.delete(template)


def test_a_lost_answer_to_the_copying_makes_no_second_project(pipeline: Pipeline) -> None:
    account, deal = pipeline.account, key(pipeline, 1)
    template = account.make_template(f"Template {deal}")
    want_copy(pipeline, deal, template, first_day(account).replace("2026", "2027"))
    account.lose_next_answer()
    report = pipeline.run()
    assert report.outcome is Outcome.DONE, report.issues
    (root,) = pipeline.projects(deal)
    days = {"Kick-off": "2027-03-06", "Invite": "2027-03-04", "Look back": ""}
    assert account.contents(root) == moved(account, days)
    pipeline.settled()
    account.delete(template)


def test_a_refusal_after_the_copying_is_said_as_one_and_makes_no_second_project(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, deal = pipeline.account, key(pipeline, 1)
    template = account.make_template(f"Template {deal}")
    want_copy(pipeline, deal, template, first_day(account).replace("2026", "2027"))

    def refused(*arguments: object) -> None:
        raise Rejected("the tool refuses this (403)")

    with monkeypatch.context() as patch:
        patch.setattr(taiga_copies.Copies, "fill", refused)
        patch.setattr(odoo_copies, "move_dates", refused)
        report = pipeline.run()
    (root,) = pipeline.projects(deal)
    (issue,) = report.issues
    assert f"project {root} was made, and is not complete" in issue.message
    assert "refuses this (403); the next run goes on with it" in issue.message
    assert "no answer" not in issue.message
    assert pipeline.run().outcome is Outcome.DONE
    assert pipeline.projects(deal) == [root]
    days = {"Kick-off": "2027-03-06", "Invite": "2027-03-04", "Look back": ""}
    assert account.contents(root) == moved(account, days)
    pipeline.settled()
    account.delete(template)


@pytest.mark.sampled_inside
def test_a_copying_that_is_cut_off_anywhere_is_finished_by_the_next_run(
    pipeline: Pipeline,
) -> None:
    account = pipeline.account
    template = account.make_template("Template")
    start = first_day(account).replace("2026", "2027")
    expected = moved(account, {"Kick-off": "2027-03-06", "Invite": "2027-03-04", "Look back": ""})
    for at in sampled(range(8, 60, 2), 5):
        deal = key(pipeline, at)
        want_copy(pipeline, deal, template, start)
        if not is_killed(pipeline.run, at):
            break
        for _ in range(2):
            report = pipeline.run()
        assert report.outcome is Outcome.DONE, f"crash point {at}: {report.issues}"
        (root,) = pipeline.projects(deal)
        assert account.contents(root) == expected, f"crash point {at}"
        pipeline.settled()
    account.delete(template)


def test_a_deals_project_or_none_is_no_template(account: Account) -> None:
    work = Work(account)
    work.make()
    for named in (work.id, "999999"):
        wanted = Desired(
            RecordKey("any deal", Kind.PROJECT),
            {**work.desired.fields, Project.COPIED_FROM: named, Project.COPY_STARTS: None},
        )
        assert isinstance(account.target, Foresees)
        (foreseen,) = account.target.foresee([wanted])
        assert named in foreseen.message
        assert foreseen.is_certain
        with pytest.raises(Rejected, match=named):
            account.target.create_root(wanted, replace(work.marker, key=f"{work.key}-2"))
