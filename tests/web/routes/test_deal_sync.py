"""What a run would do for one deal, and the run, against a small Taiga."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sync.run.lock import run_lock
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.application import application
from tests.cli.conftest import FixedClock, Run, environment, project_names, run, sample, taiga
from tests.web.conftest import Browser, site_of, text_of

__all__ = ["environment", "run", "sample", "taiga"]

pytestmark = pytest.mark.sampled_tests(2)


@pytest.fixture
def browser(sample: Run, environment: dict[str, str]) -> Iterator[Browser]:
    """A browser of somebody who looks at the sample pipeline."""
    workspace = Workspace(clock=FixedClock(), environment=environment)
    door = Door(local=Person("sara", Role.SELL))
    with TestClient(application(site_of(workspace, door)), base_url="http://localhost") as client:
        found = Browser(client)
        found.get(f"/enter?token={door.link.token}")
        yield found


def proposal(browser: Browser) -> str:
    """Returns the key of the first deal that a project is made of."""
    page = browser.get("/").text
    found = re.search(r'data-key="([^"]*)" data-stage="Proposal"', page)
    assert found
    return found[1]


def test_the_plan_of_a_deal_is_shown_field_by_field_and_writes_nothing(
    browser: Browser, taiga: Sandbox
) -> None:
    key = proposal(browser)
    page = text_of(browser.get(f"/deal/plan?key={key}"))
    assert "create project" in page and "label (tentative)" in page
    assert project_names(taiga) == []
    part = browser.get(f"/deal/plan?key={key}", **{"HX-Request": "true"})
    assert "<html" not in part.text and "create project" in text_of(part)


def test_one_deal_is_synced_alone_and_shows_its_project(browser: Browser, taiga: Sandbox) -> None:
    key = proposal(browser)
    page = browser.post("/deal/sync", key=key)
    assert "1 change written to Taiga." in text_of(page)
    assert len(project_names(taiga)) == 1
    assert f'href="{taiga.url}/project/' in page.text
    assert "Nothing: Taiga shows what this deal asks for." in text_of(
        browser.get(f"/deal/plan?key={key}")
    )
    again = text_of(browser.post("/deal/sync", key=key))
    assert "Nothing to write" in again
    assert "tentative" in text_of(browser.get("/"))


def test_a_run_that_is_at_work_is_said_to_be(browser: Browser, tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    pipeline = browser.get("/").text
    name = re.search(r"<title>Board · ([^<]*)</title>", pipeline)
    assert name
    with run_lock(state, name[1], FixedClock()):
        answer = browser.post("/deal/sync", key=proposal(browser))
    assert answer.status_code == 409
    assert "run" in text_of(answer)


def test_a_tool_that_does_not_answer_is_named(browser: Browser, taiga: Sandbox) -> None:
    key, address = proposal(browser), taiga.url
    taiga.stop()
    answer = browser.get(f"/deal/plan?key={key}")
    assert answer.status_code == 503
    assert address in text_of(answer) and "Traceback" not in answer.text


def test_one_deal_is_synced_with_all_its_phases_and_shows_their_projects(
    browser: Browser, taiga: Sandbox
) -> None:
    with Path("mappings/default.toml").open("a", encoding="utf-8") as mapping:
        mapping.write('\n[[phase]]\nname = "Discovery"\nkeeps_project = true\n')
        mapping.write('\n[[phase]]\nname = "Build"\nafter = "Discovery"\n')
    key = proposal(browser)
    page = browser.post("/deal/sync", key=key)
    assert "2 changes written to Taiga." in text_of(page)
    assert len(project_names(taiga)) == 2
    shown = browser.get(f"/deal?key={key}")
    assert "Projects of its phases" in text_of(shown)
    assert all(name in text_of(shown) for name in project_names(taiga))
    assert len(set(re.findall(r'href="(http[^"]*/project/[^"]*)"', shown.text))) == 2
