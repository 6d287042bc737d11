"""Opening SQL databases the same way everywhere: SQLite by default, PostgreSQL by its URL.

Two column types keep exact what SQLite alone would bend: `ExactDecimal` (money) and `UtcDateTime`
(aware times). `reading` and `writing` are the only two ways to a connection, so that a write
transaction on SQLite always takes its lock at the start: a transaction that reads first and
writes later fails at once when another one wrote in between, whatever the busy timeout says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    Text,
    TypeDecorator,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
)

from sync.errors import Stop

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


def open_engine(url: str, *, create: bool = True, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Returns an engine for a database URL; connects only when it is first used.

    With ``create`` False a SQLite file that does not exist is an error instead of a new, empty
    database. A new file may be read by its owner only.

    :raises Stop: the URL is no database URL, its driver is missing, or the file is not there.
    """
    parsed = parse_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite:
        _check_file(parsed, create)
        _create_private_file(parsed)
    try:
        engine = create_engine(
            parsed, connect_args={"timeout": busy_seconds} if is_sqlite else {}, pool_pre_ping=False
        )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise Stop(
            f"{shown(parsed)}: no driver for {parsed.drivername} is installed ({error}); "
            "for PostgreSQL install pipeline-sync[postgresql] and use postgresql+psycopg://"
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def shown(url: str | URL) -> str:
    """Names a database for people: the file of a SQLite one, else the URL without its password."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.database or ":memory:"
    return parsed.set(query={}).render_as_string(hide_password=True)  # options may be secret too


def reading(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that only reads: one unchanging view of the database."""
    return engine.begin()


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that may write: committed at the end, rolled back on any exception."""
    return engine.execution_options(writes=True).begin()


@contextmanager
def failures_as(kind: type[Stop], engine: Engine) -> Iterator[None]:
    """Turns a database that cannot be used into an error with its name and the way out.

    Broken constraints and programming mistakes pass through unchanged.

    :raises Stop: of the given ``kind``.
    """
    try:
        yield
    except (OperationalError, InternalError) as error:
        raise kind(explain(error, shown(engine.url))) from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise
        raise kind(explain(error, shown(engine.url))) from error


_WAYS_OUT = (
    (
        ("locked", "busy"),
        "is in use by another program that did not let go of it in time; nothing was written. "
        "Try again, or find out who has it open (fuser {place})",
    ),
    (
        ("malformed", "not a database", "corrupt"),
        "is damaged or not a SQLite database. Keep the file, and restore a backup, or save what "
        'can be saved: sqlite3 {place} ".recover" | sqlite3 recovered.db',
    ),
    (("unable to open",), "cannot be opened. Check that its folder exists and may be written to"),
    (("readonly", "read-only"), "may not be written to. Check the rights on the file and folder"),
    (("disk is full", "no space"), "cannot grow: the disk is full. Free some space and try again"),
)


def explain(error: DatabaseError, place: str) -> str:
    """Says what is wrong with a database and what to do, from the driver's error."""
    cause = (
        str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason given"
    )
    for words, way_out in _WAYS_OUT:
        if any(word in cause.lower() for word in words):
            return f"{place} {way_out.format(place=place)} (the database says: {cause})"
    return f"{place} cannot be used: {cause}. Check the URL, the account and that the server runs"


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
    """Makes a new SQLite file readable by its owner only: it holds customers' names.

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


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
