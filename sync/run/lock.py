"""The run lock: at most one run per state store and pipeline at a time.

The lock is the operating system's (or PostgreSQL's), so that it falls when its holder dies: no run
ever has to be unlocked by hand.

On PostgreSQL it belongs to a transaction that stays open, and in which nothing else happens: that
works through a pooler as well, which would hand a lock of the session on to another person. An open
transaction without a statement under way holds nothing back. The connection of the lock can be
lost while all others are well, and then the lock is gone; so a run asks for it before each write.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from sync.clock import Clock
from sync.database.engine import failures_as, lock_number, open_engine, parse_url
from sync.errors import DatabaseAway, Locked, StateUnusable
from sync.ways_out import Wait

StillHeld = Callable[[], None]
"""Returns if the run lock is still held.

:raises DatabaseAway: it was lost; nothing more may be written.
"""


@contextmanager
def run_lock(url: str, pipeline: str, clock: Clock) -> Iterator[StillHeld]:
    """Holds the lock of the state store at the database ``url`` for as long as the block runs.

    :raises Locked: another run holds it; the message says which.
    :raises Unreachable: the database cannot be reached.
    :raises StateUnusable: the lock cannot be taken at all.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        with _database_lock(url, pipeline) as still_held:
            yield still_held
    elif not parsed.database or parsed.database == ":memory:":
        yield _always  # no one else can see this store
    else:
        with _file_lock(Path(f"{parsed.database}.lock"), clock):
            yield _always  # it stays until the process ends


def _always() -> None:
    """Says that a lock that cannot be lost is still held."""


@contextmanager
def _file_lock(path: Path, clock: Clock) -> Iterator[None]:
    try:
        file = _open_lock(path)
    except OSError as error:
        raise StateUnusable(_no_lock(path, error)) from error
    with file:
        _take(file, path)
        if os.fstat(file.fileno()).st_nlink == 1:  # what has another name may be another's file
            file.seek(0)
            file.truncate()
            file.write(f"process {os.getpid()}, since {clock.now():%Y-%m-%d %H:%M:%S} UTC\n")
            file.flush()
        yield


def _open_lock(path: Path) -> IO[str]:
    """Opens the lock file, and nothing that someone put in its place.

    A symbolic link is not followed, or the lock's line would replace what is in someone's file. A
    pipe must not hold the run either.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return os.fdopen(descriptor, "r+")


def _no_lock(path: Path, error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
        return (
            f"{path}: the run lock has to be a regular file, and this is something else (a link, a "
            "folder, a pipe). Find out where it comes from, and remove it"
        )
    return (
        f"{path}: the run lock cannot be created ({error.strerror}); the folder of the state store "
        "must exist and be writable"
    )


def _take(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = file.read(200).strip() or "an unknown process"
        raise Locked(
            f"another run is at work ({holder}; lock {path}). Nothing was done here",
            ways_out=[Wait()],
        ) from error


@contextmanager
def _database_lock(url: str, pipeline: str) -> Iterator[StillHeld]:
    engine = open_engine(url)
    try:
        with failures_as(StateUnusable, engine):
            connection = engine.connect()
        try:
            with failures_as(StateUnusable, engine):
                _lock_transaction(connection, pipeline)
            yield _asking(connection, pipeline)
        finally:
            with suppress(SQLAlchemyError):  # a lock that was lost need not be given back
                connection.close()
    finally:
        engine.dispose()


_NO_TIMEOUTS: Final = {
    "idle_in_transaction_session_timeout": "0",
    # A machine that vanished without a word is noticed within 90 seconds, not after hours.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
_TRANSACTION_TIMEOUT_SINCE: Final = 17


def _lock_transaction(connection: Connection, pipeline: str) -> None:
    """Begins the transaction that holds the lock.

    :raises Locked: another one holds it.
    """
    settings = dict(_NO_TIMEOUTS)
    version = connection.dialect.server_version_info or (0,)
    if int(version[0]) >= _TRANSACTION_TIMEOUT_SINCE:
        settings["transaction_timeout"] = "0"
    for name, value in settings.items():
        setting = {"name": name, "value": value}
        connection.execute(text("SELECT set_config(:name, :value, true)"), setting)
    number = {"number": lock_number(connection, f"run {pipeline}")}
    if connection.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), number).scalar():
        return
    holder = connection.execute(_HOLDER, number).first()
    who = f"{holder[0]}, since {holder[1]} UTC" if holder else "it has just ended"
    raise Locked(
        f"another run of the pipeline '{pipeline}' is at work ({who}). Nothing was done here",
        ways_out=[Wait()],
    )


_HOLDER: Final = text(
    """SELECT replace(a.application_name, 'pipeline-sync ', 'process '),
        to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
    FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND ((l.classid::bigint << 32) | l.objid::bigint) = :number"""
)


def _asking(connection: Connection, pipeline: str) -> StillHeld:
    mutex = threading.Lock()

    def still_held() -> None:
        try:
            with mutex:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:  # once lost, it stays so: the transaction is over
            raise DatabaseAway(
                f"the run lock of the pipeline '{pipeline}' was lost, because its connection to "
                "the database ended; another run may be at work. Nothing more was written; the "
                "next run finds out what became of the last write, and does the rest"
            ) from error

    return still_held
