"""The connector's account in a Taiga, with short ways to make and change things."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from sync.clock import Clock
from sync.records.model import Desired, Marker, Observed, RecordKey, Value
from sync.target import Place, Written
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.targets.taiga.adapter import TaigaTarget
from taiga_pipeline.targets.taiga.client import Client

FACTS = "Customer: Acme\nValue: 40,000 EUR"


class Account:
    """One account: the adapter under test, and the bare API for what people do meanwhile."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.connection = connection
        self.target = TaigaTarget(Client(connection, clock), connection)
        self.target.connect()
        self._made: set[str] = set()
        self._http = requests.Session()
        self._http.headers["Accept-Language"] = "en"

    def project(self, key: str = "", **fields: Value) -> MadeProject:
        """Makes a project as the engine does."""
        key = key or f"D-{uuid.uuid4().hex[:8]}"
        wanted: dict[str, Value] = {
            Project.LABEL: "(tentative)",
            Project.TITLE: f"Acme {key}",
            Project.TEXT: "Hello",
            Project.DEAL_FACTS: FACTS,
            Project.TAGS: frozenset({"incoming"}),
            **fields,
        }
        desired = self.target.fit(Desired(RecordKey(key, Kind.PROJECT), wanted))
        marker = Marker(self.connection.pipeline, key)
        written = self.target.create_root(desired, marker)
        self._made.add(written.record.id)
        return MadeProject(self, desired, written)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Asks the API as a person with the same rights would, and insists on success."""
        if "Authorization" not in self._http.headers:
            self._http.headers["Authorization"] = self._authorization()
        url = f"{self.connection.url}/api/v1/{path}"
        answer = self._http.request(method, url, json=body, timeout=120)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def delete_projects(self) -> None:
        """Deletes every project that was made here."""
        for root_id in self._made:
            self.target.remove(Kind.PROJECT, root_id, Place(root_id, {}))

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()
        self.target.close()

    def _authorization(self) -> str:
        assert self.connection.password
        body = {
            "type": "normal",
            "username": self.connection.username,
            "password": self.connection.password.reveal(),
        }
        url = f"{self.connection.url}/api/v1/auth"
        answer = self._http.post(url, json=body, timeout=120)
        return f"Bearer {answer.json()['auth_token']}"


class MadeProject:
    """A project that a test made, and what happens in it."""

    def __init__(self, account: Account, desired: Desired, written: Written) -> None:
        self.account = account
        self.target = account.target
        self.desired = desired
        self.written = written
        self.id = written.record.id
        self.place = Place(self.id, {desired.key: self.id})

    @property
    def marker(self) -> Marker:
        return Marker(self.account.connection.pipeline, self.desired.key.group)

    def fields(self, **written: Value) -> dict[str, Value]:
        """The fields as they are now, distinguished; ``written`` is what was written last."""
        return dict(self.target.split(self.observed(), [written, self.desired.fields]))

    def observed(self) -> Observed:
        """The project as it is now."""
        root = self.target.observe_root(self.id)
        assert root is not None
        return root

    def children(self, kind: str) -> list[Observed]:
        """The children of one kind."""
        return [c for c in self.target.observe_children([self.id])[self.id] if c.kind == kind]

    def add(self, kind_: str, key_: str, /, **fields: Value) -> Written:
        """Makes a child as the engine does."""
        desired = Desired(RecordKey(self.desired.key.group, kind_, key_), fields)
        written = self.target.create_child(self.target.fit(desired), self.place)
        self.place = Place(self.id, {**self.place.bound, desired.key: written.record.id})
        return written

    def change(self, observed: Observed, **changes: Value) -> Written:
        """Writes changes as the engine does."""
        known = self.target.split(observed, [self.desired.fields])
        return self.target.update(observed, changes, {**known, **changes}, self.place)

    def patch(self, body: dict[str, object]) -> None:
        """What a person changes in the project."""
        self.account.call("PATCH", f"projects/{self.id}", body)
