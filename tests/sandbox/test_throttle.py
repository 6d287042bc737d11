"""Rate limits that can be switched on, with the buckets and the answers of a real server."""

from __future__ import annotations

from typing import Any

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox


def statuses(api: Any, count: int, method: str, path: str, body: Any = None) -> list[int]:
    return [api.call(method, path, body).status_code for _ in range(count)]


def test_writes_have_one_bucket_and_reads_another(sandbox: Sandbox, api: Any) -> None:
    sandbox.set_rates({"user-write": "2/min"})
    body = {"name": "A", "description": "d"}
    assert statuses(api, 3, "POST", "/projects", body) == [201, 201, 429]
    assert statuses(api, 3, "GET", "/projects") == [200, 200, 200]
    assert api.call("PATCH", "/projects/1", {}).status_code == 429


def test_the_wait_is_reported_and_refused_requests_do_not_extend_it(
    sandbox: Sandbox, api: Any
) -> None:
    sandbox.set_rates({"user-read": "1/min"})
    assert statuses(api, 2, "GET", "/projects") == [200, 429]
    sandbox.clock.advance(30)
    answer = api.call("GET", "/projects")
    assert answer.status_code == 429
    assert 29 <= int(answer.headers["X-Throttle-Wait-Seconds"]) <= 30
    assert "Retry-After" not in answer.headers
    assert answer.json()["_error_type"] == "taiga.base.exceptions.Throttled"
    sandbox.clock.advance(31)
    assert statuses(api, 1, "GET", "/projects") == [200]


def test_users_are_outside_the_general_buckets(sandbox: Sandbox, api: Any) -> None:
    sandbox.set_rates({"user-read": "1/min"})
    assert statuses(api, 3, "GET", "/users/me") == [200, 200, 200]


def test_failed_log_ins_lock_the_right_password_out(sandbox: Sandbox, api: Any) -> None:
    sandbox.set_rates({"login-fail": "4/min"})
    wrong = [api.log_in("pm", "wrong").status_code for _ in range(5)]
    assert wrong == [401, 401, 401, 401, 429]
    assert api.log_in("pm", sandbox.password).status_code == 429
    sandbox.clock.advance(61)
    assert api.log_in("pm", sandbox.password).status_code == 200


def test_a_bulk_larger_than_the_rate_never_passes(sandbox: Sandbox, api: Any) -> None:
    project = api.project()
    sandbox.set_rates({"create-memberships": "3/min"})
    role = project["roles"][0]["id"]
    people = [{"role_id": role, "username": f"x{number}@example.test"} for number in range(4)]
    body = {"project_id": project["id"], "bulk_memberships": people}
    answer = api.call("POST", "/memberships/bulk_create", body)
    assert answer.status_code == 429
    assert int(answer.headers["X-Throttle-Wait-Seconds"]) > 0
    sandbox.clock.advance(3600)
    assert api.call("POST", "/memberships/bulk_create", body).status_code == 429
    body["bulk_memberships"] = people[:3]
    assert api.call("POST", "/memberships/bulk_create", body).status_code == 200


@pytest.mark.parametrize("rates", [{"no-such": "1/min"}, {"user-read": "fast"}])
def test_nonsense_is_refused_with_what_is_known(sandbox: Sandbox, rates: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"known: |not a rate"):
        sandbox.set_rates(rates)
