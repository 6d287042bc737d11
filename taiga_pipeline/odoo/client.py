"""Odoo's API: `ApiClient` with Odoo's log-in and refusals, and calls of methods.

JSON-2 is tried first where there is an API key, for it is what newer versions keep; where it does
not answer, JSON-RPC is used, which takes a key in the place of a password.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sync.clock import Clock
from sync.errors import Rejected, SyncError, Unauthorised, Unreachable, Vanished
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.client import ApiClient, ApiProfile
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.odoo.addresses import base_addresses
from taiga_pipeline.odoo.dialects import COMMON, JSON2, Dialect, Json2, JsonRpc
from taiga_pipeline.odoo.shapes import answer_trouble
from taiga_pipeline.odoo.transport import OdooTransport

_LOG: Final = logging.getLogger(__name__)
WRONG_ADDRESS: Final = (
    "a web page answers in place of Odoo's API; is the address the one that people open Odoo at?"
)
_FIRST_OF_JSON2: Final = (19, 0)
_UNKNOWN: Final = (0, 0)
_NO_ODOO: Final = (404, 405)
_CONTEXT: Final = "res.users/context_get"
_PROBE: Final = f"{JSON2}{_CONTEXT}"
SOURCE_LANGUAGE: Final = "en_US"
"""The language in which Odoo keeps what nobody translated."""


class Refusal(Rejected):
    """Odoo refuses a call. ``status`` says how, ``words`` are Odoo's own."""

    def __init__(self, what: str, answer: Answer) -> None:
        self.words = answer.explain()
        self.status = answer.status
        words = f": {self.words}" if self.words else ""
        super().__init__(f"Odoo refuses {what} ({self.status}{words})")


class OdooClient(ApiClient):
    """One account's access to one database. Safe to use from several threads.

    ``section`` is where in the configuration its settings are.
    """

    def __init__(
        self,
        connection: Connection,
        database: str,
        clock: Clock,
        section: str = "target",
    ) -> None:
        likeliest = base_addresses(connection.url, section)[0]
        transport = OdooTransport(likeliest, connection, clock, section)
        profile = ApiProfile("Odoo", WRONG_ADDRESS, refusal, answer_trouble)
        super().__init__(profile, transport)
        self._login = _Login(self, transport, connection, database, section)
        self.credentials = self._login

    @property
    def uid(self) -> int:
        """The account's number; logs in if need be."""
        self._login.headers()
        return self._login.uid

    @property
    def version(self) -> tuple[int, int]:
        """Odoo's version, (14, 0); of one that is spoken to by JSON-2, the least that it can be."""
        self._login.headers()
        return self._login.known_version()

    @property
    def is_json2(self) -> bool:
        """Whether Odoo is spoken to by JSON-2, which versions from 19 on have."""
        self._login.headers()
        return isinstance(self._login.dialect, Json2)

    @property
    def secret(self) -> Secret | None:
        """What the account logs in with: its key, else its password."""
        return self._login.secret

    @property
    def secret_is_key(self) -> bool:
        """Whether the account logs in with a key."""
        return self._login.has_key

    @property
    def language(self) -> str:
        """The account's language (sv_SE), in which names are read and written; "" for
        `SOURCE_LANGUAGE`."""
        self._login.headers()
        return self._login.language

    def now(self) -> datetime:
        """Returns the time (UTC)."""
        return self._clock.now()

    @property
    def database(self) -> str:
        """The database's name."""
        return self._login.database

    def read(
        self, model: str, method: str, ids: Sequence[int] | None = None, **named: JSON
    ) -> JSON:
        """Calls a method that changes nothing; raises as `ApiClient.get`."""
        return self.ask(f"{model}/{method}", self._body(ids, named)).data["result"]

    def change(
        self, model: str, method: str, ids: Sequence[int] | None = None, **named: JSON
    ) -> JSON:
        """Calls a method that says how it should be; raises as `ApiClient.patch`."""
        return self.apply(f"{model}/{method}", self._body(ids, named)).data["result"]

    def make(
        self, model: str, method: str, ids: Sequence[int] | None = None, **named: JSON
    ) -> JSON:
        """Calls a method that makes something; raises as `ApiClient.post`."""
        return self.post(f"{model}/{method}", self._body(ids, named)).data["result"]

    def _body(self, ids: Sequence[int] | None, named: Mapping[str, JSON]) -> dict[str, JSON]:
        """Returns the arguments of a call, in the account's language if they name none."""
        body = dict(named) if ids is None else {"ids": list(ids), **named}
        if self.language:
            body["context"] = {"lang": self.language, **dict(body.get("context") or {})}
        return body


def refusal(what: str, answer: Answer, *, writes: bool) -> SyncError:
    """Returns the error that an answer (3xx and 5xx aside) stands for."""
    if answer.status == 401:
        return Unauthorised(f"Odoo does not accept this account for {what} (401)")
    if answer.status == 404 and not answer.is_page:
        return Vanished(f"{what}: it is not there, or this account may not see it")
    return Refusal(what, answer)


class _Login:
    """Finds out how Odoo is spoken to, and who the account is, before the first call."""

    def __init__(
        self,
        client: OdooClient,
        transport: OdooTransport,
        connection: Connection,
        database: str,
        section: str,
    ) -> None:
        self._client = client
        self._transport = transport
        self._connection = connection
        self._section = section
        self._addresses = base_addresses(connection.url, section)
        self._lock = threading.Lock()
        self.database = database
        self.uid = 0
        self.language = ""
        self._version = _UNKNOWN

    def headers(self) -> Mapping[str, str]:
        """Returns no headers: the dialect puts them in. Logs in if nobody has."""
        if self._transport.dialect is None:
            with self._lock:
                if self._transport.dialect is None:
                    self._log_in_somewhere()
        return {}

    @property
    def has_key(self) -> bool:
        """Whether there is a key, which comes before a password."""
        return self._connection.token is not None

    @property
    def secret(self) -> Secret | None:
        """The key, else the password."""
        return self._connection.token or self._connection.password

    @property
    def dialect(self) -> Dialect | None:
        """How Odoo is spoken to, None before the log-in."""
        return self._transport.dialect

    def renew(self, refused: Mapping[str, str]) -> None:
        """A key or password works, or does not: there is nothing to renew."""
        raise self._unauthorised()

    def _log_in_somewhere(self) -> None:
        """Logs in at the first of the addresses at which an Odoo answers."""
        for base in self._addresses[:-1]:
            self._transport.base = base
            try:
                return self._log_in()
            except Unreachable as error:
                _LOG.debug("%s; trying the next address", error)
        self._transport.base = self._addresses[-1]
        return self._log_in()

    def _log_in(self) -> None:
        key = self._connection.token
        if key is not None and self._by_json2(Json2(self.database, key)):
            return
        secret = self.secret
        if secret is None:
            raise Unauthorised(
                f"[{self._section}] needs an API key (token_env), or a username and a password"
            )
        self._by_json_rpc(secret)

    def _by_json2(self, dialect: Json2) -> bool:
        """Logs in by JSON-2, if this Odoo has it."""
        answer = self._client.ask_openly(_PROBE, {}, dialect.headers)
        if answer.status == 401:
            raise self._unauthorised()
        context = answer.data.get("result") if answer.ok and isinstance(answer.data, dict) else None
        if not isinstance(context, dict) or not isinstance(context.get("uid"), int):
            return False
        self.uid, self._version = context["uid"], _FIRST_OF_JSON2
        self.language = _language_of(context)
        self._transport.dialect = dialect
        return True

    def _by_json_rpc(self, secret: Secret) -> None:
        username = self._connection.username
        if not username:
            version = self.known_version()
            raise Unauthorised(
                f"this Odoo ({version[0]}.{version[1]}) takes a key only together with "
                f"the account's login: write username into [{self._section}]"
            )
        account: list[JSON] = [self.database, username, secret.reveal(), {}]
        answer = self._client.ask_openly(f"{COMMON}authenticate", {"args": account})
        if not answer.ok and answer.status in _NO_ODOO:
            self.known_version()
        uid = answer.data.get("result") if answer.ok else None
        if not uid or not isinstance(uid, int):
            raise self._unauthorised(answer)
        dialect = JsonRpc(self.database, uid, secret)
        self.language = self._asked_language(dialect)
        self.uid = uid
        self._transport.dialect = dialect

    def _asked_language(self, dialect: JsonRpc) -> str:
        """Returns the account's language; an Odoo that does not say is read as it answers."""
        asked = dialect.request(_CONTEXT, {})
        assert isinstance(asked.body, dict)
        answer = self._client.ask_openly(asked.path, asked.body)
        return _language_of(answer.data.get("result")) if answer.ok else ""

    def known_version(self) -> tuple[int, int]:
        """Returns Odoo's version; asks for it once.

        :raises Unreachable: what answers there is no Odoo.
        """
        if self._version == _UNKNOWN:
            self._version = self._asked_version()
        return self._version

    def _asked_version(self) -> tuple[int, int]:
        answer = self._client.ask_openly(f"{COMMON}version", {})
        said = answer.data.get("result") if answer.ok and isinstance(answer.data, dict) else None
        known = said.get("server_version_info") if isinstance(said, dict) else None
        if not isinstance(known, list) or not known:
            raise Unreachable(
                f"{self._client.server}: no Odoo answers there, neither to JSON-2 nor to JSON-RPC; "
                f"{WRONG_ADDRESS}"
            )
        return _numbers(known)

    def _unauthorised(self, answer: Answer | None = None) -> SyncError:
        words = answer.explain() if answer is not None and answer.status != 200 else ""
        return Unauthorised(
            f"Odoo does not let the account in{': ' * bool(words)}{words}; is the key or password "
            f"right, and {self.database!r} the name of the database ([{self._section}] database)? "
            "A key ends three months after it was made at the latest: make another in Odoo (My "
            "Profile, Account Security, New API Key)"
        )


def _language_of(context: JSON) -> str:
    """Returns the language that a context of Odoo's names, "" for English and for none."""
    named = context.get("lang") if isinstance(context, dict) else None
    return named if isinstance(named, str) and named != SOURCE_LANGUAGE else ""


def _numbers(known: Sequence[JSON]) -> tuple[int, int]:
    """Returns a version as numbers; hosted ones are called "saas~17"."""
    digits = ["".join(filter(str.isdigit, str(each))) for each in (*known, "0")[:2]]
    return int(digits[0] or 0), int(digits[1] or 0)
