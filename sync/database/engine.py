"""Opening SQL databases the same way everywhere: SQLite by default, PostgreSQL by its URL.

Column types keep exact what one of the two would bend: `ExactDecimal` (money), `UtcDateTime` (aware
times), `StorableText`. `reading` and `writing` are the only two ways to a connection, so that a
write transaction on SQLite always takes its lock at the start: a transaction that reads first and
writes later fails at once when another one wrote in between, whatever the busy timeout says. On
PostgreSQL, `sync.database.migrations.alone` does the same for a set of tables. Everything that is
set for a connection there is set for the transaction alone, so that a pooler may stand in between.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Identity,
    Integer,
    Text,
    TypeDecorator,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.util import LRUCache

from sync.database.errors import Trouble, recognise
from sync.errors import DatabaseAway, Stop, Unreachable

BUSY_SECONDS = 15.0
"""How long a statement waits for another process that is writing."""


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal number kept as text, because SQLite would make a binary float of it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Returns the number's digits, never in exponent form."""
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Returns exactly the number that was stored."""
        return None if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC, also on SQLite, which knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turns any aware time into UTC; a naive one is a mistake of the caller.

        :raises ValueError: the time is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a time zone cannot be stored: {value!r}")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Returns the time, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@compiles(UtcDateTime, "sqlite")
def _time_on_sqlite(*_: object, **__: object) -> str:
    """Names the type as on PostgreSQL: SQLite takes any name, and files hold this one."""
    return "TIMESTAMP WITH TIME ZONE"


def numbered(name: str = "id") -> Column[int]:
    """Returns a primary key that numbers itself."""
    kind = BigInteger().with_variant(Integer(), "sqlite")
    return Column(name, kind, Identity(always=False), primary_key=True)


class StorableText(TypeDecorator[str]):
    """Text in which NUL and halves of characters, which PostgreSQL refuses, become U+FFFD.

    For what others say, such as a server's error. SQLite gets the same, so that a store can be
    copied from one to the other.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Returns the text as it can be stored."""
        return storable(value)


def storable(text: str | None) -> str | None:
    """Returns a text as every database can keep it."""
    return None if text is None else _NO_TEXT.sub("\ufffd", text)


_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


def by_letters(column: ColumnElement[str]) -> ColumnElement[str]:
    """Returns a text column to order by: by the letters' numbers, on every database alike.

    A PostgreSQL usually orders by the rules of a dictionary, which are other ones on each machine.
    """
    return _ByLetters(column)


class _ByLetters(FunctionElement[str]):
    inherit_cache = True
    name = "by_letters"


@compiles(_ByLetters)
def _plain(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(next(iter(element.clauses)), **options))


@compiles(_ByLetters, "postgresql")
def _collated(element: Any, compiler: Any, **options: Any) -> str:
    return f'{_plain(element, compiler, **options)} COLLATE "C"'


def open_engine(url: str, *, create: bool = True, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Returns an engine for a database URL; connects only when it is first used.

    With ``create`` False a SQLite file that does not exist is an error instead of a new, empty
    database. A new file may be read by its owner only. ``busy_seconds`` is how long a statement
    waits for another program that writes.

    :raises Stop: the URL is not a database URL, its driver is missing, or the file is not there.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise Stop(
            f"{shown(parsed)}: write the URL of a SQLite database (sqlite:///pipeline.db) or of a "
            "PostgreSQL database (postgresql+psycopg://host/database); nothing is kept in "
            f"{parsed.get_backend_name()}"
        )
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite:
        _check_file(parsed, create)
        _create_private_file(parsed)
    arguments = {"timeout": busy_seconds} if is_sqlite else _server_arguments(parsed)
    try:
        first = _first_engine(parsed, _folder(parsed), tuple(arguments.items()))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise Stop(
            f"{shown(parsed)}: no driver for {parsed.drivername} is installed ({error}); "
            "for PostgreSQL write postgresql+psycopg://"
        ) from error
    engine = Engine(
        first.pool.recreate(),
        _sqlite_dialect() if is_sqlite else first.dialect,
        parsed,
        execution_options={"compiled_cache": _COMPILED},
    )
    if is_sqlite:
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "begin", partial(_begin_postgresql, busy_seconds))
    return engine


@lru_cache(maxsize=32)
def _first_engine(url: URL, folder: str, arguments: tuple[tuple[str, Any], ...]) -> Engine:
    """Returns what the engines of one database have in common; none of them is ever this one.

    A file is named relative to ``folder``, in which this process is at that moment.

    A program that serves opens a store for each request: all its engines have one dialect, so that
    a statement is compiled once, and connections of their own.
    """
    # A pooled connection that a firewall or a restart has ended is replaced before it is used.
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(url, connect_args=dict(arguments), pool_pre_ping=not is_sqlite)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _folder(url: URL) -> str:
    is_relative = url.get_backend_name() == "sqlite" and not Path(url.database or "/").is_absolute()
    return str(Path.cwd()) if is_relative else ""


@cache
def _sqlite_dialect() -> Dialect:
    """What SQLite can do in this process, which is the same for all files."""
    engine = create_engine("sqlite://")
    with engine.connect():
        return engine.dialect


_COMPILED: Final[LRUCache[Any, Any]] = LRUCache(2_000)
"""Statements as they were compiled, for all engines."""

_LIBPQ: Final = {
    "connect_timeout": 10,
    # A connection that waits while a run is busy with the target is kept alive through firewalls,
    # and a server that is gone is noticed within two minutes.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 6,
    "tcp_user_timeout": 90_000,
}


def _server_arguments(url: URL) -> dict[str, Any]:
    """Returns how to connect to a server; what the URL itself says has the last word."""
    if url.get_backend_name() != "postgresql":
        return {}
    driver = url.get_driver_name()
    if not driver.startswith("psycopg"):
        return {}
    arguments: dict[str, Any] = {
        **_LIBPQ,
        "application_name": f"pipeline-sync {os.getpid()}@{socket.gethostname()}"[:63],
    }
    if driver == "psycopg":
        # A pooler may give each transaction another connection, which knows no prepared statements.
        arguments["prepare_threshold"] = None
    return {name: value for name, value in arguments.items() if name not in url.query}


def shown(url: str | URL) -> str:
    """Names a database for people: the file of a SQLite one, else the URL without its password."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.database or ":memory:"
    return parsed.set(query={}).render_as_string(hide_password=True)  # options may be secret too


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads: one unchanging view of the database."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed at the end, rolled back on any exception.

    An engine's execution option ``asleep_seconds`` bounds how long a program that does nothing in
    it (it is suspended, say) may hold up others: then PostgreSQL takes it back.
    """
    with _turn(engine), engine.execution_options(writes=True).begin() as connection:
        yield connection


TURN_SECONDS: Final = 60.0
_TURNS: Final[dict[str, threading.RLock]] = {}


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Lets the threads of this process write one after the other into a file of SQLite.

    SQLite itself looks again every now and then, and who is unlucky is turned away in the end:
    among 20 threads, a few in a hundred. Whoever waits too long here takes their chance there.
    """
    file = engine.url.database or ":memory:"
    if engine.dialect.name != "sqlite" or file == ":memory:":
        yield
        return
    lock = _turn_of(file, _folder(engine.url))
    is_ours = lock.acquire(timeout=TURN_SECONDS)
    try:
        yield
    finally:
        if is_ours:
            lock.release()


@lru_cache(maxsize=256)
def _turn_of(file: str, folder: str) -> threading.RLock:
    """Returns the lock of a file, which is named relative to ``folder``; links lead to one."""
    return _TURNS.setdefault(str(Path(folder, file).resolve()), threading.RLock())


def lock_number(connection: Connection, what: str) -> int:
    """Returns PostgreSQL's number of a lock of ours: another one for each schema of a database."""
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar()
    digest = hashlib.sha256(f"pipeline-sync {schema} {what}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@contextmanager
def failures_as(kind: type[Stop], engine: Engine) -> Iterator[None]:
    """Turns a database that cannot be used into an error with its name and the way out.

    Broken constraints and programming mistakes pass through unchanged.

    :raises DatabaseAway: no server answers at its address, or the connection was lost.
    :raises Unreachable: the account is not let in, or lacks rights.
    :raises Stop: of the given ``kind``: anything else.
    """
    place = shown(engine.url)
    try:
        yield
    except DBAPIError as error:
        trouble = recognise(error, place)
        if trouble is None:
            raise
        text = f"{place} {trouble.words}"
        secret = str(engine.url.password or "")
        if secret and secret in trouble.words:
            text = f"{place} {trouble.words.replace(secret, '***')}"
        raise _kind_of(trouble, kind)(text) from error
    except PoolTimeout as error:
        raise kind(f"{place}: all connections of this process are in use ({error})") from error


def _kind_of(trouble: Trouble, kind: type[Stop]) -> type[Stop]:
    if trouble.passes:
        return DatabaseAway
    return Unreachable if trouble.is_out_of_reach else kind


def parse_url(url: str) -> URL:
    """Returns a database URL in its parts.

    :raises Stop: it is none; the message does not repeat it, as it may hold a password.
    """
    try:
        parsed = make_url(url)
        if "@" in (parsed.host or ""):
            raise ValueError("an @ in the password")
    except (ArgumentError, ValueError):  # whose words may be a part of the password
        raise Stop(
            "not a database URL; write sqlite:///pipeline.db or "
            "postgresql+psycopg://user@host/database (in a password, % : / and @ are written "
            "%25 %3A %2F and %40)"
        ) from None
    return parsed


def _check_file(url: URL, create: bool) -> None:
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        return
    file = Path(name)
    if not create and not file.exists():
        raise Stop(f"{name}: no such file")
    if not file.parent.is_dir():
        raise Stop(f"{name}: the folder {file.parent} does not exist; create it first")


def _create_private_file(url: URL) -> None:
    """Makes a new SQLite file readable by its owner only: it holds names of people.

    The files that SQLite puts beside it get the same mode.
    """
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        return
    with suppress(OSError):  # the first statement says what is wrong, with the way out
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own handling commits before each CREATE TABLE; a migration must not be torn so.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # Readers and one writer at the same time: `plan` in a terminal does not stop cron's `run`.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _begin_postgresql(busy_seconds: float, connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writes", False):
        # For this transaction only: a pooler hands the connection on to others.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {busy_seconds * 1000:.0f}")
    if options.get("writes", False) and "asleep_seconds" in options:
        milliseconds = options["asleep_seconds"] * 1000
        connection.exec_driver_sql(
            f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds:.0f}"
        )


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
