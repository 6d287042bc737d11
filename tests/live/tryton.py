"""A live Tryton for tests, set up by ``tests/live/tryton.sh``, and what people do in it.

The fixture ``live_tryton`` is there in every test; a test that asks for it is left out where the
command line names no server.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from tests.live.leaving_out import leave_out

DATABASE: Final = "erp"
DAY: Final = ("year", "month", "day")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tryton", "the suite for sources, and more, against a live Tryton")
    group.addoption("--tryton-url", help="address of a Tryton, set up by tests/live/tryton.sh")
    group.addoption("--tryton-key-env", help="environment variable with the administrator's key")
    group.addoption("--tryton-robot-key-env", help="environment variable with the robot's key")
    group.addoption("--tryton-outsider-key-env", help="environment variable of one without rights")


_STEPS: Final[Mapping[str, Sequence[str]]] = {
    "lead": (),
    "opportunity": ("opportunity",),
    "converted": ("opportunity", "convert"),
    "lost": ("opportunity", "lost"),
    "cancelled": ("cancel",),
}
"""The buttons that lead a new opportunity into a state."""


class Refused(Exception):
    """Tryton refuses what someone wants to do."""


@dataclass
class TrytonOffice:
    """A person at work in Tryton, with all rights. ``url`` is the server's address."""

    url: str
    key: str
    robot_key: str
    outsider_key: str
    database: str = DATABASE
    marker: str = field(default_factory=lambda: f"of test {uuid.uuid4().hex}")
    """Is in the comment of all opportunities that this person makes."""

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Asks Tryton for something, and returns what it answers."""
        request = urllib.request.Request(
            f"{self.url}/{self.database}/rest/model/{path}",
            method=method,
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read().decode()[:300]}") from None

    def find(self, model: str, domain: Sequence[object]) -> int:
        """Returns the id of the first record of a domain."""
        encoded = base64.urlsafe_b64encode(json.dumps(domain).encode()).decode()
        row = self.call("GET", f"{model}?s=1&d={encoded}")[0]
        return int(row["id"])

    def show(self, number: int, *names: str) -> Mapping[str, Any]:
        """Returns fields of an opportunity."""
        wanted = "&".join(f"f={name}" for name in names)
        row: Mapping[str, Any] = self.call("GET", f"sale.opportunity/{number}?{wanted}")
        return row

    def customer(self, name: str) -> int:
        """Makes a customer."""
        address = ["create", [{"city": "Uppsala"}]]  # without one, nothing can be sold to it
        return int(self.call("POST", "party.party", {"name": name, "addresses": [address]})["id"])

    def opportunity(self, state: str = "opportunity", **values: object) -> int:
        """Makes an opportunity, and brings it into a state."""
        number = int(self.call("POST", "sale.opportunity", {**self.usual(), **values})["id"])
        for step in _STEPS[state]:
            self.click(number, step)
        return number

    def leads(self, every: Sequence[Mapping[str, object]]) -> list[int]:
        """Makes many leads at once."""
        usual = self.usual()
        body = {"vlist": [{**usual, **values} for values in every]}
        return [int(number) for number in self.call("POST", "sale.opportunity/create", body)]

    def usual(self) -> dict[str, object]:
        """Returns what an opportunity holds that nobody says more about."""
        return {
            "party": self.find("party.party", [["name", "=", "Kunde GmbH"]]),
            "employee": self.find("company.employee", []),
            "company": self.find("company.company", []),
            "currency": self.find("currency.currency", [["code", "=", "EUR"]]),
            "payment_term": self.find("account.invoice.payment_term", []),
            "reference": f"R-{uuid.uuid4().hex}",
            "comment": self.marker,
        }

    def click(self, number: int, button: str) -> None:
        """Clicks on a button of an opportunity."""
        self.call("POST", f"sale.opportunity/{number}/{button}", {})

    def change(self, number: int, **values: object) -> None:
        """Changes fields of an opportunity."""
        self.call("PUT", f"sale.opportunity/{number}", values)

    def win(self, number: int, price: str) -> None:
        """Quotes and confirms the sale of a converted opportunity, by which it is won."""
        sale = self.find("sale.sale", [["origin", "=", f"sale.opportunity,{number}"]])
        line = {
            "sale": sale,
            "description": "Work",
            "quantity": 1,
            "unit_price": {"__class__": "Decimal", "decimal": price},
        }
        self.call("POST", "sale.line", line)
        for step in ("quote", "confirm"):
            self.call("POST", f"sale.sale/{sale}/{step}", {})

    def delete(self, number: int) -> None:
        """Cancels an opportunity and deletes it, the only way that there is."""
        if self.show(number, "state")["state"] != "cancelled":
            self.click(number, "cancel")
        self.call("DELETE", f"sale.opportunity/{number}")


def typed_day(year: int, month: int, day: int) -> dict[str, object]:
    """Returns a date as Tryton takes it."""
    return {"__class__": "date", **dict(zip(DAY, (year, month, day), strict=True))}


def amount(text: str) -> dict[str, object]:
    """Returns an amount as Tryton takes it."""
    return {"__class__": "Decimal", "decimal": text}


@pytest.fixture
def live_tryton(request: pytest.FixtureRequest) -> TrytonOffice:
    """A person at work in a live Tryton; left out where the command line names none."""
    option = request.config.getoption
    url = option("--tryton-url")
    if not url:
        leave_out("tryton", "--tryton-url is not given (see .ci/tryton)")
    names = ("--tryton-key-env", "--tryton-robot-key-env", "--tryton-outsider-key-env")
    keys = [os.environ.get(option(name) or "", "") for name in names]
    if not all(keys):
        raise pytest.UsageError(f"{', '.join(names)} must name variables that hold keys")
    return TrytonOffice(str(url).rstrip("/"), *keys)
