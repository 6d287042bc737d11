"""What people remove in the tool is reported once. A member who left is a gap in the plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sync.errors import Unreachable
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run

pytestmark = pytest.mark.sampled_tests(4)

Leave = Callable[[], tuple[str, str]]


def _staffed(sample: Run) -> tuple[str, str]:
    """Returns a won deal with a project, and someone on it."""
    for deal in json.loads(sample("deals", "list", "--json").stdout):
        if deal["stage"] != "Won":
            continue
        rows = json.loads(sample("deals", "staff", deal["key"], "--json").stdout)
        shown = json.loads(sample("deals", "show", deal["key"], "--json").stdout)
        if rows and shown["project"]:
            return deal["key"], rows[0]["email"]
    raise AssertionError("nobody is on a project of the sample")


@pytest.fixture
def leave(sample: Run, taiga: Sandbox) -> Leave:
    """Syncs, and has a member leave the project in Taiga."""
    assert sample("run").exit_code == 0

    def leaves() -> tuple[str, str]:
        deal, email = _staffed(sample)
        url = json.loads(sample("deals", "show", deal, "--json").stdout)["project"]["url"]
        admin = taiga.as_user("admin")
        project = admin.get(f"/projects/by_slug?slug={url.strip('/').rpartition('/')[2]}")
        (row,) = (
            row
            for row in admin.get(f"/memberships?project={project['id']}")
            if email in (row["user_email"], row["email"])
        )
        admin.delete(f"/memberships/{row['id']}")
        return deal, email

    return leaves


def test_a_member_who_left_is_reported_once_wherever_somebody_looks(
    sample: Run, leave: Leave
) -> None:
    deal, email = leave()
    plan = sample("plan")
    assert f"taken away  {deal} membership {email}" in plan.stdout
    first, second = sample("run"), sample("run")
    assert first.exit_code == 0
    assert f"taken away  {deal} membership {email}" in first.stdout
    assert f"pipeline-sync resolve {deal}/membership/{email} --take sales" in first.stdout
    assert second.stdout == ""
    rows = json.loads(sample("history", deal, "--json").stdout)
    (reported,) = (row for row in rows if row["action"] == "take away")
    assert (reported["who"], reported["key"]) == ("people", f"{deal}/membership/{email}")
    assert "kept away: 1 membership, taken away by people" in " ".join(
        sample("status").stdout.split()
    ).replace(" :", ":")
    assert json.loads(sample("status", "--json").stdout)["taken_away"] == {"membership": 1}
    assert f"Taken away by people\n  membership {email}" in sample("deals", "show", deal).stdout
    assert "left the project" in sample("deals", "staff", deal).stdout
    assert json.loads(sample("deals", "staff", deal, "--json").stdout)[0]["left"] is True
    again = sample("deals", "staff", deal, email, "--role", "Back", "--hours", "20")
    assert f"pipeline-sync resolve {deal}/membership/{email} --take sales" in again.stderr


def test_the_hours_of_a_member_who_left_are_a_gap(sample: Run, leave: Leave) -> None:
    def plan() -> Any:
        result = sample("capacity", "--json", "--weeks", "12", "--chances", "stated")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    before = plan()
    deal, email = leave()
    assert sample("run").exit_code == 0
    after = plan()
    assert before != after
    assert f"{deal}: {email} left its project: hours not filled" in json.dumps(after)


def test_a_member_who_left_comes_back_when_sales_ask_for_it(sample: Run, leave: Leave) -> None:
    deal, email = leave()
    sample("run")
    result = sample("resolve", f"{deal}/membership/{email}", "--take", "sales")
    assert result.stdout == f"{deal}/membership/{email}: the next run makes it again.\n"
    assert sample("run").exit_code == 0
    assert "left the project" not in sample("deals", "staff", deal).stdout
    assert json.loads(sample("status", "--json").stdout)["taken_away"] == {}


def test_what_could_not_be_read_back_is_said(sample: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise Unreachable("the server went away")

    with monkeypatch.context() as broken:
        broken.setattr("sync.plan.pipeline_planner.PipelinePlanner.compare", fail)
        result = sample("run")
    assert result.exit_code == 3
    assert "not read back" in result.stdout and "the server went away" in result.stdout
    assert "the server went away" in sample("status").stdout
    again = sample("run")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "not read back" not in sample("status").stdout
