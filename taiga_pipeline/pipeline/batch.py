"""Many deals in one transaction, with few statements."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, select

from sync.database.engine import by_letters
from taiga_pipeline.pipeline.changes import changes_between
from taiga_pipeline.pipeline.cleaning import clean_deal
from taiga_pipeline.pipeline.model import Deal, FieldChange, StageMove
from taiga_pipeline.pipeline.rows import (
    change_to_row,
    deal_to_row,
    move_to_row,
    row_to_change,
)
from taiga_pipeline.pipeline.schema import (
    DEALS,
    FIELD_CHANGES,
    IMPORT_PROFILES,
    IMPORTED,
    NOTES,
    STAGE_MOVES,
)
from taiga_pipeline.pipeline.tables.key_changes import renamed_to
from taiga_pipeline.pipeline.tables.notes import (
    CHUNK,
    chunks,
    new_notes,
    with_new_notes,
    with_notes,
)
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.pipeline.values.dates import midnight


class Outcome(StrEnum):
    """What storing a deal did."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Batch:
    """Collects deals and writes them together. Made by `DealStore.batch`.

    ``now`` is the time of everything that is recorded, ``by`` who did it.
    """

    def __init__(self, connection: Connection, now: datetime, by: str) -> None:
        self._connection = connection
        self._by = by
        self.now = now
        self.counts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
        self._mains: dict[str, str] = {}
        self._missing: dict[str, frozenset[str]] = {}
        self._inserts: list[dict[str, Any]] = []
        self._updates: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        self._moves: list[StageMove] = []
        self._changes: list[FieldChange] = []

    def existing(self, keys: Collection[str]) -> dict[str, Deal]:
        """Returns the deals that there are, by `folded` key."""
        found: dict[str, Deal] = {}
        for chunk in chunks(map(folded, keys), CHUNK):
            query = select(DEALS).where(DEALS.c.key_folded.in_(chunk))
            rows = self._connection.execute(query)
            found.update((row.key_folded, deal) for deal, row in with_notes(self._connection, rows))
        return found

    def former(self, key: str) -> str:
        """Returns the present key of the deal that had this one before, "" for none."""
        return renamed_to(self._connection, key)

    def keys(self) -> list[str]:
        """Returns the keys of all deals."""
        return list(self._connection.execute(select(DEALS.c.key)).scalars())

    def put_all(self, deals: Iterable[Deal]) -> None:
        """Stores deals as they are given. Times that are not known stay, or become now.

        :raises InvalidValue: a deal that cannot be stored.
        """
        for chunk in chunks(deals, CHUNK):
            known = self.existing([deal.key for deal in chunk])
            for deal in chunk:
                before = known.get(folded(deal.key))
                if before is not None and before.key != deal.key:
                    before = None  # differs in case: the table's constraint refuses it
                self.put(before, self._with_times(clean_deal(deal), before))
            self.flush()

    def _with_times(self, deal: Deal, before: Deal | None) -> Deal:
        since = before.stage_since if before and before.stage == deal.stage else None
        updated = before.updated_at if before else None
        return replace(
            deal,
            stage_since=deal.stage_since or since or self.now,
            updated_at=deal.updated_at or updated or self.now,
        )

    def put(
        self,
        before: Deal | None,
        after: Deal,
        forced: tuple[str, ...] = (),
        reached: str = "",
    ) -> Outcome:
        """Stores a clean deal that replaces ``before`` (None: a new one).

        ``forced`` are the gate actions that it skipped on its way to its stage. ``reached`` is the
        stage that a new deal had reached before it was decided, "" if that is not known.
        """
        if before is None and reached:
            since = midnight(after.engaged_on) if after.engaged_on else after.stage_since
            self._move("", replace(after, stage=reached, stage_since=since))
        after = with_new_notes(before, after, self.now, self._by, from_file=True)
        outcome = self._queue(before, after, forced, reached)
        self.counts[outcome] += 1
        return outcome

    def _queue(
        self, before: Deal | None, after: Deal, forced: tuple[str, ...], reached: str
    ) -> Outcome:
        self._notes.extend(new_notes(before, after))
        if after.part_of and (before is None or before.part_of != after.part_of):
            after = replace(after, part_of=self._main(after.part_of))
        if before is None:
            self._inserts.append(deal_to_row(after))
            self._move(reached, after)
            return Outcome.ADDED
        if before == after:
            return Outcome.UNCHANGED
        self._updates.append({"stored_key": before.key, **deal_to_row(after)})
        self._changes.extend(changes_between(before, after, self.now, self._by))
        if before.stage != after.stage:
            self._move(before.stage, after, forced)
        return Outcome.CHANGED

    def _main(self, key: str) -> str:
        """Returns the key of the deal that a file means by one: it may have had that before."""
        if key not in self._mains:
            query = select(DEALS.c.key).where(DEALS.c.key_folded == folded(key))
            there = self._connection.execute(query).scalar()
            self._mains[key] = there or self.former(key) or key
        return self._mains[key]

    def _move(self, from_stage: str, deal: Deal, forced: tuple[str, ...] = ()) -> None:
        at = deal.stage_since or self.now
        self._moves.append(StageMove(deal.key, from_stage, deal.stage, at, self._by, forced))

    def flush(self) -> None:
        """Writes what was collected."""
        if self._inserts:
            self._connection.execute(DEALS.insert(), self._inserts)
        if self._updates:
            update = DEALS.update().where(DEALS.c.key == bindparam("stored_key"))
            self._connection.execute(update, self._updates)
        if self._notes:
            self._connection.execute(NOTES.insert(), self._notes)
        if self._moves:
            self._connection.execute(STAGE_MOVES.insert(), list(map(move_to_row, self._moves)))
        if self._changes:
            rows = list(map(change_to_row, self._changes))
            self._connection.execute(FIELD_CHANGES.insert(), rows)
        for collected in (self._inserts, self._updates, self._notes, self._moves, self._changes):
            collected.clear()

    def imported(self, origin: str, keys: Collection[str]) -> dict[str, Mapping[str, str]]:
        """Returns the cells that the last import from ``origin`` brought, by deal key."""
        found: dict[str, Mapping[str, str]] = {}
        for chunk in chunks(keys, CHUNK):
            query = select(IMPORTED.c.deal_key, IMPORTED.c.cells).where(
                IMPORTED.c.origin == origin, IMPORTED.c.deal_key.in_(chunk)
            )
            found.update(
                (row.deal_key, json.loads(row.cells)) for row in self._connection.execute(query)
            )
        return found

    def imported_elsewhere(
        self, origin: str, keys: Collection[str]
    ) -> dict[str, tuple[str, Mapping[str, str]]]:
        """Returns where else deals came from last: their origin and its cells, by deal key."""
        found: dict[str, tuple[str, Mapping[str, str]]] = {}
        for chunk in chunks(keys, CHUNK):
            query = (
                select(IMPORTED.c.deal_key, IMPORTED.c.origin, IMPORTED.c.cells)
                .where(IMPORTED.c.origin != origin, IMPORTED.c.deal_key.in_(chunk))
                .order_by(IMPORTED.c.imported_at.asc().nulls_first(), by_letters(IMPORTED.c.origin))
            )
            for row in self._connection.execute(query):
                found[row.deal_key] = row.origin, json.loads(row.cells)
        return found

    def knows(self, origin: str) -> bool:
        """Whether anything was ever imported from ``origin``."""
        query = select(IMPORTED.c.deal_key).where(IMPORTED.c.origin == origin).limit(1)
        return self._connection.execute(query).first() is not None

    def keys_from(self, origin: str) -> frozenset[str]:
        """Returns the keys that imports from ``origin`` brought and that did not disappear."""
        query = select(IMPORTED.c.deal_key).where(
            IMPORTED.c.origin == origin, IMPORTED.c.missing_since.is_(None)
        )
        return frozenset(self._connection.execute(query).scalars())

    def changes_of(self, keys: Collection[str]) -> dict[str, list[tuple[int, FieldChange]]]:
        """Returns all recorded changes of deals with their numbers, the oldest first."""
        found: dict[str, list[tuple[int, FieldChange]]] = {key: [] for key in keys}
        for chunk in chunks(keys, CHUNK):
            query = select(FIELD_CHANGES).where(FIELD_CHANGES.c.deal_key.in_(chunk))
            for row in self._connection.execute(query.order_by(FIELD_CHANGES.c.id)):
                found[row.deal_key].append((row.id, row_to_change(row)))
        return found

    def remember(
        self, origin: str, cells: Mapping[str, Mapping[str, str]], known: Collection[str]
    ) -> None:
        """Keeps the cells that an import brought. ``known`` are the keys it brought before."""
        new, old = [], []
        for key, each in cells.items():
            text = json.dumps(each, ensure_ascii=False)
            if key in known:
                old.append({"stored_origin": origin, "stored_key": key, "cells": text})
            else:
                at = {"imported_at": self.now}
                new.append({"origin": origin, "deal_key": key, "cells": text, **at})
        if new:
            self._connection.execute(IMPORTED.insert(), new)
        if old:
            update = (
                IMPORTED.update()
                .where(
                    IMPORTED.c.origin == bindparam("stored_origin"),
                    IMPORTED.c.deal_key == bindparam("stored_key"),
                )
                .values(cells=bindparam("cells"), missing_since=None, imported_at=self.now)
            )
            self._connection.execute(update, old)

    def profile(self, origin: str) -> Mapping[str, Any]:
        """Returns how the list of ``origin`` is read, as its last import was told; {} if it was
        told nothing."""
        query = select(IMPORT_PROFILES.c.options).where(IMPORT_PROFILES.c.origin == origin)
        text = self._connection.execute(query).scalar()
        found: Mapping[str, Any] = json.loads(text) if text else {}
        return found

    def keep_profile(self, origin: str, profile: Mapping[str, Any]) -> None:
        """Keeps how the list of ``origin`` is read, in place of what was kept before."""
        if self.profile(origin) == profile:
            return
        table = IMPORT_PROFILES
        self._connection.execute(table.delete().where(table.c.origin == origin))
        if profile:
            text = json.dumps(profile, ensure_ascii=False)
            row = {"origin": origin, "options": text, "kept_at": self.now}
            self._connection.execute(table.insert(), [row])

    def missing(self, origin: str) -> frozenset[str]:
        """Returns the keys that were missing from ``origin`` when it was last imported."""
        if origin not in self._missing:
            query = select(IMPORTED.c.deal_key).where(
                IMPORTED.c.origin == origin, IMPORTED.c.missing_since.is_not(None)
            )
            self._missing[origin] = frozenset(self._connection.execute(query).scalars())
        return self._missing[origin]

    def disappeared(self, origin: str, present: Collection[str]) -> tuple[list[str], int]:
        """Marks the deals of ``origin`` that are missing from it now.

        Returns the keys that disappeared since the last import, and how many were missing before.
        """
        query = (
            select(IMPORTED.c.deal_key, IMPORTED.c.missing_since)
            .where(IMPORTED.c.origin == origin)
            .order_by(by_letters(IMPORTED.c.deal_key))
        )
        missing = [row for row in self._connection.execute(query) if row.deal_key not in present]
        gone = [row.deal_key for row in missing if row.missing_since is None]
        if gone:
            mark = (
                IMPORTED.update()
                .where(IMPORTED.c.origin == origin, IMPORTED.c.deal_key == bindparam("gone_key"))
                .values(missing_since=self.now)
            )
            self._connection.execute(mark, [{"gone_key": key} for key in gone])
        return gone, len(missing) - len(gone)
