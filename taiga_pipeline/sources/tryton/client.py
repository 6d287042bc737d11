"""Tryton's REST API: `ApiClient` with Tryton's address, credentials and refusals, and its lists.

A list is read page by page in the order of the records' ids, each page from behind the last id, so
that what others add or delete meanwhile moves nothing past the reader. Tryton says with each page
how many records there are from there on, and that is checked.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from sync.clock import Clock
from sync.errors import IncompleteRead, Rejected, Stop, SyncError, Unauthorised, Unreachable
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.client import ApiClient, ApiProfile
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.shapes import list_trouble
from taiga_pipeline.http.transport import Transport

PAGE: Final = 500
"""Records on a page. Tryton counts what is left up to ten times as many."""

Row = Mapping[str, JSON]
"""A record as Tryton gives it: nested along dotted names, with an ``id``."""

Domain = Sequence[JSON]

_RANGE = re.compile(r"records (?P<start>\d+)-(?P<end>\d+)/(?P<count>\d+|\*)")
WRONG_ADDRESS: Final = (
    "a web page answers in place of Tryton's REST API; is [source] url the server's address, "
    "without the database?"
)
_WRONG_KEY: Final = (
    "Tryton does not accept the application key (401): it is wrong, not validated or cancelled. In "
    "Tryton: Preferences of the user, Applications, REST API, state Validated"
)


class Client(ApiClient):
    """One application's access to one database."""

    def __init__(self, connection: Connection, database: str, clock: Clock) -> None:
        base = f"{server_address(connection.url)}/{quote(database, safe='')}/rest/model"
        profile = ApiProfile("Tryton", WRONG_ADDRESS, _Refusals(database), _answer_trouble)
        transport = Transport(base, connection, clock, section="source")
        super().__init__(profile, transport)
        assert connection.token is not None
        self.credentials = _Key(connection.token.reveal())

    def records(self, model: str, fields: Sequence[str], domain: Domain = ()) -> Iterator[Row]:
        """Yields the records of a domain by ascending id; a normal end means that none is missing.

        :raises IncompleteRead: the list did not come whole.
        :raises SyncError: there is no answer, or the account is not let in.
        """
        last = 0
        progress = self.list_progress(model)
        while True:
            progress.note_page()
            rows, is_last = self._page(model, fields, [["id", ">", last], *domain])
            for row in rows:
                if row["id"] <= last:
                    raise _incomplete(model, f"record {row['id']} came after record {last}")
                last = row["id"]
                yield row
            if is_last:
                return

    def _page(self, model: str, fields: Sequence[str], domain: Domain) -> tuple[list[Row], bool]:
        answer = self.get(
            model,
            {"f": list(fields), "d": encoded(domain), "o": encoded([["id", "ASC"]])},
            {"Range": f"records=0-{PAGE}"},
        )
        rows: list[Row] = answer.data
        said = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if said is None:
            raise _incomplete(
                model,
                "the answer does not say how many records there are (Content-Range), which a "
                "proxy between here and Tryton may have removed",
            )
        return rows, _is_last(model, len(rows), said["count"])


def _answer_trouble(method: str, path: str, data: JSON) -> str:
    """Returns what is wrong with a successful answer, "" if nothing is: a GET brings a list."""
    if method == "GET":
        return list_trouble(data)
    return "" if isinstance(data, dict | list) else "is not an object"


def _is_last(model: str, came: int, count: str) -> bool:
    """Whether a page is the last one, going by how many records there were from it on."""
    if came < PAGE and count != str(came):
        raise _incomplete(model, f"{came} of {count} records came")
    if came > PAGE or (count != "*" and int(count) < came):
        raise _incomplete(model, f"{came} records came where {count} were announced")
    return count == str(came)


def _incomplete(model: str, what: str) -> IncompleteRead:
    return IncompleteRead(f"GET {model}: {what}; a partial read is not used")


def encoded(value: JSON) -> str:
    """Returns JSON as Tryton takes it in an address."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode("ascii")


def server_address(url: str) -> str:
    """Returns the server's address, without a slash at its end.

    :raises Stop: ``url`` is not a web address, or holds credentials.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Stop(f"[source] url: {url!r} is not a web address (https://tryton.example.com)")
    if parts.username is not None or parts.password is not None:
        raise Stop("[source] url: holds credentials; use token_env instead")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


class _Key:
    """An application's key works, or does not: there is nothing to renew."""

    def __init__(self, key: str) -> None:
        self._headers = {"Authorization": f"Bearer {key}"}

    def headers(self) -> Mapping[str, str]:
        return self._headers

    def renew(self, refused: Mapping[str, str]) -> None:
        raise Unauthorised(_WRONG_KEY)


@dataclass(frozen=True, slots=True)
class _Refusals:
    """Tells which error an answer (3xx and 5xx aside) stands for."""

    database: str

    def __call__(self, what: str, answer: Answer, *, writes: bool) -> SyncError:
        if answer.status == 401:
            return Unauthorised(_WRONG_KEY)
        words = _words(answer)
        if answer.status in (404, 405) and not writes:
            return Unreachable(
                f"{what}: there is no such address ({answer.status}); is {self.database!r} the "
                "name of the database ([source] database), and the server's version 8.0 or later?"
            )
        if answer.status in (400, 403) and not writes:
            return Unauthorised(
                f"Tryton refuses {what} ({answer.status}{words}); give the application's user a "
                "group that may read it (Sale Opportunity)"
            )
        return Rejected(f"Tryton refuses {what} ({answer.status}{words})")


def _words(answer: Answer) -> str:
    """Returns what Tryton says beside a status; it is translated, and decides nothing."""
    data = answer.data
    message = data.get("message") if isinstance(data, dict) else None
    return f": {' '.join(str(message).split())[:300]}" if message else ""
