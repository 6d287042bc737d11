"""What becomes another one whenever the store changes, and costs little to ask for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Select, Table, func, select

from taiga_pipeline.pipeline.schema import (
    ALLOCATIONS,
    DEALS,
    FIELD_CHANGES,
    IMPORTED,
    KEYS_GONE,
    NOTES,
    PEOPLE,
    RATES,
    STAGE_MOVES,
    TIME_OFF,
    open_store,
    reading_store,
)

_NUMBERED: Final = (FIELD_CHANGES, STAGE_MOVES, NOTES, KEYS_GONE)
"""Every change of a deal leaves a row with a new number in one of these."""
_COUNTED: Final = (DEALS, IMPORTED)
_SMALL: Final = (PEOPLE, TIME_OFF, ALLOCATIONS, RATES)
"""Tables that are small enough to be read as a whole."""

Standing = tuple[object, ...]


def _last_of(table: Table, but: Collection[str]) -> Select[tuple[int]]:
    """Asks for the number of the last row that counts."""
    query = select(table.c.id).order_by(table.c.id.desc()).limit(1)
    return query.where(table.c.field.not_in(list(but))) if "field" in table.c and but else query


def store_standing(url: str, *, but: Collection[str] = ()) -> Standing:
    """Returns what is equal as long as deals, people and rates of a store are what they are.

    Changes of the fields ``but`` do not count.

    :raises Unreachable: the store is missing, locked or damaged.
    """
    engine = open_store(url, create=False)
    try:
        with reading_store(engine) as connection:
            numbers = [_last_of(table, but) for table in _NUMBERED if table.name not in but]
            counts = [select(func.count()).select_from(table) for table in _COUNTED]
            found = [connection.execute(query).scalar() for query in (*numbers, *counts)]
            rows = [connection.execute(select(table)).all() for table in _SMALL]
    finally:
        engine.dispose()
    return (*found, *(frozenset(map(tuple, each)) for each in rows))
