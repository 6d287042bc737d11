"""The statements that every run executes, each made once, when it is first needed.

To put a statement together and to find it among those that were compiled takes SQLAlchemy longer
than it takes SQLite to carry it out. Parameters whose names begin with ``of_`` say which rows are
meant (`sync.state.tables.StateTables` fills them in); what is written has the names of the columns.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from sync.database.engine import by_letters
from sync.plan.model import ActionType
from sync.state.rows import KEEP, OPEN, TAKE_OVER, UNSETTLED, dump_bases
from sync.state.schema import BINDINGS, GROUPS, ISSUES, JOURNAL, NOTES, RUNS


def _of_pipeline(table: Table) -> ColumnElement[bool]:
    return table.c.pipeline == bindparam("of_pipeline")


def _of_group(table: Table) -> ColumnElement[bool]:
    return and_(_of_pipeline(table), table.c.grp == bindparam("of_group"))


def _of_record(table: Table) -> ColumnElement[bool]:
    return and_(
        _of_group(table),
        table.c.kind == bindparam("of_kind"),
        table.c.name == bindparam("of_name"),
    )


@cache
def added(table: Table) -> Insert:
    """Adds a row."""
    return insert(table)


@cache
def group_removed(table: Table) -> Delete:
    """Removes the rows of a group."""
    return delete(table).where(_of_group(table))


@cache
def record_removed(table: Table) -> Delete:
    """Removes the rows of a record."""
    return delete(table).where(_of_record(table))


@cache
def of_groups(table: Table) -> Select[Any]:
    """Reads the rows of groups: of so many as one statement can name."""
    are_asked_for = table.c.grp.in_(bindparam("of_groups", expanding=True))
    query = select(table).where(_of_pipeline(table), are_asked_for)
    return query.order_by(table.c.id) if "id" in table.c else query


def _entries(condition: ColumnElement[bool]) -> Select[Any]:
    return select(JOURNAL).where(_of_pipeline(JOURNAL), condition).order_by(JOURNAL.c.id)


def _is_unsettled() -> ColumnElement[bool]:
    return JOURNAL.c.status.in_(UNSETTLED)


def _is_a_runs() -> ColumnElement[bool]:
    """Whether a run settles an entry by looking at its group."""
    return and_(_is_unsettled(), JOURNAL.c.action != TAKE_OVER)


@cache
def kept_edits() -> Select[Any]:
    """Reads the edits by people that the history of groups reports."""
    return of_groups(JOURNAL).where(JOURNAL.c.action == KEEP)


@cache
def open_entries() -> Select[Any]:
    """Reads the intents whose outcome is not known."""
    return _entries(JOURNAL.c.status == OPEN)


@cache
def unsettled_entries() -> Select[Any]:
    """Reads these, and those that are put off."""
    return _entries(_is_unsettled())


@cache
def take_overs() -> Select[Any]:
    """Reads the intents to write a new key in the target."""
    return _entries(and_(JOURNAL.c.action == TAKE_OVER, _is_unsettled()))


@cache
def made() -> Select[Any]:
    """Reads the intents that made an object, and were not confirmed."""
    is_made = and_(JOURNAL.c.action == ActionType.CREATE.value, JOURNAL.c.target_id != "")
    return _entries(and_(_is_unsettled(), is_made))


@cache
def intents() -> Select[Any]:
    """Reads numbers and groups of the intents that a run settles."""
    return select(JOURNAL.c.id, JOURNAL.c.grp).where(_of_pipeline(JOURNAL), _is_a_runs())


@cache
def intended() -> ReturningInsert[Any]:
    """Adds an intent; returns its number."""
    return insert(JOURNAL).returning(JOURNAL.c.id)


@cache
def finished() -> Update:
    """Closes an intent."""
    return update(JOURNAL).where(JOURNAL.c.id == bindparam("of_intent"))


@cache
def record_settled() -> Update:
    """Closes the intents of a record."""
    return update(JOURNAL).where(_of_record(JOURNAL), _is_a_runs())


@cache
def replaced() -> Update:
    """Closes the open intents of a record that say the very same."""
    return update(JOURNAL).where(
        _of_record(JOURNAL),
        JOURNAL.c.status == OPEN,
        JOURNAL.c.action == bindparam("of_action"),
        JOURNAL.c.intended_json == bindparam("of_intended"),
    )


@cache
def looked_at_again() -> Update:
    """Has the next run look at a group although nothing moves there."""
    return update(GROUPS).where(_of_group(GROUPS)).values(stamp="")


@cache
def stored_base() -> Select[Any]:
    """Reads the base of a record."""
    return select(BINDINGS.c.base_json).where(_of_record(BINDINGS))


@cache
def is_deleted() -> Select[Any]:
    """Reads whether people took a record's object away."""
    return select(BINDINGS.c.deleted).where(_of_record(BINDINGS))


@cache
def changed_binding() -> Update:
    """Changes a record's binding."""
    return update(BINDINGS).where(_of_record(BINDINGS))


@cache
def index() -> Select[Any]:
    """Reads every bound group: its key, and the fields of `sync.state.rows.GroupRow`."""
    both = and_(GROUPS.c.pipeline == BINDINGS.c.pipeline, GROUPS.c.grp == BINDINGS.c.grp)
    columns = (
        BINDINGS.c.grp,
        BINDINGS.c.target_id,
        func.coalesce(GROUPS.c.fingerprint, ""),
        func.coalesce(GROUPS.c.stamp, ""),
        func.coalesce(GROUPS.c.state, ""),
        BINDINGS.c.deleted,
        BINDINGS.c.unlinked,
        BINDINGS.c.base_json == dump_bases({}),
        BINDINGS.c.kind,
    )
    query: Select[Any] = select(*columns).select_from(BINDINGS.outerjoin(GROUPS, both))
    return query.where(_of_pipeline(BINDINGS), BINDINGS.c.name == "")


def _is_note() -> ColumnElement[bool]:
    return and_(_of_pipeline(NOTES), NOTES.c.name == bindparam("of_name"))


@cache
def note() -> Select[Any]:
    """Reads a note."""
    return select(NOTES.c.value).where(_is_note())


@cache
def note_removed() -> Delete:
    """Removes a note."""
    return delete(NOTES).where(_is_note())


@cache
def run_begun() -> ReturningInsert[Any]:
    """Adds a run; returns its number."""
    return insert(RUNS).returning(RUNS.c.id)


@cache
def run_ended() -> Update:
    """Says how a run ended."""
    return update(RUNS).where(RUNS.c.id == bindparam("of_run"))


@cache
def open_issues() -> Select[Any]:
    """Reads what is open, in order."""
    query: Select[Any] = select(ISSUES).where(_of_pipeline(ISSUES))
    return query.order_by(by_letters(ISSUES.c.grp), by_letters(ISSUES.c.name))
