"""Importing deals from any CSV file into the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import IntegrityError

from taiga_pipeline.days import day_of
from taiga_pipeline.pipeline.batch import Batch, Outcome
from taiga_pipeline.pipeline.cells import parse_time
from taiga_pipeline.pipeline.errors import AlreadyThere, GateClosed, InvalidValue
from taiga_pipeline.pipeline.fields.table import CLOSE_DATE, LOST_ON, WON_ON
from taiga_pipeline.pipeline.files.csv_reader import CsvText, RawRow
from taiga_pipeline.pipeline.files.reading import TableFile, read_table
from taiga_pipeline.pipeline.files.table import Table
from taiga_pipeline.pipeline.importing.base import Bases, Found, ImportConflict, conflicts_of
from taiga_pipeline.pipeline.importing.contents import contents
from taiga_pipeline.pipeline.importing.drafts import DraftReading
from taiga_pipeline.pipeline.importing.gates import Gatekeeper
from taiga_pipeline.pipeline.importing.headers import is_known
from taiga_pipeline.pipeline.importing.keys import KeyResolver
from taiga_pipeline.pipeline.importing.notices import Notice, Observer, swallowed
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions, Layout, lay_out
from taiga_pipeline.pipeline.importing.preview import RowPreview, row_preview
from taiga_pipeline.pipeline.importing.profiles import (
    FORGET,
    EffectiveOptions,
    profile_of,
    with_profile,
)
from taiga_pipeline.pipeline.importing.rows import BadRow, Draft, RowReader, new_deal
from taiga_pipeline.pipeline.importing.swaps import Swaps
from taiga_pipeline.pipeline.importing.three_way import Agreed, Merged, merge_row
from taiga_pipeline.pipeline.importing.times import Times
from taiga_pipeline.pipeline.importing.understanding import (
    SAMPLES,
    Understanding,
    understood_columns,
    understood_stages,
)
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.tables.notes import CHUNK, chunks
from taiga_pipeline.pipeline.text import counted, folded
from taiga_pipeline.pipeline.values.numerals import COMMA, POINT
from taiga_pipeline.problems import Problem, ProblemsError

_CLOSES: Final = ("closed_on", CLOSE_DATE, WON_ON, LOST_ON)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or with a dry run would do.

    ``rows`` counts the rows below the header that were not blank. ``disappeared`` are the keys
    that earlier imports of the same origin brought and this one did not, the first time that
    they are missed; ``still_missing`` counts those missed before. ``complete`` is False when
    nothing could be concluded from what is missing. ``conflicts`` are the fields that the file and
    the store changed apart; they were left as they are. ``columns``: our field -> their header.
    ``unknown_stages``: stage -> number of deals.
    """

    origin: str
    rows: int
    added: int
    changed: int
    unchanged: int
    bad_rows: tuple[BadRow, ...]
    disappeared: tuple[str, ...]
    still_missing: int
    complete: bool
    columns: Mapping[str, str]
    unused_headers: tuple[str, ...]
    unknown_stages: Mapping[str, int]
    notices: tuple[Notice, ...]
    conflicts: tuple[ImportConflict, ...] = ()
    dry_run: bool = False


@dataclass(slots=True)
class FileReading(DraftReading):
    """The drafts of a file."""

    csv: TableFile
    layout: Layout
    table: Table

    def notices(self) -> Iterator[Notice]:
        """Yields what was decided about the file as a whole."""
        for code, text in self.csv.notes:
            yield Notice(code, 0, text)
        yield from self.table.notices()


def open_file(path: Path, options: ImportOptions, funnel: Funnel) -> FileReading:
    """Reads a file and finds its columns.

    :raises Unreachable: the file cannot be read.
    :raises ProblemsError: it cannot be decoded, or the options do not fit it.
    """
    named = {folded(header) for header in options.columns.values()}
    csv = read_table(
        path,
        encoding=options.encoding,
        delimiter=options.delimiter,
        sheet=options.sheet,
        sheet_option=options.spelling.sheet,
        is_known=lambda header: is_known(header, options.fields) or folded(header) in named,
    )
    content_of = contents(csv.headers, lambda: _cells(csv))
    layout = lay_out(str(path), csv.headers, options, content_of)
    # A spreadsheet that saves our export with semicolons does so for its decimal commas.
    has_commas = isinstance(csv, CsvText) and csv.delimiter == ";"
    reader = RowReader(layout, options, funnel, COMMA if has_commas else POINT)
    table = Table(csv, layout.columns, funnel.is_known if funnel.is_strict else None)
    reader.survey(table.rows())
    return FileReading(table.rows(), reader, csv=csv, layout=layout, table=table)


def _cells(csv: TableFile) -> Iterator[Sequence[object]]:
    yield from (row.cells for row in csv.rows() if isinstance(row, RawRow))


def import_deals(
    store: DealStore,
    path: Path,
    options: ImportOptions,
    funnel: Funnel | None = None,
) -> ImportReport:
    """Imports a file, all good rows in one transaction, and reports on the others.

    :raises Unreachable: the file or the store cannot be used; nothing was imported.
    :raises ProblemsError: the file cannot be decoded, or the options do not fit it.
    """
    return prepare_import(store, path, options, funnel).run()


def prepare_import(
    store: DealStore, path: Path, options: ImportOptions, funnel: Funnel | None = None
) -> PreparedImport:
    """Reads a file by the options, and by the kept ones of earlier imports of its origin.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: the file cannot be decoded, or the options do not fit it.
    """
    funnel, origin = funnel or Funnel(), options.origin or path.name
    with store.view(by=options.by) as view:
        effective = with_profile(options, {} if options.forget else view.profile(origin))
        is_first = not view.knows(origin)
    try:
        reading = open_file(path, effective.options, funnel)
    except ProblemsError as error:
        kept = (
            [Problem(_read_as_before(origin, effective.kept), str(path))] if effective.kept else []
        )
        raise ProblemsError([*error.problems, *kept]) from None
    return PreparedImport(
        store, reading, list(reading.drafts()), effective, funnel, origin, is_first
    )


def _read_as_before(origin: str, kept: Sequence[str]) -> str:
    return (
        f"read as an earlier import of {origin!r} was told: {' '.join(kept)} (other options win; "
        f"{FORGET} forgets these)"
    )


@dataclass(frozen=True, slots=True)
class PreparedImport:
    """A file that was read, and of which nothing is stored yet."""

    store: DealStore
    reading: FileReading
    drafts: Sequence[Draft]
    effective: EffectiveOptions
    funnel: Funnel
    origin: str
    is_first: bool

    def understanding(self) -> Understanding:
        """Says what was understood of the file."""
        reading = self.reading
        return Understanding(
            origin=self.origin,
            kind=reading.csv.kind,
            rows=reading.count,
            bad_rows=len(reading.bad_rows),
            lines=tuple(draft.line for draft in self.drafts[:SAMPLES]),
            columns=understood_columns(reading.layout, reading.reader.readings, self.drafts),
            stages=understood_stages(self.drafts, self.funnel),
            unused_headers=reading.layout.unused,
            kept=self.effective.kept,
            is_first=self.is_first,
        )

    def preview(self, most: int) -> tuple[RowPreview, ...]:
        """Returns what the first rows would do of those that change something; stores nothing.

        :raises Unreachable: the store cannot be used.
        """
        work = _Import(self.reading, self.effective.options, self.funnel, self.origin)
        found: list[RowPreview] = []
        with self.store.view(by=self.effective.options.by) as view:
            for chunk in chunks(work.keys.resolve(view, self.drafts), CHUNK):
                found += filter(
                    None, (work.seen(row, view.now) for row in work.prepare(view, chunk))
                )
                if len(found) >= most:
                    break
        return tuple(found[:most])

    def run(self) -> ImportReport:
        """Imports the file, all good rows in one transaction, and reports on the others.

        How it was read is kept for the next import of its origin, if any row could be.

        :raises Unreachable: the store cannot be used; nothing was imported.
        """
        options = self.effective.options
        work = _Import(self.reading, options, self.funnel, self.origin)
        if self.effective.kept:
            work.kept_notice = Notice("kept", 0, _read_as_before(self.origin, self.effective.kept))
        # Others wait for as long as the writing transaction lasts: all is merged before it.
        with self.store.view(by=options.by) as view:
            drafts = work.keys.resolve(view, self.drafts)
            rows = [work.prepare(view, chunk) for chunk in chunks(drafts, CHUNK)]
        try:
            with self.store.batch(by=options.by, keep=not options.dry_run) as batch:
                for chunk_of_rows in rows:
                    work.take(batch, chunk_of_rows)
                work.finish(batch)
                if any(batch.counts.values()):
                    batch.keep_profile(self.origin, profile_of(options))
        except IntegrityError:
            raise AlreadyThere(
                "another user added one of these deals just now; nothing was imported, try again"
            ) from None
        return work.report()


@dataclass(frozen=True, slots=True)
class _Row:
    """A row and what becomes of its deal, as far as that can be said before it is stored.

    ``before`` is the deal of the store, ``last`` what the last import of the origin brought.
    """

    draft: Draft
    before: Deal | None
    last: Mapping[str, str] | None
    found: Found
    merged: Merged | None = None
    problem: str = ""

    def is_outdated(self, known: Mapping[str, Deal], last: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether someone has changed in between what this was made from."""
        key = self.draft.key
        return known.get(folded(key)) != self.before or last.get(key) != self.last


class _Import:
    """One import under way."""

    def __init__(
        self, reading: FileReading, options: ImportOptions, funnel: Funnel, origin: str
    ) -> None:
        self._reading = reading
        self._options = options
        self._funnel = funnel
        self._origin = origin
        self.keys = KeyResolver()
        self._observer = Observer(reading.layout, reading.reader.readings, options.fields)
        self._gates = Gatekeeper(funnel, options.force)
        self._unknown: Counter[str] = Counter()
        self._outcomes: Mapping[Outcome, int] = {}
        self._bases = Bases(origin)
        self._conflicts: list[ImportConflict] = []
        self._past: tuple[Notice, ...] = ()
        self._disappeared: Sequence[str] = ()
        self._still_missing = 0
        self._undated = 0
        self._in_future: list[Deal] = []
        self._swaps = Swaps()
        self._today = date.max
        self.kept_notice: Notice | None = None

    def prepare(self, batch: Batch, drafts: Sequence[Draft]) -> list[_Row]:
        """Merges rows into their deals; changes nothing."""
        known = batch.existing([draft.key for draft in drafts])
        last = batch.imported(self._origin, [draft.key for draft in drafts])
        bases = self._bases.find(batch, drafts, known, last)
        rows = []
        for draft in drafts:
            before, found = known.get(folded(draft.key)), bases.get(draft.key, Found())
            row = _Row(draft, before, last.get(draft.key), found)
            try:
                merged = self._merged(_same_key(before, draft), draft, found.agreed, batch.now)
                rows.append(replace(row, merged=merged))
            except InvalidValue as error:
                rows.append(replace(row, problem=_reason(error)))
        return rows

    def seen(self, row: _Row, now: datetime) -> RowPreview | None:
        """Returns what a row would do, None where nothing changes or it is left out."""
        if row.merged is None:
            return None
        try:
            after, _ = self._gates.let(row.before, row.merged.deal)
        except GateClosed:
            return None
        found = row_preview(row.draft.line, row.before, after, now)
        return None if found.outcome is Outcome.UNCHANGED else found

    def take(self, batch: Batch, rows: Sequence[_Row]) -> None:
        """Stores rows; what someone has changed since they were merged is merged again."""
        drafts = [row.draft for row in rows]
        known = batch.existing([draft.key for draft in drafts])
        last = batch.imported(self._origin, [draft.key for draft in drafts])
        if any(row.is_outdated(known, last) for row in rows):
            rows = self.prepare(batch, drafts)
        brought: dict[str, Mapping[str, str]] = {}
        for row in rows:
            cells = self._take(batch, row)
            if cells is not None and (
                cells != row.last or row.draft.key in batch.missing(self._origin)
            ):
                brought[row.draft.key] = cells
        batch.flush()
        batch.remember(self._origin, brought, last)

    def _take(self, batch: Batch, row: _Row) -> Mapping[str, str] | None:
        """Stores a row; returns what it says, to be remembered, None for one that is left out."""
        draft = row.draft
        if row.merged is None:
            self._reading.bad_rows.append(BadRow(draft.line, draft.key, row.problem))
            return None
        try:
            after, forced = self._gates.let(row.before, row.merged.deal)
        except GateClosed as error:
            self._reading.bad_rows.append(
                BadRow(draft.line, draft.key, _reason(error), missing=error.missing)
            )
            return None
        batch.put(row.before, after, forced, draft.reached)
        self._today = day_of(batch.now, self._options.terms.zone)
        self._see(draft, row.before, after)
        is_changed = row.before not in (None, after)
        self._bases.count(draft, row.found, is_changed=is_changed)
        if row.merged.clashes:
            self._conflicts.extend(conflicts_of(batch, draft, row.merged.clashes))
        return _to_remember(row)

    def _merged(
        self, before: Deal | None, draft: Draft, agreed: Agreed | None, now: datetime
    ) -> Merged:
        times, options = Times(self._funnel, now, self._options.terms.zone), self._options
        if before is None:
            return Merged(times.new(new_deal(draft), draft))
        merged = merge_row(
            before, draft, agreed, clear_blank=options.clear_blank, take=options.take
        )
        if agreed and agreed.is_newer and merged.deal == before:
            return merged
        since = agreed.cells.get("stage_since") if agreed else None
        base = parse_time(since) if since else None
        return replace(merged, deal=times.changed(before, merged.deal, draft, base))

    def _see(self, draft: Draft, before: Deal | None, after: Deal) -> None:
        self._observer.see(draft)
        self._swaps.see(before, after)
        if before is None and self._funnel.is_closed(after.stage):
            self._undated += after.closed_on is None and after.stage_since is None
        if (
            after.closed_on
            and self._funnel.is_closed(after.stage)
            and after.closed_on > self._today
        ):
            self._in_future.append(after)
        if after.stage and not self._funnel.is_known(after.stage):
            self._unknown[after.stage] += 1

    def finish(self, batch: Batch) -> None:
        """Looks for what disappeared, once all rows were taken."""
        self._outcomes = dict(batch.counts)
        keys = (key for key, _ in self._reading.keys.values())
        present = frozenset(self.keys.renamed.get(key, key) for key in keys)
        self._past = tuple(self._bases.notices(batch, present))
        if self._complete:
            self._disappeared, self._still_missing = batch.disappeared(self._origin, present)

    @property
    def _complete(self) -> bool:
        return self._reading.complete and not self.keys.bad_rows

    def report(self) -> ImportReport:
        """Sums up."""
        layout = self._reading.layout
        return ImportReport(
            origin=self._origin,
            rows=self._reading.count,
            added=self._outcomes[Outcome.ADDED],
            changed=self._outcomes[Outcome.CHANGED],
            unchanged=self._outcomes[Outcome.UNCHANGED],
            bad_rows=tuple(
                sorted((*self._reading.bad_rows, *self.keys.bad_rows), key=lambda bad: bad.line)
            ),
            disappeared=tuple(self._disappeared),
            still_missing=self._still_missing,
            complete=self._complete,
            columns={name: layout.header_of(name) for name in layout.columns},
            unused_headers=layout.unused,
            unknown_stages=dict(self._unknown.most_common()),
            notices=(
                *([self.kept_notice] if self.kept_notice else []),
                *self._reading.notices(),
                *self._said_of_keys(),
                *self._past,
                *self._observer.notices(),
                *self._said_of_undated(),
                *self._said_of_future(),
                *self._swaps.notices(),
                *self._gates.notices(),
                *self._unused_stages(),
                *swallowed(self._reading.swallowing),
            ),
            conflicts=tuple(self._conflicts),
            dry_run=self._options.dry_run,
        )

    def _said_of_undated(self) -> Iterable[Notice]:
        if self._undated:
            yield Notice(
                "undated",
                self._undated,
                f"{counted(self._undated, 'won or lost deal')} without the day of the decision "
                "(no project is made): give it with --default closed_on=DATE, or later with deals "
                "edit KEY --closed-on DATE",
            )

    def _said_of_future(self) -> Iterable[Notice]:
        if self._in_future:
            first, count = self._in_future[0], len(self._in_future)
            layout = self._reading.layout
            named = [name for name in _CLOSES if name in layout.columns]
            header = layout.header_of(named[0]) if named else "closed_on"
            yield Notice(
                "future",
                count,
                f"{counted(count, 'won or lost deal')} decided on a day that is still to come "
                f"({first.key}: {first.closed_on}); if {header!r} is the day that is expected, it "
                "belongs into expected_close; else correct it with deals edit KEY --closed-on DATE",
            )

    def _said_of_keys(self) -> Iterable[Notice]:
        for count, said in self._reading.reader.said_of_keys():
            yield Notice("keys", count, f"{counted(count, 'key')} {said}")
        yield from self.keys.notices()

    def _unused_stages(self) -> Iterable[Notice]:
        for status, count in self._reading.reader.unknown_status.most_common(3):
            text = f"status {status!r} ({counted(count, 'deal')}) is not used; the stage counts"
            yield Notice("status", count, text)
        for theirs in self._reading.reader.unused_stages():
            yield Notice("unused", 0, f"--stage {theirs}=…: no deal is in stage {theirs!r}")


def _to_remember(row: _Row) -> Mapping[str, str]:
    """Returns what is agreed upon from now on: of what is in conflict, that is what it was."""
    last: Mapping[str, str] = row.last or {}
    clashes = row.merged.clashes if row.merged else ()
    if clashes and row.found.agreed and row.found.agreed.is_newer:
        return last
    open_fields = {clash.field for clash in clashes}
    cells = {name: text for name, text in row.draft.cells().items() if name not in open_fields}
    return cells | {name: last[name] for name in open_fields if name in last}


def _reason(error: InvalidValue | GateClosed) -> str:
    return "; ".join(problem.message for problem in error.problems)


def _same_key(before: Deal | None, draft: Draft) -> Deal | None:
    if before is not None and before.key != draft.key:
        raise InvalidValue(
            f"key {draft.key!r} differs only in case or Unicode form from {before.key!r}, which "
            "is in the store already"
        )
    return before
