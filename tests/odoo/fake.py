"""An Odoo that answers from memory, and behaves as real ones were seen to (14.0 and 19.0).

It is not a server: it answers the requests of this process by `responses`. What it does badly,
Odoo does badly: status 200 for every error of JSON-RPC, no ``result`` where a method returns
nothing, a second ``load`` that writes over a rename, moments that are cut to the second. The suites
for sources and targets run against it and against a live Odoo, which keeps it honest.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import responses
from requests import PreparedRequest

from tests.odoo.models import TRANSLATED, UNIQUE, Field, models_of

URL = "http://odoo.example.test"
DATABASE = "crm"
KEY = "a" * 40
LOGIN = "robot@example.invalid"
READS = frozenset(
    "search_read read search_count search fields_get read_group context_get has_group has_access "
    "check_access_rights message_format version authenticate formatted_read_group "
    "get_metadata".split()
)
"""Methods that change nothing."""

Row = dict[str, Any]
Reply = tuple[int, Mapping[str, str], str]

_STATUS = {
    "AccessDenied": 401,
    "AccessError": 403,
    "MissingError": 404,
    "UserError": 422,
    "ValidationError": 422,
    "NotFound": 404,
}
_NOTED = (
    *("name", "description", "date_deadline", "user_id", "user_ids"),
    *("planned_hours", "allocated_hours"),
)
"""Fields of tasks whose changes Odoo notes, each time."""
_HIDDEN_FROM_ROBOT = ("mail.tracking.value", "ir.config_parameter")


class Refused(Exception):
    """An error of Odoo's: the class's name, and what it says. ``status`` answers with that."""

    def __init__(self, name: str, message: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.name = name if "." in name else f"odoo.exceptions.{name}"
        self.message = message
        self.status = status


@dataclass
class FakeOdoo:
    """The data, and what a test may want to happen.

    ``faults`` is asked before ("crm.lead/read") and after ("after crm.lead/read") each call, and
    may raise `Refused`. ``is_admin`` gives the robot all rights. ``may_write`` is off for one that
    may only read leads. ``longest_page`` has lists cut. ``language`` is the robot's; ``prefix`` is
    what a proxy puts before all addresses. ``makes_keys``: programs may make keys, as in later
    releases of 19.
    """

    version: int = 14
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    has_json_rpc: bool = True
    is_admin: bool = False
    may_write: bool = True
    sees_all: bool = True
    longest_page: int = 10_000
    language: str = "en_US"
    prefix: str = ""
    makes_keys: bool = False
    secrets: set[str] = field(default_factory=lambda: {KEY})
    """What the accounts log in with."""
    renamed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Calls of which a module of somebody else has renamed an argument, from what to what."""
    faults: Callable[[str], None] = lambda what: None
    calls: list[str] = field(default_factory=list)
    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    _ids: dict[str, int] = field(default_factory=dict)
    _uid: int = 2
    _ticks: int = 0
    _asked: threading.local = field(default_factory=threading.local)
    """In which language the present call is."""

    def __post_init__(self) -> None:
        self.models = models_of(self.version)
        self.admin = self.user("Administrator", "admin")
        self.robot = self.user("Robot", LOGIN)
        for number, login in enumerate(("ana", "bo")):
            self.user(("Ana Åberg", "Bo Okafor")[number], f"{login}@example.invalid")
        self.currency = self.add("res.currency", name="EUR")
        self.company = self.add("res.company", name="Acme Services")
        self.stages = {
            name: self.add("crm.stage", name=name, is_won=name == "Won", sequence=number)
            for number, name in enumerate(("New", "Qualified", "Proposition", "Won"))
        }
        self.add("ir.config_parameter", key="database.uuid", value=str(uuid.uuid4()))
        for model, fields in self.models.items():
            for name, each in fields.items():
                self.add("ir.model.fields", model=model, name=name, ttype=each.type)

    def answer(self) -> responses.RequestsMock:
        """Returns what makes this process's requests to `URL` come here, and lets others pass."""
        mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        mock.add_callback("POST", re.compile(f"{re.escape(URL)}/.*"), self._answer)
        mock.add_passthru("http://127.0.0.1")
        return mock

    @property
    def writes(self) -> list[str]:
        """The calls that may have changed something."""
        return [call for call in self.calls if call.rpartition("/")[2] not in READS]

    # --- what people do

    def user(self, name: str, login: str, *, active: bool = True) -> int:
        """Makes a user."""
        partner = self.add("res.partner", name=name, email=login, active=True)
        self.rows["res.partner"][partner]["commercial_partner_id"] = partner
        values = {"name": name, "login": login, "email": login, "active": active, "share": False}
        return self.add("res.users", partner_id=partner, **values)

    def customer(self, name: str, parent: int = 0, **values: object) -> int:
        """Makes a company, or a person at one."""
        number = self.add("res.partner", name=name, active=True, **values)
        self.rows["res.partner"][number]["commercial_partner_id"] = parent or number
        return number

    def lead(self, stage: str = "New", **values: object) -> int:
        """Makes an opportunity."""
        return self.add(
            "crm.lead",
            **{
                "name": "Portal",
                "type": "opportunity",
                "active": True,
                "stage_id": self.stages[stage],
                "probability": 20.0,
                "expected_revenue": 0.0,
                "company_currency": self.currency,
                "company_id": self.company,
                "user_id": self.admin,
                "date_last_stage_update": self._moment(),
                **values,
            },
        )

    def move(self, lead: int, stage: str) -> None:
        """Moves an opportunity to a stage."""
        before, number = self.rows["crm.lead"][lead]["stage_id"], self.stages[stage]
        won = self.rows["crm.stage"][number]["is_won"]
        more: Row = {"probability": 100.0, "date_closed": self._moment()} if won else {}
        self.change(
            "crm.lead", lead, stage_id=number, date_last_stage_update=self._moment(), **more
        )
        old, new = (self.rows["crm.stage"][n]["name"] for n in (before, number))
        self._track(lead, "stage_id", "char", old, new, number, before)

    def lose(self, lead: int, **values: object) -> None:
        """Marks an opportunity as lost."""
        gone: Row = {"active": False, "probability": 0.0}
        if self.version > 14:
            gone["date_closed"] = self._moment()
        self.change("crm.lead", lead, **gone, **values)
        self._track(lead, "active", "integer", 1, 0, 0)

    def take_up(self, lead: int) -> None:
        """Restores a lost opportunity."""
        self.change("crm.lead", lead, active=True, probability=20.0, date_closed=False)
        self._track(lead, "active", "integer", 0, 1, 1)

    def _track(
        self, lead: int, name: str, kind: str, old: Any, new: Any, number: int, before: int = 0
    ) -> None:
        author = self.rows["res.users"][self.admin]["partner_id"]
        at = self._moment()
        message = self.add(
            "mail.message", model="crm.lead", res_id=lead, date=at, author_id=author, body=""
        )
        place = next(
            number
            for number, row in self.rows["ir.model.fields"].items()
            if (row["model"], row["name"]) == ("crm.lead", name)
        )
        of = "field_id" if self.version >= 17 else "field"
        values = {"old_value_integer": before, "new_value_integer": number}
        values |= {f"old_value_{kind}": old, f"new_value_{kind}": new}
        self.add("mail.tracking.value", mail_message_id=message, **{of: place}, **values)

    def add(self, model: str, /, **values: object) -> int:
        """Makes a record of any model, as the administrator."""
        return self._create(model, values, getattr(self, "admin", 1))

    def change(self, model: str, number: int, /, **values: object) -> None:
        """Changes a record of any model, as the administrator."""
        self._write(model, [number], values, self.admin)

    def rename(self, model: str, number: int, name: str, language: str) -> None:
        """Changes a name as one does who has Odoo in a language."""
        self._in(language)
        self._write(model, [number], {"name": name}, self.admin)
        self._in("")

    def remove(self, model: str, *ids: int) -> None:
        """Deletes records, and what hangs on them."""
        self._unlink(model, list(ids))

    def copy(self, model: str, number: int, /, **values: object) -> int:
        """Copies a record as people do: everything but its external id."""
        row = {k: v for k, v in self.rows[model][number].items() if k not in _OWN}
        return self.add(model, **{**row, **values})

    # --- below: the server

    def _answer(self, request: PreparedRequest) -> Reply:
        status, headers, text = self._answered(request)
        return status, {**headers, "Date": format_datetime(self.now(), usegmt=True)}, text

    def _answered(self, request: PreparedRequest) -> Reply:
        path = str(request.url).removeprefix(f"{URL}/")
        if not path.startswith(self.prefix):
            return 404, {"Content-Type": "text/html"}, "<html>a page of the company</html>"
        path = path.removeprefix(self.prefix)
        body = json.loads(request.body or "{}")
        if path == "jsonrpc" and self.has_json_rpc:
            return self._json_rpc(body["params"])
        if path.startswith("json/2/") and self.version >= 19:
            return self._json2(request, path.removeprefix("json/2/"), body)
        said = {"name": "werkzeug.exceptions.NotFound", "message": "404 Not Found"}
        error = {"code": 404, "message": "404: Not Found", "data": said, "http_status": 404}
        return _reply(404, {"jsonrpc": "2.0", "id": None, "error": error})

    def _json_rpc(self, params: Mapping[str, Any]) -> Reply:
        service, method, arguments = params["service"], params["method"], params["args"]
        try:
            if service == "common":
                result = self._common(method, arguments)
            else:
                result = self._execute(*arguments)
        except Refused as error:
            if error.status:
                return error.status, {"Content-Type": "text/html"}, "<html>down</html>"
            data = {"name": error.name, "message": error.message, "debug": "Traceback …"}
            wrong = {"code": 200, "message": "Odoo Server Error", "data": data}
            return _reply(200, {"jsonrpc": "2.0", "id": 1, "error": wrong})
        answer = {"jsonrpc": "2.0", "id": 1}
        return _reply(200, answer if result is None else {**answer, "result": result})

    def _common(self, method: str, arguments: Sequence[Any]) -> Any:
        self.calls.append(f"common/{method}")
        self.faults(f"common/{method}")
        if method == "version":
            return {"server_version_info": [self.version, 0, 0, "final", 0, ""]}
        database, login, secret = arguments[:3]
        if database != DATABASE:
            raise Refused("psycopg2.OperationalError", f'database "{database}" does not exist')
        known = self._user_of(login)
        return known if known and secret in self.secrets else False

    def _user_of(self, login: str) -> int:
        users = self.rows["res.users"].items()
        return next((n for n, row in users if row["login"] == login and row["active"]), 0)

    def _execute(
        self,
        database: str,
        uid: int,
        secret: str,
        model: str,
        method: str,
        arguments: list[Any],
        named: Row,
    ) -> Any:
        if database != DATABASE or secret not in self.secrets:
            raise Refused("AccessDenied", "Access Denied")
        by_place = {"create": "vals_list", "search_count": "domain", "write": "vals"}
        first = by_place.get(method, "")
        if first in named:
            message = f"{method}() got an unexpected keyword argument {first!r}"
            raise Refused("builtins.TypeError", message)
        ids = arguments.pop(0) if arguments and first in ("", "vals") else None
        if first:
            named = {first: arguments.pop(0), **named}
        assert not arguments, "everything else is named"
        return self._call(model, method, ids, named, uid)

    def _json2(self, request: PreparedRequest, path: str, body: Row) -> Reply:
        if request.headers.get("Authorization", "").removeprefix("bearer ") not in self.secrets:
            said = {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}
            return _reply(401, said)
        if request.headers.get("X-Odoo-Database") != DATABASE:
            return 404, {"Content-Type": "text/html"}, "<html>no database</html>"
        model, _, method = path.partition("/")
        usual, own = self.renamed.get(path, ("", ""))
        if own and own not in body:
            message = f"missing a required argument: {own!r}"
            said = {"name": "werkzeug.exceptions.UnprocessableEntity", "message": message}
            return _reply(422, said)
        body = {usual if name == own else name: value for name, value in body.items()}
        try:
            ids = body.pop("ids", None)
            return _reply(200, self._call(model, method, ids, body, self.robot))
        except Refused as error:
            name = error.name.rpartition(".")[2]
            status = error.status or (404 if name == "AttributeError" else _STATUS.get(name, 500))
            return _reply(status, {"name": error.name, "message": error.message, "debug": "…"})

    def _call(self, model: str, method: str, ids: list[int] | None, named: Row, uid: int) -> Any:
        what = f"{model}/{method}"
        self.calls.append(what)
        self.faults(what)
        if model not in self.models:
            name = "werkzeug.exceptions.NotFound" if self.version >= 19 else "UserError"
            raise Refused(name, f"Object {model} doesn't exist")
        self._demand_right(model, method, uid)
        self._in(str((named.get("context") or {}).get("lang") or ""))
        if method not in ("search_read", "search", "search_count", "read"):
            named.pop("context", None)
        handler = getattr(self, f"_do_{method}", None)
        if handler is None:
            raise Refused("builtins.AttributeError", f"{model} has no attribute {method!r}")
        result = handler(model, ids, uid, **named)
        self._in("")
        self.faults(f"after {what}")
        return result

    def _demand_right(self, model: str, method: str, uid: int) -> None:
        if uid != self.robot or self.is_admin or method in ("fields_get", "has_access"):
            return
        if model == "ir.model.data" and method == "search_read" and self.version >= 19:
            raise Refused("AccessError", f"You are not allowed to access {model!r} records.")
        if model in _HIDDEN_FROM_ROBOT and method != "check_access_rights":
            raise Refused("AccessError", f"You are not allowed to access {model!r} records.")
        writes = method not in READS
        if method in ("change_password", "generate", "revoke"):
            return
        if writes and (model in ("ir.model.data", "res.users") or not self._may_write(model)):
            raise Refused("AccessError", f"You are not allowed to modify {model!r} records.")

    def _may_write(self, model: str) -> bool:
        return self.may_write or model != "crm.lead"

    # --- methods

    def _do_context_get(self, model: str, ids: Any, uid: int) -> Row:
        return {"lang": self.language, "tz": "UTC", "uid": uid}

    def _do_get_metadata(self, model: str, ids: list[int], uid: int) -> list[Row]:
        if not {*ids} <= self._table(model).keys():
            raise Refused("MissingError", "Record does not exist or has been deleted.")
        data = self._table("ir.model.data").values()
        named = {
            number: [
                {"xmlid": f"{row['module']}.{row['name']}", "noupdate": False}
                for row in data
                if (row["model"], row["res_id"]) == (model, number)
            ]
            for number in ids
        }
        found = [
            {"id": n, "xmlid": each[0]["xmlid"] if each else False} for n, each in named.items()
        ]
        return [{**row, "xmlids": named[row["id"]]} if self.version > 14 else row for row in found]

    def _do_change_password(
        self, model: str, ids: Any, uid: int, old_passwd: str, new_passwd: str
    ) -> bool:
        if old_passwd not in self.secrets:
            raise Refused("AccessDenied", "Access Denied")
        self.secrets = {new_passwd}
        return True

    def _do_generate(
        self, model: str, ids: Any, uid: int, key: str, scope: Any, name: str, expiration_date: str
    ) -> str:
        self._demand_programmatic_keys()
        until = datetime.strptime(expiration_date, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        if until > self.now() + timedelta(days=30):
            raise Refused("ValidationError", "You cannot exceed 30.0 days.")
        made = uuid.uuid4().hex + uuid.uuid4().hex[:8]
        self.secrets.add(made)
        return made

    def _do_revoke(self, model: str, ids: Any, uid: int, key: str) -> bool:
        self._demand_programmatic_keys()
        if key not in self.secrets:
            raise Refused("AccessDenied", "The provided API key is invalid.")
        self.secrets.remove(key)
        return True

    def _demand_programmatic_keys(self) -> None:
        if not self.makes_keys:
            raise Refused("builtins.AttributeError", "res.users.apikeys has no such method")
        if not self.is_admin:
            raise Refused("UserError", "Programmatic API keys are not enabled")

    def _do_has_group(self, model: str, ids: Any, uid: int, group_ext_id: str) -> bool:
        assert (ids is not None) is (self.version >= 18)
        return self.sees_all if group_ext_id.startswith("sales_team") else self.is_admin

    def _do_check_access_rights(
        self, model: str, ids: Any, uid: int, operation: str, raise_exception: bool = True
    ) -> bool:
        if self.version >= 18:
            raise Refused("builtins.AttributeError", "no attribute 'check_access_rights'")
        return self._do_has_access(model, ids, uid, operation)

    def _do_has_access(self, model: str, ids: Any, uid: int, operation: str) -> bool:
        try:
            self._demand_right(model, {"read": "read"}.get(operation, "write"), uid)
        except Refused:
            return False
        return True

    def _do_fields_get(
        self,
        model: str,
        ids: Any,
        uid: int,
        allfields: Sequence[str] = (),
        attributes: Sequence[str] = (),
    ) -> Row:
        return {
            name: {"type": f.type, "relation": f.relation, "string": f.label or name}
            for name, f in self.models[model].items()
        }

    def _do_search_read(
        self,
        model: str,
        ids: Any,
        uid: int,
        domain: list[Any] | None = None,
        fields: Sequence[str] = (),
        offset: int = 0,
        limit: int | None = None,
        order: str = "id",
        context: Row | None = None,
    ) -> list[Row]:
        found = self._found(model, domain or [], context or {})
        if order == "id desc":
            found.reverse()
        end = min(limit or self.longest_page, self.longest_page)
        page = found[offset : offset + end]
        return [self._show(model, number, fields) for number in page]

    def _do_search(self, model: str, ids: Any, uid: int, domain: list[Any], **rest: Any) -> Any:
        return self._found(model, domain, rest.get("context") or {})

    def _do_search_count(
        self, model: str, ids: Any, uid: int, domain: list[Any], context: Row | None = None
    ) -> int:
        return len(self._found(model, domain, context or {}))

    def _do_read(
        self, model: str, ids: list[int], uid: int, fields: Sequence[str], context: Any = None
    ) -> list[Row]:
        there = [number for number in ids if number in self._table(model)]
        return [self._show(model, number, fields) for number in there]

    def _do_create(self, model: str, ids: Any, uid: int, vals_list: Any) -> Any:
        if isinstance(vals_list, Mapping):
            return self._create(model, vals_list, uid)
        return [self._create(model, values, uid) for values in vals_list]

    def _do_write(self, model: str, ids: list[int], uid: int, vals: Row) -> bool:
        return self._write(model, ids, vals, uid)

    def _do_unlink(self, model: str, ids: list[int], uid: int) -> bool:
        return self._unlink(model, ids)

    def _do_load(
        self, model: str, ids: Any, uid: int, fields: list[str], data: list[list[str]]
    ) -> Row:
        made = []
        for number, row in enumerate(data):
            cells = dict(zip(fields, row, strict=True))
            try:
                made.append(self._load_one(model, cells, uid))
            except Refused as error:
                wrong = {"type": "error", "record": number, "message": error.message}
                return {"ids": False, "messages": [wrong], "nextrow": 0}
        return {"ids": made, "messages": [], "nextrow": 0}

    def _load_one(self, model: str, cells: Mapping[str, str], uid: int) -> int:
        module, _, name = cells["id"].partition(".")
        values = {}
        for place, cell in cells.items():
            if place != "id":
                head = place.removesuffix("/.id")
                values[head] = self._cell(self._field(model, head), cell, head)
        known = self._external(module, name)
        if known and known not in self._table(model):
            self._forget(model, [known])
            known = 0
        if known:
            self._write(model, [known], values, uid)
            return known
        self.faults(f"between look and make of {name}")
        if self._external(module, name):
            raise Refused("ValidationError", "The operation cannot be completed: unique")
        number = self._create(model, values, uid)
        data = {"module": module, "name": name, "model": model, "res_id": number}
        self._create("ir.model.data", data, uid)
        if model == "project.project":
            alias = {**data, "name": f"{name}_mail_alias", "model": "mail.alias"}
            self._create("ir.model.data", alias, uid)
        return number

    def _cell(self, each: Field, cell: str, name: str) -> Any:
        """Turns a cell of ``load`` into a value."""
        if each.relation:
            numbers = [int(part) for part in str(cell).split(",") if part]
            for number in numbers:
                if number not in self._table(each.relation):
                    raise Refused("x", f"No matching record found for database id '{number}'")
            if each.type == "many2one":
                return numbers[0] if numbers else False
            return numbers
        if each.type in ("float", "integer"):
            return float(cell or 0)
        if each.type == "boolean":
            return str(cell).casefold() in ("1", "true")
        return cell or False

    def _external(self, module: str, name: str) -> int:
        for row in self._table("ir.model.data").values():
            if (row["module"], row["name"]) == (module, name):
                return int(row["res_id"])
        return 0

    def _do_copy(self, model: str, ids: list[int], uid: int, default: Row | None = None) -> Any:
        """Copies a project with its tasks and milestones; Odoo 14 leaves out tasks' deadlines."""
        made = []
        for number in ids:
            row = {
                name: value
                for name, value in self._table(model)[number].items()
                if name not in _OWN and name in self.models[model]
            }
            own = {name: [[6, 0, v]] if isinstance(v, list) else v for name, v in row.items()}
            own["name"] = f"{row['name']} (copy)"
            copy_id = self._create(model, {**own, **(default or {})}, uid)
            self._copy_within(number, copy_id, uid)
            made.append(copy_id)
        return made if self.version >= 18 else made[0]

    def _copy_within(self, project: int, copy_id: int, uid: int) -> None:
        new: dict[int, int] = {}
        for model in ("project.milestone", "project.task"):
            for number, row in list(self._table(model).items()):
                if row["project_id"] != project:
                    continue
                own = {
                    name: [[6, 0, v]] if isinstance(v, list) else v
                    for name, v in row.items()
                    if name not in _OWN and name in self.models[model]
                }
                own["project_id"] = copy_id
                if model == "project.milestone":
                    new[number] = self._create(model, own, uid)
                    continue
                if "milestone_id" in own:
                    own["milestone_id"] = new.get(own["milestone_id"], False)
                if self.version < 17:
                    own["date_deadline"] = False
                self._create(model, own, uid)

    def _do_message_post(self, model: str, ids: list[int], uid: int, **named: Any) -> Any:
        (number,) = ids
        body = str(named["body"])
        if self.version >= 17:
            body = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        author = self.rows["res.users"][uid]["partner_id"]
        values = {"subject": named.get("subject", False), "body": f"<p>{body}</p>"}
        made = self._create(
            "mail.message",
            {"model": model, "res_id": number, "date": self._moment(), "author_id": author}
            | values
            | {"message_type": named.get("message_type", "comment")},
            uid,
        )
        return [made] if self.version >= 19 else made

    def _do_message_format(self, model: str, ids: list[int], uid: int) -> list[Row]:
        if self.version >= 17:
            raise Refused("builtins.AttributeError", "no attribute 'message_format'")
        shown = []
        for number in ids:
            values = [
                self._shown_tracking(n, row)
                for n, row in self._table("mail.tracking.value").items()
                if row["mail_message_id"] == number
            ]
            row = self._show("mail.message", number, ["res_id", "date", "author_id"])
            shown.append({**row, "tracking_value_ids": values})
        return shown

    def _shown_tracking(self, number: int, row: Row) -> Row:
        place = self.rows["ir.model.fields"][row["field"]]
        each = self.models[place["model"]][place["name"]]
        kind = "char" if each.type == "many2one" else "integer"
        old, new = row[f"old_value_{kind}"], row[f"new_value_{kind}"]
        if each.type == "boolean":
            old, new = bool(old), bool(new)
        return {
            "id": number,
            "changed_field": each.label or place["name"],
            "old_value": old,
            "new_value": new,
        }

    def _do_message_subscribe(
        self, model: str, ids: list[int], uid: int, partner_ids: list[int]
    ) -> bool:
        for number in ids:
            for partner in partner_ids:
                values = {"res_model": model, "res_id": number, "partner_id": partner}
                if not any(
                    all(row[name] == value for name, value in values.items())
                    for row in self._table("mail.followers").values()
                ):
                    self._create("mail.followers", values, uid)
                    self._touch(model, number, uid)
        return True

    def _do_message_unsubscribe(
        self, model: str, ids: list[int], uid: int, partner_ids: list[int]
    ) -> bool:
        for number, row in list(self._table("mail.followers").items()):
            there = row["res_model"] == model and row["res_id"] in ids
            if there and row["partner_id"] in partner_ids:
                del self.rows["mail.followers"][number]
                self._touch(model, row["res_id"], uid)
        return True

    # --- the data

    def _in(self, language: str) -> None:
        self._asked.language = "" if language == "en_US" else language

    def _place(self, model: str, name: str) -> str:
        """Returns where a row keeps a field in the language of the call."""
        language = getattr(self._asked, "language", "")
        since = TRANSLATED.get(model, 99)
        return (
            f"{name}@{language}" if language and name == "name" and self.version >= since else name
        )

    def _value(self, model: str, number: int, name: str) -> Any:
        row = self._table(model).get(number, {})
        return row.get(self._place(model, name), row.get(name, False))

    def _table(self, model: str) -> dict[int, Row]:
        return self.rows.setdefault(model, {})

    def _field(self, model: str, name: str) -> Field:
        fields = self.models[model]
        if name not in fields:
            raise Refused("builtins.ValueError", f"Invalid field {name!r} on model {model!r}")
        return fields[name]

    def _moment(self) -> str:
        self._ticks += 1
        return self.now().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def _create(self, model: str, values: Mapping[str, Any], uid: int) -> int:
        if model not in self.models:
            return 0
        number = self._ids[model] = self._ids.get(model, 0) + 1
        row: Row = dict.fromkeys(self.models[model], False)
        for name, each in self.models[model].items():
            if each.type in ("one2many", "many2many"):
                row[name] = []
        row["active"] = True
        at = self._moment()
        row.update({"create_date": at, "write_date": at, "create_uid": uid, "write_uid": uid})
        self._table(model)[number] = row
        try:
            self._put(model, number, values, is_new=True)
            self._demand_unique(model, number)
        except Refused:
            del self._table(model)[number]
            raise
        if model == "project.task":
            self._note(model, number, uid)
        return number

    def _write(self, model: str, ids: Sequence[int], values: Mapping[str, Any], uid: int) -> bool:
        for number in ids:
            if number not in self._table(model):
                raise Refused("MissingError", "Record does not exist or has been deleted.")
            before = dict(self._table(model)[number])
            self._put(model, number, values)
            self._demand_unique(model, number)
            self._touch(model, number, uid)
            after = self._table(model)[number]
            if model == "project.task" and any(before.get(n) != after.get(n) for n in _NOTED):
                self._note(model, number, uid)
        return True

    def _note(self, model: str, number: int, uid: int) -> None:
        """Notes at a record that it was made, or that fields of it were changed."""
        author = self.rows["res.users"][uid]["partner_id"]
        about = {"model": model, "res_id": number, "author_id": author, "date": self._moment()}
        self._create("mail.message", {**about, "body": "", "message_type": "notification"}, uid)

    def _touch(self, model: str, number: int, uid: int) -> None:
        self._table(model)[number].update(write_date=self._moment(), write_uid=uid)

    def _put(
        self, model: str, number: int, values: Mapping[str, Any], *, is_new: bool = False
    ) -> None:
        row = self._table(model)[number]
        for name, value in values.items():
            if name == "id":
                continue
            each = self._field(model, name)
            if each.type in ("many2many", "one2many"):
                row[name] = _commanded(row.get(name) or [], value)
            else:
                row[name if is_new else self._place(model, name)] = value
        if model == "project.task" and self.version != 17:
            row["is_closed"] = self._is_closed(row)

    def _is_closed(self, task: Row) -> bool:
        if self.version > 17:
            return task["state"] in ("1_done", "1_canceled")
        done = "is_closed" if self.version <= 15 else "fold"
        return bool(self._table("project.task.type").get(task["stage_id"], {}).get(done))

    def _demand_unique(self, model: str, number: int) -> None:
        names = UNIQUE.get(model)
        if not names:
            return
        table = self._table(model)
        mine = tuple(table[number][name] for name in names)
        for other, row in table.items():
            if other != number and tuple(row[name] for name in names) == mine:
                raise Refused("ValidationError", f"The operation cannot be completed: {names}")

    def _unlink(self, model: str, ids: Sequence[int]) -> bool:
        tasks = self._table("project.task").items()
        if model == "project.project" and any(t["project_id"] in ids for _, t in tasks):
            raise Refused("UserError", "You cannot delete a project containing tasks.")
        for number in ids:
            self._table(model).pop(number, None)
        self._forget(model, ids)
        for row in self._table("project.task").values():
            if model == "project.milestone" and row.get("milestone_id") in ids:
                row["milestone_id"] = False
        return True

    def _forget(self, model: str, ids: Sequence[int]) -> None:
        """Deletes what hangs on records that are gone."""
        for hanging in ("ir.model.data", "mail.followers"):
            column = "model" if hanging == "ir.model.data" else "res_model"
            for each, row in list(self._table(hanging).items()):
                if row[column] == model and row["res_id"] in ids:
                    del self.rows[hanging][each]

    def _show(self, model: str, number: int, fields: Sequence[str]) -> Row:
        shown: Row = {"id": number}
        for name in fields or self.models[model]:
            each = self._field(model, name)
            value = number if name == "id" else self._value(model, number, name)
            if name == "display_name":
                value = self._name(model, number)
            elif each.type == "many2one" and value:
                value = [value, self._name(each.relation, value)]
            elif name == "activity_ids":
                value = self._activities(number)
            shown[name] = value
        return shown

    def _activities(self, lead: int) -> list[int]:
        rows = self._table("mail.activity").items()
        return [n for n, row in rows if (row["res_model"], row["res_id"]) == ("crm.lead", lead)]

    def _name(self, model: str, number: int) -> str:
        row = self._table(model).get(number, {})
        own = str(self._value(model, number, "name") or "")
        company = row.get("commercial_partner_id") if model == "res.partner" else 0
        if company and company != number:
            return f"{self._name(model, company)}, {own}"
        return own

    def _found(self, model: str, domain: Sequence[Any], context: Mapping[str, Any]) -> list[int]:
        names = {each[0] for each in domain if isinstance(each, list)}
        hides = (
            context.get("active_test", True)
            and "active" in self.models[model]
            and "active" not in names
        )
        return [
            number
            for number in sorted(self._table(model))
            if (not hides or self._table(model)[number].get("active"))
            and self._fits(model, number, list(domain))
        ]

    def _fits(self, model: str, number: int, domain: list[Any]) -> bool:
        """Evaluates a domain in Odoo's prefix notation."""
        stack: list[bool] = []
        for term in reversed(domain):
            if term == "!":
                stack.append(not stack.pop())
            elif term in ("&", "|"):
                first, second = stack.pop(), stack.pop()
                stack.append((first and second) if term == "&" else (first or second))
            else:
                stack.append(self._term(model, number, *term))
        return all(stack)

    def _term(self, model: str, number: int, name: str, operator: str, value: Any) -> bool:
        found = list(self._values(model, number, name))
        if operator in ("not in", "!="):
            opposite = "in" if operator == "not in" else "="
            return not self._term(model, number, name, opposite, value)
        return any(_compare(each, operator, value) for each in found or [False])

    def _values(self, model: str, number: int, path: str) -> Iterator[Any]:
        head, _, rest = path.partition(".")
        each = self._field(model, head)
        value = number if head == "id" else self._value(model, number, head)
        if head == "activity_ids":
            value = self._activities(number)
        if not rest:
            if each.type == "many2one" and value:
                yield self._name(each.relation, value)
            yield from value if isinstance(value, list) and value else [value]
            return
        for other in value if isinstance(value, list) else [value] if value else []:
            yield from self._values(each.relation, other, rest)


_OWN = ("create_date", "write_date", "create_uid", "write_uid", "id", "display_name")


def _commanded(present: Sequence[int], value: Any) -> list[int]:
    """Applies the commands for a relation: (4, id), (3, id), (6, 0, ids)."""
    found = list(present)
    for command in value or []:
        if isinstance(command, int):
            found.append(command)
        elif command[0] == 4 and command[1] not in found:
            found.append(command[1])
        elif command[0] == 3:
            found = [each for each in found if each != command[1]]
        elif command[0] == 5:
            found = []
        elif command[0] == 6:
            found = list(command[2])
    return found


def _compare(found: Any, operator: str, value: Any) -> bool:
    if operator == "=":
        return bool(found == value) or (value is False and not found)
    if operator == "in":
        return found in value
    if operator in ("=like", "=ilike", "ilike", "like"):
        return _like(str(found or ""), operator, str(value))
    if found is False or found is None:
        return False
    return bool(
        {">": found > value, ">=": found >= value, "<": found < value, "<=": found <= value}[
            operator
        ]
    )


def _like(found: str, operator: str, pattern: str) -> bool:
    if "=" not in operator:
        pattern = f"%{pattern}%"
    tokens = re.findall(r"\\.|%|_|[^\\%_]+", pattern)
    made = "".join(
        ".*" if t == "%" else "." if t == "_" else re.escape(t[1:] if t[0] == "\\" else t)
        for t in tokens
    )
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0)
    return re.fullmatch(made, found, flags) is not None


def later(now: Callable[[], datetime], seconds: int) -> Callable[[], datetime]:
    """Returns a clock that is ahead."""
    return lambda: now() + timedelta(seconds=seconds)


def _reply(status: int, data: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(data)
