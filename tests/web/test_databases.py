"""The main pages on each database, while a run writes to the same store and state."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from taiga_pipeline.app.deals.editing import add_deal
from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.serving import Served
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.sync.background import Phase
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.application import application
from tests.app.conftest import CONFIG
from tests.cli.conftest import FixedClock, Run, project_names, run, taiga
from tests.web.conftest import Browser, deals, site_of, text_of, workspace
from tests.web.routes.test_deal import edited
from tests.web.test_files import hand_in

__all__ = ["deals", "run", "taiga", "workspace"]

pytestmark = pytest.mark.sampled_tests(2)

LIST = "key,name,stage,value,currency\nD-1,New web shop,Proposal,90000,EUR\nN-1,Portal,Lead,5,EUR\n"
PAGES = ("/", "/follow-ups", "/quarter", "/customers", "/health", "/mapping", "/deal?key=D-1")


@pytest.fixture
def environment(taiga: Sandbox, database_url: str) -> dict[str, str]:
    return {"SECRET": taiga.password, "DATABASE": database_url}


@pytest.fixture
def world(workspace: Workspace, taiga: Sandbox, environment: dict[str, str]) -> Workspace:
    """The small pipeline with its store and state in a database, and a Taiga to sync it with."""
    places = {
        'url = "sqlite:///pipeline.db"': 'url_env = "DATABASE"',
        "https://taiga.example.com": taiga.url,
        '"bot"': f'"{taiga.username}"',
    }
    text = CONFIG
    for before, after in places.items():
        text = text.replace(before, after)
    Path("config.toml").write_text(f'{text}[sync]\nstate_env = "DATABASE"\n')
    found = Workspace(FixedClock(), environment)
    for number in range(8):
        add_deal(found, f"D-{number}", f"Web shop {number}", by="test", stage="Proposal")
    return found


@pytest.fixture
def served(world: Workspace) -> Iterator[tuple[Browser, Served]]:
    site = site_of(world, Door(local=Person("sara", Role.ADMIN)))
    (pipeline,) = site.pipelines.values()
    with TestClient(application(site), base_url="http://localhost") as client:
        browser = Browser(client)
        browser.get(f"/enter?token={site.door.link.token}")
        yield browser, pipeline
    pipeline.close()


def running(
    served: Served, taiga: Sandbox, browser: Browser, *, is_held: bool = False
) -> Callable[[], None]:
    """Begins a run; returns what waits until it has ended. It may be held in the midst of it, with
    a deal or more done, until it is waited for."""
    held, opened = threading.Event(), threading.Event()

    def hold(_: float) -> None:
        if served.runs._progress.done:
            held.set()
            opened.wait(300)

    taiga.application.sleep = hold
    taiga.set_delay(1.0 if is_held else 0)  # has the server call that for each request
    browser.post("/health/run")
    assert not is_held or held.wait(120)

    def wait() -> None:
        opened.set()
        change = served.runs._change
        with change:
            assert change.wait_for(lambda: served.runs._progress.phase is Phase.IDLE, timeout=120)

    return wait


def test_pages_show_and_change_what_is_in_the_database(
    served: tuple[Browser, Served], world: Workspace
) -> None:
    browser, pipeline = served
    for path in PAGES:
        assert browser.get(path).status_code == 200, path
    before = pipeline.watch.mark()
    browser.post("/deal/edit", **edited(browser, "D-1", customer="Nordlund", value="120 000"))
    browser.post("/deal/note", key="D-2", text="called")
    browser.post("/move", key="D-3", stage="Lead", seen_stage="Proposal")
    board = browser.get("/").text
    assert re.findall(r'data-key="(D-3)" data-stage="Lead"', board) and "Nordlund" in board
    assert "called" in browser.get("/deal?key=D-2").text
    pipeline.watch._looked_at = None
    assert pipeline.watch.mark() != before


def test_what_people_do_during_a_run_is_kept_and_synced(
    served: tuple[Browser, Served], world: Workspace, taiga: Sandbox, run: Run
) -> None:
    browser, pipeline = served
    finished = running(pipeline, taiga, browser, is_held=True)
    _, token = hand_in(browser, LIST)
    assert "1 added, 1 changed" in text_of(browser.post("/import/apply", file=token))
    Path("more.csv").write_text(LIST.replace("N-1", "N-2").replace("90000", "95000"))
    imported = run("deals", "import", "more.csv", "--take", "file")
    assert imported.exit_code == 0, imported.stderr
    browser.post("/deal/edit", **edited(browser, "D-4", name="Renamed"))
    browser.post("/move", key="D-5", stage="Lead", seen_stage="Proposal")
    browser.post("/deal/note", key="D-6", text="called")
    is_running = pipeline.runs.progress.phase is Phase.RUNNING
    finished()
    assert is_running
    running(pipeline, taiga, browser)()
    with deal_store(world) as store:
        assert {"N-1", "N-2"} <= {each.key for each in store.deals()}
    assert str(show_deal(world, "D-1").deal.value) == "95000"
    assert show_deal(world, "D-6").deal.notes[0].text == "called"
    assert show_deal(world, "D-5").deal.stage == "Lead"
    assert "(tentative) Renamed" in " ".join(project_names(taiga))
