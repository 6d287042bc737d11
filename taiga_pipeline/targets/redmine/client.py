"""Redmine's API: `ApiClient` with Redmine's address, credentials and refusals.

Redmine has no log-in of its own: an API key, or a name and a password, goes with every request.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from sync.clock import Clock
from sync.errors import Rejected, Stale, SyncError, Unauthorised, Unreachable, Vanished
from sync.run.retry import RetryPolicy
from taiga_pipeline.http.answer import Answer
from taiga_pipeline.http.client import BRIEF, PATIENT, ApiClient, ApiProfile
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.transport import Transport
from taiga_pipeline.targets.redmine.shapes import answer_trouble

WRONG_ADDRESS: Final = (
    "a web page answers in place of Redmine's API; is target.url the address that people open "
    "Redmine at, with the folder it is in, if it is in one?"
)


class Refusal(Rejected):
    """The server refuses a request. ``status`` says how, ``errors`` what Redmine names."""

    def __init__(self, what: str, answer: Answer) -> None:
        words = answer.explain()
        super().__init__(f"Redmine refuses {what} ({answer.status}{': ' if words else ''}{words})")
        self.status = answer.status
        found = answer.data.get("errors") if isinstance(answer.data, Mapping) else None
        self.errors = tuple(str(each) for each in found) if isinstance(found, list) else ()


class Client(ApiClient):
    """One account's access to one Redmine. Safe to use from several threads."""

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
                "Redmine",
                WRONG_ADDRESS,
                refusal,
                answer_trouble,
                probe="users/current.json",
                answers_probe=_is_redmine,
            ),
            transport,
            chance,
            patient,
            brief,
        )
        self.credentials = _Headers(_headers(connection))


def _is_redmine(answer: Answer) -> bool:
    """Whether Redmine says, without a page, that it does not know who asks."""
    return answer.status == 401 and "Redmine" in answer.headers.get("WWW-Authenticate", "")


class _Headers:
    """Credentials that work, or do not: there is nothing to renew."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def headers(self) -> Mapping[str, str]:
        return self._headers

    def renew(self, refused: Mapping[str, str]) -> None:
        raise Unauthorised(
            "Redmine refuses this account (401): the API key (or name and password) is wrong, or "
            "its REST API is off (Administration, Settings, API: 'Enable REST web service')"
        )


def _headers(connection: Connection) -> dict[str, str]:
    if connection.token:
        return {"X-Redmine-API-Key": connection.token.reveal()}
    if connection.username and connection.password:
        pair = f"{connection.username}:{connection.password.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}
    raise Unauthorised(
        "the target needs an API key (target.token_env), or a username and a password"
    )


def base_address(url: str) -> str:
    """Returns Redmine's address, without a slash at its end.

    :raises Unreachable: ``url`` is not a web address, or holds credentials.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable(f"target.url: {url!r} is not a web address (https://redmine.example.com)")
    if parts.username is not None or parts.password is not None:
        raise Unreachable("target.url: holds credentials; use token_env instead")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def project_page(web: str, identifier: str) -> str:
    """Returns the address of a project's page."""
    return f"{web}/projects/{quote(identifier, safe='')}"


def refusal(what: str, answer: Answer, *, writes: bool) -> SyncError:
    """Returns the error that an answer (3xx and 5xx aside) stands for.

    Decided on the status alone: Redmine's words are translated, and its bodies are often empty.
    """
    if answer.status == 401:
        return Unauthorised(f"Redmine does not accept this account for {what} (401)")
    if answer.status == 404 or (answer.status == 403 and not writes):
        return Vanished(f"{what}: it is not there, or this account may not see it")
    if answer.status == 409:
        return Stale(f"{what}: another user changed it just now")
    return Refusal(what, answer)
