"""What the tests of the pages share: a site over a small pipeline, and browsers to ask it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from taiga_pipeline.app.deals.editing import add_deal
from taiga_pipeline.app.serving import Served
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role, User, hashed, keep_user
from taiga_pipeline.web.access.session import Sessions
from taiga_pipeline.web.application import application
from taiga_pipeline.web.routes import SECTIONS
from taiga_pipeline.web.site import Site
from tests.app.conftest import workspace
from tests.cli.conftest import FixedClock

__all__ = ["workspace"]

PASSWORD = "correct horse"
HASH = hashed(PASSWORD, cost=10)
"""One that is cheaper to try than those of people."""


@dataclass
class Browser:
    """Asks pages as a browser without scripts does: it follows links, and sends forms."""

    client: TestClient
    pages: list[Response] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> Response:
        """Asks for a page, and remembers it."""
        answer = self.client.get(path, headers=headers)
        self.pages.append(answer)
        return answer

    @property
    def token(self) -> str:
        """The token of the last page's forms; without a page, those of the first are asked for."""
        if not self.pages:
            self.get("/")
        found = (re.search(r'name="csrf" content="([^"]*)"', each.text) for each in self.pages)
        return unescape([each[1] for each in found if each][-1])

    def post(self, path: str, headers: dict[str, str] | None = None, **form: object) -> Response:
        """Sends a form, and follows where it leads."""
        data = {"csrf": self.token, **form}
        answer = self.client.post(path, data=data, headers=headers or {})
        self.pages.append(answer)
        return answer


def text_of(answer: Response) -> str:
    """Returns what a page says, without its markup, blanks as one."""
    body = re.sub(r"(?s)<head>.*?</head>|<[^>]+>", " ", answer.text)
    return " ".join(unescape(body).split())


def seen_in(answer: Response, before: str = "") -> str:
    """Returns what a form brings to say what its page showed: the first one behind a text."""
    found = re.search(r'name="seen" value="([^"]*)"', answer.text[answer.text.index(before) :])
    assert found
    return found[1]


Browse = Callable[..., Browser]


@pytest.fixture
def browse(workspace: Workspace) -> Iterator[Browse]:
    """Returns a browser of somebody; each has its own cookies, all ask one server."""
    with ExitStack() as open_clients:
        doors: dict[Role, Door] = {}

        def browser(role: str = "admin", name: str = "sara", owner: str = "") -> Browser:
            door = doors.setdefault(Role(role), Door(local=Person(name, Role(role), owner)))
            client = TestClient(application(site_of(workspace, door)), base_url="http://localhost")
            open_clients.enter_context(client)
            client.get(f"/enter?token={door.link.token}", follow_redirects=False)
            return Browser(client)

        yield browser


def site_of(workspace: Workspace, door: Door, **more: object) -> Site:
    """Returns a site of one pipeline."""
    pipelines = {"test": Served.of(workspace)}
    return Site(pipelines, door, Sessions(b"k" * 32, 3600), SECTIONS, **more)  # type: ignore[arg-type]


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """A file of people, one for each role, all with the same password."""
    file = tmp_path / "users.toml"
    for role in Role:
        keep_user(file, User(Person(role.value, role), HASH))
    return file


@pytest.fixture
def deals(workspace: Workspace) -> Workspace:
    """The pipeline with a few deals."""
    values = {
        "customer": "Nordlund & Co",
        "value": Decimal(120_000),
        "currency": "EUR",
        "owner": "Sara Ek",
        "team": "north",
        "expected_close": date(2026, 12, 18),
        "next_step": "Call about the price",
        "next_step_on": date(2026, 11, 20),
    }
    add_deal(workspace, "D-1", "New web shop", by="test", stage="Proposal", values=values)
    add_deal(workspace, "D-2", "Old web shop", by="test", stage="Lead")
    return workspace


class Clock(FixedClock):
    """Stands where it is put."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds
