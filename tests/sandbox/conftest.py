"""A sandbox for each test, and a client that talks to it over the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from taiga_pipeline.sandbox.clock import Clock
from taiga_pipeline.sandbox.embedded import Sandbox


class Api:
    """A logged-in client over HTTP."""

    def __init__(self, sandbox: Sandbox, username: str = "pipeline-bot") -> None:
        self.base = f"{sandbox.url}/api/v1"
        self.session = requests.Session()
        self.session.trust_env = False
        self.tokens = self.log_in(username, sandbox.password).json()
        self.use(self.tokens["auth_token"])

    def log_in(self, username: str, password: str) -> requests.Response:
        body = {"type": "normal", "username": username, "password": password}
        return self.session.post(f"{self.base}/auth", json=body, timeout=60)

    def use(self, token: str, scheme: str = "Bearer") -> None:
        self.session.headers["Authorization"] = f"{scheme} {token}"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        more.setdefault("timeout", 5)
        return self.session.request(method, self.base + path, json=body, **more)

    def project(self, name: str = "Acme", **more: Any) -> dict[str, Any]:
        body = {"name": name, "description": "d", "creation_template": 2, **more}
        answer = self.call("POST", "/projects", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock()) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    client = Api(sandbox)
    sandbox.clear_requests()
    yield client
    client.session.close()
