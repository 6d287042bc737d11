"""Tools whose API knows POST alone: which of them are sent again after a failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from sync.errors import OutcomeUnknown, Rejected, SyncError
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.client import ApiClient, ApiProfile
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.transport import Transport
from tests.targets.support import ManualClock

URL = "http://tool.example.test"


def refuse(what: str, answer: Answer, *, writes: bool) -> SyncError:
    return Rejected(f"{what}: {answer.status}")


def shape(method: str, path: str, data: JSON) -> str:
    return ""


@pytest.fixture
def client() -> ApiClient:
    transport = Transport(URL, Connection(URL, "acme"), ManualClock())
    return ApiClient(ApiProfile("Tool", "a page", refuse, shape), transport)


@pytest.fixture
def failing_once() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{URL}/rpc", status=502)
        mock.post(f"{URL}/rpc", json={"done": True})
        yield mock


def test_what_says_how_it_should_be_is_sent_again_and_held_by_the_guard(
    client: ApiClient, failing_once: responses.RequestsMock
) -> None:
    guarded = []
    client.guarded_by(lambda: guarded.append(len(failing_once.calls)))
    client.credentials = _Nothing()
    assert client.apply("rpc", {"set": 1}).data == {"done": True}
    assert guarded == [0, 1], "before each attempt"


def test_what_makes_something_is_not_sent_again(
    client: ApiClient, failing_once: responses.RequestsMock
) -> None:
    client.credentials = _Nothing()
    with pytest.raises(OutcomeUnknown):
        client.post("rpc", {"make": 1})
    assert len(failing_once.calls) == 1


def test_a_refused_log_in_comes_back_as_it_was_answered(client: ApiClient) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/login", status=404, json={"error": "no such address"})
        assert client.ask_openly("login", {}, {"X-Key": "k"}).status == 404
        assert mock.calls[0].request.headers["X-Key"] == "k"


class _Nothing:
    def headers(self) -> dict[str, str]:
        return {}

    def renew(self, refused: object) -> None:
        raise AssertionError("nobody asked for that")
