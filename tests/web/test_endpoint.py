"""What one request may cost others: threads, time, and connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient
from starlette.types import Message

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web import endpoint, forms
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.application import application
from taiga_pipeline.web.forms import TooSlow, read_body
from taiga_pipeline.web.pages import Queue, Section, get
from taiga_pipeline.web.routes import SECTIONS
from taiga_pipeline.web.site import AT_ONCE, WORKERS
from taiga_pipeline.web.visit import Visit
from tests.web.conftest import site_of


@pytest.fixture
def answered() -> Iterator[threading.Event]:
    """Set once the other server answers at last."""
    event = threading.Event()
    yield event
    event.set()


def test_a_target_that_does_not_answer_keeps_no_other_page_waiting(
    deals: Workspace, answered: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = threading.Semaphore(0)

    def hang(_: Visit) -> Response:
        at_work.release()
        answered.wait(120)
        return PlainTextResponse("at last")

    door = Door(local=Person("sara", Role.ADMIN))
    site = site_of(deals, door)
    hanging = Section("Hang", "", (get("/hang", hang, queue=Queue.TARGET),))
    site = replace(site, sections=(*site.sections, hanging))
    with (
        TestClient(application(site), base_url="http://localhost") as client,
        ThreadPoolExecutor(WORKERS) as people,
    ):
        client.get(f"/enter?token={door.link.token}")
        waiting = [people.submit(client.get, "/hang") for _ in range(AT_ONCE[Queue.TARGET])]
        for _ in waiting:
            assert at_work.acquire(timeout=120)
        with monkeypatch.context() as impatient:
            impatient.setattr(endpoint, "TURN_SECONDS", 0.02)
            asking = range(WORKERS - AT_ONCE[Queue.TARGET])
            late = [people.submit(client.get, "/hang") for _ in asking]
            assert {each.result().status_code for each in late} == {503}
        assert "try again in a few minutes" in late[0].result().text
        assert "New web shop" in client.get("/").text
        answered.set()
        assert {each.result().text for each in waiting} == {"at last"}
        assert client.get("/hang").text == "at last", "turns are given back"


def test_pages_that_ask_the_target_have_threads_of_their_own() -> None:
    asking = {
        (each.method, each.path)
        for section in SECTIONS
        for each in section.routes
        if each.queue is Queue.TARGET
    }
    assert asking == {("GET", "/deal/plan"), ("POST", "/deal/sync")}


@pytest.mark.parametrize("bound", ["PART_SECONDS", "BODY_SECONDS"])
def test_a_body_that_never_comes_is_given_up(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, bound, 0.01)

    async def receive() -> Message:
        await anyio.sleep(60 if bound == "PART_SECONDS" else 0.002)
        return {"type": "http.request", "body": b"x", "more_body": True}

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    with pytest.raises(TooSlow):
        anyio.run(read_body, Request(scope, receive), 1_000_000)
