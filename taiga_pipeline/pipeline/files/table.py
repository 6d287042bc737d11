"""Which lines of a file are rows of its table: not its totals and footers, nor its header again.

A row that was cut short is padded where its key, name and stage are there; a line that only adds to
a list (a second contact) belongs to the row above it. What was left out is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from taiga_pipeline.pipeline.fields.field import LIST_KINDS, Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.files.csv_reader import BrokenRow, RawRow
from taiga_pipeline.pipeline.files.reading import TableFile
from taiga_pipeline.pipeline.importing.notices import Notice
from taiga_pipeline.pipeline.text import counted, folded

_TOTAL: Final = re.compile(
    r"\W*(?:grand ?totals?|sub ?-?totals?|totals?|sum|count|average|summe|gesamt\w*|zwischensumme|"
    r"anzahl|summa|totalt|delsumma|antal|total g[eé]n[eé]ral\w*|total geral|suma|sous-total|somme|"
    r"totaal|subtotaal|i alt|sum totalt|totale|razem|łącznie|suma|yhteensä|summa yhteensä|celkem|"
    r"součet|durchschnitt\w*|mittelwert|genomsnitt|moyenne|media|promedio|gemiddelde|gennemsnit|всего|итого)\b[\s\d():,.;/#–-]*"
    r"(?:records?|rows?|deals?|items?|entries|datens[aä]tze|rader|poster|zeilen|filas|lignes)?"
    r"[\s\d():,.;]*",
    re.IGNORECASE,
)
_FOOTER: Final = re.compile(
    r"copyright|©|all rights reserved|confidential|do not distribute|generated (?:by|on|at)|"
    r"exported (?:by|on|at|from)|created (?:by|with) report|as of \d|page \d|seite \d|sida \d|"
    r"erstellt (?:am|von|mit)|stand(?: vom|:)|vertraulich|konfidentiell|utskriven|exporterad|"
    r"report(?: name| run|:)|filtered by|filters? applied|end of (?:report|file)|rows? affected|"
    r"rows? in set|\(\d+ rows?\)|\d+ (?:records?|rows?)(?: selected| found)?\.?$|confidentiel|"
    r"confidencial|généré|generado|gerado",
    re.IGNORECASE,
)
_LISTS: Final[Mapping[str, str]] = {
    field.name: "\n" if field.kind is Kind.NOTES else "; "
    for field in BUILT_IN
    if field.kind in LIST_KINDS
}
"""What a line that continues the row above adds to, and what comes between."""
_MAIN: Final = ("key", "name", "customer", "stage", "value")
_SHOWN: Final = 50


@dataclass(slots=True)
class Edges:
    """What was found around and between the rows. ``lines`` are those that are not rows: number and
    text; ``continued`` counts lines that belong to the row above, ``unused`` the cells of those
    that could not be added to it, by header; ``padded`` counts rows that were cut short."""

    lines: list[tuple[int, str]] = field(default_factory=list)
    headers: list[int] = field(default_factory=list)
    continued: set[int] = field(default_factory=set)
    unused: Counter[str] = field(default_factory=Counter)
    padded: int = 0


class Table:
    """The rows of a file that are its table's.

    ``columns``: our field -> position. ``is_known_stage`` is what the mapping knows.
    """

    def __init__(
        self,
        csv_text: TableFile,
        columns: Mapping[str, int],
        is_known_stage: Callable[[str], bool] | None = None,
    ) -> None:
        self._csv = csv_text
        self._columns = columns
        self._is_known_stage = is_known_stage
        self._headers = tuple(map(folded, csv_text.headers))
        self.edges = Edges()
        self._left_out: set[int] = set()
        self._stages: frozenset[str] = frozenset()
        self._of_short: Counter[str] = Counter()
        self._short: dict[int, int] = {}
        self._look()

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        """Goes through the rows."""
        last: RawRow | None = None
        for row in self._csv.rows(pad=True):
            if row.line in self._left_out:
                continue
            if isinstance(row, RawRow) and row.line in self.edges.continued:
                last = self._added(last, row) if last else None
                continue
            if last is not None:
                yield last
            last = None
            checked = self._unless_torn(row)
            if isinstance(checked, RawRow):
                last = checked
            else:
                yield checked
        if last is not None:
            yield last

    def notices(self) -> Iterator[Notice]:
        """Yields what to say about the lines that are not rows."""
        edges = self.edges
        if edges.lines:
            line, text = edges.lines[0]
            what = counted(len(edges.lines), "line")
            said = f"{what} of totals or remarks left out (line {line}: {text!r})"
            yield Notice("no_rows", len(edges.lines), said)
        if edges.headers:
            lines = ", ".join(map(str, edges.headers[:5]))
            said = f"the header stands again in line {lines}; left out"
            yield Notice("repeated_header", len(edges.headers), said)
        if edges.padded:
            said = f"{counted(edges.padded, 'row')} cut short; the cells at the end count as blank"
            yield Notice("short_rows", edges.padded, said)
        if edges.continued:
            unused = ", ".join(f"{name} ({n:,})" for name, n in edges.unused.most_common(5))
            said = (
                f"{counted(len(edges.continued), 'line')} without key and name added to the row "
                f"above (line {min(edges.continued)})"
            )
            said += f"; left out of them: {unused}" if unused else ""
            yield Notice("continued", len(edges.continued), said)

    def _look(self) -> None:
        """Finds the lines that are not rows of their own."""
        tail: list[RawRow | BrokenRow] = []
        short: list[RawRow] = []
        stages: dict[int, Counter[str]] = {}
        has_row = False
        for row in self._csv.rows(pad=True):
            if self._may_be_remark(row):
                tail.append(row)
                continue
            self._leave_out_totals(tail)
            tail = []
            if isinstance(row, RawRow) and not self._see(row, has_row):
                has_row = True
                stages.setdefault(row.short, Counter())[folded(self._cell(row, "stage"))] += 1
                short += [row] if row.short else []
        if any(self._is_remark(row) for row in tail):
            self._leave_out(tail)
        else:
            self._leave_out_totals(tail)
        self._stages = _stages_of_whole_rows(stages)
        self._of_short = sum((of for length, of in stages.items() if length), Counter())
        self._short = {row.line: row.short for row in short}
        self.edges.padded = sum(isinstance(self._unless_torn(row), RawRow) for row in short)

    def _see(self, row: RawRow, has_row: bool) -> bool:
        """Looks at a row; tells whether it is none of its own."""
        if tuple(map(folded, (cell.strip() for cell in row.cells))) == self._headers:
            self.edges.headers.append(row.line)
            self._left_out.add(row.line)
        elif self._is_total(row):
            self._leave_out([row])
        elif has_row and self._continues(row):
            self.edges.continued.add(row.line)
            self._count_unused(row)
        else:
            return False
        return True

    def _cell(self, row: RawRow | BrokenRow, name: str) -> str:
        at = self._columns.get(name)
        return row.cells[at].strip() if at is not None and at < len(row.cells) else ""

    def _may_be_remark(self, row: RawRow | BrokenRow) -> bool:
        """Whether a row has one cell only, which may stand below the table."""
        filled = [cell for cell in row.cells if cell.strip()]
        is_one = len(filled) == 1 and len(self._csv.headers) > 1
        return is_one and row.cells[0] == filled[0]

    def _is_remark(self, row: RawRow | BrokenRow) -> bool:
        text = row.cells[0].strip()
        is_set_off = isinstance(row, RawRow) and row.after_blank
        return bool(is_set_off or _FOOTER.search(text) or _TOTAL.fullmatch(text))

    def _is_total(self, row: RawRow) -> bool:
        """Whether a row begins with a word for totals where a key or a name would stand."""
        first = next(cell.strip() for cell in row.cells if cell.strip())
        if len(first) > _SHOWN or not _TOTAL.fullmatch(first) or self._cell(row, "stage"):
            return False
        key, name = self._cell(row, "key"), self._cell(row, "name")
        return not (key and name) or first not in (key, name)

    def _leave_out_totals(self, rows: list[RawRow | BrokenRow]) -> None:
        self._leave_out([row for row in rows if _TOTAL.fullmatch(row.cells[0].strip())])

    def _leave_out(self, rows: list[RawRow | BrokenRow]) -> None:
        for row in rows:
            text = next(cell.strip() for cell in row.cells if cell.strip())
            self.edges.lines.append((row.line, text[:_SHOWN]))
            self._left_out.add(row.line)

    def _continues(self, row: RawRow) -> bool:
        """Whether a row has none of the main fields, but something else."""
        return not row.short and not any(self._cell(row, name) for name in _MAIN)

    def _count_unused(self, row: RawRow) -> None:
        added = {self._columns[name] for name in _LISTS if name in self._columns}
        for at, cell in enumerate(row.cells):
            if cell.strip() and at not in added:
                self.edges.unused[self._csv.headers[at] or f"column {at + 1}"] += 1

    def _added(self, row: RawRow, more: RawRow) -> RawRow:
        """Returns a row with what the line below adds to its lists."""
        cells = list(row.cells)
        for name, between in _LISTS.items():
            if text := self._cell(more, name):
                at = self._columns[name]
                cells[at] = f"{cells[at]}{between}{text}" if cells[at].strip() else text
        return replace(row, cells=tuple(cells))

    def _has_rest(self, row: RawRow) -> bool:
        """Whether the line above or below, together with this one, makes a whole row."""
        whole = len(self._csv.headers) + 1
        near = (self._short.get(row.line + step, 0) for step in (-1, 1))
        return any(each and each + row.short == whole for each in near)

    def _unless_torn(self, row: RawRow | BrokenRow) -> RawRow | BrokenRow:
        """Returns a row as it is, unless it is a piece of one: short, without key, name or stage,
        or with a stage that is none."""
        if isinstance(row, BrokenRow) or not row.short:
            return row
        needed = [name for name in ("key", "name", "stage") if name in self._columns]
        reason = f"only {row.short} of {len(self._csv.headers)} cells"
        missing = [name for name in needed if not self._cell(row, name)]
        if missing or "stage" not in needed:
            reason += f", no {missing[0]}" if missing else ""
            return BrokenRow(row.line, reason, row.cells[: row.short])
        stage = self._cell(row, "stage")
        is_known = (
            folded(stage) in self._stages
            or (self._is_known_stage is not None and self._is_known_stage(stage))
            or (self._of_short[folded(stage)] > 1 and not self._has_rest(row))
        )
        if stage and not is_known:
            reason += f", and {stage[:_SHOWN]!r} is not a stage of another row: it may be torn"
            return BrokenRow(row.line, reason, row.cells[: row.short])
        return row


def _stages_of_whole_rows(by_length: Mapping[int, Counter[str]]) -> frozenset[str]:
    """Returns the stages of the rows that have all cells, or, if none has, of most rows."""
    if not by_length:
        return frozenset()
    most = max(by_length, key=lambda length: by_length[length].total())
    return frozenset(by_length.get(0, by_length[most]))
