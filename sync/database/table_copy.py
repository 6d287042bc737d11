"""Copying rows from one database to another, of whatever kind, and comparing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, zip_longest
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Row, Select, Table, Text, func, select

from sync.database.engine import StorableText, by_letters, storable
from sync.errors import StateUnusable

_AT_ONCE: Final = 1_000

Numbers = Mapping[str, int]
"""What is added to the numbers in columns, by the column's name."""


def rows_of(table: Table, pipeline: str | None = None) -> Select[Any]:
    """Returns a query for a table's rows, in the order of its keys.

    Of a table with a column ``pipeline``, those of one pipeline alone if it is named.
    """
    keys = [
        by_letters(column) if isinstance(column.type, Text | StorableText) else column
        for column in table.primary_key.columns
    ]
    query = select(table).order_by(*keys)
    if pipeline is not None and "pipeline" in table.c:
        query = query.where(table.c.pipeline == pipeline)
    return query


def count(connection: Connection, table: Table, pipeline: str | None = None) -> int:
    """Returns how many rows `rows_of` would bring."""
    query = select(func.count()).select_from(rows_of(table, pipeline).order_by(None).subquery())
    return int(connection.execute(query).scalar_one())


def copy_rows(
    source: Connection,
    target: Connection,
    table: Table,
    pipeline: str | None = None,
    numbers: Numbers | None = None,
) -> int:
    """Copies a table's rows; returns how many.

    :raises StateUnusable: a text that the target cannot hold; names the row.
    """
    copied = 0
    rows = _stream(source, table, pipeline, numbers or {})
    while chunk := list(islice(rows, _AT_ONCE)):
        if target.dialect.name == "postgresql":
            _refuse_nul(table, chunk)
        target.execute(table.insert(), chunk)
        copied += len(chunk)
    return copied


def _refuse_nul(table: Table, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        for name, value in row.items():
            if isinstance(value, str) and "\0" in value:
                raise StateUnusable(
                    f"{table.name}, row {_key(table, row)}: {name} holds a NUL character, which "
                    "PostgreSQL cannot keep. Change it in the source first"
                )


def first_difference(
    source: Connection,
    target: Connection,
    table: Table,
    pipeline: str | None = None,
    numbers: Numbers | None = None,
) -> str:
    """Returns the key of the first row that is not the same on both sides, "" if all are."""
    ours = _stream(source, table, pipeline, numbers or {})
    theirs = _stream(target, table, pipeline, {})
    for one, other in zip_longest(ours, theirs):
        if one != other:
            return _key(table, one or other or {})
    return ""


def _key(table: Table, row: Mapping[str, Any]) -> str:
    return ", ".join(str(row[column.name]) for column in table.primary_key.columns)


def _stream(
    connection: Connection, table: Table, pipeline: str | None, numbers: Numbers
) -> Iterator[dict[str, Any]]:
    cleaned = [column.name for column in table.columns if isinstance(column.type, StorableText)]
    query = rows_of(table, pipeline).execution_options(yield_per=_AT_ONCE)
    for row in _readable(table, connection.execute(query)):
        values = dict(row._mapping)
        for column in cleaned:  # what was written before it was cleaned, too
            values[column] = storable(values[column])
        for name, number in numbers.items():
            values[name] += number
        yield values


def _readable(table: Table, rows: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
    last: Any = None
    try:
        for row in rows:
            last = row
            yield row
    except (ValueError, ArithmeticError) as error:
        after = f"one of the rows after {_key(table, last._mapping)}" if last else "one of the rows"
        raise StateUnusable(f"{table.name}: {after} cannot be read: {error}") from error


def tables_of(connection: Connection, known: MetaData) -> list[Table]:
    """Returns the tables of a database as they are, in an order in which rows can be inserted.

    Columns have the types of their namesakes in ``known``, which may be newer than the database.
    """
    found = MetaData()
    found.reflect(connection)
    return [
        Table(
            table.name,
            MetaData(),
            *(
                Column(column.name, _type(known, column), primary_key=column.primary_key)
                for column in table.columns
            ),
        )
        for table in found.sorted_tables
    ]


def _type(known: MetaData, column: Column[Any]) -> Any:
    table = known.tables.get(column.table.name)
    same = None if table is None else table.c.get(column.name)
    return column.type if same is None else same.type
