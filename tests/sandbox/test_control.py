"""The control API, for those who direct a sandbox from another process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.sandbox.conftest import Api


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(control=True) as running:
        yield running


def control(sandbox: Sandbox, method: str, path: str, body: Any = None) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    with session:
        return session.request(method, f"{sandbox.url}/sandbox/{path}", json=body, timeout=60)


def test_it_is_closed_unless_switched_on() -> None:
    with Sandbox() as sandbox:
        assert control(sandbox, "GET", "state").status_code == 404


def test_faults_can_be_set_and_a_wrong_one_is_explained(sandbox: Sandbox, api: Any) -> None:
    fault = {"kind": "throttled", "path": "^/projects$", "seconds": 5}
    assert control(sandbox, "PUT", "faults", [fault]).status_code == 204
    assert api.call("GET", "/projects").status_code == 429
    refused = control(sandbox, "PUT", "faults", [{"kind": "throttled", "colour": 1}])
    assert (refused.status_code, "no colour" in refused.json()["error"]) == (400, True)
    assert control(sandbox, "PUT", "faults", [{"kind": "bogus"}]).status_code == 400
    seeded = {"seed": 1, "count": 9, "requests": 50}
    assert control(sandbox, "PUT", "faults", seeded).status_code == 204
    assert len(sandbox.faults.faults) == 9


def test_people_clock_rates_and_delay_can_be_set(sandbox: Sandbox, api: Any) -> None:
    made = control(sandbox, "POST", "people", {"username": "zoe", "email": "z@x.example"})
    assert (made.status_code, made.json()["email"]) == (201, "z@x.example")
    assert Api(sandbox, "zoe").tokens["username"] == "zoe"
    assert control(sandbox, "PUT", "rates", {"user-read": "1/min"}).status_code == 204
    assert control(sandbox, "PUT", "rates", {"bogus": "1/min"}).status_code == 400
    assert control(sandbox, "PUT", "delay", {"seconds": 0.001}).status_code == 204
    assert sandbox.application.delay_seconds == 0.001
    assert control(sandbox, "POST", "clock", {"advance": 3600}).status_code == 200
    assert control(sandbox, "POST", "tokens/expire").status_code == 204
    assert api.call("GET", "/users/me").status_code == 401


def test_state_can_be_taken_and_put_back(sandbox: Sandbox, api: Any) -> None:
    api.project()
    state = control(sandbox, "GET", "state").json()
    assert control(sandbox, "POST", "reset").status_code == 204
    assert sandbox.as_user("admin").get("/projects") == []
    assert control(sandbox, "PUT", "state", state).status_code == 204
    assert len(api.call("GET", "/projects").json()) == 1


def test_projects_can_be_locked(sandbox: Sandbox, api: Any) -> None:
    number = api.project()["id"]
    locked = control(sandbox, "PUT", f"projects/{number}/lock", {"blocked_code": "x"})
    assert locked.status_code == 204
    assert api.call("PATCH", f"/projects/{number}", {}).status_code == 451
    assert control(sandbox, "PUT", "projects/99/lock", {}).status_code == 400


def test_the_log_can_be_read_and_cleared(sandbox: Sandbox, api: Any) -> None:
    api.call("GET", "/users/me")
    [line] = control(sandbox, "GET", "requests").json()
    assert (line["method"], line["path"], line["status"]) == ("GET", "/users/me", 200)
    assert control(sandbox, "DELETE", "requests").status_code == 204
    assert control(sandbox, "GET", "requests").json() == []


def test_an_unknown_action_is_404(sandbox: Sandbox) -> None:
    assert control(sandbox, "POST", "explode").status_code == 404
