"""The API of Tickets, a made-up tool: who asks, what refusals mean, and lists that come whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from typing_extensions import TypedDict

from sync.clock import Clock
from sync.errors import IncompleteRead, Rejected, Stale, SyncError, Unauthorised, Vanished
from taiga_pipeline.http.answer import Answer
from taiga_pipeline.http.client import ApiClient, ApiProfile
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.shapes import Shape, list_trouble
from taiga_pipeline.http.transport import Transport

PAGE_SIZE = 100
WRONG_ADDRESS = "a web page answers in place of the API; is target.url the address of Tickets?"

Row = Mapping[str, Any]


class Page(TypedDict):
    """A page of a list, as far as it is read."""

    total: int
    rows: list[dict[str, Any]]


PAGE = Shape(Page)


def shape(method: str, path: str, data: Any) -> str:
    """Says what is wrong with a successful answer: Tickets tells some errors with status 200."""
    if isinstance(data, Mapping) and "error" in data:
        return f"is an error: {data['error']}"
    if method == "GET" and not path.partition("/")[2]:  # "projects", not "projects/7"
        return PAGE.trouble(data) or list_trouble(data["rows"], text_ids=True)
    return "" if isinstance(data, Mapping) and isinstance(data.get("id"), str) else "lacks 'id'"


def refuse(what: str, answer: Answer, *, writes: bool) -> SyncError:
    """Returns the error that a refusal stands for; by its status, for its words are translated."""
    if answer.status == 401:
        return Unauthorised(f"Tickets does not accept this account for {what} (401)")
    if answer.status == 404 or (answer.status == 403 and not writes):
        return Vanished(f"{what}: it is not there, or this account may not see it")
    if answer.status in (409, 412):
        return Stale(f"{what}: another user changed it just now")
    return Rejected(f"Tickets refuses {what} ({answer.status}: {answer.explain()})")


class Key:
    """Credentials that work, or do not: there is nothing to renew."""

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> None:
        raise Unauthorised("Tickets refuses the token that target.token_env leads to (401)")


class Client(ApiClient):
    """One account's access to one server. Safe to use from several threads."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        transport = Transport(f"{connection.url.rstrip('/')}/api", connection, clock)
        profile = ApiProfile("Tickets", WRONG_ADDRESS, refuse, shape, folder="/api")
        super().__init__(profile, transport)
        if connection.token is None:
            raise Unauthorised("Tickets needs an API token: write target.token_env")
        self.credentials = Key(connection.token.reveal())

    def rows(self, path: str, **filters: str) -> Iterator[Row]:
        """Yields each row of a list once; a normal end means that none is missing.

        :raises IncompleteRead: as many as were announced did not come.
        """
        seen: set[str] = set()
        progress = self.list_progress(path)
        page, more = 1, True
        while more:
            progress.note_page()
            data = self.get(path, {**filters, "page": page, "size": PAGE_SIZE}).data
            new = [row for row in data["rows"] if row["id"] not in seen]
            seen.update(row["id"] for row in new)
            yield from new
            page, more = page + 1, bool(new) and len(seen) < data["total"]
        if len(seen) != data["total"]:
            raise IncompleteRead(f"GET {path}: {len(seen)} of {data['total']} rows came")
