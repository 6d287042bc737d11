"""Many rows, of a file or of whatever else has rows, as drafts of deals: each key once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from taiga_pipeline.look_alikes import as_meant
from taiga_pipeline.pipeline.files.csv_reader import BrokenRow, RawRow
from taiga_pipeline.pipeline.importing.native import NativeRow
from taiga_pipeline.pipeline.importing.rows import BadRow, Draft, RowReader
from taiga_pipeline.pipeline.text import folded


@dataclass(slots=True)
class DraftReading:
    """Gone through once, gives the drafts of the rows; knows afterwards what was wrong with them.

    ``count`` is how many rows there were; ``bad_rows`` are those that were left out. ``unit`` is
    what a row's number counts.
    """

    rows: Iterable[RawRow | NativeRow | BrokenRow]
    reader: RowReader
    unit: str = field(default="line", kw_only=True)
    count: int = field(default=0, init=False)
    bad_rows: list[BadRow] = field(default_factory=list, init=False)
    keys: dict[str, tuple[str, int]] = field(default_factory=dict, init=False)
    """Folded key -> key and line."""
    _alike: dict[str, tuple[str, int]] = field(default_factory=dict, init=False, repr=False)
    is_cut_off: bool = field(default=False, init=False)
    swallowing: list[RawRow] = field(default_factory=list, init=False)
    """Rows that hold lines which look like rows of their own."""

    @property
    def complete(self) -> bool:
        """Whether a key that did not occur is really not there."""
        return not self.is_cut_off and all(bad.key for bad in self.bad_rows)

    def drafts(self) -> Iterator[Draft]:
        """Goes through the rows; keeps the bad ones and repeated keys as bad rows.

        Of rows with the same key the first counts, unless keys are made by a rule: then no one
        knows which one will be the first next time, and none counts.
        """
        yield from self._distinct() if self.reader.makes_keys else self._read()

    def _distinct(self) -> Iterator[Draft]:
        drafts = list(self._read())
        repeated = {folded(bad.key) for bad in self.bad_rows if bad.key}
        for draft in drafts:
            if folded(draft.key) in repeated:
                reason = f"key {draft.key!r} is made of several rows; make it of more fields"
                self.bad_rows.append(BadRow(draft.line, draft.key, reason))
            else:
                yield draft

    def _read(self) -> Iterator[Draft]:
        for row in self.rows:
            self.count += 1
            self.is_cut_off |= isinstance(row, BrokenRow) and row.cut_off
            if isinstance(row, RawRow) and row.inside:
                self.swallowing.append(row)
            read = self.reader.read(row)
            first = self.keys.setdefault(folded(read.key), (read.key, row.line))
            alike = self._alike.setdefault(folded(as_meant(read.key)), (read.key, row.line))
            if isinstance(read, BadRow):
                self.bad_rows.append(read)
            elif first[1] != row.line:
                self.bad_rows.append(BadRow(row.line, read.key, self._repeated(read.key, *first)))
            elif alike[1] != row.line:
                self.bad_rows.append(BadRow(row.line, read.key, self._look_alike(read.key, *alike)))
            else:
                yield read

    def _look_alike(self, key: str, first_key: str, first_line: int) -> str:
        return (
            f"key {key!r} is {first_key!r} in another form, which is in another row: {self.unit} "
            f"{first_line}, which counts"
        )

    def _repeated(self, key: str, first_key: str, first_line: int) -> str:
        if self.reader.makes_keys:
            return f"key {key!r} is made of line {first_line} too; make it of more fields"
        if key == first_key:
            return f"key {key!r} is in {self.unit} {first_line} already, which counts"
        return (
            f"key {key!r} differs only in case or Unicode form from {first_key!r} in {self.unit} "
            f"{first_line}, which counts"
        )
