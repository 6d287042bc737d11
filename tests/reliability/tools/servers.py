"""The tools of which one answers from memory: how each is begun, kept, and looked at.

A picture of a server is everything that people can see in its projects, without ids and times.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from tests.contract.targets.account import Account
from tests.contract.targets.accounts import (
    LABELS,
    KanboardAccount,
    OdooAccount,
    OlderOdooAccount,
    RedmineAccount,
)
from tests.odoo import fake as odoo
from tests.reliability.tools.edge import Edge
from tests.targets.kanboard import fake as kanboard
from tests.targets.redmine import fake as redmine
from tests.targets.support import ManualClock

PIPELINE: Final = "acme"
Picture = list[Any]

_NOT_DATA: Final = frozenset(
    {"now", "faults", "races", "models", "_answer", "_asked", "requests", "calls"}
)


class Fake(Protocol):
    """A server in memory."""

    now: Callable[[], Any]

    def answer(self) -> Any:
        """Returns what makes this process's requests to the server come here."""


@dataclass(frozen=True)
class Server:
    """One tool. ``reads`` tells of a request's name whether it only reads; ``creates``, whether it
    makes something each time that it is sent."""

    name: str
    make: Callable[[ManualClock], Fake]
    account: Callable[[ManualClock], Account]
    picture: Callable[[Any], Picture]
    reads: Callable[[str], bool]
    creates: Callable[[str], bool]

    def begin(self, clock: ManualClock) -> tuple[Fake, Edge]:
        """Makes an empty server, and what stands before it."""
        fake = self.make(clock)
        edge = Edge(fake._answer)  # type: ignore[attr-defined]
        fake._answer = edge.answer  # type: ignore[attr-defined]
        return fake, edge


def saved(fake: Fake) -> bytes:
    """Returns what a server holds."""
    return pickle.dumps({n: value for n, value in vars(fake).items() if n not in _NOT_DATA})


def restore(fake: Fake, data: bytes) -> None:
    """Puts back what a server held."""
    vars(fake).update(pickle.loads(data))


def _connection(url: str, secret: str, **more: Any) -> Connection:
    return Connection(url, PIPELINE, token=Secret(secret), labels=LABELS, **more)


def _of(rows: Mapping[int, Mapping[str, Any]], project: int, place: str = "project_id") -> Any:
    return [row for row in rows.values() if row[place] == project]


def _ordered(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=repr)


# --- Kanboard


def _kanboard_picture(fake: kanboard.FakeKanboard) -> Picture:
    names = {number: user["name"] for number, user in fake.users.items()}
    return _ordered(
        {
            "project": [row[at] for at in ("name", "description", "identifier", "is_active")],
            "members": _ordered([names[n], r] for n, r in fake.members.get(number, {}).items()),
            "columns": [column["title"] for column in fake._getColumns(number)],
            "metadata": sorted(fake.metadata.get(("project", number), {}).items()),
            "tasks": _ordered(_kanboard_task(fake, task) for task in _of(fake.tasks, number)),
        }
        for number, row in fake.projects.items()
        if not row["identifier"].startswith("PSL")
    )


def _kanboard_task(fake: kanboard.FakeKanboard, row: Mapping[str, Any]) -> list[Any]:
    links = fake.hanging.get(("link", row["id"]), [])
    return [
        *(row[at] for at in ("title", "description", "reference", "is_active")),
        fake.columns[row["column_id"]]["title"],
        [row[at] // 86_400 for at in ("date_due", "date_started")],
        sorted(fake.tasks[link["opposite_task_id"]]["title"] for link in links),
    ]


# --- Redmine


def _redmine_picture(fake: redmine.FakeRedmine) -> Picture:
    home = f"pipeline-sync: {PIPELINE}"
    return _ordered(
        {
            "project": [row[at] for at in ("name", "description", "identifier", "status")],
            "fields": _values(row),
            "members": _ordered(
                [each["user"]["name"], each["roles"]]
                for each in _redmine_of(fake.memberships, number)
            ),
            "versions": _ordered(
                [each["name"], each["due_date"]] for each in _redmine_of(fake.versions, number)
            ),
            "issues": _ordered(
                _redmine_issue(fake, each) for each in _redmine_of(fake.issues, number)
            ),
        }
        for number, row in fake.projects.items()
        if row["name"] != home
    )


def _redmine_of(rows: Mapping[int, Mapping[str, Any]], project: int) -> list[Mapping[str, Any]]:
    return [row for row in rows.values() if row["project"]["id"] == project]


def _values(row: Mapping[str, Any]) -> list[Any]:
    return [[each["name"], each["value"]] for each in row["custom_fields"]]


def _redmine_issue(fake: redmine.FakeRedmine, row: Mapping[str, Any]) -> list[Any]:
    version = fake.versions.get(row["fixed_version"]["id"] or 0, {})
    return [row["subject"], row["description"], version.get("name"), _values(row)]


# --- Odoo


def _odoo_picture(fake: odoo.FakeOdoo) -> Picture:
    return _ordered(
        {
            "project": [row.get(at) for at in ("name", "description", "active", "user_id")],
            "tags": sorted(_odoo_name(fake, "project.tags", n) for n in row.get("tag_ids") or ()),
            "ids": _external_ids(fake, "project.project", number),
            "followers": sorted(
                _odoo_name(fake, "res.partner", each["partner_id"])
                for each in fake.rows.get("mail.followers", {}).values()
                if (each["res_model"], each["res_id"]) == ("project.project", number)
            ),
            "milestones": _ordered(
                [each["name"], each["deadline"]]
                for each in _of(fake.rows.get("project.milestone", {}), number)
            ),
            "tasks": _ordered(
                _odoo_task(fake, each, task)
                for each, task in fake.rows.get("project.task", {}).items()
                if task["project_id"] == number
            ),
        }
        for number, row in fake.rows.get("project.project", {}).items()
    )


def _odoo_name(fake: odoo.FakeOdoo, model: str, number: int) -> str:
    return str(fake.rows[model][number]["name"])


def _external_ids(fake: odoo.FakeOdoo, model: str, number: int) -> list[str]:
    rows = fake.rows.get("ir.model.data", {}).values()
    return sorted(
        f"{row['module']}.{row['name']}"
        for row in rows
        if (row["model"], row["res_id"]) == (model, number)
    )


def _odoo_task(fake: odoo.FakeOdoo, number: int, row: Mapping[str, Any]) -> list[Any]:
    milestones = fake.rows.get("project.milestone", {})
    milestone = milestones.get(row.get("milestone_id") or 0, {})
    shown = [row.get(at) for at in ("name", "description", "active")]
    return [*shown, milestone.get("name"), _external_ids(fake, "project.task", number)]


# --- all of them


def _begins(*words: str) -> Callable[[str], bool]:
    return lambda name: any(part.startswith(words) for part in name.split(","))


def _odoo(version: int) -> Server:
    kind = OlderOdooAccount if version < 15 else OdooAccount
    options = {"database": odoo.DATABASE}
    connection = _connection(odoo.URL, odoo.KEY, username=odoo.LOGIN, options=options)
    return Server(
        f"odoo {version}",
        lambda clock: odoo.FakeOdoo(version=version, now=clock.now, is_admin=True),
        lambda clock: kind(connection, clock),
        _odoo_picture,
        lambda name: name.rpartition("/")[2] in odoo.READS,
        lambda name: name.rpartition("/")[2] in ("create", "load"),
    )


KANBOARD: Final = Server(
    "kanboard",
    lambda clock: kanboard.FakeKanboard(now=clock.now),
    lambda clock: KanboardAccount(_connection(kanboard.URL, kanboard.TOKEN), clock),
    _kanboard_picture,
    lambda name: all(part.startswith("get") for part in name.split(",")),
    _begins("create", "add"),
)
REDMINE: Final = Server(
    "redmine",
    lambda clock: redmine.FakeRedmine(now=clock.now),
    lambda clock: RedmineAccount(_connection(redmine.URL, redmine.KEY), clock),
    _redmine_picture,
    _begins("GET"),
    _begins("POST"),
)
SERVERS: Final[Sequence[Server]] = (KANBOARD, REDMINE, _odoo(14), _odoo(19))
