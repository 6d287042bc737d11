"""Each kind of fault, as a client meets it, and what the server did meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests

from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind, FaultPlan, seeded_schedule

CREATE = {"method": "POST", "path": r"^/projects$"}
BODY = {"name": "Acme", "description": "d"}


def names(sandbox: Sandbox) -> list[str]:
    return [project["name"] for project in sandbox.as_user("admin").get("/projects")]


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (FaultKind.NO_ANSWER_BEFORE, []),
        (FaultKind.NO_ANSWER_AFTER, ["Acme"]),
        (FaultKind.RESET_BEFORE, []),
        (FaultKind.RESET_AFTER, ["Acme"]),
    ],
)
def test_a_broken_connection_leaves_the_effect_or_not(
    sandbox: Sandbox, api: Any, kind: FaultKind, made: list[str]
) -> None:
    sandbox.faults.add(Fault(kind, **CREATE))
    with pytest.raises(requests.ConnectionError):
        api.call("POST", "/projects", BODY)
    assert names(sandbox) == made


def test_a_silent_server_lets_the_client_time_out(sandbox: Sandbox, api: Any) -> None:
    sandbox.faults.add(Fault(FaultKind.NO_ANSWER_AFTER, **CREATE, seconds=300))
    with pytest.raises(requests.Timeout):
        api.call("POST", "/projects", BODY, timeout=0.05)
    until = time.monotonic() + 60  # the client may have gone before the server began
    while not names(sandbox) and time.monotonic() < until:
        time.sleep(0.01)
    assert names(sandbox) == ["Acme"]


def test_a_slow_answer_arrives_whole(sandbox: Sandbox, api: Any) -> None:
    sandbox.faults.add(Fault(FaultKind.SLOW_DRIP, **CREATE, seconds=0.01))
    assert api.call("POST", "/projects", BODY).json()["name"] == "Acme"


def test_a_truncated_body_is_noticed_by_its_length(sandbox: Sandbox, api: Any) -> None:
    sandbox.faults.add(Fault(FaultKind.TRUNCATED_BODY, **CREATE))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.call("POST", "/projects", BODY)
    assert names(sandbox) == ["Acme"]


def test_a_sign_in_page_answers_instead_of_json(sandbox: Sandbox, api: Any) -> None:
    sandbox.faults.add(Fault(FaultKind.NOT_JSON, path="^/projects$"))
    answer = api.call("GET", "/projects")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("html", [False, True])
def test_server_errors_come_before_or_after_the_effect(
    sandbox: Sandbox, api: Any, status: int, html: bool
) -> None:
    sandbox.faults.replace(
        [
            Fault(FaultKind.SERVER_ERROR_BEFORE, **CREATE, status=status, html=html),
            Fault(FaultKind.SERVER_ERROR_AFTER, **CREATE, occurrence=2, status=status, html=html),
        ]
    )
    before = api.call("POST", "/projects", BODY)
    assert (before.status_code, names(sandbox)) == (status, [])
    assert ("html" in before.headers["Content-Type"]) is html
    after = api.call("POST", "/projects", BODY)
    assert (after.status_code, names(sandbox)) == (status, ["Acme"])


def test_a_throttled_request_learns_how_long_to_wait(sandbox: Sandbox, api: Any) -> None:
    sandbox.faults.add(Fault(FaultKind.THROTTLED, **CREATE, seconds=7))
    answer = api.call("POST", "/projects", BODY)
    assert answer.status_code == 429
    assert answer.headers["X-Throttle-Wait-Seconds"] == "7"
    assert "Retry-After" not in answer.headers
    assert names(sandbox) == []


def test_a_token_that_expires_stays_expired_and_can_be_refreshed(
    sandbox: Sandbox, api: Any
) -> None:
    sandbox.faults.add(Fault(FaultKind.TOKEN_EXPIRED, **CREATE))
    refused = api.call("POST", "/projects", BODY)
    assert (refused.status_code, refused.json()["code"]) == (401, "token_not_valid")
    assert api.call("POST", "/projects", BODY).status_code == 401
    fresh = api.call(
        "POST", "/auth/refresh", {"refresh": api.tokens["refresh"]}, headers={"Authorization": ""}
    )
    api.use(fresh.json()["auth_token"])
    assert api.call("POST", "/projects", BODY).status_code == 201


def test_a_lost_refresh_answer_spends_the_token(sandbox: Sandbox, api: Any) -> None:
    sandbox.faults.add(Fault(FaultKind.REFRESH_ANSWER_LOST))
    body = {"refresh": api.tokens["refresh"]}
    with pytest.raises(requests.ConnectionError):
        api.call("POST", "/auth/refresh", body)
    assert api.call("POST", "/auth/refresh", body).status_code == 401
    assert api.log_in("pipeline-bot", sandbox.password).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [(FaultKind.ARCHIVED, 403), (FaultKind.BLOCKED, 451)])
def test_a_locked_project_refuses_writes(
    sandbox: Sandbox, api: Any, kind: FaultKind, status: int
) -> None:
    sandbox.faults.add(Fault(kind, method="PATCH"))
    project = api.project()
    answer = api.call("PATCH", f"/projects/{project['id']}", {"name": "x"})
    assert answer.status_code == status
    assert names(sandbox) == ["Acme"]


def test_a_half_made_project_is_seen_by_superusers_alone(sandbox: Sandbox, api: Any) -> None:
    sandbox.faults.add(Fault(FaultKind.HALF_MADE_PROJECT))
    body = {**BODY, "tags": ["crm"], "tags_colors": [["key:1", None]]}
    assert api.call("POST", "/projects", body).status_code == 500
    assert api.call("GET", "/projects").json() == []
    [left] = sandbox.as_user("admin").get("/projects")
    assert (left["members"], left["tags"], left["tags_colors"]) == ([], ["crm"], {"key:1": None})
    assert api.call("GET", f"/projects/{left['id']}").status_code == 403
    assert api.call("GET", "/projects/by_slug?slug=acme").status_code == 404
    assert api.call("DELETE", f"/projects/{left['id']}").status_code == 403
    assert api.project()["slug"] == "acme-1"
    sandbox.as_user("admin").delete(f"/projects/{left['id']}")


def test_a_page_that_shifts_skips_or_repeats_a_row(sandbox: Sandbox, api: Any) -> None:
    for name in "abcd":
        api.project(name)
    second = "/projects?page_size=2&page=2"
    for amount, expected in ((1, ["d"]), (-1, ["b", "c"])):
        sandbox.faults.replace(
            [Fault(FaultKind.SHIFTED_PAGE, path="^/projects$", occurrence=2, amount=amount)]
        )
        first = api.call("GET", "/projects?page_size=2")
        assert [row["name"] for row in first.json()] == ["a", "b"]
        shifted = api.call("GET", second)
        assert [row["name"] for row in shifted.json()] == expected
        assert shifted.headers["x-pagination-count"] == "4"


def test_a_count_can_be_wrong(sandbox: Sandbox, api: Any) -> None:
    api.project()
    sandbox.faults.add(Fault(FaultKind.WRONG_COUNT, path="^/projects$", amount=3))
    answer = api.call("GET", "/projects")
    assert (len(answer.json()), answer.headers["x-pagination-count"]) == (1, "4")


def test_a_list_can_be_empty_for_once(sandbox: Sandbox, api: Any) -> None:
    api.project()
    sandbox.faults.add(Fault(FaultKind.EMPTY_LIST, path="^/projects$"))
    answer = api.call("GET", "/projects")
    assert (answer.json(), answer.headers["x-pagination-count"]) == ([], "0")
    assert len(api.call("GET", "/projects").json()) == 1


def test_a_fault_is_met_by_the_chosen_requests_only() -> None:
    plan = FaultPlan([Fault(FaultKind.THROTTLED, "GET", "^/projects$", occurrence=2, times=2)])
    met = [plan.take("GET", "/projects") is not None for _ in range(5)]
    assert met == [False, True, True, False, False]
    assert plan.take("POST", "/projects") is None
    assert plan.take("GET", "/projects/7") is None


def test_of_two_due_faults_the_first_planned_is_met() -> None:
    plan = FaultPlan([Fault(FaultKind.THROTTLED), Fault(FaultKind.NOT_JSON)])
    first = plan.take("GET", "/x")
    assert first is not None
    assert first.kind is FaultKind.THROTTLED
    assert plan.take("GET", "/x") is None


def test_every_kind_is_tried_here_or_by_name() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [kind.name for kind in FaultKind if f"FaultKind.{kind.name}" not in source] == []


def test_a_schedule_is_the_same_for_the_same_seed() -> None:
    assert seeded_schedule(7, 20, 100) == seeded_schedule(7, 20, 100)
    assert seeded_schedule(7, 20, 100) != seeded_schedule(8, 20, 100)
    assert len(seeded_schedule(7, 20, 100)) == 20
    kinds = (FaultKind.THROTTLED,)
    assert {fault.kind for fault in seeded_schedule(1, 5, 10, kinds)} == set(kinds)
