"""The places: the built-in store, a CSV file, SQL databases, Tryton made up and live."""

from __future__ import annotations

import csv
import json
import sqlite3
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text

from sync.clock import SystemClock
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.sources.port import DealSource
from taiga_pipeline.sources.registry import create
from tests.contract.sources.place import Can, Place, Row
from tests.live.odoo import OdooOffice
from tests.live.tryton import TrytonOffice, amount, typed_day
from tests.odoo.fake import KEY as ODOO_KEY
from tests.odoo.fake import LOGIN as ODOO_LOGIN
from tests.odoo.fake import URL as ODOO_URL
from tests.odoo.fake import FakeOdoo
from tests.sources.third_party import orders_adapter
from tests.sources.tryton import fake
from tests.targets.support import ManualClock

WRONG = "wrong-secret"


@dataclass
class StorePlace(Place):
    """The built-in store, which refuses at the door what is not a deal."""

    can: frozenset[Can] = frozenset({Can.GO_AWAY, Can.REMOVE})
    folder: Path = Path()

    def __post_init__(self) -> None:
        self.file = self.folder / "pipeline.db"
        self.url = f"sqlite:///{self.file}"
        self._store().close()

    def _store(self) -> DealStore:
        return DealStore.open(self.url, lambda: datetime(2026, 11, 1, tzinfo=UTC), create=True)

    def source(self, *, writes_back: bool = False) -> DealSource:
        return create("store", {"url": self.url}, SystemClock())

    def put(self, *rows: Row) -> None:
        store = self._store()
        store.upsert([row.as_deal() for row in rows])
        store.close()

    def rename(self, key: str, name: str) -> None:
        self._execute("UPDATE deals SET name = ? WHERE key = ?", name, key)

    def remove(self, key: str) -> None:
        self._execute("DELETE FROM deals WHERE key = ?", key)

    def _execute(self, statement: str, *parameters: str) -> None:
        with sqlite3.connect(self.file) as connection:
            connection.execute(statement, parameters)
        connection.close()

    def go_away(self) -> DealSource:
        return create("store", {"url": f"sqlite:///{self.folder / 'gone.db'}"}, SystemClock())

    def image(self) -> object:
        connection = sqlite3.connect(self.file)
        dump = list(connection.iterdump())
        connection.close()
        return dump


@dataclass
class OrdersPlace(Place):
    """The JSON file of a third-party adapter; its columns have names that are well known."""

    can: frozenset[Can] = frozenset({*Can} - {Can.LOCK_OUT, Can.TAKE_FACTS})
    folder: Path = Path()
    _rows: list[dict[str, object]] = field(default_factory=list)
    _cut: int | None = None

    def __post_init__(self) -> None:
        self.file = self.folder / "orders.json"
        self._write()

    def _write(self) -> None:
        self.file.write_text(json.dumps(self._rows)[: self._cut], encoding="utf-8")

    def source(self, *, writes_back: bool = False) -> DealSource:
        settings = {"file": "orders.json", "folder": str(self.folder)}
        return orders_adapter.create(settings, SystemClock())

    def put(self, *rows: Row) -> None:
        self._rows += [{name: str(getattr(row, name)) for name in FIELDS} for row in rows]
        self._write()

    def rename(self, key: str, name: str) -> None:
        next(row for row in self._rows if row["key"] == key)["name"] = name
        self._write()

    def remove(self, key: str) -> None:
        self._rows = [row for row in self._rows if row["key"] != key]
        self._write()

    def break_off(self) -> None:
        self._cut = -10
        self._write()

    def go_away(self) -> DealSource:
        return orders_adapter.create({"file": str(self.folder / "gone.json")}, SystemClock())

    def image(self) -> object:
        return self.file.read_bytes()


HEADERS = ("Nr", "Title", "Client", "Phase", "Worth", "Unit", "Chance", "Decision", "Seller")
FIELDS = (
    "key",
    "name",
    "customer",
    "stage",
    "value",
    "currency",
    "probability",
    "expected_close",
    "owner",
)
COLUMNS = dict(zip(FIELDS, HEADERS, strict=True))


def cells(row: Row) -> list[str]:
    return [str(getattr(row, name)) for name in FIELDS]


@dataclass
class CsvPlace(Place):
    """A CSV file with headers of its own."""

    can: frozenset[Can] = frozenset(Can) - {Can.LOCK_OUT, Can.TAKE_FACTS}
    folder: Path = Path()
    _rows: list[list[str]] = field(default_factory=list)
    _end: str = ""

    def __post_init__(self) -> None:
        self.file = self.folder / "deals.csv"
        self._write()

    def _write(self) -> None:
        with self.file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([HEADERS, *self._rows])
            stream.write(self._end)

    def source(self, *, writes_back: bool = False) -> DealSource:
        settings = {"file": "deals.csv", "folder": str(self.folder), "columns": COLUMNS}
        return create("csv", settings, SystemClock())

    def put(self, *rows: Row) -> None:
        self._rows += [cells(row) for row in rows]
        self._write()

    def rename(self, key: str, name: str) -> None:
        next(row for row in self._rows if row[0] == key)[1] = name
        self._write()

    def remove(self, key: str) -> None:
        self._rows = [row for row in self._rows if row[0] != key]
        self._write()

    def break_off(self) -> None:
        self._end = "last,Half a"
        self._write()

    def go_away(self) -> DealSource:
        settings = {"file": "gone.csv", "folder": str(self.folder)}
        return create("csv", settings, SystemClock())

    def image(self) -> object:
        return {each: each.read_bytes() for each in self.folder.iterdir()}


_TYPES = {
    "Worth": "NUMERIC(14, 2)",
    "Chance": "DOUBLE PRECISION",
    "Decision": "DATE",
    "url": "VARCHAR(200)",
    "begins": "DATE",
    "done": "NUMERIC(3, 2)",
}
_BREAK = "division by zero"


@dataclass
class SqlPlace(Place):
    """A table with names of its own in a SQL database, which others may write to."""

    can: frozenset[Can] = frozenset(Can) - {Can.LOCK_OUT}
    many: int = 5_000
    url: str = ""

    def __post_init__(self) -> None:
        self.engine: Engine = create_engine(self.url)
        more = ("url", "begins", "done", "untouched")
        columns = [f'"{name}" {_TYPES.get(name, "TEXT")}' for name in (*HEADERS, *more)]
        self._execute(f"CREATE TABLE opportunity ({', '.join(columns)})")

    @property
    def breaking(self) -> str:
        """What makes the database give up at a row, in its own way."""
        if self.engine.dialect.name == "sqlite":
            return "abs(-9223372036854775807 - 1)"
        return '1 / (length("Title") - length("Title"))'

    def source(self, *, writes_back: bool = False) -> DealSource:
        return self._source(self.url, writes_back=writes_back)

    def _source(self, url: str, *, writes_back: bool = False) -> DealSource:
        names = ", ".join(f'"{name}"' for name in HEADERS)
        broken = f"CASE WHEN \"Title\" = '{_BREAK}' THEN {self.breaking} ELSE 0 END AS broken"
        settings: dict[str, object] = {
            "url": url,
            "query": f"SELECT {names}, {broken} FROM opportunity",
            "columns": COLUMNS,
            "environment": {},
        }
        if writes_back:
            places = {"url": "url", "start": "begins", "progress": "done"}
            settings["write_back"] = {"table": "opportunity", "key": "Nr", "columns": places}
        return create("sql", settings, SystemClock())

    def _execute(self, statement: str, *rows: dict[str, object]) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), rows or None)

    def put(self, *rows: Row) -> None:
        parameters = [f":{name}" for name in FIELDS]
        values: list[dict[str, object]] = [
            {
                **dict(zip(FIELDS, cells(row), strict=True)),
                "value": float(row.value) if self._is_sqlite else Decimal(row.value),
                "probability": float(row.probability),
                "expected_close": str(row.expected_close)
                if self._is_sqlite
                else row.expected_close,
            }
            for row in rows
        ]
        names = ", ".join(f'"{name}"' for name in HEADERS)
        self._execute(
            f"INSERT INTO opportunity ({names}) VALUES ({', '.join(parameters)})", *values
        )

    def _day(self, day: date) -> object:
        return str(day) if self._is_sqlite else day

    @property
    def _is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def rename(self, key: str, name: str) -> None:
        self._execute(
            'UPDATE opportunity SET "Title" = :name WHERE "Nr" = :key', {"name": name, "key": key}
        )

    def remove(self, key: str) -> None:
        self._execute('DELETE FROM opportunity WHERE "Nr" = :key', {"key": key})

    def break_off(self) -> None:
        self.put(Row("last", name=_BREAK))

    def go_away(self) -> DealSource:
        if self._is_sqlite:
            return self._source(f"{self.url}.gone")
        return self._source(_text(make_url(self.url).set(port=1)))

    def lock_out(self) -> DealSource:
        return self._source(_text(make_url(self.url).set(password=WRONG)))

    def written_facts(self, key: str) -> tuple[object, ...]:
        query = text('SELECT url, begins, done, untouched FROM opportunity WHERE "Nr" = :key')
        with self.engine.connect() as connection:
            url, begins, done, untouched = connection.execute(query, {"key": key}).one()
        assert untouched is None
        return url, str(begins), done if done is None else f"{done:.2f}"

    def image(self) -> object:
        with self.engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(text("SELECT * FROM opportunity"))]
        return rows if not self._is_sqlite else (rows, Path(self._file).read_bytes())

    @property
    def _file(self) -> str:
        return str(make_url(self.url).database)

    def clean_up(self) -> None:
        self.engine.dispose()


def _text(url: Any) -> str:
    return str(url.render_as_string(hide_password=False))


@dataclass
class FakeTrytonPlace(Place):
    """Tryton as it is remembered."""

    can: frozenset[Can] = frozenset(Can)
    many: int = 1200

    def __post_init__(self) -> None:
        self.tryton = fake.FakeTryton()
        self.mock = self.tryton.answer()
        self.mock.start()

    def source(self, *, writes_back: bool = False) -> DealSource:
        return self._source(fake.URL, fake.KEY, writes_back=writes_back)

    def _source(self, url: str, key: str, *, writes_back: bool = False) -> DealSource:
        return create("tryton", tryton_settings(url, key, writes_back), ManualClock())

    def put(self, *rows: Row) -> None:
        for row in rows:
            self.tryton.opportunity(
                number=row.key,
                description=row.name,
                party=self.tryton.add("party.party", name=row.customer),
                amount=Decimal(row.value),
                conversion_probability=float(row.probability),
                end_date=row.expected_close,
                state=row.stage,
            )

    def _id(self, key: str) -> int:
        return next(n for n, row in self.tryton.rows.items() if row["number"] == key)

    def rename(self, key: str, name: str) -> None:
        self.tryton.change(self._id(key), description=name)

    def remove(self, key: str) -> None:
        del self.tryton.rows[self._id(key)]

    def break_off(self) -> None:
        self.tryton.loses = True

    def go_away(self) -> DealSource:
        return self._source("http://127.0.0.1:9", fake.KEY)

    def lock_out(self) -> DealSource:
        return self._source(fake.URL, WRONG)

    def written_facts(self, key: str) -> tuple[object, ...]:
        row = self.tryton.rows[self._id(key)]
        assert row["reference"] is None
        return (
            row["project_url"],
            str(row["project_start"]),
            row["project_progress"] and str(row["project_progress"]),
        )

    def image(self) -> object:
        return {number: dict(row) for number, row in self.tryton.rows.items()}

    def clean_up(self) -> None:
        self.mock.stop(allow_assert=False)


def tryton_settings(url: str, key: str, writes_back: bool = False) -> dict[str, object]:
    """Returns the settings of a source for Tryton."""
    settings: dict[str, object] = {
        "url": url,
        "database": "erp",
        "token_env": "TRYTON_KEY",
        "environment": {"TRYTON_KEY": key},
    }
    if writes_back:
        names = ("url", "start", "progress")
        settings["write_back"] = {name: f"project_{name}" for name in names}
    return settings


@dataclass
class LiveTrytonPlace(Place):
    """A real Tryton, in which other tests leave what cannot be deleted."""

    can: frozenset[Can] = frozenset(Can) - {Can.BREAK_OFF, Can.FORGET_KEYS}
    many: int = 520
    office: TrytonOffice = field(default_factory=lambda: TrytonOffice("", "", "", ""))

    def __post_init__(self) -> None:
        self.prefix = f"{uuid.uuid4().hex[:8]}-"
        self._ids: dict[str, int] = {}

    def source(self, *, writes_back: bool = False) -> DealSource:
        return self._source(self.office.url, self.office.robot_key, writes_back=writes_back)

    def _source(self, url: str, key: str, *, writes_back: bool = False) -> DealSource:
        # Numbers are given by Tryton itself, and no one may change them.
        settings = {**tryton_settings(url, key, writes_back), "columns": {"key": "reference"}}
        return create("tryton", settings, SystemClock())

    def put(self, *rows: Row) -> None:
        numbers = self.office.leads([_as_lead(row) for row in rows])
        self._ids.update(zip((row.key for row in rows), numbers, strict=True))
        if len(rows) < self.many:
            for number in numbers:
                self.office.click(number, "opportunity")

    def rename(self, key: str, name: str) -> None:
        self.office.change(self._ids[key], description=name)

    def remove(self, key: str) -> None:
        self.office.delete(self._ids[key])

    def go_away(self) -> DealSource:
        return self._source("http://127.0.0.1:9", self.office.robot_key)

    def lock_out(self) -> DealSource:
        return self._source(self.office.url, WRONG)

    def written_facts(self, key: str) -> tuple[object, ...]:
        names = ("project_url", "project_start", "project_progress", "agreed_start")
        row = self.office.show(self._ids[key], *names)
        assert row["agreed_start"] is None
        start, progress = row["project_start"], row["project_progress"]
        day = f"{start['year']}-{start['month']:02}-{start['day']:02}" if start else "None"
        return row["project_url"], day, progress and f"{Decimal(progress['decimal']):.2f}"

    def image(self) -> object:
        names = ("number", "description", "state", "write_date", "project_url")
        return [self.office.show(number, *names) for number in self._ids.values()]


def _as_lead(row: Row) -> dict[str, object]:
    day = row.expected_close
    return {
        "reference": row.key,
        "comment": None,
        "description": row.name,
        "amount": amount(row.value),
        "conversion_probability": float(row.probability),
        "end_date": typed_day(day.year, day.month, day.day),
    }


@dataclass
class FakeOdooPlace(Place):
    """Odoo as it is remembered: a version that is asked by JSON-RPC, or by JSON-2."""

    can: frozenset[Can] = frozenset(Can) - {Can.FORGET_KEYS}
    many: int = 1200
    version: int = 14

    def __post_init__(self) -> None:
        clock = ManualClock()
        self.odoo = FakeOdoo(version=self.version, now=clock.now)
        self.clock = clock
        self.mock = self.odoo.answer()
        self.mock.start()
        self.owners: dict[str, int] = {}

    def source(self, *, writes_back: bool = False) -> DealSource:
        return self._source(ODOO_URL, ODOO_KEY, writes_back=writes_back)

    def _source(self, url: str, key: str, *, writes_back: bool = False) -> DealSource:
        settings = {
            "url": url,
            "database": "crm",
            "username": ODOO_LOGIN,
            "token_env": "KEY",
            "environment": {"KEY": key},
        }
        return create("odoo", odoo_settings(settings, writes_back), self.clock)

    def put(self, *rows: Row) -> None:
        for row in rows:
            self.odoo.stages.setdefault(row.stage, self.odoo.add("crm.stage", name=row.stage))
            self.odoo.lead(
                row.stage,
                referred=row.key,
                name=row.name,
                partner_id=self.odoo.customer(row.customer),
                expected_revenue=float(row.value),
                probability=float(Decimal(row.probability) * 100),
                date_deadline=str(row.expected_close),
                user_id=self._owner(row.owner),
            )

    def _owner(self, name: str) -> int:
        if name not in self.owners:
            self.owners[name] = self.odoo.user(name, f"{name}@example.invalid")
        return self.owners[name]

    def _id(self, key: str) -> int:
        rows = self.odoo.rows["crm.lead"].items()
        return next(number for number, row in rows if row["referred"] == key)

    def rename(self, key: str, name: str) -> None:
        self.odoo.change("crm.lead", self._id(key), name=name)

    def remove(self, key: str) -> None:
        self.odoo.remove("crm.lead", self._id(key))

    def break_off(self) -> None:
        self.odoo.longest_page = 1

    def go_away(self) -> DealSource:
        return self._source("http://127.0.0.1:9", ODOO_KEY)

    def lock_out(self) -> DealSource:
        return self._source(ODOO_URL, WRONG)

    def written_facts(self, key: str) -> tuple[object, ...]:
        row = self.odoo.rows["crm.lead"][self._id(key)]
        assert row["x_about"] is False
        return _facts_there(row)

    def image(self) -> object:
        return {number: dict(row) for number, row in self.odoo.rows.get("crm.lead", {}).items()}

    def clean_up(self) -> None:
        self.mock.stop(allow_assert=False)


def odoo_settings(settings: dict[str, object], writes_back: bool) -> dict[str, object]:
    """Returns the settings of a source for Odoo whose leads have keys of their own."""
    columns = {"key": "referred", "team": ""}
    if not writes_back:
        return {**settings, "columns": columns}
    places = {"url": "x_url", "start": "x_project_start", "progress": "x_progress"}
    return {**settings, "columns": columns, "write_back": places}


def _facts_there(row: Any) -> tuple[object, ...]:
    start, progress = row["x_project_start"] or None, row["x_progress"]
    return row["x_url"] or None, str(start), f"{progress:.2f}" if progress else None


@dataclass
class LiveOdooPlace(Place):
    """A real Odoo, in which other tests leave leads of theirs."""

    can: frozenset[Can] = frozenset(Can) - {Can.BREAK_OFF, Can.FORGET_KEYS}
    many: int = 60
    office: OdooOffice = field(default_factory=lambda: OdooOffice("", ""))

    def __post_init__(self) -> None:
        self.prefix = f"{self.office.marker}-"
        self._ids: dict[str, int] = {}
        self._stage = lru_cache(self.office.stage)
        self._customer = lru_cache(self.office.customer)
        self._owner = lru_cache(lambda name: self.office.find("res.users", ["name", "=", name]))

    def source(self, *, writes_back: bool = False) -> DealSource:
        return create("odoo", odoo_settings(self.office.settings(), writes_back), SystemClock())

    def put(self, *rows: Row) -> None:
        numbers = self.office.leads([self._lead(row) for row in rows])
        self._ids.update(zip((row.key for row in rows), numbers, strict=True))

    def _lead(self, row: Row) -> dict[str, object]:
        return {
            "type": "opportunity",
            "referred": row.key,
            "name": row.name,
            "stage_id": self._stage(row.stage),
            "partner_id": self._customer(row.customer),
            "expected_revenue": float(row.value),
            "probability": float(Decimal(row.probability) * 100),
            "date_deadline": str(row.expected_close),
            "user_id": self._owner(row.owner),
        }

    def rename(self, key: str, name: str) -> None:
        self.office.change("crm.lead", self._ids[key], name=name)

    def remove(self, key: str) -> None:
        self.office.remove("crm.lead", self._ids[key])

    def go_away(self) -> DealSource:
        settings = self.office.settings(url="http://127.0.0.1:9")
        return create("odoo", settings, SystemClock())

    def lock_out(self) -> DealSource:
        settings = self.office.settings(password_env="WRONG")
        return create("odoo", settings, SystemClock())

    def written_facts(self, key: str) -> tuple[object, ...]:
        names = ("x_url", "x_project_start", "x_progress", "contact_name")
        row = self.office.show("crm.lead", self._ids[key], *names)
        assert row["contact_name"] is False
        return _facts_there(row)

    def image(self) -> object:
        names = ("name", "stage_id", "active", "write_date", "x_url")
        return [self.office.show("crm.lead", number, *names) for number in self._ids.values()]

    def clean_up(self) -> None:
        self.office.remove("crm.lead", *self._ids.values())
