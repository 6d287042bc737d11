"""Deals that get another key, and deals that are removed: what the tables have to say of it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, or_, select, union

from taiga_pipeline.pipeline.cleaning import clean_deal
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.errors import (
    DealRemoved,
    DealRenamed,
    KeyTaken,
    KeyWasRenamed,
    UnknownDeal,
)
from taiga_pipeline.pipeline.model import Deal, FieldChange
from taiga_pipeline.pipeline.rows import deal_to_row
from taiga_pipeline.pipeline.schema import (
    ALLOCATIONS,
    DEALS,
    FIELD_CHANGES,
    KEYS_GONE,
    REFERENCES,
    STAGE_MOVES,
)
from taiga_pipeline.pipeline.tables.queries import events
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.records import deal_of, is_phase_key

_ASIDE: Final = "\x01"
"""Before the folded key of a deal that is just being renamed to one that differs only in case."""


def remove(connection: Connection, deal: Deal, at: datetime, by: str) -> None:
    """Removes a deal and all that belongs to it; what it held, and its past, is kept with the key.

    Whoever is allocated to it is so no more.
    """
    held = {
        "deal": deal_cells(deal),
        "moves": _rows(connection, STAGE_MOVES, deal.key),
        "changes": _rows(connection, FIELD_CHANGES, deal.key),
        "allocations": _rows(connection, ALLOCATIONS, deal.key),
    }
    connection.execute(DEALS.delete().where(DEALS.c.key == deal.key))
    _join_anew(connection, deal.key, deal.part_of, at, by)
    text = json.dumps(held, ensure_ascii=False, default=str)
    _note(connection, FieldChange(deal.key, "key", deal.key, "", at, by), text)


def _rows(connection: Connection, table: Any, key: str) -> list[dict[str, Any]]:
    rows = connection.execute(select(table).where(table.c.deal_key == key).order_by(table.c.id))
    return [{n: v for n, v in row._mapping.items() if n not in ("id", "deal_key")} for row in rows]


def rename(connection: Connection, deal: Deal, new: str, at: datetime, by: str) -> Deal:
    """Gives a deal another key, with all that belongs to it; returns it.

    :raises KeyTaken: another deal has this key, or one that differs only in case.
    :raises InvalidValue: it cannot be a key.
    """
    renamed = clean_deal(replace(deal, key=new, updated_at=at))
    if renamed.key == deal.key:
        return deal
    refuse_former(connection, renamed.key, but=deal.key)
    taken = select(DEALS.c.key).where(
        DEALS.c.key_folded == folded(renamed.key), DEALS.c.key != deal.key
    )
    if other := connection.execute(taken).scalar():
        raise KeyTaken(renamed.key, other)
    mine = DEALS.c.key == deal.key
    connection.execute(DEALS.update().where(mine).values(key_folded=_ASIDE + deal.key))
    connection.execute(DEALS.insert(), deal_to_row(renamed))
    for column, _ in (each for each in REFERENCES if each[1] is DEALS.c.key):
        table = column.table
        connection.execute(table.update().where(column == deal.key).values({column: renamed.key}))
    connection.execute(DEALS.delete().where(mine))
    _join_anew(connection, deal.key, renamed.key, at, by)
    back = KEYS_GONE.c.key == renamed.key
    connection.execute(KEYS_GONE.delete().where(back, KEYS_GONE.c.new_key == deal.key))
    _note(connection, FieldChange(renamed.key, "key", deal.key, renamed.key, at, by))
    return renamed


def _join_anew(connection: Connection, key: str, new: str, at: datetime, by: str) -> None:
    """Has the deals in the project of one that got another key, or is gone, follow it.

    ``new`` is the deal whose project they are in from now on, "" if they stand for themselves
    again. They stay where they are where the one that is gone was itself part of a project.
    """
    joined = DEALS.c.part_of == key
    for part in list(connection.execute(select(DEALS.c.key).where(joined)).scalars()):
        change = {"field": "part_of", "before": key, "after": new, "at": at, "by": by}
        connection.execute(FIELD_CHANGES.insert().values(deal_key=part, **change))
    connection.execute(DEALS.update().where(joined).values(part_of=new))


def refuse_former(connection: Connection, key: str, but: str = "") -> None:
    """Returns unless a deal had this key before it got another one: its project is named by it.

    :raises KeyWasRenamed: one had; ``but`` is the one that may take it again.
    """
    new = renamed_to(connection, key)
    if new and new != but:
        raise KeyWasRenamed(key, new)


def renamed_to(connection: Connection, key: str) -> str:
    """Returns the present key of the deal that had this one, "" if none did or it is removed."""
    former = {folded(old): new for old, new in renames(connection)}
    found = former.get(folded(key), "")
    for _ in range(len(former)):
        if folded(found) not in former:
            break
        found = former[folded(found)]
    if not found:
        return ""
    there = select(DEALS.c.key).where(DEALS.c.key == found)
    return str(connection.execute(there).scalar() or "")


def former_keys(connection: Connection, key: str) -> list[str]:
    """Returns the keys that a deal had before this one, the latest first."""
    found = [key]
    for old, new in reversed([*renames(connection)]):
        if new in found and old not in found:
            found.append(old)
    return found[1:]


def unknown_deal(connection: Connection, key: str) -> UnknownDeal:
    """Returns why no deal has a key: what became of the one that had, or which key is like it."""
    if new := renamed_to(connection, key):
        return DealRenamed(key, new)
    gone = {folded(each) for each in removals(connection)}
    if folded(key) in gone:
        return DealRemoved(key)
    return UnknownDeal(key, _nearest_key(connection, key))


def _nearest_key(connection: Connection, key: str) -> str:
    """Returns the deal key nearest to ``key``, "" if none is near.

    The key of a phase's project means its deal, and no other one. Where ``key`` is in the name or
    customer of a single deal, that one is meant.
    """
    known = {folded(each): each for each in connection.execute(select(DEALS.c.key)).scalars()}
    if is_phase_key(key):
        return str(known.get(folded(deal_of(key)), ""))
    near = difflib.get_close_matches(folded(key), known, n=1)
    if near:
        return str(known[near[0]])
    said = folded(key)
    rows = connection.execute(select(DEALS.c.key, DEALS.c.name, DEALS.c.customer))
    named = [row.key for row in rows if said in folded(f"{row.customer}: {row.name}")]
    return str(named[0]) if said and len(named) == 1 else ""


def every_key(connection: Connection) -> Iterator[str]:
    """Yields the keys that deals have, and those that they had."""
    yield from connection.execute(union(select(DEALS.c.key), select(KEYS_GONE.c.key))).scalars()


def renames(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yields former keys and what they became, in the order in which that was done."""
    query = select(KEYS_GONE.c.key, KEYS_GONE.c.new_key).where(KEYS_GONE.c.new_key != "")
    for row in connection.execute(query.order_by(KEYS_GONE.c.id)):
        yield row.key, row.new_key


def removals(connection: Connection) -> Iterator[str]:
    """Yields the keys of deals that were removed on purpose."""
    query = select(KEYS_GONE.c.key).where(KEYS_GONE.c.new_key == "")
    yield from connection.execute(query).scalars()


def key_events(key: str, newest: int | None) -> Select[Any]:
    """Asks for the keys that went, of one deal or of all, in the order of `queries.events`."""
    query = events(KEYS_GONE, "", newest)
    return query.where(or_(KEYS_GONE.c.key == key, KEYS_GONE.c.new_key == key)) if key else query


def row_to_event(row: Row[Any]) -> FieldChange:
    """Returns a key that went as the change that it was."""
    return FieldChange(row.new_key or row.key, "key", row.key, row.new_key, row.at, row.by)


def _note(connection: Connection, change: FieldChange, held: str = "") -> None:
    gone = {"key": change.before, "new_key": change.after, "held": held}
    connection.execute(KEYS_GONE.insert().values(**gone, at=change.at, by=change.by))
