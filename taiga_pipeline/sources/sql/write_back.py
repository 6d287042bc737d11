"""Delivery facts into named columns of one table, and into nothing else.

Settings of ``[source.write_back]``: ``table`` (``crm.opportunities`` for one in a schema), ``key``
(its column with the deal's key), ``url_env`` for an account of its own that may update these
columns, and the table ``columns`` (fact = "column").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from sqlalchemy import (
    ColumnClause,
    Connection,
    TableClause,
    column,
    false,
    inspect,
    select,
    table,
    update,
)
from sqlalchemy.exc import DBAPIError, NoSuchTableError
from sqlalchemy.types import Date, DateTime, Float, Integer, NullType, Numeric, String, TypeEngine

from sync.clock import Clock
from sync.errors import SyncError
from sync.source import WriteBackResult
from taiga_pipeline.pipeline.cleaning import clean_line
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.importing.native import cell_of
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.sources.facts import (
    FACTS,
    Fact,
    facts_of,
    same,
    unknown_facts,
    write_back_result,
)
from taiga_pipeline.sources.settings import SettingsReader
from taiga_pipeline.sources.sql.database import STREAMED, Database

TABLE: Final = "source.write_back"
KNOWN: Final = ("table", "key", "url_env", "columns")
_AT_A_TIME: Final = 200
"""Rows that are changed in one transaction: others wait for it."""
_FITTING: Final[Mapping[type[TypeEngine[Any]], tuple[str, ...]]] = {
    Date: ("start", "finish"),
    DateTime: ("start", "finish"),
    Integer: ("progress",),
    Numeric: ("progress",),
    Float: ("progress",),
    String: tuple(FACTS),
    NullType: tuple(FACTS),
}


@dataclass(frozen=True, slots=True)
class Places:
    """Where facts go: a table, its column with the deal's key, and fact -> column."""

    table: str
    key: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """A write-back whose settings were read."""

    url: str
    clock: Clock
    timeout_seconds: float
    setting: str
    places: Places

    def make(self) -> SqlWriteBack:
        """Makes it.

        :raises Stop: the URL is none.
        """
        database = Database.at(self.url, self.clock, self.timeout_seconds, self.setting)
        return SqlWriteBack(database, self.places)


def read_write_back(
    source: SettingsReader, url: str, clock: Clock, timeout_seconds: float
) -> Planned | None:
    """Reads the settings, None if there are none; adds what is wrong to the source's problems."""
    if not source.has("write_back"):
        return None
    reader = source.within("write_back", KNOWN, ("table", "key", "columns"))
    columns = reader.table("columns")
    for message in unknown_facts(columns):
        reader.complain(f"columns: {message}")
    places = Places(reader.text("table"), reader.text("key"), columns)
    twice = sorted({name for name in columns.values() if [*columns.values()].count(name) > 1})
    if places.key in columns.values() or twice:
        reader.complain(f"columns: {', '.join(twice) or places.key} would be written twice")
    own = reader.secret("url")
    setting = "[source.write_back] url_env" if own else "[source] url"
    return Planned(own.reveal() if own else url, clock, timeout_seconds, setting, places)


@dataclass(frozen=True, slots=True)
class SqlWriteBack:
    """Writes facts that differ from what is in the table."""

    database: Database
    places: Places

    def examine(self) -> str:
        """Looks whether table, columns and the right to update them are there; changes nothing.

        :raises ProblemsError: all that is wrong.
        :raises SyncError: the database cannot be reached, or does not let the account in.
        """
        names = self.places.columns.values()
        with self.database.writing() as connection:
            target = self._look_up(connection)
            values = {name: target.c[name] for name in names}
            with self.database.in_plain_words("write_back"):
                # No row, and the same right.
                connection.execute(update(target).values(values).where(false()))
            connection.rollback()
        return f"delivery facts go into {', '.join(names)} of {self.places.table}"

    def take(self, facts: Iterable[DeliveryFacts]) -> WriteBackResult:
        """Compares the facts with what is there, and writes what differs."""
        wanted = {each.deal_key: facts_of(each, self.places.columns) for each in facts}
        written, problems = 0, list[str]()
        try:
            with self.database.writing() as connection:
                target = self._look_up(connection)
                changes = iter(list(self._changes(connection, target, wanted, problems)))
                connection.rollback()
                while batch := list(islice(changes, _AT_A_TIME)):
                    written += self._write(connection, target, batch, problems)
        except (SyncError, ProblemsError) as error:
            problems.append(str(error))
        return write_back_result(written, problems)

    def _look_up(self, connection: Connection) -> TableClause:
        """Returns the table with the types of its columns.

        :raises ProblemsError: it is not there, or lacks columns, or they do not fit.
        """
        schema, _, name = self.places.table.rpartition(".")
        inspector = inspect(connection)
        with self.database.in_plain_words("write_back"):
            try:
                found = inspector.get_columns(name, schema or None)
            except NoSuchTableError:
                known = inspector.get_table_names(schema or None)
                message = f"table: there is no {self.places.table!r}{did_you_mean(name, known)}"
                raise _problems([message]) from None
        types: dict[str, TypeEngine[Any]] = {each["name"]: each["type"] for each in found}
        problems = [
            f"there is no column {each!r} in {self.places.table}{did_you_mean(each, types)}"
            for each in (self.places.key, *self.places.columns.values())
            if each not in types
        ]
        problems += [
            f"columns: {fact} does not fit into {each}, which is {types[each]}"
            for fact, each in self.places.columns.items()
            if each in types and not _fits(fact, types[each])
        ]
        if problems:
            raise _problems(problems)
        wanted = (self.places.key, *self.places.columns.values())
        return table(name, *(column(n, types[n]) for n in wanted), schema=schema or None)

    def _changes(
        self,
        connection: Connection,
        target: TableClause,
        wanted: Mapping[str, Mapping[str, Fact]],
        problems: list[str],
    ) -> Iterator[_Change]:
        """Yields what differs from what is there, each deal once."""
        names = (self.places.key, *self.places.columns.values())
        # Without their types: what another person put there is looked at as it is.
        places: list[ColumnClause[Any]] = [column(name) for name in names]
        query = select(*places).select_from(target)
        seen: set[str] = set()
        with self.database.in_plain_words("write_back"):
            for row in connection.execute(query, execution_options=STREAMED):
                key = _key_text(row[0])
                if key not in wanted:
                    continue
                if key in seen:
                    problems.append(f"{key}: is in {self.places.table} more than once")
                    continue
                seen.add(key)
                there = dict(zip(self.places.columns, row[1:], strict=True))
                moved = {n: v for n, v in wanted[key].items() if not same(v, there[n])}
                if moved:
                    yield _Change(key, row[0], moved)

    def _write(
        self,
        connection: Connection,
        target: TableClause,
        changes: Sequence[_Change],
        problems: list[str],
    ) -> int:
        """Writes some changes in one transaction; those that are refused cost only themselves."""
        written = 0
        with self.database.in_plain_words("write_back"), connection.begin():
            for change in changes:
                try:
                    with connection.begin_nested():
                        self._write_one(connection, target, change)
                except (DBAPIError, InvalidValue) as error:
                    if isinstance(error, DBAPIError) and error.connection_invalidated:
                        raise
                    reason = self.database.words(error)
                    problems.append(f"{change.key}: not written back: {reason}")
                else:
                    written += 1
        return written

    def _write_one(self, connection: Connection, target: TableClause, change: _Change) -> None:
        values = {}
        for fact, value in change.moved.items():
            name = self.places.columns[fact]
            values[name] = _fitted(value, target.c[name].type, name)
        key: ColumnClause[Any] = column(self.places.key)
        result = connection.execute(update(target).values(values).where(key == change.row_key))
        if result.rowcount != 1:
            raise InvalidValue(
                f"{result.rowcount} rows of {self.places.table} have this {self.places.key}"
            )


@dataclass(frozen=True, slots=True)
class _Change:
    """Facts of a deal that moved. ``row_key`` is its key as the table has it."""

    key: str
    row_key: object
    moved: Mapping[str, Fact]


def _key_text(value: object) -> str:
    """Returns a key in the form in which deals have it, "" if it is none."""
    try:
        return clean_line(format_cell("", cell_of(value)))
    except InvalidValue:
        return ""


def _fits(fact: str, kind: TypeEngine[Any]) -> bool:
    return any(isinstance(kind, each) and fact in facts for each, facts in _FITTING.items())


def _fitted(fact: Fact, kind: TypeEngine[Any], name: str) -> object:
    """Returns a fact as a column of this type holds it.

    :raises InvalidValue: it is too long.
    """
    if fact is None:
        return None
    if isinstance(kind, Integer):
        return int(fact * 100) if isinstance(fact, Decimal) else fact
    if isinstance(kind, DateTime) and isinstance(fact, date):
        return datetime(fact.year, fact.month, fact.day)
    if isinstance(kind, Float | NullType) and isinstance(fact, Decimal):
        return float(fact)
    if isinstance(kind, Date | Numeric):
        return fact
    text = fact.isoformat() if isinstance(fact, date) else str(fact)
    room = getattr(kind, "length", None)
    if room is not None and len(text) > room:
        raise InvalidValue(f"{len(text)} characters, and {name} can hold {room}")
    return text


def _problems(messages: Sequence[str]) -> ProblemsError:
    return ProblemsError([Problem(f"[{TABLE}] {message}") for message in messages])
