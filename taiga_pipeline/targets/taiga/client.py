"""Taiga's API: `ApiClient` with Taiga's address, log-in and refusals."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final

from sync.clock import Clock
from sync.run.retry import RetryPolicy
from taiga_pipeline.http.answer import Answer
from taiga_pipeline.http.client import BRIEF, PATIENT, ApiClient, ApiProfile
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.transport import Transport
from taiga_pipeline.targets.taiga.address import API_PATH, api_address
from taiga_pipeline.targets.taiga.login import Login, login_for
from taiga_pipeline.targets.taiga.refusal import WRONG_ADDRESS, refusal
from taiga_pipeline.targets.taiga.shapes import answer_trouble


def _is_taiga(answer: Answer) -> bool:
    """Whether Taiga says, in its own words, that it does not know who asks."""
    return (
        answer.status == 401 and isinstance(answer.data, dict) and "_error_message" in answer.data
    )


_TAIGA: Final = ApiProfile(
    "Taiga",
    WRONG_ADDRESS,
    refusal,
    answer_trouble,
    folder=API_PATH,
    probe="users/me",
    answers_probe=_is_taiga,
)


class Client(ApiClient):
    """One account's access to one Taiga. Safe to use from several threads."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        chance: Callable[[], float] = random.random,
        patient: RetryPolicy = PATIENT,
        brief: RetryPolicy = BRIEF,
    ) -> None:
        transport = Transport(api_address(connection.url), connection, clock)
        super().__init__(_TAIGA, transport, chance, patient, brief)
        self.credentials = _Authorization(login_for(connection, self.post_openly, self.post_once))


class _Authorization:
    """The header that Taiga knows an account by."""

    def __init__(self, login: Login) -> None:
        self._login = login

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": self._login.authorization()}

    def renew(self, refused: Mapping[str, str]) -> None:
        self._login.renew(refused["Authorization"])
