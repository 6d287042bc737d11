"""What becomes another one whenever the store changes, and costs little to ask for."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

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


def store_standing(url: str) -> Standing:
    """Returns what is equal as long as deals, people and rates of a store are what they are.

    :raises Unreachable: the store is missing, locked or damaged.
    """
    engine = open_store(url, create=False)
    try:
        with reading_store(engine) as connection:
            numbers = [select(func.max(table.c.id)) for table in _NUMBERED]
            counts = [select(func.count()).select_from(table) for table in _COUNTED]
            found = [connection.execute(query).scalar() for query in (*numbers, *counts)]
            rows = [connection.execute(select(table)).all() for table in _SMALL]
    finally:
        engine.dispose()
    return (*found, *(frozenset(map(tuple, each)) for each in rows))
