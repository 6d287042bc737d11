"""Whether a set of tables on a PostgreSQL server is sound, and what is in the way if not.

For a SQLite file, `sync.database.copying.damage` does the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from sqlalchemy import Column, Connection, Engine, Table, func, inspect, select, text

from sync.database.engine import reading
from sync.ways_out import CopyStores, Statement

Reference = tuple[Column[str], Column[str]]
"""A column, and the column in which each of its values has to be."""

RIGHTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")


def server_damage(
    engine: Engine, tables: Collection[Table], references: Sequence[Reference] = ()
) -> list[Statement]:
    """Returns what is wrong with tables that are up to date; an empty list if nothing is.

    Reads every value of every row once.
    """
    with reading(engine) as connection:
        found = [*_database(connection), *map(Statement, _missing(connection, tables))]
        if found:  # nothing else can be asked
            return found
        names = [table.name for table in tables]
        found += map(Statement, _rights(connection, names))
        found += map(Statement, _unsound_indexes(connection, names))
        found += map(Statement, _orphans(connection, references))
        for table in tables:
            every_value = func.sum(func.length(text("t::text")))
            connection.execute(select(every_value).select_from(table.alias("t"))).scalar()
        return found


def _database(connection: Connection) -> Iterator[Statement]:
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        yield Statement(
            f"the database keeps text as {encoding}, which cannot store every name: create one "
            "with ENCODING 'UTF8'",
            (CopyStores(),),
        )
    version = int((connection.dialect.server_version_info or (0,))[0])
    if version >= _KNOWS_ITS_COLLATION:
        stale = connection.execute(text(_STALE_COLLATION)).first()
        if stale:
            yield Statement(
                f"the operating system orders text in another way ({stale[1]}) than when the "
                f"database was made ({stale[0]}), so that indexes may miss rows. Run there: "
                "REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION"
            )


_KNOWS_ITS_COLLATION: Final = 15
_STALE_COLLATION: Final = """SELECT datcollversion, pg_database_collation_actual_version(oid)
    FROM pg_database WHERE datname = current_database()
    AND datcollversion <> pg_database_collation_actual_version(oid)"""


def _missing(connection: Connection, tables: Collection[Table]) -> Iterator[str]:
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    for table in tables:
        if table.name not in there:
            yield f"the table {table.name} is missing"
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        missing = [column.name for column in table.columns if column.name not in columns]
        if missing:
            yield f"the table {table.name} lacks {', '.join(missing)}"


def _rights(connection: Connection, names: Collection[str]) -> Iterator[str]:
    for name in names:
        asked = [text("SELECT has_table_privilege(:name, :right)") for _ in RIGHTS]
        lacking = [
            right
            for right, query in zip(RIGHTS, asked, strict=True)
            if not connection.execute(query, {"name": name, "right": right}).scalar()
        ]
        if lacking:
            yield f"the account may not {', '.join(lacking)} in the table {name}: GRANT it"


def _unsound_indexes(connection: Connection, names: Collection[str]) -> Iterator[str]:
    query = text(
        "SELECT i.indexrelid::regclass::text FROM pg_index i "
        "WHERE i.indrelid = ANY (CAST(:names AS regclass[])) AND NOT i.indisvalid "
        "UNION ALL SELECT c.conname FROM pg_constraint c "
        "WHERE c.conrelid = ANY (CAST(:names AS regclass[])) AND NOT c.convalidated"
    )
    for (name,) in connection.execute(query, {"names": list(names)}):
        yield f"{name} is not valid: fix it with REINDEX, or VALIDATE CONSTRAINT"


def _orphans(connection: Connection, references: Sequence[Reference]) -> Iterator[str]:
    for column, target in references:
        query = select(func.count()).where(column.not_in(select(target)))
        orphans = connection.execute(query).scalar_one()
        if orphans:
            yield f"{orphans} row(s) of {column.table.name} refer to missing rows"
