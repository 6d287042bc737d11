"""Where turns are kept in Taiga: the account's own key-value storage.

A key is unique, so that of several requests that add the same turn exactly one succeeds. Values
are written as a whole, without versions; that does, because only the holder of a turn writes to it.
Its age is the difference of two of the server's times: that of the answer (the ``Date`` header)
and that of the last write (``modified_date``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sync.errors import Vanished
from sync.run.lease import Terms, Turn
from taiga_pipeline.http.answer import Answer
from taiga_pipeline.http.bounds import ListProgress
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.paging import read_all
from taiga_pipeline.targets.taiga.refusal import Refusal
from taiga_pipeline.targets.turns import age, server_date, terms_from_json, terms_to_json

_PATH: Final = "user-storage"
_PREFIX: Final = "pipeline-sync-lease"
# Taiga makes a key with "." or "/" and never finds it again; "%" would have to be escaped twice.
_UNUSABLE: Final = re.compile(r"[^A-Za-z0-9_-]")


class TaigaLeases:
    """The turns in one account's storage: other accounts cannot see them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def turns(self, name: str) -> Sequence[Turn]:
        """Returns all turns, by one request per 1,000 entries of the storage."""
        client = _Dated(self._client)
        found = []
        for entry in read_all(client, _PATH, {}, identity="key"):
            number, terms = _number(name, str(entry["key"])), terms_from_json(entry.get("value"))
            if number and terms:
                found.append(Turn(number, terms, age(client.date, str(entry.get("modified_date")))))
        return found

    def add(self, name: str, number: int, terms: Terms) -> bool:
        """Adds a turn; False if there is one of this number."""
        try:
            self._client.post(_PATH, {"key": _key(name, number), "value": terms_to_json(terms)})
        except Refusal:
            return False
        return True

    def put(self, name: str, number: int, terms: Terms) -> None:
        """Replaces the terms of a turn."""
        self._client.patch(f"{_PATH}/{_key(name, number)}", {"value": terms_to_json(terms)})

    def remove(self, name: str, number: int) -> None:
        """Removes a turn."""
        try:
            self._client.delete(f"{_PATH}/{_key(name, number)}")
        except Vanished:
            return


class _Dated:
    """Reads, and keeps the server's time of the first answer."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.date: datetime | None = None

    def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Reads; raises as `Client.get`."""
        answer = self._client.get(path, params, headers)
        self.date = self.date or server_date(answer)
        return answer

    def list_progress(self, path: str) -> ListProgress:
        """Returns what holds one reading of a list to its bounds."""
        return self._client.list_progress(path)


def _key(name: str, number: int) -> str:
    return f"{_PREFIX}:{_escape(name)}:{number}"


def _escape(name: str) -> str:
    """Returns ``name`` without characters that make a key unusable; no two names become one."""
    return _UNUSABLE.sub(lambda found: "".join(f"~{byte:02X}" for byte in found[0].encode()), name)


def _number(name: str, key: str) -> int:
    """Returns the number of the turn that is kept under ``key``, 0 for any other key."""
    prefix = f"{_PREFIX}:{_escape(name)}:"
    digits = key.removeprefix(prefix)
    return int(digits) if key.startswith(prefix) and re.fullmatch(r"[0-9]{1,15}", digits) else 0
