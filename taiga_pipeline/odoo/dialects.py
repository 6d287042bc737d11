"""The two ways in which Odoo is asked to call a method of a model, and what its answers mean.

JSON-RPC (Odoo 14 to 21) has one address, answers every error with status 200, and leaves
``result`` out where a method returns nothing. JSON-2 (from Odoo 19 on) has an address for each
method, named arguments and statuses. Behind this module both look alike: a call is
``model/method`` with named arguments, ``ids`` among them; a success is ``{"result": …}``, an error
has a status and ``{"name": …, "detail": …}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.answer import JSON, Answer

RPC: Final = "jsonrpc"
COMMON: Final = "common/"
"""Begins a call of JSON-RPC that takes no account: ``common/version``."""
JSON2: Final = "json/2/"

Named = Mapping[str, JSON]

_BY_POSITION: Final[Mapping[str, str]] = {
    "create": "vals_list",
    "search": "domain",
    "search_count": "domain",
    "write": "vals",
}
"""Arguments that older versions, and modules of somebody else, call by another name: JSON-RPC takes
them by their place, JSON-2 by the name that they have there."""

_STATUS: Final[Mapping[str, int]] = {
    "odoo.exceptions.AccessDenied": 401,
    "odoo.http.SessionExpiredException": 401,
    "odoo.exceptions.AccessError": 403,
    "odoo.exceptions.MissingError": 404,
    "werkzeug.exceptions.NotFound": 404,
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
    "odoo.exceptions.RedirectWarning": 422,
    "odoo.exceptions.Warning": 422,
    "odoo.exceptions.except_orm": 422,
}
"""What an error of JSON-RPC would be as a status: Odoo undid all that the request had done."""

_UNBOUND: Final = 422
_MISSING: Final = re.compile(r"missing a required argument: '(?P<name>\w+)'")
"""How JSON-2 refuses a call whose arguments do not fit, before it does anything."""

_AWAY: Final = "psycopg2."
"""Begins the names of what the database reports: busy, restarting, or not there."""
_NO_DATABASE: Final = re.compile(r'database "[^"]*" does not exist')


@dataclass(frozen=True, slots=True)
class Request:
    """One request: where it goes, and what it says."""

    path: str
    body: JSON
    headers: Mapping[str, str]


class Dialect(Protocol):
    """A way to call methods."""

    def request(self, call: str, named: Named) -> Request:
        """Returns the request that makes a call ("crm.lead/read") with named arguments."""


@dataclass(frozen=True, slots=True)
class JsonRpc:
    """Calls in the name of a user, with a password or a key in each of them."""

    database: str
    uid: int
    secret: Secret

    def request(self, call: str, named: Named) -> Request:
        """Returns the request of a call; see `Dialect`."""
        model, _, method = call.rpartition("/")
        rest: dict[str, Any] = dict(named)
        arguments = [rest.pop("ids")] if "ids" in rest else []
        first = _BY_POSITION.get(method)
        if first in rest:
            arguments.append(rest.pop(first))
        who = (self.database, self.uid, self.secret.reveal())
        return service("object", "execute_kw", *who, model, method, arguments, rest)


@dataclass(frozen=True, slots=True)
class Json2:
    """Calls with an API key."""

    database: str
    key: Secret
    _own: dict[str, str] = field(default_factory=dict, repr=False)
    """What modules of somebody else call the argument of `_BY_POSITION`, by the call."""

    def request(self, call: str, named: Named) -> Request:
        """Returns the request of a call; see `Dialect`."""
        usual = _usual_name(call)
        own = self._own.get(call, usual)
        body = {own if name == usual else name: value for name, value in named.items()}
        return Request(f"{JSON2}{call}", body, self.headers)

    def learns(self, call: str, answer: Answer) -> bool:
        """Tells whether Odoo did nothing because an argument has another name here, which is used
        from now on: a module of somebody else may write ``values`` where Odoo has ``vals``."""
        said = answer.data.get("detail") if isinstance(answer.data, dict) else None
        found = _MISSING.search(str(said)) if answer.status == _UNBOUND else None
        if found is None or not _usual_name(call) or call in self._own:
            return False
        self._own[call] = found["name"]
        return True

    @property
    def headers(self) -> Mapping[str, str]:
        """What says who asks, and of which database."""
        headers = {"Authorization": f"bearer {self.key.reveal()}"}
        return {**headers, "X-Odoo-Database": self.database} if self.database else headers


def _usual_name(call: str) -> str:
    return _BY_POSITION.get(call.rpartition("/")[2], "")


def service(name: str, method: str, *arguments: JSON) -> Request:
    """Returns a request of JSON-RPC to one of the server's services."""
    params = {"service": name, "method": method, "args": list(arguments)}
    return Request(RPC, {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}, {})


def understood(path: str, answer: Answer) -> Answer:
    """Returns an answer with a status that means something, and its data where both have it."""
    if answer.trouble:
        return answer
    data = answer.data
    if path == RPC and isinstance(data, dict):
        error = data.get("error")
        if error is None:
            return replace(answer, data={"result": data.get("result")})
        return _failed(answer, error.get("data") if isinstance(error, dict) else None)
    if path.startswith(JSON2) and 200 <= answer.status < 300 and not answer.is_page:
        return replace(answer, data={"result": data})
    if path.startswith(JSON2) and isinstance(data, dict) and "message" in data:
        return replace(answer, data=_said(data))
    return answer


def _failed(answer: Answer, error: JSON) -> Answer:
    """Returns an error of JSON-RPC as an answer with the status that it would have elsewhere."""
    said = _said(error if isinstance(error, dict) else {})
    name = said["name"]
    otherwise = 503 if name.startswith(_AWAY) else 500
    if _NO_DATABASE.search(said["detail"]):
        otherwise = 404
    status = answer.status if answer.status >= 300 else _STATUS.get(name, otherwise)
    return replace(answer, status=status, data=said)


def _said(error: Mapping[str, JSON]) -> dict[str, str]:
    """Returns an error's name and words; what it says beyond that is the server's own affair."""
    return {"name": str(error.get("name") or ""), "detail": str(error.get("message") or "")}
