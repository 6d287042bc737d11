"""A real Taiga, from a card that a project manager types to the lesson that her project taught.

Left out unless ``--taiga-url`` names a server, with two plain accounts; see the options in
``tests/conftest.py``. The second account is the project manager: all that she does, she does by
the API that her browser uses, with her own rights.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from click.testing import CliRunner, Result

from sync.clock import SystemClock
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from tests.cli.conftest import Run
from tests.cli.sync.test_cards import Board
from tests.cli.sync.test_from_card_to_lesson import from_card_to_lesson
from tests.live.leaving_out import leave_out

SECONDS: Final = 60


class Browser:
    """What a page in somebody's browser asks the server for."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self._api = f"{address.rstrip('/')}/api/v1"
        self._session = requests.Session()
        self._session.headers["x-disable-pagination"] = "True"
        body = {"type": "normal", "username": name, "password": password}
        account = self.post("/auth", body)
        self.id, self.email = int(account["id"]), str(account["email"])
        self._session.headers["Authorization"] = f"Bearer {account['auth_token']}"

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self._ask("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, self._api + path, json=body, timeout=SECONDS)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.text else None


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    found = request.config.getoption("--taiga-url")
    if not found:
        leave_out("taiga", "--taiga-url is not given")
    if not request.config.getoption("--taiga-outsider"):
        leave_out("taiga", "--taiga-outsider, the project manager, is not given")
    return str(found)


def log_in(request: pytest.FixtureRequest, address: str, option: str, password: str) -> Browser:
    variable = request.config.getoption(password)
    return Browser(address, request.config.getoption(option), os.environ[variable])


@pytest.fixture
def petra(request: pytest.FixtureRequest, address: str) -> Browser:
    """The project manager."""
    options = ("--taiga-outsider", "--taiga-outsider-password-env")
    return log_in(request, address, *options)


@pytest.fixture
def name() -> str:
    """What no one else's projects on that server are called."""
    return f"story-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def cron(
    request: pytest.FixtureRequest,
    address: str,
    petra: Browser,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    """A pipeline whose board she is a member of; its projects are removed in the end."""
    monkeypatch.chdir(tmp_path)
    account = request.config.getoption("--taiga-user")
    variable = request.config.getoption("--taiga-password-env")

    def run(*arguments: str) -> Result:
        environment = {"TAIGA_PASSWORD": os.environ[variable]}
        context = CommandContext(clock=SystemClock(), environment=environment)
        return CliRunner().invoke(cli, arguments, obj=context)

    run("init", "--target-url", address, "--username", account, "--manager", petra.email)
    config = Path("config.toml")
    lines = config.read_text(encoding="utf-8").splitlines()
    text = "\n".join(f'pipeline = "{name}"' if x.startswith("pipeline =") else x for x in lines)
    board = f'title = "Deals of {name}"\nplan_weeks = 0\nmembers = ["{petra.email}"]\n'
    text += f'\n[portfolio]\nenabled = true\neditable = "sales"\n{board}'
    config.write_text(text, encoding="utf-8")
    first = run("run")
    assert first.exit_code == 0, first.output
    yield run
    bot = log_in(request, address, "--taiga-user", "--taiga-password-env")
    for row in bot.get(f"/projects?member={bot.id}"):
        if name in row["name"]:
            bot.delete(f"/projects/{row['id']}")


def test_a_deal_is_typed_sold_staffed_and_learnt_from_in_taiga_alone(
    cron: Run, petra: Browser, name: str
) -> None:
    from_card_to_lesson(cron, Board(petra, f"Deals of {name}"), f"Intranet of {name}")
