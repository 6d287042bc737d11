"""What an answer says to people, and what the very first one says of the address."""

from __future__ import annotations

import pytest
import responses

from sync.errors import SyncError, Unreachable, Vanished
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.client import ApiClient, ApiProfile
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.shapes import list_trouble
from taiga_pipeline.http.transport import Transport
from tests.targets.support import ManualClock

URL = "http://tool.example.test"


class Open:
    def headers(self) -> dict[str, str]:
        return {}

    def renew(self, refused: object) -> None:
        raise AssertionError


def gone(what: str, answer: Answer, *, writes: bool) -> SyncError:
    return Vanished(f"{what}: it is not there")


@pytest.fixture
def client() -> ApiClient:
    transport = Transport(URL, Connection(URL, "acme"), ManualClock())
    made = ApiClient(ApiProfile("Tool", "a page", gone, lambda *_: ""), transport)
    made.credentials = Open()
    return made


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"_error_message": "No"}, "No"),
        ({"errors": ["Name can't be blank"]}, "errors: Name can't be blank"),
        ({"_type": "Error", "errorIdentifier": "urn:x", "message": "Not you."}, "Not you."),
        (
            {
                "_type": "Error",
                "message": "Several.",
                "_embedded": {"errors": [{"message": "Name."}, {"message": "Date."}]},
            },
            "Several.: Name., Date.",
        ),
        ({"type": "about:blank", "detail": "Too long", "errors": {"name": ["255"]}}, "name: 255"),
        ({"error": "invalid_grant", "error_description": "The key ended"}, "The key ended"),
        ({"error": {"code": 3, "message": "Slow"}}, "error: Slow"),
        ({"message": {"name": ["is taken"]}}, "message: name: is taken"),
        ({"name": ["is taken"]}, "name: is taken"),
    ],
)
def test_an_answer_is_explained_by_its_sentences_not_by_its_codes(data: JSON, words: str) -> None:
    said = Answer(422, data, {}).explain()
    assert said.endswith(words)
    assert "urn:x" not in said


def test_where_nothing_was_ever_found_the_address_is_doubted(client: ApiClient) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/me", status=404, json={})
        with pytest.raises(Unreachable, match=r"is target\.url the address of Tool\?"):
            client.get("me")


def test_what_is_not_there_later_says_nothing_of_the_address(client: ApiClient) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/me", json={"id": 1})
        mock.get(f"{URL}/projects/9", status=404, json={})
        client.get("me")
        with pytest.raises(Vanished):
            client.get("projects/9")


def test_ids_may_be_text_where_an_adapter_says_so() -> None:
    rows: JSON = [{"id": "0b9c"}]
    assert not list_trouble(rows, text_ids=True)
    assert "without 'id'" in list_trouble(rows)
    assert "without 'id'" in list_trouble([{"id": 1}], text_ids=True)
