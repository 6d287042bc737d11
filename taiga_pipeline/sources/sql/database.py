"""Someone else's database: opened so that it cannot be written to, and closed after each use.

==============  ==================================================================================
SQLite          opened with ``mode=ro``, and ``PRAGMA query_only``
PostgreSQL      ``SET TRANSACTION READ ONLY``: one unchanging view, for as long as it is read
any other       nothing is ever committed; what the account may do is all that holds it back
==============  ==================================================================================

Every failure becomes an error with the database's name and the way out; none shows a password.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Engine, NullPool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from sync.clock import Clock
from sync.database.engine import parse_url, shown
from sync.errors import Stop, SyncError, Unauthorised, Unreachable
from taiga_pipeline.installing import how_to_add, how_to_get
from taiga_pipeline.problems import Problem, ProblemsError

BATCH: Final = 1000
"""Rows that are fetched at a time."""
STREAMED: Final[Mapping[str, Any]] = {"stream_results": True, "yield_per": BATCH}
"""Options of a statement whose rows stay at the server until they are asked for."""
_CONNECT_SECONDS: Final = 10
_BUSY_SECONDS: Final = 15.0
_STEPS: Final = 10_000
"""SQLite's own steps between two looks at the clock."""

_DRIVERS: Final = {
    "postgresql": ("psycopg[binary]", "postgresql+psycopg"),
    "mysql": ("pymysql", "mysql+pymysql"),
    "mariadb": ("pymysql", "mariadb+pymysql"),
    "mssql": ("pyodbc", "mssql+pyodbc"),
    "oracle": ("oracledb", "oracle+oracledb"),
}
"""The package with the driver of each kind of database, and how its URL begins."""
_AWAY: Final = ("locked", "busy", "unable to open", "malformed", "not a database", "i/o error")
"""What SQLite says when it is the file, and not the statement, that is at fault."""
_NO_ENTRY: Final = ("password", "authentication", "access denied", "login failed")


@dataclass(frozen=True, slots=True)
class Database:
    """A database by its URL. ``setting`` is where that stands, for messages."""

    url: URL
    clock: Clock
    timeout_seconds: float
    setting: str = "[source] url"

    @classmethod
    def at(cls, url: str, clock: Clock, timeout_seconds: float, setting: str) -> Database:
        """Takes a URL apart; connects to nothing.

        :raises Stop: it is none.
        """
        try:
            return cls(parse_url(url), clock, timeout_seconds, setting)
        except Stop as error:
            raise Stop(f"{setting}: {error}") from None

    @property
    def name(self) -> str:
        """What the database is called in messages, without a password."""
        return shown(self.url)

    @property
    def kind(self) -> str:
        """Which database it is: ``sqlite``, ``postgresql`` …"""
        return self.url.get_backend_name()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that cannot write where the database has such a setting, and never commits.

        :raises Unreachable: there is no connection.
        :raises Unauthorised: the account is not let in.
        :raises Stop: there is no driver for it.
        """
        engine = self._engine(self._open_sqlite_to_read)
        with self._connected(engine) as connection:
            if self.kind == "postgresql":
                connection.exec_driver_sql(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
                )
                connection.exec_driver_sql(
                    f"SET LOCAL statement_timeout = {int(self.timeout_seconds * 1000)}"
                )
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that may write; whoever uses it begins and commits.

        :raises SyncError: as `reading`.
        """
        engine = self._engine(self._open_sqlite_to_write)
        if self.kind == "sqlite":
            # The driver's own handling would let a savepoint go unnoticed. Others may go on
            # writing until the first statement of ours that does.
            event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
        with self._connected(engine) as connection:
            yield connection

    def run(self, connection: Connection, query: str) -> CursorResult[Any]:
        """Runs a query that reads; its rows are fetched from the server as they are asked for.

        :raises ProblemsError: the database does not take the query, or it writes.
        :raises SyncError: the database does not answer (in time).
        """
        with self.in_plain_words("query"):
            self._begin_counting(connection)
            return connection.exec_driver_sql(
                query, execution_options={**STREAMED, "no_parameters": True}
            )

    def rows(self, result: CursorResult[Any]) -> Iterator[tuple[object, ...]]:
        """Yields the rows of a result.

        :raises SyncError: as `run`.
        """
        while True:
            with self.in_plain_words("query"):
                self._begin_counting(result.connection)
                batch: Sequence[Any] = result.fetchmany(BATCH)
            if not batch:
                return
            yield from (tuple(row) for row in batch)

    def refuses_writes(self, connection: Connection) -> bool | None:
        """Tries to write, and says whether it was refused; None where trying would not be safe."""
        if self.kind not in ("sqlite", "postgresql"):
            return None
        try:
            connection.exec_driver_sql("CREATE TABLE pipeline_sync_may_write (x INTEGER)")
        except DBAPIError:
            return True
        finally:
            connection.rollback()
        return False

    @contextmanager
    def in_plain_words(self, statement: str) -> Iterator[None]:
        """Turns the driver's errors into ours; ``statement`` names the setting that is at work."""
        try:
            yield
        except DBAPIError as error:
            raise self._explained(error, statement) from None
        except sqlite3.Error as error:  # while rows are fetched, it is not wrapped
            wrapped = DBAPIError("", None, error)
            raise self._explained(wrapped, statement) from None

    # --- opening

    def _engine(self, open_sqlite: Any) -> Engine:
        is_sqlite = self.kind == "sqlite"
        arguments = {"connect_timeout": _CONNECT_SECONDS} if self.kind == "postgresql" else {}
        try:
            if is_sqlite:
                return create_engine("sqlite://", creator=open_sqlite, poolclass=NullPool)
            return create_engine(self.url, poolclass=NullPool, connect_args=arguments)
        except (NoSuchModuleError, ImportError) as error:
            raise Stop(
                f"{self.setting}: no driver for {self.url.drivername} is installed: "
                f"{self._way_to_a_driver(error)}"
            ) from None

    def _way_to_a_driver(self, error: Exception) -> str:
        if self.kind not in _DRIVERS:
            return f"install the package that SQLAlchemy needs ({error})"
        package, scheme = _DRIVERS[self.kind]
        get_it = how_to_get("postgresql") if self.kind == "postgresql" else how_to_add(package)
        return f"{get_it}, and write {scheme}://…"

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        try:
            connection = engine.connect()
        except (DBAPIError, sqlite3.Error) as error:
            engine.dispose()
            raise self._not_connected(error) from None
        except SQLAlchemyError as error:
            engine.dispose()
            raise Stop(f"{self.setting}: {self.words(error)}") from None
        try:
            yield connection
        finally:
            connection.close()  # which rolls back
            engine.dispose()

    def _open_sqlite_to_read(self) -> sqlite3.Connection:
        connection = self._open_sqlite("ro")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _open_sqlite_to_write(self) -> sqlite3.Connection:
        connection = self._open_sqlite("rw")
        connection.isolation_level = None
        return connection

    def _open_sqlite(self, mode: str) -> sqlite3.Connection:
        name = self.url.database or ""
        if not Path(name).is_file():
            raise Unreachable(f"{name or ':memory:'}: no such file ({self.setting})")
        address = f"{Path(name).absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)
        # Bytes that are not UTF-8 cost their row, not the reading.
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        return connection

    def _begin_counting(self, connection: Connection) -> None:
        """Has SQLite, which has no time-out of its own, give up after a while."""
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            end = self.clock.monotonic() + self.timeout_seconds
            driver.set_progress_handler(lambda: self.clock.monotonic() > end, _STEPS)

    # --- errors

    def _not_connected(self, error: Exception) -> SyncError:
        cause = self.words(error)
        if any(word in cause.lower() for word in _NO_ENTRY):
            return Unauthorised(
                f"{self.name} refuses this account: {cause}. Check the name and the password "
                f"({self.setting})"
            )
        return Unreachable(
            f"{self.name} cannot be reached: {cause}. Check {self.setting}, and that the database "
            "runs"
        )

    def _explained(self, error: DBAPIError, statement: str) -> Exception:
        cause = self.words(error)
        state = str(getattr(error.orig, "sqlstate", None) or "")
        lower = cause.lower()
        if state == "57014" or lower == "interrupted":
            return Unreachable(
                f"{self.name}: the {statement} was not complete within {self.timeout_seconds:g} s; "
                "make it faster (an index?), or raise timeout_seconds in [source]"
            )
        if state == "25006" or "readonly database" in lower:
            return _problem(f"{statement}: it writes, which was refused ({cause})")
        if state == "42501" or "permission denied" in lower:
            return Unauthorised(
                f"{self.name}: the account lacks a right: {cause}. Grant it only what the "
                "{statement} needs"
            )
        if self._is_the_statements_fault(state, lower):
            return _problem(f"{statement}: {self.name} says: {cause}")
        return Unreachable(f"{self.name} broke off: {cause}; a partial read is not used")

    def _is_the_statements_fault(self, state: str, cause: str) -> bool:
        if self.kind == "sqlite":
            return not any(words in cause for words in _AWAY)
        return state[:2] in ("42", "22", "0A", "21") if state else "syntax" in cause

    def words(self, error: Exception) -> str:
        """Returns the driver's words on one line, without the password."""
        original = getattr(error, "orig", None) or error
        lines = str(original).strip().splitlines()
        words = " ".join(line.strip() for line in lines[:1]) or type(original).__name__
        password = str(self.url.password or "")
        return words.replace(password, "***") if password else words


def _problem(message: str) -> ProblemsError:
    return ProblemsError([Problem(f"[source] {message}")])
