"""Versions of deals: what an exported row carries, so that an import knows what it was made from.

A version names the last recorded change of its deal, and the fingerprint of what the deal held
then. From the changes since, what the deal held is worked out again; the fingerprint proves it.
A row of another store, or of a store that was restored from a backup, is recognised as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from taiga_pipeline.pipeline.changes import cells_before, fingerprint, notes_before_the_log
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.model import Deal, FieldChange

COLUMN: Final = "version"
"""The column's header in an export."""

_FORM: Final = re.compile(r"v([0-9]{1,18})-([0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Version:
    """``change`` is the number of the deal's last change, 0 for a deal that never changed."""

    change: int
    fingerprint: str

    def __str__(self) -> str:
        """Returns the text of a cell: no spreadsheet takes it for a number or a date."""
        return f"v{self.change}-{self.fingerprint}"

    def cells(
        self,
        deal: Deal,
        changes: Iterable[tuple[int, FieldChange]],
        former_keys: Iterable[str] = (),
    ) -> Mapping[str, str] | None:
        """Returns what the deal held in this version, as text; None if it never was in it here.

        ``changes`` are those of the deal with their numbers, the oldest first. ``former_keys`` are
        those that it had: with another key it is the same deal.
        """
        later = [change for number, change in changes if number > self.change]
        cells = cells_before(deal, later)
        notes = notes_before_the_log(deal, later)
        known = (
            fingerprint({**cells, "key": key}, text)
            for key in (deal.key, *former_keys)
            for text in ("", notes)
        )
        return cells if self.fingerprint in known else None


def version_of(deal: Deal, last_change: int) -> Version:
    """Returns the version of a deal as it is."""
    return Version(last_change, fingerprint(deal_cells(deal)))


def read_version(text: str) -> Version | None:
    """Reads a version from a cell; None if it is none of ours."""
    match = _FORM.fullmatch(text.strip())
    return Version(int(match[1]), match[2]) if match else None
