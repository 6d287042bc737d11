"""The client that the page about writing an adapter shows, against a made-up server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import responses
from responses.matchers import query_param_matcher

from sync.errors import (
    IncompleteRead,
    Malformed,
    OutcomeUnknown,
    Rejected,
    Stale,
    Unauthorised,
    Unreachable,
    Vanished,
)
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.http.connection import Connection
from tests.targets.support import ManualClock
from tests.targets.third_party.tickets_client import Client

HERE = Path(__file__).parent
URL = "https://tickets.example.test"
API = f"{URL}/api"


@pytest.fixture
def server() -> responses.RequestsMock:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(clock: ManualClock) -> Client:
    return Client(Connection(URL, "acme", token=Secret("t0k")), clock)


def page(server: responses.RequestsMock, number: int, total: int, *ids: str) -> None:
    asked = query_param_matcher({"page": str(number), "size": "100"})
    rows: JSON = [{"id": each} for each in ids]
    server.get(f"{API}/projects", json={"total": total, "rows": rows}, match=[asked])


def test_a_list_comes_whole_and_each_row_once(
    server: responses.RequestsMock, client: Client
) -> None:
    page(server, 1, 3, "a", "b")
    page(server, 2, 3, "b", "c")
    assert [row["id"] for row in client.rows("projects")] == ["a", "b", "c"]
    assert server.calls[0].request.headers["Authorization"] == "Bearer t0k"


def test_pages_that_repeat_are_no_list(server: responses.RequestsMock, client: Client) -> None:
    page(server, 1, 3, "a", "b")
    page(server, 2, 3, "a", "b")
    with pytest.raises(IncompleteRead, match="2 of 3 rows"):
        list(client.rows("projects"))


def test_a_server_that_asks_for_fewer_requests_is_waited_for(
    server: responses.RequestsMock, client: Client, clock: ManualClock
) -> None:
    began = clock.monotonic()
    server.post(f"{API}/projects", status=429, headers={"Retry-After": "7"})
    server.post(f"{API}/projects", json={"id": "a"}, status=201)
    assert client.post("projects", {"name": "x"}).data == {"id": "a"}
    assert clock.monotonic() - began >= 7


@pytest.mark.parametrize(
    ("status", "error"), [(409, Stale), (412, Stale), (404, Vanished), (422, Rejected)]
)
def test_refusals_are_told_apart_by_their_status(
    server: responses.RequestsMock, client: Client, status: int, error: type[Exception]
) -> None:
    page(server, 1, 0)
    list(client.rows("projects"))
    server.patch(f"{API}/projects/a", status=status, json={"message": "No"})
    with pytest.raises(error):
        client.patch("projects/a", {"name": "x"})


def test_a_version_goes_along_in_a_header(server: responses.RequestsMock, client: Client) -> None:
    for method, url in (("PATCH", "a"), ("PUT", "a"), ("DELETE", "a"), ("POST", "")):
        server.add(method, f"{API}/projects/{url}".rstrip("/"), json={"id": "a"})
    match = {"If-Match": '"v7"'}
    client.patch("projects/a", {}, match)
    client.put("projects/a", {}, match)
    client.delete("projects/a", match)
    client.post("projects", {}, match)
    sent = [call.request.headers for call in server.calls]
    assert [headers["If-Match"] for headers in sent] == ['"v7"'] * 4
    assert all(headers["Authorization"] == "Bearer t0k" for headers in sent)


def test_a_key_that_ended_is_reported(server: responses.RequestsMock, client: Client) -> None:
    server.get(f"{API}/me", status=401)
    with pytest.raises(Unauthorised, match=r"target\.token_env"):
        client.get("me")


def test_an_error_in_an_answer_that_succeeded_is_none(
    server: responses.RequestsMock, client: Client
) -> None:
    server.get(f"{API}/projects/a", json={"error": "database is locked"})
    with pytest.raises(Malformed, match="is an error: database is locked"):
        client.get("projects/a")
    server.post(f"{API}/projects", json={"error": "database is locked"})
    with pytest.raises(OutcomeUnknown):
        client.post("projects", {})


def test_an_address_without_the_api_is_doubted(
    server: responses.RequestsMock, client: Client
) -> None:
    server.get(f"{API}/me", status=404, json={})
    with pytest.raises(Unreachable, match=r"is target\.url the address of Tickets\?"):
        client.get("me")


def test_the_page_shows_this_very_client() -> None:
    text = (HERE.parents[2] / "docs" / "write-an-adapter.md").read_text("utf-8")
    (shown,) = re.findall(r"^`client.py`:\n\n```python\n(.*?)^```$", text, re.M | re.S)
    assert shown == (HERE / "tickets_client.py").read_text("utf-8")
