"""A Tryton that answers from memory, and behaves as a real one was seen to (8.2).

It is not a server: it answers the requests of this process by `responses`. What it does badly,
Tryton does badly: 500 and a web page for an unknown model or field, no word about fields that may
not be read, a count only up to ten pages, no time of change before the first one. The contract
suite for sources runs against it and against a live Tryton, which keeps it honest.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import responses
from requests import PreparedRequest

from taiga_pipeline.sources.tryton.typed import decode, encode

URL = "http://tryton.example.test"
KEY = "a" * 64
OUTSIDER_KEY = "c" * 64
MODEL = "sale.opportunity"

Row = dict[str, Any]
Reply = tuple[int, Mapping[str, str], str]

_TYPES: Mapping[str, tuple[str, str]] = {
    "number": ("char", ""),
    "reference": ("char", ""),
    "description": ("char", ""),
    "comment": ("text", ""),
    "lost_reason": ("text", ""),
    "state": ("selection", ""),
    "amount": ("numeric", ""),
    "conversion_probability": ("float", ""),
    "start_date": ("date", ""),
    "end_date": ("date", ""),
    "party": ("many2one", "party.party"),
    "currency": ("many2one", "currency.currency"),
    "employee": ("many2one", "company.employee"),
    "sales": ("one2many", "sale.sale"),
    "agreed_start": ("date", ""),
    "roles_needed": ("char", ""),
    "x_region": ("char", ""),
    "x_score": ("numeric", ""),
    "x_signed": ("date", ""),
    "x_signed_at": ("timestamp", ""),
    "x_segment": ("selection", ""),
    "x_margin": ("numeric", ""),
    "x_cost": ("numeric", ""),
    "x_vip": ("boolean", ""),
    "project_url": ("char", ""),
    "project_start": ("date", ""),
    "project_progress": ("numeric", ""),
    "percent": ("integer", ""),
    "share": ("float", ""),
    "duration": ("timedelta", ""),
    "write_date": ("timestamp", ""),
    "create_date": ("timestamp", ""),
}
_OF: Mapping[str, Mapping[str, tuple[str, str]]] = {
    MODEL: _TYPES,
    "party.party": {"name": ("char", ""), "write_date": ("timestamp", "")},
    "currency.currency": {"code": ("char", ""), "name": ("char", "")},
    "company.employee": {"party": ("many2one", "party.party")},
    "sale.sale": {"number": ("char", "")},
}


class Refused(Exception):
    """An answer that is not a success: a status, and what is reported with it."""

    def __init__(self, status: int, message: str = "") -> None:
        self.status = status
        self.message = message


@dataclass
class FakeTryton:
    """The data, and what a test may want to happen.

    ``hidden`` are fields that the application's user may not read; ``may_write`` whether it may
    write. ``faults`` is asked before each request, and may raise `Refused`. ``loses`` has a page
    come without its last record.
    """

    now: datetime = datetime(2026, 11, 23, 8, tzinfo=UTC)
    rows: dict[int, Row] = field(default_factory=dict)
    others: dict[str, dict[int, Row]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    may_write: bool = True
    loses: bool = False
    counts: bool = True
    faults: Callable[[str], None] = lambda what: None
    requests: list[str] = field(default_factory=list)
    _last: int = 0

    def __post_init__(self) -> None:
        self.party = self.add("party.party", name="Kunde GmbH")
        seller = self.add("party.party", name="Ana Åberg")
        self.euro = self.add("currency.currency", code="EUR", name="Euro")
        self.add("currency.currency", code="SEK", name="Krona")
        self.employee = self.add("company.employee", party=seller)

    def answer(self) -> responses.RequestsMock:
        """Returns what makes this process's requests to `URL` come here, and lets others pass."""
        mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        for method in ("GET", "POST", "PUT"):
            mock.add_callback(method, re.compile(f"{re.escape(URL)}/.*"), self._answer)
        mock.add_passthru("http://127.0.0.1")
        return mock

    # --- what people do

    def add(self, model: str, **values: object) -> int:
        """Makes a record of a model that opportunities lead to."""
        self._last += 1
        record = {"create_date": self.tick(), "write_date": None, **values}
        self.others.setdefault(model, {})[self._last] = record
        return self._last

    def opportunity(self, **values: object) -> int:
        """Makes an opportunity."""
        self._last += 1
        self.rows[self._last] = {
            **dict.fromkeys(_TYPES),
            "number": str(self._last),
            "state": "opportunity",
            "party": self.party,
            "employee": self.employee,
            "currency": self.euro,
            "conversion_probability": 0.5,
            "start_date": date(2026, 11, 1),
            "sales": [],
            "create_date": self.tick(),
            **values,
        }
        return self._last

    def change(self, number: int, **values: object) -> None:
        """Changes an opportunity."""
        self.rows[number].update(values, write_date=self.tick())

    def change_other(self, model: str, number: int, **values: object) -> None:
        """Changes a record that opportunities lead to."""
        self.others[model][number].update(values, write_date=self.tick())

    def tick(self) -> datetime:
        """Lets a second go by."""
        self.now += timedelta(seconds=1)
        return self.now

    @property
    def writes(self) -> list[str]:
        """The requests that changed something."""
        return [each for each in self.requests if each.startswith("PUT")]

    @property
    def readings(self) -> int:
        """How many pages of opportunities were asked for."""
        return self.requests.count(f"GET {MODEL}")

    # --- below: the server

    def _answer(self, request: PreparedRequest) -> Reply:
        parts = urlsplit(str(request.url))
        database, _, path = unquote(parts.path).removeprefix("/").partition("/rest/model/")
        what = f"{request.method} {path}"
        self.requests.append(what)
        try:
            self.faults(what)
            if database != "erp":
                raise Refused(404)
            key = str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
            if key not in (KEY, OUTSIDER_KEY):
                raise Refused(401)
            if key == OUTSIDER_KEY and path.startswith(MODEL):
                raise Refused(400, 'You are not allowed to access "Sale Opportunity".')
            query = parse_qs(parts.query)
            headers, data = self._dispatch(request, path, query)
        except Refused as error:
            return _refusal(error)
        except KeyError as error:
            return _refusal(Refused(500, str(error)))
        return 200, {"Content-Type": "application/json", **headers}, json.dumps(data)

    def _dispatch(
        self, request: PreparedRequest, path: str, query: Mapping[str, list[str]]
    ) -> tuple[Mapping[str, str], object]:
        if path == "ir.model.access/get_access":
            return {}, {MODEL: {"read": True, "write": self.may_write}}
        if request.method == "PUT":
            return {}, self._put(path, json.loads(request.body or "{}"))
        return self._list(path, query, str(request.headers.get("Range", "")))

    def _list(
        self, model: str, query: Mapping[str, list[str]], wanted: str
    ) -> tuple[Mapping[str, str], object]:
        fields = query.get("f", [])
        domain = _decoded(query["d"][0])
        assert _decoded(query["o"][0]) == [["id", "ASC"]]
        limit = int(wanted.removeprefix("records=0-"))
        found = [n for n in sorted(self._table(model)) if self._fits(model, n, domain)]
        page = [self._show(model, n, fields) for n in found[:limit]]
        count = str(len(found)) if len(found) < 10 * limit else "*"
        if self.loses and model == MODEL:
            page = page[:-1]
        said = {"Content-Range": f"records 0-{len(page)}/{count}"} if self.counts else {}
        return said, page

    def _table(self, model: str) -> Mapping[int, Row]:
        if model == MODEL:
            return self.rows
        if model == "ir.model":
            return {n: {"name": name} for n, name in enumerate(_OF, start=1)}
        if model == "ir.model.field":
            every = [(m, name, *kind) for m, fields in _OF.items() for name, kind in fields.items()]
            return {
                n: {"model.name": m, "name": name, "ttype": ttype, "relation": relation or None}
                for n, (m, name, ttype, relation) in enumerate(every, start=1)
            }
        if model not in _OF:
            raise KeyError(model)
        return self.others.get(model, {})

    def _fits(self, model: str, number: int, domain: list[Any]) -> bool:
        if domain and domain[0] == "OR":
            return any(self._fits(model, number, [each]) for each in domain[1:])
        for clause in domain:
            if isinstance(clause[0], list) or clause[0] == "OR":
                if not self._fits(model, number, clause):
                    return False
            elif not self._clause(model, number, *clause):
                return False
        return True

    def _clause(self, model: str, number: int, name: str, operator: str, value: object) -> bool:
        wanted: Any = decode(value)
        found: Any = number if name == "id" else self._table(model)[number].get(name)
        if "." in name and name != "model.name":
            found = next(self._follow(model, number, name.split(".")), None)
        if found is None:
            return False
        return bool({">": found > wanted, ">=": found >= wanted, "=": found == wanted}[operator])

    def _follow(self, model: str, number: int, steps: list[str]) -> Iterator[object]:
        value = self._table(model)[number].get(steps[0])
        relation = _OF.get(model, {}).get(steps[0], ("", ""))[1]
        if len(steps) == 1 or value is None:
            yield value
            return
        for each in value if isinstance(value, list) else [value]:
            yield from self._follow(relation, each, steps[1:])

    def _show(self, model: str, number: int, fields: list[str]) -> Row:
        row: Row = {"id": number, "__name__": model}
        for name in fields:
            if name in self.hidden or name == "id":
                continue
            first, _, rest = name.partition(".")
            known = {"id", "rec_name", "create_date", "write_date"} | _OF.get(model, {}).keys()
            if model in _OF and first not in known:
                raise KeyError(first)
            value = self._table(model)[number].get(first)
            if not rest:
                row[first] = encode(value)
                continue
            relation = _OF[model][first][1]
            if isinstance(value, list):
                before = row.get(first) or [{} for _ in value]
                row[first] = [
                    {**old, **self._show(relation, each, [rest])}
                    for old, each in zip(before, value, strict=True)
                ]
            elif value is None:
                row[first] = None
            else:
                row[first] = _merged(row.get(first) or {}, self._show(relation, value, [rest]))
        return row

    def _put(self, path: str, body: Row) -> Row:
        number = int(path.rpartition("/")[2])
        if number not in self.rows:
            raise Refused(404)
        if not self.may_write:
            raise Refused(400, 'You are not allowed to modify "Sale Opportunity".')
        for name, value in body.items():
            if _TYPES[name][0] == "char" and not isinstance(value, str | None):
                raise Refused(500, "wrong type")
        self.change(number, **{name: decode(value) for name, value in body.items()})
        return {"id": number}


def _merged(old: Row, new: Row) -> Row:
    both = {**old, **new}
    for name, value in old.items():
        if isinstance(value, dict) and isinstance(new.get(name), dict):
            both[name] = _merged(value, new[name])
    return both


def _decoded(text: str) -> list[Any]:
    value: list[Any] = json.loads(base64.urlsafe_b64decode(text))
    return value


def _refusal(error: Refused) -> Reply:
    if error.status == 400:
        body = {"status": 400, "message": error.message, "description": ""}
        return 400, {"Content-Type": "application/json"}, json.dumps(body)
    page = f"<!doctype html>\n<html lang=en>\n<title>{error.status}</title>\n<p>{error.message}</p>"
    return error.status, {"Content-Type": "text/html; charset=utf-8"}, page
