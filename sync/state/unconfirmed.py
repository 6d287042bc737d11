"""Writes whose outcome is not known: what they made, and what becomes of their intents."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update

from sync.records.model import RecordKey
from sync.state import statements
from sync.state.rows import PUT_OFF, JournalEntry
from sync.state.schema import JOURNAL
from sync.state.tables import StateTables


class UnconfirmedWrites(StateTables):
    """Open intents; see `sync.state.store.StateStore`."""

    def open_intents(self) -> list[JournalEntry]:
        """Returns the intents whose outcome is not known, the oldest first."""
        with self._read() as connection:
            return list(self._entries(connection, statements.open_entries()))

    def abandon(self, intents: Collection[int]) -> None:
        """Closes intents that, by complete evidence, never took effect."""
        if not intents:
            return
        with self._write("abandon") as connection:
            for intent in intents:
                self._finish(connection, intent, "failed", error="the target never carried it out")

    def postpone(self, intents: Collection[int]) -> None:
        """Leaves intents open of groups that the source does not hold, until these are back."""
        if not intents:
            return
        with self._write("put off") as connection:
            mine = JOURNAL.c.id.in_(intents)
            connection.execute(update(JOURNAL).where(mine).values(status=PUT_OFF))

    def note_made(self, intent: int, target_id: str) -> None:
        """Commits which object an open intent made that is not complete."""
        with self._write("making") as connection:
            mine = JOURNAL.c.id == intent
            connection.execute(update(JOURNAL).where(mine).values(target_id=target_id))

    def made_roots(self) -> dict[RecordKey, str]:
        """Returns the ids of roots that were made and not confirmed, as far as they are known."""
        with self._read() as connection:
            entries = list(self._entries(connection, statements.made()))
        return {entry.key: entry.target_id for entry in entries if entry.key.is_root}
