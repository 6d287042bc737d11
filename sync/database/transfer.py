"""Moving sets of tables to another database: all of it in one transaction, counted and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, Table, func, select, text

from sync.database.engine import reading, shown, writing
from sync.database.migrations import Step, alone, migrate_within
from sync.database.table_copy import Numbers, copy_rows, count, first_difference
from sync.errors import StateUnusable, Stop

Numbering = Mapping[str, Mapping[str, str]]
"""By table: its columns that hold numbers that a table gives to its rows, and which table's."""


@dataclass(frozen=True, slots=True)
class Part:
    """A set of tables that is copied, from an engine in which it is up to date.

    ``name`` and ``steps`` are those of `sync.database.migrations`, ``tables`` stand in an order in
    which rows can be inserted. Of a named ``pipeline``, only its own rows are copied.
    """

    name: str
    title: str
    steps: Sequence[Step]
    tables: Sequence[Table]
    source: Engine
    numbering: Numbering = field(default_factory=dict)
    pipeline: str | None = None


def transfer(parts: Sequence[Part], target: Engine) -> list[dict[str, int]]:
    """Copies parts into a database in which nothing of theirs is; returns the rows of each,
    by table.

    The target's tables are made, or brought up to date. Either everything is there in the end, the
    same as in the source, or nothing was changed.

    :raises Stop: the target holds something of a part already, or takes a row not as it is.
    :raises StateUnusable: the target is newer than this program.
    """
    copied = []
    with writing(target) as connection:
        for part in parts:
            migrate_within(connection, part.name, part.steps, part.tables[0].metadata)
            alone(connection, part.name, part.steps)
            _keep_others_out(connection, part.tables)
            _refuse_filled(connection, part)
            with reading(part.source) as source:
                copied.append(_copy(part, source, connection))
    return copied


def _keep_others_out(connection: Connection, tables: Sequence[Table]) -> None:
    # Other pipelines in the same tables must not take the numbers that are given out here.
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.execute(text(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE'))


def _refuse_filled(connection: Connection, part: Part) -> None:
    filled = {
        table.name: rows
        for table in part.tables
        if (rows := count(connection, table, part.pipeline))
    }
    if filled:
        found = ", ".join(f"{number} rows in {name}" for name, number in filled.items())
        raise Stop(
            f"{shown(connection.engine.url)} already holds something of {part.title}: {found}. "
            "Nothing is overwritten. Choose another database, or remove those rows first"
        )


def _copy(part: Part, source: Connection, target: Connection) -> dict[str, int]:
    highest = {table.name: _highest(target, table) for table in part.tables if "id" in table.c}
    rows: dict[str, int] = {}
    for table in part.tables:
        columns = part.numbering.get(table.name, {})
        numbers = {column: highest[other] for column, other in columns.items()}
        rows[table.name] = copy_rows(source, target, table, part.pipeline, numbers)
        _compare(part, source, target, table, numbers)
    for table in part.tables:
        if "id" in table.c and target.dialect.name == "postgresql":
            target.execute(text(_GO_ON_FROM_THERE.format(table=table.name)))
    return rows


def _highest(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one())


_GO_ON_FROM_THERE = """SELECT setval(numbers, greatest(highest, pg_sequence_last_value(numbers)))
    FROM (SELECT pg_get_serial_sequence('{table}', 'id')::regclass AS numbers,
        (SELECT max(id) FROM "{table}") AS highest) AS numbered
    WHERE highest IS NOT NULL"""


def _compare(
    part: Part, source: Connection, target: Connection, table: Table, numbers: Numbers
) -> None:
    there, here = count(target, table, part.pipeline), count(source, table, part.pipeline)
    differs = first_difference(source, target, table, part.pipeline, numbers)
    if there != here or differs:
        raise StateUnusable(
            f"{table.name}: {here} rows were to be copied and {there} arrived"
            + (f"; the first difference: {differs}" if differs else "")
            + ". Nothing was kept of it"
        )
