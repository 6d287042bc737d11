"""Who changed people, their time off, allocations and rates, and scenarios: kept with all values.

What changed is found by comparing the tables before and after a piece of work, in its transaction:
no way of writing them can be forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, Table, select
from sqlalchemy.types import TypeEngine

from sync.database.engine import ExactDecimal
from taiga_pipeline.pipeline.model import PlanningChange, PlanningKind
from taiga_pipeline.pipeline.schema import ALLOCATIONS, PEOPLE, PLANNING_CHANGES, RATES, TIME_OFF
from taiga_pipeline.pipeline.tables.queries import events
from taiga_pipeline.pipeline.text import folded

Moved = Mapping[str, str]
"""Addresses of people, or keys of deals, that are being replaced: the old one, and the new one."""

_NOTHING: Final[Mapping[str, str]] = {}


class _Which(NamedTuple):
    """Names one thing for as long as it is there."""

    kind: PlanningKind
    email: str
    deal_key: str
    what: str


class _Thing(NamedTuple):
    """``what`` is how people are told which one it is."""

    what: str
    cells: Mapping[str, str]


_Standing = dict[_Which, _Thing]
_Raw = tuple[Any, ...]
"""A row as the database keeps it: of thousands of rows, those alone are read that differ."""


@contextmanager
def recording(
    connection: Connection, at: datetime, by: str, moved: Moved = _NOTHING
) -> Iterator[None]:
    """Records what the work within it changes, as done by someone at a time; nothing if it fails.

    ``moved`` are names under which the same people or deals go on; their past goes along.
    """
    rows_before = _rows(connection)
    yield
    rows_after = _rows(connection)
    _take_along(connection, moved)
    gone, after = _apart(rows_before, rows_after)
    before = {_named_anew(which, moved): thing for which, thing in gone.items()}
    kept = before.keys() & after.keys()
    changes = [
        *(_change(which, before[which], None, at, by) for which in before if which not in kept),
        *(_change(which, None, after[which], at, by) for which in after if which not in kept),
        *(
            _change(which, before[which], after[which], at, by)
            for which in before
            if which in kept and before[which].cells != after[which].cells
        ),
    ]
    record(connection, changes)


def record(connection: Connection, changes: list[PlanningChange]) -> None:
    """Keeps changes."""
    if changes:
        connection.execute(PLANNING_CHANGES.insert(), list(map(_change_to_row, changes)))


def planning_events(
    newest: int | None, deal_key: str = "", kinds: Collection[PlanningKind] = ()
) -> Select[Any]:
    """Asks for changes of some kinds, about one deal or all, in the order of `queries.events`."""
    query = events(PLANNING_CHANGES, deal_key, newest)
    return query.where(PLANNING_CHANGES.c.kind.in_(kinds)) if kinds else query


def row_to_change(row: Row[Any]) -> PlanningChange:
    """Returns the change of a row."""
    return PlanningChange(
        kind=PlanningKind(row.kind),
        email=row.email,
        deal_key=row.deal_key,
        what=row.what,
        before=json.loads(row.before),
        after=json.loads(row.after),
        at=row.at,
        by=row.by,
    )


def _change_to_row(change: PlanningChange) -> dict[str, Any]:
    return {
        "at": change.at,
        "by": change.by,
        "kind": change.kind.value,
        "email": change.email,
        "deal_key": change.deal_key,
        "what": change.what,
        "before": json.dumps(dict(change.before), ensure_ascii=False),
        "after": json.dumps(dict(change.after), ensure_ascii=False),
    }


def _change(
    which: _Which, before: _Thing | None, after: _Thing | None, at: datetime, by: str
) -> PlanningChange:
    """Returns a change with the fields that differ, or with all that say something."""
    old, new = (each.cells if each else _NOTHING for each in (before, after))
    if before and after:
        differing = [name for name in new if old[name] != new[name]]
        old, new = ({name: each[name] for name in differing} for each in (old, new))
    else:
        old, new = ({name: text for name, text in each.items() if text} for each in (old, new))
    thing = after or before
    assert thing
    return PlanningChange(
        which.kind, which.email, which.deal_key, thing.what, old, new, at=at, by=by
    )


def _named_anew(which: _Which, moved: Moved) -> _Which:
    if not moved:
        return which
    email, deal_key = (moved.get(name, name) for name in (which.email, which.deal_key))
    return which._replace(email=email, deal_key=deal_key)


def _take_along(connection: Connection, moved: Moved) -> None:
    for column in (PLANNING_CHANGES.c.email, PLANNING_CHANGES.c.deal_key):
        for old, new in moved.items():
            update = PLANNING_CHANGES.update().where(column == old)
            connection.execute(update.values({column: new}))


# --- what there is now


def _rows(connection: Connection) -> dict[PlanningKind, list[_Raw]]:
    return {kind: _rows_of(connection, table) for kind, table, _ in _TABLES}


def _rows_of(connection: Connection, table: Table) -> list[_Raw]:
    query = select(table).order_by(table.c.id) if "id" in table.c else select(table)
    text = str(query.compile(connection))
    return list(map(tuple, connection.exec_driver_sql(text)))


def _apart(
    before: Mapping[PlanningKind, list[_Raw]], after: Mapping[PlanningKind, list[_Raw]]
) -> tuple[_Standing, _Standing]:
    """Returns what is otherwise than it was, as it was and as it is; of rates, all in force."""
    was: _Standing = {}
    now: _Standing = {}
    for kind, table, read in _TABLES:
        old, new = before[kind], after[kind]
        if old == new:
            continue
        if kind is not PlanningKind.RATE:
            there, here = set(old), set(new)
            old, new = [r for r in old if r not in here], [r for r in new if r not in there]
        was |= _standing(kind, table, read, old)
        now |= _standing(kind, table, read, new)
    return was, now


def _standing(kind: PlanningKind, table: Table, read: _Read, rows: Iterable[_Raw]) -> _Standing:
    """Returns what rows say; of rates, the last row of the same person or role and day holds."""
    found: _Standing = {}
    names = [column.name for column in table.columns]
    for row in rows:
        which, thing = read(kind, dict(zip(names, row, strict=True)))
        if thing.cells:
            found[which] = thing
        else:
            found.pop(which, None)
    return found


_Read = Callable[[PlanningKind, Mapping[str, Any]], tuple[_Which, _Thing]]


def _person(kind: PlanningKind, row: Mapping[str, Any]) -> tuple[_Which, _Thing]:
    return _Which(kind, row["email"], "", ""), _Thing("", _cells(row, PEOPLE))


def _time_off(kind: PlanningKind, row: Mapping[str, Any]) -> tuple[_Which, _Thing]:
    days = f"{row['first']} – {row['last']}"
    cells = _cells(row, TIME_OFF, without=("email",))
    return _Which(kind, row["email"], "", days), _Thing(days, cells)


def _allocation(kind: PlanningKind, row: Mapping[str, Any]) -> tuple[_Which, _Thing]:
    what = " ".join(filter(None, (row["role"], row["start_key"])))
    which = _Which(kind, row["email"], row["deal_key"], f"{row['role_folded']}\n{row['start_key']}")
    unsaid = ("id", "email", "deal_key", "role_folded", "start_key", "confirmed")
    status = "confirmed" if row["confirmed"] else "tentative"
    cells = {"deal": row["deal_key"], **_cells(row, ALLOCATIONS, without=unsaid), "status": status}
    return which, _Thing(what, cells)


def _rate(kind: PlanningKind, row: Mapping[str, Any]) -> tuple[_Which, _Thing]:
    since = _text(row["since"])
    what = " ".join(filter(None, (row["role"], since)))
    which = _Which(kind, row["email"] or "", "", f"{folded(row['role'])}\n{since}")
    if row["cost"] is None and row["bill"] is None:
        return which, _Thing(what, _NOTHING)
    unsaid = ("id", "email", "role_folded", "at", "by")
    return which, _Thing(what, _cells(row, RATES, without=unsaid))


_TABLES: Final[tuple[tuple[PlanningKind, Table, _Read], ...]] = (
    (PlanningKind.PERSON, PEOPLE, _person),
    (PlanningKind.TIME_OFF, TIME_OFF, _time_off),
    (PlanningKind.ALLOCATION, ALLOCATIONS, _allocation),
    (PlanningKind.RATE, RATES, _rate),
)


def _cells(
    row: Mapping[str, Any], table: Table, *, without: tuple[str, ...] = ()
) -> dict[str, str]:
    return {
        column.name: _text(row[column.name], column.type)
        for column in table.columns
        if column.name not in without
    }


def _text(value: Any, kind: TypeEngine[Any] | None = None) -> str:
    if value is None:
        return ""
    if isinstance(kind, ExactDecimal):
        return f"{Decimal(value).normalize():f}"
    return value.isoformat() if isinstance(value, date) else str(value)
