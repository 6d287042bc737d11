"""The page of health, against a small Taiga: runs, conflicts, limits, and who changed what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from taiga_pipeline.app.sync.background import Phase
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.application import application
from taiga_pipeline.web.site import Site
from tests.cli.conftest import FixedClock, Run, environment, project_names, run, sample, taiga
from tests.web.conftest import Browse, Browser, seen_in, site_of, text_of

__all__ = ["environment", "run", "sample", "taiga"]

pytestmark = pytest.mark.sampled_tests(3)


@pytest.fixture
def site(sample: Run, environment: dict[str, str]) -> Iterator[Site]:
    workspace = Workspace(clock=FixedClock(), environment=environment)
    found = site_of(workspace, Door(local=Person("sara", Role.ADMIN)))
    yield found
    for each in found.pipelines.values():
        each.runs.close()


@pytest.fixture
def browser(site: Site) -> Iterator[Browser]:
    with TestClient(application(site), base_url="http://localhost") as client:
        found = Browser(client)
        found.get(f"/enter?token={site.door.link.token}")
        yield found


@pytest.fixture
def finished(site: Site) -> Callable[[], None]:
    """Waits until the run in the background has ended."""

    def wait() -> None:
        (served,) = site.pipelines.values()
        with served.runs._change:
            is_idle = lambda: served.runs._progress.phase is Phase.IDLE  # noqa: E731
            assert served.runs._change.wait_for(is_idle, timeout=120)

    return wait


def test_a_run_by_a_click_is_on_the_page_once_it_is_done(
    browser: Browser, taiga: Sandbox, finished: Callable[[], None]
) -> None:
    assert "There was no run yet." in text_of(browser.get("/health"))
    assert "A run begins." in text_of(browser.post("/health/run"))
    finished()
    assert project_names(taiga)
    page = text_of(browser.get("/health"))
    assert re.search(r"done \d+ changes, \d+ requests", page)
    assert "older entries" in page
    whole = text_of(browser.get("/health?show=all"))
    assert "create project" in whole and "facts of the deal" in whole
    assert "deal_facts" not in whole and "looking_for_people" not in whole


def test_a_run_that_limits_refused_can_be_allowed_once(
    browser: Browser, taiga: Sandbox, finished: Callable[[], None], sample: Run
) -> None:
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8")
    config.write_text(
        re.sub(r"(?m)^create\b.*", "", text).replace("[limits]", "[limits]\ncreate = 1\n#", 1)
    )
    assert "create = 1\n" in config.read_text()
    browser.post("/health/run")
    finished()
    page = browser.get("/health")
    assert "limit 'create'" in text_of(page)
    assert project_names(taiga) == []
    seen = seen_in(page, "/health/allow")
    assert browser.post("/health/allow", limit="create", seen="an older run").status_code == 409
    assert browser.post("/health/allow", limit="nonsense", seen=seen).status_code == 422
    browser.post("/health/allow", limit="create", seen=seen)
    finished()
    assert project_names(taiga)


def test_a_conflict_shows_both_values_and_is_settled_by_a_button(
    browser: Browser, taiga: Sandbox, finished: Callable[[], None], sample: Run
) -> None:
    browser.post("/health/run")
    finished()
    pm = taiga.as_user("admin")
    project = next(row for row in pm.get("/projects") if "tentative" in row["name"])
    title = project["name"].removeprefix("(tentative) ")
    pm.patch(f"/projects/{project['id']}", {"name": f"(tentative) {title} of the manager"})
    keys = re.findall(r'data-key="([^"]*)" data-stage="Proposal"', browser.get("/").text)
    for each in keys:
        sample("deals", "edit", each, "--name", f"Sold as {each}")
    browser.post("/health/run")
    finished()
    page = browser.get("/health")
    said = text_of(page)
    assert "of the manager" in said and "Sold as" in said and "Take what sales say" in said
    form = re.search(
        r'name="key" value="([^"]*)"><input type="hidden" name="field" value="([^"]*)">'
        r'<input type="hidden" name="side" value="delivery">'
        r'<input type="hidden" name="seen" value="([^"]*)">',
        page.text,
    )
    assert form
    sent = {"key": form[1], "field": form[2], "side": "delivery"}
    assert browser.post("/health/settle", **sent, seen="other values").status_code == 409
    done = browser.post("/health/settle", **sent, seen=form[3])
    assert "1 conflict is settled" in text_of(done)


def test_who_changed_people_and_scenarios_is_among_who_changed_what(
    browser: Browser, sample: Run
) -> None:
    sample("people", "edit", "ana@example.test", "--hours", "32")
    browser.post("/plan/scenario", name="both", win="D-105")
    page = text_of(browser.get("/health"))
    assert re.search(r"edit person ana@example.test\s+hours per week: 40 → 32", page)
    assert re.search(r"sara\s+add scenario both\s+win: D-105", page)


def test_who_may_not_decide_sees_no_buttons_and_is_refused(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("plan")
    assert "Run now" not in browser.get("/health").text
    for path in ("/health/run", "/health/allow", "/health/settle"):
        assert browser.post(path).status_code == 403
    assert "New web shop" not in text_of(browser.get("/health?deal=D-1"))
    assert browser.get("/health?deal=nothing").status_code == 404
