"""What a database's error means for people: what is wrong, and what to do about it.

SQLite tells by words, PostgreSQL by codes (SQLSTATE; its words may be in any language), except for
connections that never came about: of those, there are words alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a database, in words that follow its name.

    ``is_out_of_reach`` says that it is not the data: no server answers, or the account is not let
    in. ``passes`` says that it may be over soon without anyone's help, as a restart is.
    """

    words: str
    is_out_of_reach: bool = False
    passes: bool = False


_LOST: Final = (
    "was lost: the connection ended in the middle of the work. What was committed before stays, "
    "and nothing else was written; the next run continues from there"
)
_BUSY: Final = (
    "is in use by another program that did not release it in time; nothing was written. "
    "Try again, or find out who it is"
)
_RIGHTS: Final = (
    "does not give its account the rights that it needs: to use the schema, to create tables in "
    "it at the first start and after upgrades, and to read and write them (docs/postgresql.md has "
    "the GRANTs)"
)
_LACKS: Final = (
    "lacks a table or column that it had before. Was it removed, or does the account look for it "
    "in another schema (search_path)?"
)

_SQLITE: Final = (
    (("locked", "busy"), f"{_BUSY} (fuser {{place}})"),
    (
        ("malformed", "not a database", "corrupt"),
        "is damaged or not a SQLite database. Keep the file, and restore a backup, or save what "
        'can be saved: sqlite3 {place} ".recover" | sqlite3 recovered.db',
    ),
    (("unable to open",), "cannot be opened. Check that its folder exists and may be written to"),
    (("readonly", "read-only"), "may not be written to. Check the rights on the file and folder"),
    (("disk is full", "no space"), "cannot grow: the disk is full. Free some space and try again"),
)

_PASSING: Final = ("starting up", "shutting down", "recovery")
_FULL: Final = ("too many", "connection slots", "no more connections")
_NO_CONNECTION: Final = (
    (
        ("password", "authentication", "no password supplied"),
        "refuses the account. Check account and password; the password is looked for in the URL, "
        "in PGPASSWORD and in ~/.pgpass",
    ),
    (
        ("no encryption", "ssl off", "ssl required", "ssl connection is required"),
        "takes encrypted connections only, or does not know this machine: add ?sslmode=require "
        "(or verify-full) to the URL, or add the machine to pg_hba.conf",
    ),
    (
        ("does not support ssl", "certificate", "ssl error", "sslmode", "root.crt"),
        "does not accept the encryption that the URL asks for (sslmode, sslrootcert)",
    ),
    (
        ("pg_hba.conf",),
        "refuses the account from this machine: pg_hba.conf has no entry for it",
    ),
    (
        _FULL,
        "has no connection left. Try again later, run fewer pipelines at once, or raise "
        "max_connections",
    ),
    (_PASSING, "is just starting or stopping. Try again"),
)

_NOT_THERE: Final = (
    ("database", "does not exist: create it (createdb), or fix the name in the URL"),
    ("role", "does not know the account. Fix the name in the URL, or create it"),
)

_CODES: Final = (
    ("42501", Trouble(_RIGHTS, is_out_of_reach=True)),
    ("3F000", Trouble(f"has no schema in which tables can be created. It {_RIGHTS}", True)),
    ("42P01", Trouble(_LACKS, True)),
    ("42703", Trouble(_LACKS, True)),
    ("25006", Trouble("is read-only: it is a standby, or set to read-only", True, True)),
    ("40001", Trouble(_BUSY)),
    ("40P01", Trouble(_BUSY)),
    ("55P03", Trouble(f"{_BUSY} (pg_stat_activity)")),
    ("57014", Trouble("ended the work because it took too long (statement_timeout)")),
    ("53100", Trouble("cannot grow: the server's disk is full. Free some space and try again")),
    ("XX001", Trouble("is damaged. Restore a backup")),
    ("XX002", Trouble("is damaged in an index. REINDEX may fix it; else restore a backup")),
    ("08", Trouble(_LOST, True, True)),
    ("57P", Trouble(_LOST, True, True)),
    ("25P", Trouble(_LOST, True, True)),
    ("53", Trouble("has not enough memory or connections left. Try again later", True, True)),
)


def recognise(error: DBAPIError, place: str) -> Trouble | None:
    """Says what is wrong with the database at ``place``; None for what is the caller's to handle.

    That is broken constraints, values that cannot be, and mistakes in a statement.
    """
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    if type(error.orig).__module__.startswith("sqlite3"):
        return _of_sqlite(error, place)
    found = next((trouble for start, trouble in _CODES if code and code.startswith(start)), None)
    if found is None and error.connection_invalidated:
        found = Trouble(_LOST, is_out_of_reach=True, passes=True)
    if found is None and code is None and isinstance(error, _NEVER_CONNECTED):
        found = _of_connecting(error)
    if found is None and isinstance(error, OperationalError | InternalError | InterfaceError):
        found = Trouble("cannot be used")
    return found and replace(found, words=f"{found.words} ({_said(error)})")


_NEVER_CONNECTED: Final = (OperationalError, InterfaceError, ProgrammingError)


def _of_sqlite(error: DBAPIError, place: str) -> Trouble | None:
    is_ours = isinstance(error, OperationalError | InternalError) or type(error) is DatabaseError
    if not is_ours:
        return None
    cause = first_line(error)
    for words, way_out in _SQLITE:
        if any(word in cause.lower() for word in words):
            return Trouble(f"{way_out.format(place=place)} (the database says: {cause})")
    return Trouble(f"cannot be used: {cause}. Check the URL and the rights on the file")


def _of_connecting(error: DBAPIError) -> Trouble | None:
    text = str(error.orig).lower()
    if isinstance(error, ProgrammingError):
        is_option = "connection option" in text or "conninfo" in text
        return Trouble("has a URL with an unknown option", True) if is_option else None
    for words, meaning in _NO_CONNECTION:
        if any(word in text for word in words):
            passes = words in (_PASSING, _FULL)
            return Trouble(meaning, is_out_of_reach=True, passes=passes)
    for noun, meaning in _NOT_THERE:
        if noun in text and "does not exist" in text:
            return Trouble(meaning, is_out_of_reach=True)
    return Trouble(
        "cannot be reached. Check host and port in the URL, and that the server runs", True, True
    )


def first_line(error: DBAPIError) -> str:
    """Returns what the driver says, in one line."""
    return (str(error.orig).strip().splitlines() or ["no reason given"])[0]


def _said(error: DBAPIError) -> str:
    """Returns what the server says, in one line that is not too long."""
    lines = [line.strip() for line in str(error.orig).strip().splitlines() if line.strip()]
    said = " ".join(lines) or "no reason given"
    return f"the server says: {said if len(said) <= _LONGEST else said[: _LONGEST - 1] + '…'}"


_LONGEST: Final = 300
