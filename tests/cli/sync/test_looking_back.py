"""A project that has ended asks what it taught, where its people are; what they answer is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, writes

from .test_cards import Person
from .test_portfolio import nothing_left_to_do

pytestmark = pytest.mark.sampled_tests(2)

SLUG = "looking-back"


class Pages:
    """The wiki of a deal's project, as somebody sees it who works there."""

    def __init__(self, client: Person, name: str) -> None:
        self.client = client
        rows = self.client.get("/projects")
        (self.project,) = [row["id"] for row in rows if name in row["name"]]

    def page(self) -> dict[str, Any] | None:
        rows = self.client.get(f"/wiki?project={self.project}")
        return next((row for row in rows if row["slug"] == SLUG), None)

    def write(self, text: str) -> None:
        page = self.page()
        assert page is not None
        body = {"content": text, "version": page["version"]}
        self.client.patch(f"/wiki/{page['id']}", body)

    def finish(self) -> None:
        for row in self.client.get(f"/milestones?project={self.project}"):
            days = {"estimated_start": "2026-01-01", "estimated_finish": "2026-02-01"}
            self.client.patch(f"/milestones/{row['id']}", days)
        project = self.client.get(f"/projects/{self.project}")
        done = next(row["id"] for row in project["us_statuses"] if row["is_closed"])
        self.client.post(
            "/userstories", {"project": self.project, "subject": "Build", "status": done}
        )
        for story in self.client.get(f"/userstories?project={self.project}"):
            body = {"status": done, "version": story["version"]}
            self.client.patch(f"/userstories/{story['id']}", body)


@pytest.fixture
def ended(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Run:
    """A won deal whose project has ended, after the run that found that out."""
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    run("deals", "add", "D-1", "Shop", "--customer", "Acme", "--start", "2026-01-05")
    assert run("deals", "move", "D-1", "Won", "--force").exit_code == 0
    assert run("run").exit_code == 0
    Pages(taiga.as_user("admin"), "Shop").finish()
    run("run")
    return run


def answers(run: Run) -> dict[str, str]:
    found = json.loads(run("deals", "retrospective", "D-1", "--json").stdout)
    return {each["question"]: each["text"] for each in found["answers"]}


def test_a_project_that_has_ended_asks_and_what_is_answered_there_is_kept(
    ended: Run, taiga: Sandbox
) -> None:
    ended("run")
    pages = Pages(taiga.as_user("admin"), "Shop")
    page = pages.page()
    assert page is not None
    text = page["content"]
    assert "## What went well?" in text and "pipeline-sync" not in text
    assert answers(ended) == {}
    pages.write(text.replace("## What went well?", "## What went well?\n\nThe team.\nAll of it."))
    result = ended("run")
    assert result.exit_code == 0 and "The team." in result.stdout
    assert answers(ended) == {"What went well?": "The team.\nAll of it."}
    assert nothing_left_to_do(ended, taiga)


def test_people_s_page_is_never_written_over_and_a_later_answer_elsewhere_stays(
    ended: Run, taiga: Sandbox
) -> None:
    ended("run")
    pages = Pages(taiga.as_user("admin"), "Shop")
    mine = "My own words.\n\n1. What went well?\nThe team.\n"
    pages.write(mine)
    ended("run")
    ended("deals", "retrospective", "D-1", "--answer", "1", "The prototype")
    ended("run", "--full")
    page = pages.page()
    assert page is not None and page["content"] == mine
    assert answers(ended) == {"What went well?": "The prototype"}
    pages.write(mine.replace("The team", "The tools"))
    ended("run")
    assert answers(ended) == {"What went well?": "The tools."}
    pages.write(mine)
    ended("run")
    assert answers(ended) == {"What went well?": "The team."}


def test_a_page_that_people_delete_stays_away(ended: Run, taiga: Sandbox) -> None:
    ended("run")
    pages = Pages(taiga.as_user("admin"), "Shop")
    page = pages.page()
    assert page is not None
    pages.client.delete(f"/wiki/{page['id']}")
    ended("run")
    before = len(writes(taiga))
    ended("run", "--full")
    assert pages.page() is None
    assert len(writes(taiga)) == before


def test_a_project_that_goes_on_is_not_asked(
    run: Run, taiga: Sandbox, environment: dict[str, str]
) -> None:
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    run("deals", "add", "D-1", "Shop", "--customer", "Acme")
    run("deals", "move", "D-1", "Won", "--force")
    run("run")
    run("run", "--full")
    assert Pages(taiga.as_user("admin"), "Shop").page() is None


def test_the_page_from_sales_says_when_the_deal_reached_which_stage(
    run: Run, taiga: Sandbox, environment: dict[str, str]
) -> None:
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    run("deals", "add", "D-1", "Shop", "--customer", "Acme", "--stage", "Lead")
    run("deals", "move", "D-1", "Won", "--force")
    run("run")
    pages = Pages(taiga.as_user("admin"), "Shop")
    (page,) = pages.client.get(f"/wiki?project={pages.project}")
    stages = page["content"].partition("### Stages")[2]
    assert [line for line in stages.splitlines() if line.startswith("- ")] == [
        "- 2026-11-23: Lead",
        "- 2026-11-23: Won",
    ]
    assert nothing_left_to_do(run, taiga)
