"""A person with a new address stays in the projects that they are in."""

from __future__ import annotations

from typing import Any

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, writes

ANA, NEW = "ana@example.test", "ana.mueller@example.test"


def members(taiga: Sandbox) -> dict[str, set[Any]]:
    api = taiga.as_user("admin")
    return {
        project["name"]: {
            (each["user_email"] or each["email"], each["id"])
            for each in api.get(f"/memberships?project={project['id']}")
        }
        for project in api.get("/projects")
    }


def test_who_changed_their_address_in_taiga_as_well_stays_the_same_member(
    sample: Run, taiga: Sandbox
) -> None:
    sample("run")
    before = members(taiga)
    account = taiga.store.user_by_email(ANA)
    assert account is not None
    account.email = NEW
    renamed = sample("people", "rename", ANA, NEW)
    assert "change it there before the next run" in renamed.stderr
    taiga.clear_requests()
    result = sample("run")
    assert result.exit_code == 0, result.output
    assert not [each for each in writes(taiga) if "memberships" in each]
    assert {name: {number for _, number in found} for name, found in members(taiga).items()} == {
        name: {number for _, number in found} for name, found in before.items()
    }
    assert sample("run", "--full").stdout == ""


def test_else_the_plan_shows_who_comes_and_who_goes(sample: Run) -> None:
    sample("run")
    sample("people", "rename", ANA, NEW)
    plan = sample("plan").stdout
    assert f"+ membership {NEW}" in plan
    assert f"- membership {ANA}" in plan
    assert sample("run").exit_code == 0
    assert sample("run").stdout == ""
