"""The tables of the state store, and the steps that lead to them.

Times are aware UTC; ``*_json`` columns hold JSON text. A record is named by the columns
``pipeline, grp, kind, name`` (see `sync.records.model.RecordKey`; "group" is a word of SQL).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Integer, MetaData, Table

from sync.database.engine import StorableText as Text
from sync.database.engine import UtcDateTime
from sync.database.migrations import statements

NAME: Final = "state"

metadata = MetaData()

GROUPS: Final = Table(
    "sync_group",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("grp", Text, primary_key=True),
    Column("fingerprint", Text),
    Column("stamp", Text),  # the change token; the column keeps the name that it had at first
    Column("state", Text),
    Column("facts_json", Text),
    Column("seen_at", UtcDateTime),
    Column("likeness", Text),
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
    Column("target_id", Text),
    Column("created", Boolean),
    Column("when_dropped", Text),
    Column("deleted", Boolean),
    Column("unlinked", Boolean),
    Column("base_json", Text),
)
"""One row per record: the object in the target, and the base of each field."""

JOURNAL: Final = Table(
    "sync_journal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer),
    Column("pipeline", Text),
    Column("grp", Text),
    Column("kind", Text),
    Column("name", Text),
    Column("action", Text),
    Column("reason", Text),
    Column("changes_json", Text),
    Column("intended_json", Text),
    Column("identity", Text),
    Column("when_dropped", Text),
    Column("status", Text),
    Column("target_id", Text),
    Column("error", Text),
    Column("intended_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
)
"""Intents and receipts: every write, before and after. It is the history as well."""

RUNS: Final = Table(
    "sync_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pipeline", Text),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("outcome", Text),
    Column("is_full", Boolean),
    Column("summary_json", Text),
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
    Column("detail_json", Text),
    Column("since", UtcDateTime),
)
"""What is open now. It is reported once when it appears, and listed for as long as it stays."""

NOTES: Final = Table(
    "sync_note",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text),
)
"""Single values that outlive a run."""

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
        # Two groups must never write to one object; a deleted object's id may be given out again.
        """CREATE UNIQUE INDEX sync_binding_target ON sync_binding (pipeline, kind, target_id)
            WHERE NOT deleted""",
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
)
"""Append only: a step that was released is never changed."""
