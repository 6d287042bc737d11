"""The run lock: at most one run per state store at a time.

The lock is the operating system's (or PostgreSQL's), so that it falls when its holder dies: no run
ever has to be unlocked by hand.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import text

from sync.clock import Clock
from sync.database import failures_as, open_engine, parse_url
from sync.errors import Locked, StateUnusable


@contextmanager
def run_lock(url: str, pipeline: str, clock: Clock) -> Iterator[None]:
    """Holds the lock of the state store at the database ``url`` for as long as the block runs.

    :raises Locked: another run holds it; the message says which.
    :raises StateUnusable: the lock cannot be taken at all.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        with _database_lock(url, pipeline):
            yield
    elif not parsed.database or parsed.database == ":memory:":
        yield  # nobody else can see this store
    else:
        with _file_lock(Path(f"{parsed.database}.lock"), clock):
            yield


@contextmanager
def _file_lock(path: Path, clock: Clock) -> Iterator[None]:
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    except OSError as error:
        raise StateUnusable(
            f"{path}: the run lock cannot be created ({error.strerror}); the folder of the state "
            "store has to exist and be writable"
        ) from error
    with file:
        _take(file, path)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}, since {clock.now():%Y-%m-%d %H:%M:%S} UTC\n")
        file.flush()
        yield


def _take(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = file.read(200).strip() or "an unknown process"
        raise Locked(
            f"another run is at work ({holder}; lock {path}); it will finish what there is to do. "
            "Nothing was done here"
        ) from error


@contextmanager
def _database_lock(url: str, pipeline: str) -> Iterator[None]:
    engine = open_engine(url)
    number = zlib.crc32(f"pipeline-sync run {pipeline}".encode())
    try:
        with failures_as(StateUnusable, engine), engine.connect() as connection:
            query = text("SELECT pg_try_advisory_lock(:number)")
            if not connection.execute(query, {"number": number}).scalar():
                raise Locked(
                    f"another run of the pipeline '{pipeline}' is at work; nothing was done here"
                )
            connection.commit()  # the lock belongs to the session, not to the transaction
            yield
    finally:
        engine.dispose()
