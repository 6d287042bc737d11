"""Where turns are kept in Odoo: its system parameters, whose keys are unique.

Of several requests that add the same turn exactly one succeeds. They take the right to change
Odoo's settings: an account without it keeps no turns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sync.errors import Rejected, Vanished
from sync.run.lease import Terms, Turn
from taiga_pipeline.odoo.client import OdooClient
from taiga_pipeline.odoo.lists import Row
from taiga_pipeline.targets.turns import server_date, turn_from_text, turn_to_text

_MODEL: Final = "ir.config_parameter"
_UUID: Final = "database.uuid"
_PREFIX: Final = "pipeline_sync.lease"
_PLAIN: Final = re.compile(r"[^A-Za-z0-9-]")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class OdooLeases:
    """The turns in one database's system parameters."""

    client: OdooClient

    def database(self) -> str | None:
        """Returns the random name that the database has, None if this account may not see system
        parameters, nor write them."""
        try:
            domain = [["key", "=", _UUID]]
            rows = self.client.read(_MODEL, "search_read", domain=domain, fields=["value"])
        except Rejected:
            return None
        return str(rows[0]["value"] or "") if rows else ""

    def turns(self, name: str) -> Sequence[Turn]:
        """Returns all turns, by one request."""
        answer = self.client.ask(
            f"{_MODEL}/search_read",
            {
                "domain": [["key", "=like", f"{_liked(_key(name, ''))}%"]],
                "fields": ["key", "value", "write_date"],
            },
        )
        now = server_date(answer)
        found = (_turn(name, row, now) for row in answer.data["result"])
        return [turn for turn in found if turn is not None]

    def add(self, name: str, number: int, terms: Terms) -> bool:
        """Adds a turn; False if there is one of this number."""
        values = {"key": _key(name, str(number)), "value": turn_to_text(terms, None)}
        try:
            self.client.make(_MODEL, "create", vals_list=[values])
        except Rejected:
            if self._id(name, number):
                return False
            raise
        return True

    def put(self, name: str, number: int, terms: Terms) -> None:
        """Replaces the terms of a turn."""
        found = self._id(name, number)
        if not found:
            raise Vanished(f"there is no turn {number} of {name}")
        values = {"value": turn_to_text(terms, None)}
        self.client.change(_MODEL, "write", [found], vals=values)

    def remove(self, name: str, number: int) -> None:
        """Removes a turn."""
        found = self._id(name, number)
        if found:
            self.client.change(_MODEL, "unlink", [found])

    def _id(self, name: str, number: int) -> int:
        """Returns the id of the parameter that holds a turn, 0 if there is none."""
        domain = [["key", "=", _key(name, str(number))]]
        rows = self.client.read(_MODEL, "search_read", domain=domain, fields=["key"])
        return int(rows[0]["id"]) if rows else 0


def _key(name: str, number: str) -> str:
    escaped = _PLAIN.sub(lambda f: "".join(f"_{b:02X}" for b in f[0].encode()), name)
    return f"{_PREFIX}.{escaped}.{number}"


def _liked(text: str) -> str:
    """Returns a text as it stands in a pattern."""
    return text.replace("_", "\\_")


def _turn(name: str, row: Row, now: datetime | None) -> Turn | None:
    """Returns the turn that a parameter holds, None if it holds none; its age by Odoo's clock."""
    number = str(row["key"]).removeprefix(_key(name, ""))
    if not _NUMBER.fullmatch(number):
        return None
    turn = turn_from_text(int(number), str(row["value"] or ""), now)
    if turn is None:
        return None
    return Turn(turn.number, turn.terms, _age(str(row["write_date"] or ""), now))


def _age(written: str, now: datetime | None) -> float | None:
    try:
        moment = datetime.fromisoformat(written).replace(tzinfo=UTC)
    except ValueError:
        return None
    return None if now is None else (now - moment).total_seconds()
