"""What the client makes of each way in which a request can go wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import requests
import responses
from responses import matchers
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from sync import crash_points
from sync.errors import (
    Failing,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Stale,
    SyncError,
    Unauthorised,
    Unavailable,
    Unreachable,
    Vanished,
)
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.refusal import Refusal, Unseen
from tests.targets.support import API, ManualClock, build_client

REFUSED = requests.ConnectionError(
    MaxRetryError(
        None,  # type: ignore[arg-type]
        "/",
        NewConnectionError(None, "Connection refused"),  # type: ignore[arg-type]
    )
)
RESET = requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104)))
SILENCE = requests.ReadTimeout("read timed out")
PAGE = "<!doctype html><html><body><h1>Server Error (500)</h1></body></html>"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(clock: ManualClock) -> Client:
    return build_client(clock)


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def make(client: Client, method: str) -> object:
    """Sends a request of the kind ``method``; returns the data of the answer."""
    if method == "GET":
        return client.get("things/1").data
    if method == "PATCH":
        return client.patch("things/1", {"a": 1}).data
    if method == "DELETE":
        return client.delete("things/1").data
    return client.post("things/1", {"a": 1}).data


def fails(client: Client, method: str) -> SyncError:
    """Returns the error that a request ends with."""
    with pytest.raises(SyncError) as error:
        make(client, method)
    return error.value


URL = f"{API}/things/1"
IDEMPOTENT = ["GET", "PATCH", "DELETE"]
EVERY = [*IDEMPOTENT, "POST"]


# What is sent


def test_a_request_says_who_asks_and_in_which_language(
    client: Client, server: responses.RequestsMock
) -> None:
    server.get(URL, json={})
    client.get("things/1")
    headers = server.calls[0].request.headers
    assert headers["Authorization"] == "Bearer token-of-the-bot"
    assert headers["Accept-Language"] == "en"
    assert headers["User-Agent"].startswith("pipeline-sync/")


def test_every_request_has_a_time_out_and_verifies_tls(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    with responses.RequestsMock() as server:
        server.get(
            URL,
            json={},
            match=[matchers.request_kwargs_matcher({"timeout": (7.0, 7.0), "verify": True})],
        )
        build_client(clock, timeout_seconds=7.0).get("things/1")


def test_a_private_authority_can_be_given(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/the/machine/ca.pem")
    with responses.RequestsMock() as server:
        wanted = {"verify": "/our/ca.pem"}
        server.get(URL, json={}, match=[matchers.request_kwargs_matcher(wanted)])
        build_client(clock, ca_file="/our/ca.pem").get("things/1")


def test_a_netrc_on_the_machine_does_not_replace_the_token(
    client: Client,
    server: responses.RequestsMock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine taiga.example.test login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.get(URL, json={})
    client.get("things/1")
    assert server.calls[0].request.headers["Authorization"] == "Bearer token-of-the-bot"


def test_cookies_are_not_kept(client: Client, server: responses.RequestsMock) -> None:
    server.get(URL, json={}, headers={"Set-Cookie": "session=1"})
    client.get("things/1")
    client.get("things/1")
    assert "Cookie" not in server.calls[1].request.headers


def test_text_of_any_kind_is_sent_as_plain_json(
    client: Client, server: responses.RequestsMock
) -> None:
    server.post(URL, json={})
    client.post("things/1", {"name": "Å🎉"})
    assert json.loads(server.calls[0].request.body or b"") == {"name": "Å🎉"}


def test_requests_are_counted_and_cross_a_crash_point_each_way(
    client: Client, server: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossed: list[str] = []
    monkeypatch.setattr(crash_points, "observers", [crossed.append])
    server.get(URL, body=RESET)
    server.get(URL, json={})
    client.get("things/1")
    assert client.request_count == 2
    assert crossed == ["request sent", "request sent", "answer received"]


# No server answers


@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize("trouble", [REFUSED, requests.ConnectTimeout("slow")])
def test_without_a_connection_it_is_tried_again(
    client: Client, server: responses.RequestsMock, method: str, trouble: Exception
) -> None:
    server.add(method, URL, body=trouble)
    server.add(method, URL, json={"id": 1})
    assert make(client, method) == {"id": 1}


@pytest.mark.parametrize("method", EVERY)
def test_without_any_connection_a_write_is_known_to_be_without_effect(
    client: Client, server: responses.RequestsMock, method: str
) -> None:
    server.add(method, URL, body=REFUSED)
    error = fails(client, method)
    assert isinstance(error, Unavailable)
    assert isinstance(error, NotSent) is (method != "GET")
    assert "no connection" in str(error)


def test_a_wrong_address_is_reported_soon(
    client: Client, clock: ManualClock, server: responses.RequestsMock
) -> None:
    server.get(URL, body=REFUSED)
    fails(client, "GET")
    assert sum(clock.slept) < 5


def test_a_server_that_answered_before_is_waited_for(
    client: Client, clock: ManualClock, server: responses.RequestsMock
) -> None:
    server.get(URL, json={})
    make(client, "GET")
    server.replace(responses.GET, URL, body=REFUSED)
    fails(client, "GET")
    assert 30 < sum(clock.slept) <= 150


def test_a_server_that_is_down_is_not_waited_for_by_every_request_anew(
    client: Client, clock: ManualClock, server: responses.RequestsMock
) -> None:
    server.get(URL, json={})
    make(client, "GET")
    server.replace(responses.GET, URL, body=REFUSED)
    for _ in range(10):
        fails(client, "GET")
    assert sum(clock.slept) <= 150 + 20


@pytest.mark.parametrize("trouble", [RESET, SILENCE, requests.exceptions.ChunkedEncodingError()])
@pytest.mark.parametrize("method", IDEMPOTENT)
def test_what_can_be_repeated_is_repeated_without_an_answer(
    client: Client, server: responses.RequestsMock, method: str, trouble: Exception
) -> None:
    server.add(method, URL, body=trouble)
    server.add(method, URL, json={"id": 1})
    assert make(client, method) == {"id": 1}


@pytest.mark.parametrize("trouble", [RESET, SILENCE, requests.exceptions.ChunkedEncodingError()])
def test_a_creation_without_an_answer_is_never_repeated(
    client: Client, server: responses.RequestsMock, trouble: Exception
) -> None:
    server.post(URL, body=trouble)
    assert isinstance(fails(client, "POST"), OutcomeUnknown)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("method", "error"),
    [("GET", Unavailable), ("PATCH", OutcomeUnknown), ("DELETE", OutcomeUnknown)],
)
def test_a_lasting_silence_leaves_a_write_open(
    client: Client, server: responses.RequestsMock, method: str, error: type[SyncError]
) -> None:
    server.add(method, URL, body=SILENCE)
    assert type(fails(client, method)) is error


def test_a_certificate_that_cannot_be_verified_ends_the_run_with_a_way_out(
    client: Client, server: responses.RequestsMock
) -> None:
    server.get(URL, body=requests.exceptions.SSLError("self-signed certificate"))
    error = fails(client, "GET")
    assert isinstance(error, Unreachable)
    assert "target.ca_file" in str(error)


def test_an_authority_file_that_is_not_there_is_named(clock: ManualClock) -> None:
    error = fails(build_client(clock, url="https://localhost:1", ca_file="/no/such.pem"), "GET")
    assert isinstance(error, Unreachable)
    assert "target.ca_file: /no/such.pem" in str(error)


# Someone else answers


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", EVERY)
def test_redirects_are_refused_so_that_no_token_leaves(
    client: Client, server: responses.RequestsMock, method: str, status: int
) -> None:
    server.add(method, URL, status=status, headers={"Location": "https://evil.test/api/v1/x"})
    error = fails(client, method)
    assert isinstance(error, Unreachable)
    assert "https://evil.test" in str(error)
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [200, 404])
def test_a_web_page_means_a_wrong_address(
    client: Client, server: responses.RequestsMock, status: int
) -> None:
    server.get(URL, body=PAGE, status=status, content_type="text/html; charset=utf-8")
    error = fails(client, "GET")
    assert isinstance(error, Unreachable)
    assert "target.url" in str(error)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_web_page_in_answer_to_a_write_leaves_it_open(
    client: Client, server: responses.RequestsMock, method: str
) -> None:
    server.add(method, URL, body=PAGE, content_type="text/html")
    assert isinstance(fails(client, method), OutcomeUnknown)


def test_once_the_server_made_sense_a_wrong_answer_concerns_what_was_asked_for(
    client: Client, server: responses.RequestsMock
) -> None:
    server.get(URL, json={"id": 1})
    make(client, "GET")
    server.replace("GET", URL, body=PAGE, content_type="text/html")
    assert type(fails(client, "GET")) is Malformed
    server.replace("GET", URL, body=PAGE, status=404, content_type="text/html")
    assert type(fails(client, "GET")) is Malformed
    server.replace("GET", URL, status=302, headers={"Location": "https://evil.test/"})
    assert type(fails(client, "GET")) is Malformed
    server.patch(URL, status=302, headers={"Location": "https://evil.test/"})
    assert type(fails(client, "PATCH")) is OutcomeUnknown


# Broken answers


@pytest.mark.parametrize("body", ['{"id": 1, "na', "", "null and void"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_broken_answer_is_asked_for_again(
    client: Client, server: responses.RequestsMock, method: str, body: str
) -> None:
    server.add(method, URL, body=body, content_type="application/json")
    server.add(method, URL, json={"id": 1})
    assert make(client, method) == {"id": 1}


@pytest.mark.parametrize("body", ['{"id": 1, "na', ""])
def test_a_broken_answer_to_a_creation_leaves_it_open(
    client: Client, server: responses.RequestsMock, body: str
) -> None:
    server.post(URL, body=body, status=201, content_type="application/json")
    assert isinstance(fails(client, "POST"), OutcomeUnknown)
    assert len(server.calls) == 1


def test_an_empty_answer_to_a_deletion_is_the_normal_one(
    client: Client, server: responses.RequestsMock
) -> None:
    server.delete(URL, status=204)
    assert make(client, "DELETE") is None


# The server has trouble


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("method", IDEMPOTENT)
def test_what_can_be_repeated_is_repeated_after_a_failure_of_the_server(
    client: Client, server: responses.RequestsMock, method: str, status: int
) -> None:
    server.add(method, URL, status=status, body=PAGE, content_type="text/html")
    server.add(method, URL, json={"id": 1})
    assert make(client, method) == {"id": 1}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_creation_that_failed_on_the_server_is_open_and_never_repeated(
    client: Client, server: responses.RequestsMock, status: int
) -> None:
    server.post(URL, status=status, json={"error": "Server application error"})
    assert isinstance(fails(client, "POST"), OutcomeUnknown)
    assert len(server.calls) == 1


def test_a_change_that_fails_each_time_may_have_happened(
    client: Client, clock: ManualClock, server: responses.RequestsMock
) -> None:
    server.patch(URL, status=500, json={"error": "Server application error"})
    assert isinstance(fails(client, "PATCH"), OutcomeUnknown)
    assert len(server.calls) == 3
    assert sum(clock.slept) < 5


def test_a_reading_that_fails_each_time_concerns_what_was_asked_for(
    client: Client, server: responses.RequestsMock
) -> None:
    server.get(URL, status=500, body=PAGE, content_type="text/html")
    assert type(fails(client, "GET")) is Failing


@pytest.mark.parametrize("method", EVERY)
def test_a_throttled_request_waits_as_long_as_it_is_asked_to(
    client: Client, clock: ManualClock, server: responses.RequestsMock, method: str
) -> None:
    server.add(method, URL, status=429, json={}, headers={"X-Throttle-Wait-Seconds": "60"})
    server.add(method, URL, json={"id": 1})
    assert make(client, method) == {"id": 1}
    assert clock.slept == [60]


def test_a_creation_that_stays_throttled_had_no_effect(
    client: Client, clock: ManualClock, server: responses.RequestsMock
) -> None:
    server.post(URL, status=429, json={}, headers={"X-Throttle-Wait-Seconds": "100"})
    error = fails(client, "POST")
    assert isinstance(error, NotSent)
    assert error.wait_seconds == 100
    assert clock.slept == [100]


@pytest.mark.parametrize("wait", ["soon", "inf", "-1", ""])
def test_a_wait_that_is_no_number_of_seconds_is_ignored(
    client: Client, clock: ManualClock, server: responses.RequestsMock, wait: str
) -> None:
    server.get(URL, status=429, json={}, headers={"X-Throttle-Wait-Seconds": wait})
    server.get(URL, json={})
    make(client, "GET")
    assert sum(clock.slept) < 1


@pytest.mark.parametrize("name", ["Retry-After", "X-Throttle-Wait-Seconds"])
def test_a_wait_may_be_a_number_of_seconds(
    client: Client, clock: ManualClock, server: responses.RequestsMock, name: str
) -> None:
    server.get(URL, status=429, json={}, headers={name: "42"})
    server.get(URL, json={})
    make(client, "GET")
    assert clock.slept == [42]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_may_be_a_moment_of_the_servers_clock(
    client: Client, clock: ManualClock, server: responses.RequestsMock, status: int
) -> None:
    headers = {"Retry-After": "Wed, 04 Mar 2037 10:00:45 GMT"}
    moment = {"Date": "Wed, 04 Mar 2037 10:00:00 GMT"}
    server.get(URL, status=status, json={}, headers={**headers, **moment})
    server.get(URL, json={})
    make(client, "GET")
    assert clock.slept == [45]


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("Mon, 23 Nov 2026 00:01:00 GMT", 60),
        ("Monday, 23-Nov-26 00:01:00 GMT", 60),
        ("Mon Nov 23 00:01:00 2026", 60),
        ("Sun, 22 Nov 2026 00:00:00 GMT", 0.5),
        ("Mon, 99 Nov 2026 00:00:00 GMT", 0.5),
    ],
)
def test_without_a_date_a_moment_is_measured_by_the_machines_clock(
    client: Client,
    clock: ManualClock,
    server: responses.RequestsMock,
    moment: str,
    seconds: float,
) -> None:
    server.get(URL, status=429, json={}, headers={"Retry-After": moment})
    server.get(URL, json={})
    make(client, "GET")
    assert clock.slept == [seconds]


# The server refuses


@pytest.mark.parametrize(
    ("method", "status", "body", "error"),
    [
        ("GET", 404, {"_error_message": ""}, Vanished),
        ("GET", 403, {"_error_message": "No"}, Unseen),
        ("PATCH", 404, {"_error_message": ""}, Vanished),
        ("PATCH", 403, {"_error_message": "No"}, Refusal),
        ("PATCH", 400, {"version": "Die Version passt nicht"}, Stale),
        ("PATCH", 400, {"name": ["Zu lang"]}, Refusal),
        ("POST", 400, ["Invalid role ids."], Refusal),
        ("POST", 400, "plain words", Refusal),
        ("POST", 413, None, Refusal),
        ("DELETE", 451, {"_error_message": "Blocked element"}, Refusal),
    ],
)
def test_a_refusal_is_reported_by_status_and_keys(
    client: Client,
    server: responses.RequestsMock,
    method: str,
    status: int,
    body: object,
    error: type[SyncError],
) -> None:
    server.add(method, URL, status=status, json=body)
    assert type(fails(client, method)) is error
    assert len(server.calls) == 1


def test_a_refusal_carries_the_servers_words_on_one_line(
    client: Client, server: responses.RequestsMock
) -> None:
    server.post(URL, status=400, json={"name": ["Too\nlong"], "tags": ["x" * 999]})
    error = fails(client, "POST")
    assert isinstance(error, Refusal)
    assert error.keys == {"name", "tags"}
    assert "(400: name: Too long; tags: xxx" in str(error)
    assert len(str(error)) < 400


def test_a_token_that_is_refused_ends_the_run_after_one_attempt(
    client: Client, server: responses.RequestsMock
) -> None:
    server.get(URL, status=401, json={"code": "token_not_valid"})
    error = fails(client, "GET")
    assert isinstance(error, Unauthorised)
    assert len(server.calls) == 1


# Secrets


@pytest.mark.parametrize("trouble", [RESET, REFUSED, SILENCE, requests.exceptions.SSLError("x")])
def test_no_secret_is_in_an_error_or_its_causes_or_the_log(
    client: Client,
    server: responses.RequestsMock,
    trouble: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.post(URL, body=trouble)
    error = fails(client, "POST")
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert "token-of-the-bot" not in repr(error) + caplog.text + repr(client.__dict__)
