"""What tests and the demo use: start, log, handles, clock, delay, connections."""

from __future__ import annotations

import http.client
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from taiga_pipeline.sandbox.client import Refused
from taiga_pipeline.sandbox.embedded import Sandbox, serve


def test_the_log_counts_what_came_over_the_network(sandbox: Sandbox, api: Any) -> None:
    project = api.project()
    sandbox.as_user("pm")
    api.call("GET", "/projects?slight=true")
    api.call("PATCH", f"/projects/{project['id']}", {})
    lines = [(line.method, line.path, line.status, line.user) for line in sandbox.requests]
    assert lines == [
        ("POST", "/projects", 201, "pipeline-bot"),
        ("GET", "/projects", 200, "pipeline-bot"),
        ("PATCH", f"/projects/{project['id']}", 200, "pipeline-bot"),
    ]
    assert sandbox.requests[1].query == {"slight": "true"}
    sandbox.clear_requests()
    assert sandbox.requests == []


def test_people_act_in_process_with_their_own_rights(sandbox: Sandbox, api: Any) -> None:
    project = api.project()
    number, front = project["id"], project["roles"][2]["id"]
    with pytest.raises(Refused, match="403"):
        sandbox.as_user("pm").patch(f"/projects/{number}", {"name": "Mine"})
    sandbox.as_user("pipeline-bot").post(
        "/memberships",
        {"project": number, "role": front, "username": "pm@example.test", "is_admin": True},
    )
    sandbox.as_user("pm").patch(f"/projects/{number}", {"name": "Renamed"})
    story = sandbox.as_user("pm").post("/userstories", {"project": number, "subject": "s"})
    done = project["us_statuses"][4]["id"]
    sandbox.as_user("pm").post(
        "/userstories/bulk_update_kanban_order",
        {"project_id": number, "status_id": done, "bulk_userstories": [story["id"]]},
    )
    assert api.call("GET", f"/projects/{number}").json()["name"] == "Renamed"
    assert api.call("GET", f"/userstories/{story['id']}").json()["is_closed"] is True
    assert all(line.user == "pipeline-bot" for line in sandbox.requests)


def test_people_can_be_added_with_any_e_mail(sandbox: Sandbox) -> None:
    user = sandbox.people.add("zoe", "zoe@agency.example", "Zoë Q")
    assert sandbox.people.get("ZOE@agency.example") is user
    with pytest.raises(ValueError, match=r"zoe@agency\.example"):
        sandbox.people.add("zoe2", "zoe@agency.example")
    with pytest.raises(KeyError, match="nobody"):
        sandbox.people.get("nobody")


def test_an_unverified_account_adds_nobody(sandbox: Sandbox) -> None:
    sandbox.people.add("hana", verified_email=False)
    hana = sandbox.as_user("hana")
    project = hana.post("/projects", {"name": "H", "description": "d"})
    body = {
        "project": project["id"],
        "role": project["roles"][0]["id"],
        "username": "ana@example.test",
    }
    with pytest.raises(Refused, match="verify your email") as refused:
        hana.post("/memberships", body)
    assert refused.value.status == 400
    assert "non_field_errors" in refused.value.body


def test_access_tokens_expire_after_a_day_and_refresh_tokens_after_eight(
    sandbox: Sandbox, api: Any
) -> None:
    sandbox.clock.advance(timedelta(hours=23).total_seconds())
    assert api.call("GET", "/users/me").status_code == 200
    sandbox.clock.advance(timedelta(hours=2).total_seconds())
    assert api.call("GET", "/users/me").status_code == 401
    assert api.call("GET", "/projects").status_code == 401
    anonymous = {"Authorization": ""}
    body = {"refresh": api.tokens["refresh"]}
    fresh = api.call("POST", "/auth/refresh", body, headers=anonymous)
    assert fresh.status_code == 200
    sandbox.clock.advance(timedelta(days=9).total_seconds())
    late = {"refresh": fresh.json()["refresh"]}
    again = api.call("POST", "/auth/refresh", late, headers=anonymous)
    assert (again.status_code, again.json()["code"]) == (401, "token_not_valid")


def test_an_application_token_acts_as_its_user_and_never_expires(
    sandbox: Sandbox, api: Any
) -> None:
    api.use(sandbox.application_token("pm"), scheme="Application")
    sandbox.clock.advance(timedelta(days=400).total_seconds())
    assert api.call("GET", "/users/me").json()["username"] == "pm"
    [token] = api.call("GET", "/application-tokens").json()
    assert api.call("DELETE", f"/application-tokens/{token['id']}").status_code == 204
    assert api.call("GET", "/users/me").status_code == 401


def test_writes_close_together_have_times_a_millisecond_apart(sandbox: Sandbox) -> None:
    bot = sandbox.as_user("pipeline-bot")
    number = bot.post("/projects", {"name": "A", "description": "d"})["id"]
    times = [bot.patch(f"/projects/{number}", {})["modified_date"] for _ in range(20)]
    assert times == sorted(set(times))


def test_a_connection_is_kept_and_can_be_closed_each_time() -> None:
    for close, expected in ((False, False), (True, True)):
        with Sandbox(close_connections=close) as sandbox:
            where = urlsplit(sandbox.url)
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
            connection.request("GET", "/api/v1/projects")
            answer = connection.getresponse()
            answer.read()
            assert answer.will_close is expected
            connection.close()


def test_requests_wait_side_by_side_when_delayed(sandbox: Sandbox, api: Any) -> None:
    waiting = threading.Barrier(3, timeout=60)
    sandbox.application.sleep = lambda _: waiting.wait()
    sandbox.set_delay(60)
    threads = [
        threading.Thread(target=api.call, args=("GET", "/users/me"), daemon=True) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert [line.status for line in sandbox.requests] == [200, 200, 200]


def test_a_sandbox_that_does_not_run_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = Sandbox().url


def test_a_stand_alone_sandbox_is_ready_when_serve_returns() -> None:
    sandbox = serve(port=0)
    try:
        assert sandbox.password == "sandbox"
        where = urlsplit(sandbox.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        connection.request("GET", "/sandbox/requests")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        sandbox.stop()


def test_a_list_of_a_thousand_projects_is_prepared_once(sandbox: Sandbox) -> None:
    bot = sandbox.as_user("pipeline-bot")
    for number in range(50):
        bot.post("/projects", {"name": f"P{number:03}", "description": "d"})
    bot.get("/projects?slight=true")
    prepared = dict(sandbox.store.list_cache)
    bot.patch("/projects/7", {"name": "other"})
    bot.get("/projects?slight=true")
    fresh = {
        number for number, row in sandbox.store.list_cache.items() if row is not prepared[number]
    }
    assert fresh == {7}
