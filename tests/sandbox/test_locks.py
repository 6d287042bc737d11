"""Archived and blocked projects, as only a server's administrator makes them."""

from __future__ import annotations

from typing import Any

from taiga_pipeline.sandbox.embedded import Sandbox


def test_an_archived_project_is_read_but_not_written(sandbox: Sandbox, api: Any) -> None:
    number = api.project()["id"]
    sandbox.lock_project(number, archived_code="archived-by-staff")
    [row] = api.call("GET", "/projects?slight=true").json()
    assert row["archived_code"] == "archived-by-staff"
    for method, path, body in (
        ("PATCH", f"/projects/{number}", {"name": "z"}),
        ("POST", "/userstories", {"project": number, "subject": "z"}),
        ("POST", "/wiki", {"project": number, "slug": "h", "content": "x"}),
        ("PATCH", f"/projects/{number}/modules", {"a": 1}),
    ):
        answer = api.call(method, path, body)
        assert (answer.status_code, answer.json()["_error_message"]) == (403, "Archived element")


def test_some_doors_of_an_archived_project_stay_open(sandbox: Sandbox, api: Any) -> None:
    number = api.project()["id"]
    sandbox.lock_project(number, archived_code="archived-by-staff")
    bulk = {"project_id": number, "bulk_stories": "z"}
    assert api.call("POST", "/userstories/bulk_create", bulk).status_code == 200
    assert api.call("POST", f"/projects/{number}/create_tag", {"tag": "z"}).status_code == 200
    cleared = api.call("PATCH", f"/projects/{number}", {"archived_code": None})
    assert (cleared.status_code, cleared.json()["archived_code"]) == (200, None)
    sandbox.lock_project(number, archived_code="archived-by-staff")
    assert api.call("DELETE", f"/projects/{number}").status_code == 204


def test_a_blocked_project_answers_451_to_every_write(sandbox: Sandbox, api: Any) -> None:
    number = api.project()["id"]
    sandbox.lock_project(number, blocked_code="blocked-by-staff")
    assert api.call("GET", f"/projects/{number}").status_code == 200
    for method, path, body in (
        ("PATCH", f"/projects/{number}", {"name": "z"}),
        ("POST", "/userstories", {"project": number, "subject": "z"}),
        ("DELETE", f"/projects/{number}", None),
    ):
        answer = api.call(method, path, body)
        assert (answer.status_code, answer.json()["_error_message"]) == (451, "Blocked element")
