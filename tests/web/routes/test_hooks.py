"""Webhooks of Taiga: signed ones have a run begin, and all others do nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.application import application
from taiga_pipeline.web.routes import hooks
from tests.web.conftest import site_of

KEY = "k" * 24
CHANGE = {"action": "change", "type": "project", "by": {"username": "petra"}, "data": {}}


class Receiver:
    """A server that is sent webhooks; what it asks of runs is noted."""

    def __init__(self, client: TestClient, asked: list[float]) -> None:
        self.client, self.asked = client, asked

    def send(self, told: object, signature: str | None = None) -> int:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        made = hmac.new(KEY.encode(), body, hashlib.sha1).hexdigest()
        signed = (made if signature is None else signature).encode("latin-1")
        headers = {hooks.SIGNATURE.encode(): signed, b"content-type": b"application/json"}
        return self.client.post("/hooks/taiga", content=body, headers=headers).status_code


@pytest.fixture
def receiver(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    config = Path("config.toml")
    config.write_text(config.read_text() + '[web]\nwebhook_key_env = "HOOK"\n')
    known = Workspace(clock=workspace.clock, environment={"HOOK": KEY})
    site = site_of(known, Door(local=Person("sara", Role.ADMIN)))
    asked: list[float] = []
    (served,) = site.pipelines.values()
    monkeypatch.setattr(served.runs, "ask", lambda *, pause: asked.append(pause))
    with TestClient(application(site), base_url="http://localhost") as client:
        yield Receiver(client, asked)


def test_a_signed_webhook_has_a_run_begin_without_any_log_in(receiver: Receiver) -> None:
    assert receiver.send(CHANGE) == 204
    assert receiver.asked == [hooks.PAUSE]


@pytest.mark.parametrize("signature", ["", "0" * 40, "\xe9", "sha1=" + "0" * 40])
def test_one_with_a_wrong_signature_is_refused(receiver: Receiver, signature: str) -> None:
    assert receiver.send(CHANGE, signature) == 403
    assert receiver.asked == []


@pytest.mark.parametrize(
    "told", [CHANGE | {"by": {"username": "bot"}}, CHANGE | {"action": "test"}]
)
def test_tests_and_what_the_connector_wrote_itself_are_ignored(
    receiver: Receiver, told: object
) -> None:
    assert receiver.send(told) == 204
    assert receiver.asked == []


@pytest.mark.parametrize("told", [b"", b"[]", b"no JSON", b"[" * 100_000, b'{"by": 7}'])
def test_whatever_a_signed_one_says_is_a_hint_at_most(receiver: Receiver, told: bytes) -> None:
    assert receiver.send(told) == 204
    assert receiver.asked == [hooks.PAUSE]


def test_too_long_ones_are_refused(receiver: Receiver) -> None:
    assert receiver.send(b"x" * (hooks.MAX_BODY + 1)) == 413


def test_without_a_key_none_are_received(workspace: Workspace) -> None:
    site = site_of(workspace, Door(local=Person("sara", Role.ADMIN)))
    with TestClient(application(site), base_url="http://localhost") as client:
        assert Receiver(client, []).send(CHANGE) == 404
