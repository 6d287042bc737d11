"""Kanboard's API: `ApiClient` with Kanboard's address, credentials, batches and refusals.

Everything is JSON-RPC by POST to one address. Several calls go in one request as an array; they are
done in their order, and answered each with the ``id`` that it was sent with. The id names the
method, so that the shape of each answer can be checked where it comes in; so does the address, for
logs.

Kanboard refuses with 200 and ``false``, and gives no reason. Whoever made the call looks for one.
"""

from __future__ import annotations

import base64
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from sync.clock import Clock
from sync.errors import (
    Failing,
    Malformed,
    OutcomeUnknown,
    Rejected,
    SyncError,
    Unauthorised,
    Unreachable,
    Vanished,
)
from sync.run.retry import RetryPolicy
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.client import BRIEF, PATIENT, ApiClient, ApiProfile
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.transport import Transport
from taiga_pipeline.targets.kanboard.shapes import answer_trouble, number
from taiga_pipeline.targets.turns import server_date

BATCH: Final = 100
"""How many calls go in one request, at most."""

APPLICATION: Final = "jsonrpc"
"""The user name that goes with the token of the application itself."""

WRONG_ADDRESS: Final = (
    "a web page answers in place of Kanboard's API; is target.url the address that people open "
    "Kanboard at, with the folder it is in, if it is in one?"
)

_PATH: Final = "jsonrpc.php"
_UNREADABLE: Final = -32700
_UNKNOWN_METHOD: Final = -32601
_WRONG_PARAMETERS: Final = -32602


_LOCKED_WAITS: Final = (0.2, 1.0, 3.0)
_LOG: Final = logging.getLogger(__name__)

Done = TypeVar("Done")


class _FailedRead(Failing):
    """A call that reads was answered with an error of the server's own."""


class _FailedWrite(OutcomeUnknown):
    """A call that writes was answered with an error of the server's own."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method."""

    method: str
    params: Mapping[str, JSON] = field(default_factory=dict)


def call(method: str, **params: JSON) -> Call:
    """Returns a call of ``method``."""
    return Call(method, params)


class Client(ApiClient):
    """One account's access to one Kanboard. Safe to use from several threads."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        chance: Callable[[], float] = random.random,
        patient: RetryPolicy = PATIENT,
        brief: RetryPolicy = BRIEF,
    ) -> None:
        transport = Transport(base_address(connection.url), connection, clock)
        super().__init__(
            ApiProfile(
                "Kanboard",
                WRONG_ADDRESS,
                refusal,
                answer_trouble,
                probe=_PATH,
                answers_probe=_is_kanboard,
            ),
            transport,
            chance,
            patient,
            brief,
        )
        self.account = connection.username or APPLICATION
        self.credentials = _Headers(_headers(connection, self.account))

    def read(self, method: str, **params: JSON) -> Any:
        """Returns what one method answers; raises as `ApiClient.get`."""
        return self.read_each([call(method, **params)])[0]

    def read_each(self, calls: Sequence[Call]) -> list[Any]:
        """Returns what each call answers, in as few requests as their number allows."""
        return [result for part in _parts(calls) for result in self.read_dated(part)[0]]

    def read_dated(self, calls: Sequence[Call]) -> tuple[list[Any], datetime | None]:
        """Returns what at most `BATCH` calls answer, and the server's own time (UTC) then, None if
        it sends none."""

        def asked() -> tuple[list[Any], datetime | None]:
            answer = self.ask(_address(calls), _body(calls))
            return _results(calls, answer, writes=False), server_date(answer)

        return self._patiently(asked)

    def project_called(self, identifier: str) -> Any:
        """Returns the project with an identifier, the oldest if there are several; None for none.

        An administrator may list all projects, and may not ask for one that they are not in.
        """
        try:
            return self.read("getProjectByIdentifier", identifier=identifier) or None
        except Vanished:
            rows = [row for row in self.read("getAllProjects") if row["identifier"] == identifier]
            return min(rows, key=lambda row: number(row["id"]), default=None)

    def make_project(self, **params: JSON) -> tuple[int, Any]:
        """Makes a project; returns its number, 0 if Kanboard refuses, and what `project_called`
        returns then.

        :raises OutcomeUnknown: one may have been made.
        """
        making = call("createProject", **params)
        if self.account != APPLICATION:  # who may not ask is refused both of two calls
            (made,) = self.create(making)
            return number(made), self.project_called(str(params["identifier"]))
        finding = call("getProjectByIdentifier", identifier=params["identifier"])
        made, found = self.create(making, finding)
        return number(made), found or None

    def write(self, *calls: Call) -> list[Any]:
        """Does what says how things should be; returns what each of the calls answers.

        :raises OutcomeUnknown: no answer; doing it again would do no harm.
        """

        def written(part: Sequence[Call]) -> list[Any]:
            return _results(part, self.apply(_address(part), _body(part)), writes=True)

        return [
            result
            for part in _parts(calls)
            for result in self._patiently(lambda part=part: written(part))  # type: ignore[misc]
        ]

    def _patiently(self, attempt: Callable[[], Done]) -> Done:
        """Makes an attempt that may be made again; an error within the answer is often a database
        that another request has locked, and that Kanboard does not wait for."""
        for wait in _LOCKED_WAITS:
            try:
                return attempt()
            except (_FailedRead, _FailedWrite) as error:
                _LOG.info("%s; trying again in %.1f s", error, wait)
                self._clock.sleep(wait)
        return attempt()

    def create(self, *calls: Call) -> list[Any]:
        """Does once what makes something; returns what each of the calls answers.

        :raises NotSent: nothing was made.
        :raises OutcomeUnknown: something may have been made.
        """
        return _results(calls, self.post(_address(calls), _body(calls)), writes=True)


def _parts(calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
    return (calls[at : at + BATCH] for at in range(0, len(calls), BATCH))


def _address(calls: Sequence[Call]) -> str:
    names = dict.fromkeys(each.method for each in calls)
    return f"{_PATH}?{','.join(names)}"


def _body(calls: Sequence[Call]) -> JSON:
    bodies = [
        {
            "jsonrpc": "2.0",
            "method": each.method,
            "id": f"{number}:{each.method}",
            "params": dict(each.params),
        }
        for number, each in enumerate(calls)
    ]
    return bodies if len(bodies) > 1 else bodies[0]


def _results(calls: Sequence[Call], answer: Answer, *, writes: bool) -> list[Any]:
    """Returns the results in the order of the calls.

    :raises SyncError: one of them is an error, or is missing.
    """
    rows = answer.data if isinstance(answer.data, list) else [answer.data]
    by_id = {row["id"]: row for row in rows}
    wanted = [f"{number}:{each.method}" for number, each in enumerate(calls)]
    if by_id.keys() != set(wanted):
        words = f"{_address(calls)}: {len(by_id)} of {len(wanted)} calls were answered"
        raise OutcomeUnknown(words) if writes else Malformed(words)
    for each, name in zip(calls, wanted, strict=True):
        if "error" in by_id[name]:
            raise _failure(each.method, by_id[name]["error"], writes=writes)
    return [by_id[name]["result"] for name in wanted]


def _failure(method: str, error: Mapping[str, JSON], *, writes: bool) -> SyncError:
    """Returns the error for a call that did not come to an answer."""
    code = error.get("code")
    words = f"Kanboard answers {method} with the error {code}"
    if code == _UNKNOWN_METHOD:
        return Rejected(f"{words}: this Kanboard is too old for it (1.2.20 and newer have it)")
    if code == _WRONG_PARAMETERS:
        return Rejected(f"{words}: it does not take these values")
    return _FailedWrite(words) if writes else _FailedRead(words)


def _is_kanboard(answer: Answer) -> bool:
    """Whether a reading without a call is answered as this protocol does."""
    error = answer.data.get("error") if isinstance(answer.data, Mapping) else None
    return isinstance(error, Mapping) and error.get("code") == _UNREADABLE


class _Headers:
    """Credentials that work, or do not: there is nothing to renew."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def headers(self) -> Mapping[str, str]:
        return self._headers

    def renew(self, refused: Mapping[str, str]) -> None:
        raise Unauthorised(
            "Kanboard refuses this account (401): the token (or name and password) is wrong. The "
            "token of the application is under Settings, API, and goes without target.username; a "
            "person's own token goes with it"
        )


def _headers(connection: Connection, account: str) -> dict[str, str]:
    secret = connection.token or (connection.password if connection.username else None)
    if secret is None:
        raise Unauthorised(
            "the target needs an API token (target.token_env), or a username and a password"
        )
    pair = f"{account}:{secret.reveal()}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}


def base_address(url: str) -> str:
    """Returns Kanboard's address, without a slash at its end.

    :raises Unreachable: ``url`` is not a web address, or holds credentials.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable(
            f"target.url: {url!r} is not a web address (https://kanboard.example.com)"
        )
    if parts.username is not None or parts.password is not None:
        raise Unreachable("target.url: holds credentials; use token_env instead")
    path = parts.path.rstrip("/")
    for page in (_PATH, "index.php"):
        path = path.removesuffix(f"/{page}").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def refusal(what: str, answer: Answer, *, writes: bool) -> SyncError:
    """Returns the error that an answer (3xx and 5xx aside) stands for."""
    if answer.status == 401:
        return Unauthorised(f"Kanboard does not accept this account for {what} (401)")
    if answer.status == 403 and writes:
        return Rejected(f"Kanboard does not allow this account {what} (403)")
    if answer.status in (403, 404):
        return Vanished(f"{what}: it is not there, or this account may not see it")
    return Rejected(f"Kanboard refuses {what} ({answer.status})")
