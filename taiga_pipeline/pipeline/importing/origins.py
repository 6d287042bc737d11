"""Where deals were imported from, and which are missing there by now."""

from __future__ import annotations

from sqlalchemy import Engine, select

from taiga_pipeline.pipeline.schema import IMPORTED, reading_store


def missing_from_origin(engine: Engine) -> frozenset[str]:
    """Returns the keys of deals that no file holds any more from which they were imported.

    :raises Unreachable: the store is missing, locked or damaged.
    """
    with reading_store(engine) as connection:
        rows = connection.execute(select(IMPORTED.c.deal_key, IMPORTED.c.missing_since)).all()
    there = {row.deal_key for row in rows if row.missing_since is None}
    return frozenset(row.deal_key for row in rows) - there
