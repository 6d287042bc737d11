"""The tables of the state store, and the steps that lead older ones to them.

A new store is made from the tables as they stand here. The steps are for stores of older versions;
a test holds that each of them comes to the same.

Times are aware UTC; ``*_json`` columns hold JSON text. A record is named by the columns
``pipeline, grp, kind, name`` (see `sync.records.model.RecordKey`; "group" is a word of SQL).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    MetaData,
    Table,
    event,
    text,
)

from sync.database.engine import StorableText as Text
from sync.database.engine import UtcDateTime, numbered
from sync.database.migrations import statements

NAME: Final = "state"

metadata = MetaData()

GROUPS: Final = Table(
    "sync_group",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("grp", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    # The change token; the column keeps the name that it had at first.
    Column("stamp", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("facts_json", Text, nullable=False),
    Column("seen_at", UtcDateTime),
    Column("likeness", Text, nullable=False, server_default=""),
)
"""One row per group: what is needed to tell that nothing moved. An empty ``stamp`` means that the
group has to be looked at in full."""

BINDINGS: Final = Table(
    "sync_binding",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("grp", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("target_id", Text, nullable=False),
    Column("created", Boolean, nullable=False),
    Column("when_dropped", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("unlinked", Boolean, nullable=False),
    Column("base_json", Text, nullable=False),
)
"""One row per record: the object in the target, and the base of each field."""

_TARGETS_ONCE: Final = (
    "CREATE UNIQUE INDEX sync_binding_target ON sync_binding (pipeline, kind, target_id)"
    " WHERE NOT deleted"
)
"""Two groups must never write to one object; a deleted object's id may be given out again."""


def _make_index(_table: Table, connection: Connection, **_: object) -> None:
    """Makes what an `Index` would make by loading the dialects of all databases."""
    connection.execute(text(_TARGETS_ONCE))


event.listen(BINDINGS, "after_create", _make_index)

JOURNAL: Final = Table(
    "sync_journal",
    metadata,
    numbered(),
    Column("run_id", BigInteger, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("grp", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changes_json", Text, nullable=False),
    Column("intended_json", Text, nullable=False),
    Column("identity", Text, nullable=False, server_default=""),
    Column("when_dropped", Text, nullable=False, server_default="keep"),
    Column("status", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("intended_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index("sync_journal_status", "pipeline", "status"),
    Index("sync_journal_group", "pipeline", "grp", "id"),
    # What is old is found without reading all the years.
    Index("sync_journal_run", "run_id"),
    Index("sync_journal_intended", "pipeline", "intended_at"),
)
"""Intents and receipts: every write, before and after. It is the history as well."""

RUNS: Final = Table(
    "sync_run",
    metadata,
    numbered(),
    Column("pipeline", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("outcome", Text, nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("summary_json", Text, nullable=False),
    Index("sync_run_pipeline", "pipeline", "id"),
    Index("sync_run_started", "pipeline", "started_at"),
)


ISSUES: Final = Table(
    "sync_issue",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("issue", Text, primary_key=True),
    Column("grp", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("detail_json", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
"""What is open now. It is reported once when it appears, and listed for as long as it stays."""

NOTES: Final = Table(
    "sync_note",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single values that outlive a run."""

SEEN: Final = Table(
    "sync_seen",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
)
"""How each thing that messages are about was when it was last looked at; ``version`` counts how
often that changed."""

MESSAGES: Final = Table(
    "sync_message",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("text_json", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("noted_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("sync_message_status", "pipeline", "status"),
)
"""One row per event and channel: what is to be sent, and what became of it."""

NUMBERING: Final = {
    RUNS.name: {"id": RUNS.name},
    JOURNAL.name: {"id": JOURNAL.name, "run_id": RUNS.name},
}
"""Which columns hold the numbers of which table's rows."""

STEPS: Final = (
    statements(
        """CREATE TABLE sync_group (
            pipeline TEXT NOT NULL, grp TEXT NOT NULL,
            fingerprint TEXT NOT NULL, stamp TEXT NOT NULL, state TEXT NOT NULL,
            facts_json TEXT NOT NULL, seen_at TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (pipeline, grp))""",
        """CREATE TABLE sync_binding (
            pipeline TEXT NOT NULL, grp TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
            target_id TEXT NOT NULL, created BOOLEAN NOT NULL, when_dropped TEXT NOT NULL,
            deleted BOOLEAN NOT NULL, unlinked BOOLEAN NOT NULL, base_json TEXT NOT NULL,
            PRIMARY KEY (pipeline, grp, kind, name))""",
        _TARGETS_ONCE,
        """CREATE TABLE sync_run (
            id {identity}, pipeline TEXT NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL,
            finished_at TIMESTAMP WITH TIME ZONE, outcome TEXT NOT NULL, is_full BOOLEAN NOT NULL,
            summary_json TEXT NOT NULL)""",
        "CREATE INDEX sync_run_pipeline ON sync_run (pipeline, id)",
        """CREATE TABLE sync_journal (
            id {identity}, run_id BIGINT NOT NULL, pipeline TEXT NOT NULL, grp TEXT NOT NULL,
            kind TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, reason TEXT NOT NULL,
            changes_json TEXT NOT NULL, intended_json TEXT NOT NULL, status TEXT NOT NULL,
            target_id TEXT NOT NULL, error TEXT NOT NULL,
            intended_at TIMESTAMP WITH TIME ZONE NOT NULL, finished_at TIMESTAMP WITH TIME ZONE)""",
        "CREATE INDEX sync_journal_status ON sync_journal (pipeline, status)",
        "CREATE INDEX sync_journal_group ON sync_journal (pipeline, grp, id)",
        """CREATE TABLE sync_issue (
            pipeline TEXT NOT NULL, issue TEXT NOT NULL, grp TEXT NOT NULL, kind TEXT NOT NULL,
            name TEXT NOT NULL, field TEXT NOT NULL, detail_json TEXT NOT NULL,
            since TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (pipeline, issue, grp, kind, name, field))""",
    ),
    statements(
        """CREATE TABLE sync_note (
            pipeline TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (pipeline, name))""",
        # What is old is found without reading all the years.
        "CREATE INDEX sync_run_started ON sync_run (pipeline, started_at)",
        "CREATE INDEX sync_journal_run ON sync_journal (run_id)",
        "CREATE INDEX sync_journal_intended ON sync_journal (pipeline, intended_at)",
    ),
    # What was made without a receipt, and is no longer wanted, is found and taken away again.
    statements(
        "ALTER TABLE sync_journal ADD COLUMN identity TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sync_journal ADD COLUMN when_dropped TEXT NOT NULL DEFAULT 'keep'",
    ),
    # A group whose key changed in the source is recognised, rather than made a second time.
    statements("ALTER TABLE sync_group ADD COLUMN likeness TEXT NOT NULL DEFAULT ''"),
    # People are told of an event once: that it was told is noted before it is sent.
    statements(
        """CREATE TABLE sync_seen (
            pipeline TEXT NOT NULL, subject TEXT NOT NULL, value TEXT NOT NULL,
            version BIGINT NOT NULL, PRIMARY KEY (pipeline, subject))""",
        """CREATE TABLE sync_message (
            pipeline TEXT NOT NULL, event TEXT NOT NULL, channel TEXT NOT NULL,
            text_json TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL,
            noted_at TIMESTAMP WITH TIME ZONE NOT NULL,
            changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (pipeline, event, channel))""",
        "CREATE INDEX sync_message_status ON sync_message (pipeline, status)",
    ),
)
"""Append only: a step that was released is never changed. What it adds is in a table above,
with the default that it gives."""
