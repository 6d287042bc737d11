"""What a database's tables are like, to be compared: however they came about."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, inspect, text

from sync.database.engine import open_engine, writing
from sync.database.migrations import VERSIONS, Step, migrate, version_of


def described(engine: Engine) -> dict[str, dict[str, Any]]:
    """Returns all that is declared about each table, in an order that does not depend on when it
    was declared.

    SQLite lets a primary key be NULL unless told otherwise, so of its columns that is not compared.
    """
    looked = inspect(engine)
    found = {}
    for table in sorted(looked.get_table_names()):
        key = looked.get_pk_constraint(table)["constrained_columns"]
        found[table] = {
            "columns": {
                each["name"]: (
                    str(each["type"]),
                    each["name"] in key or each["nullable"],
                    _plain(each["default"]),
                )
                for each in looked.get_columns(table)
            },
            "key": key,
            "references": _references(engine, table),
            "unique": sorted(
                tuple(each["column_names"]) for each in looked.get_unique_constraints(table)
            ),
            "indexes": sorted(
                (
                    str(each["name"]),
                    tuple(map(str, each["column_names"])),
                    bool(each["unique"]),
                    str(each["dialect_options"].get(f"{engine.dialect.name}_where")),
                )
                for each in looked.get_indexes(table)
                if not each.get("duplicates_constraint")
            ),
        }
    return found


def _references(engine: Engine, table: str) -> list[tuple[str, ...]]:
    """Returns column, table and column that it refers to, and what becomes of the row."""
    if engine.dialect.name == "sqlite":  # where it looks itself for those of a whole table only
        with engine.connect() as connection:
            rows = connection.execute(text(f"PRAGMA foreign_key_list({table})")).mappings()
            return sorted((r["from"], r["table"], r["to"], r["on_delete"]) for r in rows)
    return sorted(
        (
            *each["constrained_columns"],
            each["referred_table"],
            *each["referred_columns"],
            each["options"].get("ondelete", ""),
        )
        for each in inspect(engine).get_foreign_keys(table)
    )


def _plain(default: str | None) -> str | None:
    """Returns a default without the type that PostgreSQL puts behind it."""
    return default and default.partition("::")[0]


def of_a_new_one(url: str, name: str, steps: Sequence[Step], tables: MetaData) -> Any:
    """Returns what a new database's tables are like; there is nothing in it afterwards."""
    engine = open_engine(url)
    try:
        migrate(engine, name, steps, tables)
        assert version_of(engine, name) == len(steps)
        found = described(engine)
        tables.drop_all(engine)
        with writing(engine) as connection:
            connection.execute(text(f"DROP TABLE {VERSIONS.name}"))
        return found
    finally:
        engine.dispose()


def of_an_old_one(url: str, name: str, steps: Sequence[Step], version: int) -> Any:
    """Returns what the tables are like that began at a version, and took the steps since."""
    engine = open_engine(url)
    try:
        migrate(engine, name, steps[:version])
        migrate(engine, name, steps)
        return described(engine)
    finally:
        engine.dispose()


def of_a_sample(file: Path, folder: Path, name: str, steps: Sequence[Step]) -> Any:
    """Returns what the tables of a dump are like once they are up to date."""
    with closing(sqlite3.connect(folder / "sample.db")) as connection:
        connection.executescript(file.read_text(encoding="utf-8"))
    engine = open_engine(f"sqlite:///{folder / 'sample.db'}")
    try:
        migrate(engine, name, steps)
        return described(engine)
    finally:
        engine.dispose()
