"""The server that the contract cases run against: the sandbox, or a Taiga named on the command
line.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.contract.taiga.runner import Server


def _password(config: pytest.Config, option: str) -> str:
    variable = config.getoption(option)
    password = os.environ.get(variable or "", "")
    if not password:
        raise pytest.UsageError(f"{option} must name an environment variable that has a password")
    return password


def _real_server(config: pytest.Config) -> Server:
    username = config.getoption("--taiga-user")
    if not username:
        raise pytest.UsageError("--taiga-url needs --taiga-user and --taiga-password-env")
    outsider = config.getoption("--taiga-outsider")
    return Server(
        config.getoption("--taiga-url").rstrip("/"),
        username,
        _password(config, "--taiga-password-env"),
        (outsider, _password(config, "--taiga-outsider-password-env")) if outsider else None,
    )


def _knows_people(server: Server) -> bool:
    """Whether an e-mail of the cases' people finds an account rather than makes an invitation."""
    made = server.make_project("kanban", f"ct-{uuid.uuid4().hex[:10]}")
    session, project = server.session("bot"), made["project"]
    body = {"project": project, "role": made["role_front"], "username": "ana@example.test"}
    answer = session.post(f"{server.api}/memberships", json=body, timeout=120)
    session.delete(f"{server.api}/projects/{project}", timeout=120)
    return answer.status_code == 201 and answer.json()["user"] is not None


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server under test and its accounts."""
    if request.config.getoption("--taiga-url"):
        real = _real_server(request.config)
        real.has_people = _knows_people(real)
        yield real
        real.close()
        return
    with Sandbox() as sandbox:
        password = sandbox.password
        embedded = Server(sandbox.url, sandbox.username, password, ("bob", password))
        yield embedded
        embedded.close()
