"""Logging in, staying logged in, and not being locked out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

import pytest
import requests
import responses
from requests import PreparedRequest

from sync.errors import Unauthorised, Unavailable, Unreachable
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.targets.taiga.client import Client
from tests.targets.support import API, PASSWORD, URL, ManualClock, build_client

Reply = tuple[int, dict[str, str], str]
EXPIRED = {"detail": "Given token not valid for any token type", "code": "token_not_valid"}


class Accounts:
    """The log-in side of a server: tokens that expire, refresh tokens that work once."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.valid = ""
        self.refresh = ""
        self.logins = 0
        self.refreshes = 0
        self.lose_refresh = False
        self.together: threading.Barrier | None = None
        self.password = "s3cret-word"
        self._lock = threading.Lock()
        mock.assert_all_requests_are_fired = False
        for method, path, reply in (
            (responses.POST, "auth", self._log_in),
            (responses.POST, "auth/refresh", self._refresh),
            (responses.GET, "things", self._things),
            (responses.POST, "things", self._things),
        ):
            mock.add_callback(method, f"{API}/{path}", reply, content_type="application/json")

    def expire(self) -> None:
        self.valid = "nothing"

    def _log_in(self, request: PreparedRequest) -> Reply:
        self.logins += 1
        sent = json.loads(request.body or b"")
        if sent["password"] != self.password:
            return 401, {}, json.dumps({"code": "invalid_credentials"})
        return self._tokens()

    def _refresh(self, request: PreparedRequest) -> Reply:
        self.refreshes += 1
        known = json.loads(request.body or b"")["refresh"] == self.refresh
        self.refresh = ""
        if self.lose_refresh:
            raise requests.ReadTimeout("lost")
        return self._tokens() if known else (401, {}, json.dumps(EXPIRED))

    def _tokens(self) -> Reply:
        number = self.logins + self.refreshes
        self.valid, self.refresh = f"access-{number}", f"refresh-{number}"
        return 200, {}, json.dumps({"auth_token": self.valid, "refresh": self.refresh})

    def _things(self, request: PreparedRequest) -> Reply:
        if request.headers.get("Authorization") == f"Bearer {self.valid}":
            return 200, {}, json.dumps({"id": 1})
        if self.together:
            self.together.wait(120)
        return 401, {}, json.dumps(EXPIRED)


@pytest.fixture
def accounts() -> Iterator[Accounts]:
    with responses.RequestsMock() as mock:
        yield Accounts(mock)


@pytest.fixture
def client() -> Client:
    return build_client(ManualClock(), PASSWORD)


def in_parallel(number: int, work: Callable[[], object]) -> None:
    """Does ``work`` in several threads that begin together."""
    start = threading.Barrier(number)

    def begin() -> None:
        start.wait()
        work()

    threads = [threading.Thread(target=begin) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


def test_it_logs_in_once_for_all_threads(client: Client, accounts: Accounts) -> None:
    in_parallel(8, lambda: client.get("things"))
    assert accounts.logins == 1


def test_an_expired_token_is_refreshed_and_the_request_repeated(
    client: Client, accounts: Accounts
) -> None:
    client.get("things")
    accounts.expire()
    assert client.post("things", {}).data == {"id": 1}
    assert (accounts.logins, accounts.refreshes) == (1, 1)


def test_the_refresh_token_is_used_once_for_all_threads(client: Client, accounts: Accounts) -> None:
    client.get("things")
    accounts.expire()
    accounts.together = threading.Barrier(8)  # all are refused before the first can do about it
    in_parallel(8, lambda: client.get("things"))
    assert (accounts.logins, accounts.refreshes) == (1, 1)


@pytest.mark.parametrize("lost", [True, False])
def test_when_the_refresh_fails_it_logs_in_again(
    client: Client, accounts: Accounts, lost: bool
) -> None:
    client.get("things")
    accounts.expire()
    accounts.lose_refresh, accounts.refresh = lost, "used by another person"
    assert client.get("things").data == {"id": 1}
    assert (accounts.logins, accounts.refreshes) == (2, 1)


def test_a_token_that_is_refused_right_after_log_in_ends_the_run(
    client: Client, accounts: Accounts
) -> None:
    accounts.valid = "x"
    client.get("things")
    accounts.expire()
    accounts._tokens = lambda: (200, {}, json.dumps({"auth_token": "bad"}))  # type: ignore[method-assign]
    with pytest.raises(Unauthorised):
        client.get("things")
    assert (accounts.logins, accounts.refreshes) == (1, 1)


def test_a_wrong_password_is_tried_once_because_failures_are_throttled(
    client: Client, accounts: Accounts
) -> None:
    accounts.password = "another"
    for _ in range(5):
        with pytest.raises(Unauthorised, match=r"'bot' \(401\).*target\.username") as error:
            client.get("things")
        assert "s3cret-word" not in str(error.value)
    assert accounts.logins == 1


def test_a_throttled_log_in_waits_as_asked() -> None:
    clock = ManualClock()
    with responses.RequestsMock() as mock:
        wait = {"X-Throttle-Wait-Seconds": "60"}
        mock.post(f"{API}/auth", status=429, json={}, headers=wait)
        mock.post(f"{API}/auth", json={"auth_token": "a", "refresh": "b"})
        mock.get(f"{API}/things", json={})
        build_client(clock, PASSWORD).get("things")
    assert clock.slept == [60]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "body": "<html></html>", "content_type": "text/html"},
        {"status": 405, "json": {}},
        {"status": 200, "body": "<html></html>", "content_type": "text/html"},
        {"status": 200, "json": {"hello": "world"}},
    ],
)
def test_a_server_that_is_not_taiga_is_distinguished_from_a_wrong_password(
    answer: dict[str, object],
) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{API}/auth", **answer)  # type: ignore[arg-type]
        with pytest.raises(Unreachable, match=r"target\.url"):
            build_client(ManualClock(), PASSWORD).get("things")


def test_a_server_that_fails_at_log_in_is_unavailable() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{API}/auth", status=500, json={})
        with pytest.raises(Unavailable):
            build_client(ManualClock(), PASSWORD).get("things")


@pytest.mark.parametrize(
    ("connection", "header"),
    [
        (Connection(URL, "p", token=Secret("a.b.c")), "Bearer a.b.c"),
        (Connection(URL, "p", token=Secret("e30:1u:x")), "Application e30:1u:x"),
        (Connection(URL, "p", application_token=Secret("abc")), "Application abc"),
    ],
)
def test_tokens_are_sent_by_their_kind(connection: Connection, header: str) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/things", json={})
        build_client(ManualClock(), connection).get("things")
        assert mock.calls[0].request.headers["Authorization"] == header


def test_without_any_way_to_log_in_it_says_so() -> None:
    with pytest.raises(Unauthorised, match="a username and a password, or a token"):
        build_client(ManualClock(), Connection(URL, "p", username="bot"))


def test_each_renewal_uses_the_refresh_token_that_the_one_before_brought(
    client: Client, accounts: Accounts
) -> None:
    client.get("things")
    for _ in range(3):
        accounts.expire()
        assert client.get("things").data == {"id": 1}
    assert (accounts.logins, accounts.refreshes) == (1, 3)


def test_a_refresh_token_that_was_used_is_not_kept_for_a_later_renewal(
    client: Client, accounts: Accounts
) -> None:
    client.get("things")
    accounts.expire()
    accounts.lose_refresh = True
    tokens = accounts._tokens
    accounts._tokens = lambda: _without_refresh(tokens())  # type: ignore[method-assign]
    assert client.get("things").data == {"id": 1}
    accounts.expire()
    assert client.get("things").data == {"id": 1}
    assert (accounts.logins, accounts.refreshes) == (3, 1)


def _without_refresh(reply: Reply) -> Reply:
    status, headers, body = reply
    return status, headers, json.dumps({"auth_token": json.loads(body)["auth_token"]})
