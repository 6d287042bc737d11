"""What the rows of a file and the deals of the store held when they last agreed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from taiga_pipeline.hints import word
from taiga_pipeline.pipeline.batch import Batch
from taiga_pipeline.pipeline.cells import parse_time
from taiga_pipeline.pipeline.changes import cells_before
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.importing.notices import Notice
from taiga_pipeline.pipeline.importing.rows import Draft
from taiga_pipeline.pipeline.importing.three_way import Agreed, Blanks, Clash
from taiga_pipeline.pipeline.importing.times import is_same
from taiga_pipeline.pipeline.model import Deal, FieldChange
from taiga_pipeline.pipeline.text import counted, folded
from taiga_pipeline.pipeline.versions import read_version, version_of

Cells = Mapping[str, str]
_Changes = Mapping[str, Sequence[tuple[int, FieldChange]]]


@dataclass(frozen=True, slots=True)
class ImportConflict:
    """A field that the file and the store changed apart, and that was left as it is.

    ``by`` and ``at`` (UTC) say who changed it in the store last, and when, as far as recorded.
    """

    line: int
    key: str
    field: str
    base: str
    file: str
    store: str
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The base of a row, None if nothing is known. ``elsewhere`` names the origin that it is from,
    if that is another one; ``is_unknown`` says that the row's version is none of this store."""

    agreed: Agreed | None = None
    elsewhere: str = ""
    is_unknown: bool = False


class Bases:
    """Finds the base of each row of one import; knows afterwards what is worth a notice.

    The first of these that is there counts: the version that the row carries; what the last import
    of the same origin brought; what another origin brought last; what the deal held when the row
    was written, by the row's own ``updated_at``.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._is_new: bool | None = None
        self._elsewhere: Counter[str] = Counter()
        self._still_held = 0
        self._unknown = 0
        self._taken = 0

    def find(
        self,
        batch: Batch,
        drafts: Sequence[Draft],
        known: Mapping[str, Deal],
        last: Mapping[str, Cells],
    ) -> dict[str, Found]:
        """Returns the bases by deal key; rows of which nothing is known have none."""
        if self._is_new is None:
            self._is_new = not batch.knows(self._origin)
        deals = {
            draft.key: deal
            for draft in drafts
            if (deal := known.get(folded(draft.key))) and deal.key == draft.key
        }
        changes = batch.changes_of([d.key for d in drafts if _needs_changes(d, deals, last)])
        elsewhere = batch.imported_elsewhere(self._origin, deals.keys() - last.keys())
        found: dict[str, Found] = {}
        for draft in drafts:
            if deal := deals.get(draft.key):
                agreed = _by_version(draft, deal, changes)
                is_unknown = agreed is None and read_version(draft.version) is not None
                agreed = agreed or _by_last_import(draft, last)
                origin, cells = elsewhere.get(deal.key, ("", {}))
                if agreed is None and origin:
                    agreed = Agreed(cells, Blanks.SAY_NOTHING)
                elif agreed is None:
                    agreed = _by_time(draft, deal, changes)
                    origin = ""
                found[draft.key] = Found(agreed, origin, is_unknown)
            elif read_version(draft.version):
                found[draft.key] = Found(is_unknown=True)
        return found

    def count(self, draft: Draft, found: Found, *, is_changed: bool) -> None:
        """Counts a row of the import for the notices. ``is_changed`` says that its deal, which was
        there before, took values of the row."""
        self._unknown += found.is_unknown
        self._taken += is_changed and found.agreed is None
        if found.elsewhere and found.agreed:
            self._elsewhere[found.elsewhere] += 1
            self._still_held += sum(bool(found.agreed.cells.get(name)) for name in draft.blank)

    def notices(self, batch: Batch, present: frozenset[str]) -> Iterator[Notice]:
        """Says what was odd about the rows' past. ``present`` are the keys of the file."""
        if self._is_new and self._elsewhere:
            (other, count) = self._elsewhere.most_common(1)[0]
            gone = len(batch.keys_from(other) - present)
            yield Notice(
                "other_origin",
                count,
                f"this is the first import under the name {self._origin!r}; "
                f"{counted(count, 'deal')} came from {other!r}. What the list lacks since then is "
                f"not noticed ({counted(gone, 'deal')} of {other!r} not in this file, "
                f"{counted(self._still_held, 'field')} cleared in it). If it is the same list, "
                f"import it again with --origin {word(other)}, and use one --origin for it from "
                "now on",
            )
        if self._taken:
            yield Notice(
                "no_base",
                self._taken,
                f"{counted(self._taken, 'deal')} of the store that came from no file before took "
                "the file's values; what they held is in their history",
            )
        if self._unknown:
            yield Notice(
                "unknown_version",
                self._unknown,
                f"{counted(self._unknown, 'row')} with a version that this store does not know "
                "(exported from another store, or from this one before a backup was restored, or "
                "their keys were changed since): read as rows without one",
            )


def conflicts_of(batch: Batch, draft: Draft, clashes: Sequence[Clash]) -> list[ImportConflict]:
    """Returns the conflicts of a row, with who is on the other side."""
    last = {change.field: change for _, change in batch.changes_of([draft.key])[draft.key]}
    return [
        ImportConflict(
            draft.line,
            draft.key,
            **{name: getattr(clash, name) for name in ("field", "base", "file", "store")},
            by=last[clash.field].by if clash.field in last else "",
            at=last[clash.field].at if clash.field in last else None,
        )
        for clash in clashes
    ]


def _needs_changes(draft: Draft, deals: Mapping[str, Deal], last: Mapping[str, Cells]) -> bool:
    """Whether a row shows its deal as it was before some changes."""
    deal, version = deals.get(draft.key), read_version(draft.version)
    if deal is None:
        return False
    if version is not None:
        return version_of(deal, version.change) != version
    written = draft.values.get("updated_at")
    return bool(written and deal.updated_at and written < deal.updated_at and draft.key not in last)


def _by_version(draft: Draft, deal: Deal, changes: _Changes) -> Agreed | None:
    version = read_version(draft.version)
    cells = version.cells(deal, changes.get(deal.key, ())) if version else None
    return None if cells is None else Agreed(cells, Blanks.COUNT)


def _by_last_import(draft: Draft, last: Mapping[str, Cells]) -> Agreed | None:
    if draft.key not in last:
        return None
    cells = last[draft.key]
    return Agreed(cells, Blanks.CLEAR_WHAT_WAS_IMPORTED, is_newer=_is_older(draft, cells))


def _is_older(draft: Draft, cells: Cells) -> bool:
    """Whether a row was written before the one that was imported last."""
    written: datetime | None = draft.values.get("updated_at")
    text = cells.get("updated_at")
    try:
        before = parse_time(text) if text else None
        return bool(written and before and written < before and not is_same(written, before))
    except InvalidValue:  # written by a program that knew another notation
        return False


def _by_time(draft: Draft, deal: Deal, changes: _Changes) -> Agreed | None:
    written = draft.values.get("updated_at")
    if written is None:
        return None
    later = (change for _, change in changes.get(deal.key, ()) if change.at > written)
    return Agreed(cells_before(deal, later), Blanks.SAY_NOTHING)
