"""A live Odoo for tests, set up by ``.ci/odoo``, and what people do in it.

The fixture ``live_odoo`` is there in every test; a test that asks for it is left out where the
command line names no server.
"""

from __future__ import annotations

import json
import os
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pytest

from taiga_pipeline.credentials import Secret
from tests.live.leaving_out import leave_out

DATABASE: Final = "crm"
ROBOT: Final = "robot@example.invalid"
PLAIN: Final = "plain@example.invalid"
"""One that makes projects, as the robot does, and may not change Odoo's settings."""
SWEDE: Final = "swede@example.invalid"
"""As the plain one; has Odoo in Swedish."""
OUTSIDER: Final = "outsider@example.invalid"
SWEDISH: Final = {"lang": "sv_SE"}
ALL: Final = {"active_test": False}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("odoo", "the suites for sources and targets against a live Odoo")
    group.addoption("--odoo-url", help="address of an Odoo, set up by .ci/odoo")
    group.addoption("--odoo-release", type=int, default=14, help="14 (the default) or 19")
    group.addoption("--odoo-password-env", help="environment variable with everybody's password")


class Refused(Exception):
    """Odoo refuses what someone wants to do."""


@dataclass
class OdooOffice:
    """An administrator at work in Odoo. ``url`` is the server's address; ``password`` is that of
    the administrator, of the robot and of everybody else."""

    url: str
    password: str
    database: str = DATABASE
    key: str = ""
    """The robot's API key, "" where it logs in with its password."""
    marker: str = field(default_factory=lambda: f"T{uuid.uuid4().hex[:8]}")
    """Is in all that one test makes."""
    _uid: int = 0

    def ask(self, service: str, method: str, *arguments: object) -> Any:
        """Asks a service of JSON-RPC, and returns what it answers."""
        params = {"service": service, "method": method, "args": arguments}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        request = urllib.request.Request(
            f"{self.url}/jsonrpc",
            headers={"Content-Type": "application/json"},
            data=json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.loads(answer.read())
        if "error" in said:
            raise Refused(str(said["error"].get("data", {}).get("message"))[:300])
        return said.get("result")

    def call(self, model: str, method: str, *arguments: object, **named: object) -> Any:
        """Calls a method of a model, as the administrator."""
        if not self._uid:
            self._uid = self.ask(
                "common", "authenticate", self.database, "admin", self.password, {}
            )
        who = (self.database, self._uid, self.password)
        return self.ask("object", "execute_kw", *who, model, method, list(arguments), named)

    @cached_property
    def version(self) -> int:
        """Which Odoo this is: 14, 19."""
        return int(self.ask("common", "version")["server_version_info"][0])

    @property
    def groups(self) -> str:
        """The field of a user that holds the groups."""
        return "groups_id" if self.version < 19 else "group_ids"

    def robot(self) -> dict[str, Any]:
        """Returns how the robot logs in, as arguments of a connection."""
        if self.key:
            return {"username": ROBOT, "token": Secret(self.key)}
        return {"username": ROBOT, "password": Secret(self.password)}

    def find(self, model: str, *domain: object) -> int:
        """Returns the id of the first record of a domain, archived or not."""
        found = self.call(model, "search", list(domain), limit=1, context=ALL)
        if not found:
            raise Refused(f"no {model} with {domain}")
        return int(found[0])

    def make(self, model: str, **values: object) -> int:
        """Makes a record."""
        return int(self.call(model, "create", values))

    def change(self, model: str, number: int, **values: object) -> None:
        """Changes a record."""
        self.call(model, "write", [number], values)

    def remove(self, model: str, *ids: int) -> None:
        """Deletes records; those that are gone do not count."""
        there = self.call(model, "search", [["id", "in", list(ids)]], context=ALL)
        if there:
            self.call(model, "unlink", there)

    def show(self, model: str, number: int, *names: str) -> Mapping[str, Any]:
        """Returns fields of a record."""
        row: Mapping[str, Any] = self.call(model, "read", [number], list(names), context=ALL)[0]
        return row

    # --- sales

    def stage(self, name: str) -> int:
        """Returns a stage by its name; makes it if there is none."""
        try:
            return self.find("crm.stage", ["name", "=", name])
        except Refused:
            return self.make("crm.stage", name=name, sequence=5)

    def customer(self, name: str) -> int:
        """Returns a company by its name; makes it if there is none."""
        try:
            return self.find("res.partner", ["name", "=", name], ["is_company", "=", True])
        except Refused:
            return self.make("res.partner", name=name, is_company=True)

    def lead(self, stage: str = "New", **values: object) -> int:
        """Makes an opportunity."""
        usual = {"name": "Portal", "type": "opportunity", "stage_id": self.stage(stage)}
        return self.make("crm.lead", **{**usual, "referred": self.marker, **values})

    def leads(self, every: Sequence[Mapping[str, object]]) -> list[int]:
        """Makes many opportunities at once."""
        context = {"mail_create_nolog": True, "tracking_disable": True}
        made: list[int] = self.call("crm.lead", "create", list(every), context=context)
        return made

    def lose(self, lead: int) -> None:
        """Marks an opportunity as lost."""
        self.call("crm.lead", "action_set_lost", [lead])

    def take_up(self, lead: int) -> None:
        """Restores an opportunity that was lost."""
        self.call("crm.lead", "toggle_active" if self.version < 19 else "action_unarchive", [lead])

    def settings(self, **changes: object) -> dict[str, object]:
        """Returns the settings of a source that reads here."""
        return {
            "url": self.url,
            "database": self.database,
            "username": ROBOT,
            **self._way_in(changes),
            "environment": {
                "ODOO_PASSWORD": self.password,
                "ODOO_KEY": self.key,
                "WRONG": "wrong-secret",
            },
            **changes,
        }

    def _way_in(self, changes: Mapping[str, object]) -> dict[str, str]:
        """Returns how the robot logs in; whoever else does has a password."""
        by_key = self.key and not {"username", "password_env"} & changes.keys()
        return {"token_env": "ODOO_KEY"} if by_key else {"password_env": "ODOO_PASSWORD"}


@pytest.fixture
def live_odoo(request: pytest.FixtureRequest) -> OdooOffice:
    """An administrator at work in a live Odoo; left out where the command line names none."""
    url = request.config.getoption("--odoo-url")
    if not url:
        leave_out("odoo", "--odoo-url is not given (see .ci/odoo)")
    password = os.environ.get(request.config.getoption("--odoo-password-env") or "", "")
    if not password:
        raise pytest.UsageError("--odoo-password-env must name a variable that holds the password")
    return OdooOffice(str(url).rstrip("/"), password, key=os.environ.get("ODOO_KEY", ""))
