"""Deals that a query finds in any SQL database.

Settings: ``url`` (or ``url_env``), ``query``, ``timeout_seconds``, ``most_rows``, how rows are read
(`taiga_pipeline.sources.rows`), and ``write_back`` (`taiga_pipeline.sources.sql.write_back`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from typing import Final

from sync.clock import Clock
from sync.source import WriteBackResult
from taiga_pipeline.pipeline.importing.drafts import DraftReading
from taiga_pipeline.pipeline.importing.native import NativeRow
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions, Layout, lay_out
from taiga_pipeline.pipeline.importing.rows import RowReader
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts
from taiga_pipeline.pipeline.values.shares import Scale
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.sources.port import DealReading
from taiga_pipeline.sources.rows import ROW_SETTINGS, read_deals, row_options
from taiga_pipeline.sources.settings import SettingsReader
from taiga_pipeline.sources.sql.database import Database
from taiga_pipeline.sources.sql.statement import objection, plain
from taiga_pipeline.sources.sql.write_back import SqlWriteBack, read_write_back

KNOWN: Final = ("url", "query", "timeout_seconds", "most_rows", "write_back", *ROW_SETTINGS)
_TIMEOUT_SECONDS: Final = 120.0
MOST_ROWS: Final = 1_000_000
"""Rows that a query may find, unless the configuration says otherwise."""
_KEPT_ROWS: Final = 20_000
"""So many rows are kept in memory rather than asked for a second time."""
_QUERY: Final = "[source] query"


class SqlSource:
    """Deals, and nothing but deals: roles are in a column, people and allocations nowhere."""

    def __init__(
        self,
        database: Database,
        query: str,
        options: ImportOptions,
        write_back: SqlWriteBack | None = None,
        most_rows: int = MOST_ROWS,
    ) -> None:
        self._database = database
        self._query = query
        self._options = options
        self._write_back = write_back
        self._most_rows = most_rows

    def read(self) -> DealReading:
        """Runs the query; deals come one by one while they are gone through.

        :raises ProblemsError: the database does not take the query, or columns do not fit.
        :raises SyncError: the database cannot be reached, or does not let the account in.
        """
        with ExitStack() as stack:
            reader, rows = self._decided(stack)
            drafts = DraftReading(rows, reader, unit="row")
            reading = DealReading(deals=())
            reading.deals = self._deals(stack.pop_all(), drafts, reading)
            return reading

    def _decided(self, stack: ExitStack) -> tuple[RowReader, Iterator[NativeRow]]:
        """Runs the query; where columns can only be read by all of their cells, these are looked at
        first, and a query of many rows is run a second time."""
        layout, rows = self._run(stack)
        reader = RowReader(layout, self._options, Funnel())
        first = list(islice(rows, _KEPT_ROWS))
        if not reader.has_to_survey(first):
            return reader, chain(first, rows)
        reader.survey(chain(first, rows))
        return reader, iter(first) if len(first) < _KEPT_ROWS else self._run(stack)[1]

    def _run(self, stack: ExitStack) -> tuple[Layout, Iterator[NativeRow]]:
        """Runs the query; ``stack`` closes what it takes."""
        connection = stack.enter_context(self._database.reading())
        result = self._database.run(connection, self._query)
        stack.callback(result.close)
        if not result.returns_rows:
            raise ProblemsError([Problem(f"{_QUERY}: it returns no rows; write SELECT …")])
        headers = tuple(map(str, result.keys()))
        layout = lay_out(_QUERY, headers, self._options)
        return layout, self._bounded(self._database.rows(result))

    def _bounded(self, rows: Iterator[tuple[object, ...]]) -> Iterator[NativeRow]:
        """Yields the rows with their numbers.

        :raises ProblemsError: there are more than are taken.
        """
        for number, cells in enumerate(rows, start=1):
            if number > self._most_rows:
                message = (
                    f"{_QUERY}: it finds more than {self._most_rows:,} rows; leave out rows that "
                    "are not needed (a WHERE for deals that were decided long ago), or raise "
                    "most_rows in [source]"
                )
                raise ProblemsError([Problem(message)])
            yield NativeRow(number, cells)

    def _deals(
        self, stack: ExitStack, drafts: DraftReading, reading: DealReading
    ) -> Iterator[Deal]:
        with stack:
            yield from read_deals(drafts, _place, reading.quarantined)
        reading.complete = drafts.complete

    # --- beyond reading

    def examine(self) -> Sequence[str]:
        """Looks at the columns, and whether the connection can write; see `Examined`."""
        with ExitStack() as stack:
            layout, _ = self._run(stack)
        with ExitStack() as stack:
            reader, _ = self._decided(stack)
        found = [_reported_columns(layout), *_decisions(layout, reader), self._reported_rights()]
        if self._write_back:
            found.append(self._write_back.examine())
        return found

    def _reported_rights(self) -> str:
        with self._database.reading() as connection:
            refused = self._database.refuses_writes(connection)
        if refused is None:
            return (
                f"{self._database.kind} is not asked to refuse writes: nothing is ever committed, "
                "but grant the account only SELECT"
            )
        if not refused:
            raise ProblemsError(
                [
                    Problem(
                        f"{self._database.name} allowed writes on the reading connection; nothing "
                        "is read"
                    )
                ]
            )
        return "the connection that reads cannot write (tried)"

    @property
    def takes_facts(self) -> bool:
        """Whether the configuration names columns for delivery facts."""
        return self._write_back is not None

    def take_facts(self, facts: Iterable[DeliveryFacts]) -> WriteBackResult:
        """Writes delivery facts into the columns named for them; see `TakesDeliveryFacts`."""
        return self._write_back.take(facts) if self._write_back else WriteBackResult()


def _place(number: int) -> str:
    return f"row {number} of the query"


def _reported_columns(layout: Layout) -> str:
    used = ", ".join(
        ours if plain_name == ours else f"{ours} from {plain_name}"
        for ours in layout.columns
        for plain_name in (layout.header_of(ours),)
    )
    unused = f"; not used: {', '.join(layout.unused)}" if layout.unused else ""
    return f"columns: {used}{unused}"


def _decisions(layout: Layout, reader: RowReader) -> Iterator[str]:
    """Yields how columns are read, as all their cells decide it."""
    for name, why in reader.readings.decisions().items():
        yield f"{layout.header_of(name)}: {why}"
    share = reader.readings.probability
    if "probability" in layout.columns and share.scale is Scale.FRACTION and not share.why:
        yield (
            f"{layout.header_of('probability')}: fractions of one, as none is above 1 (0.74 is "
            '74 %); set probability_scale = "fraction" to keep that, or "percent"'
        )


def make(settings: Mapping[str, object], clock: Clock) -> SqlSource:
    """Makes the source from the config's ``[source]`` table.

    :raises ProblemsError: everything that is wrong with it.
    :raises Stop: the URL is none.
    """
    reader = SettingsReader("sql", settings, KNOWN, required=("url", "query"))
    query = reader.text("query")
    against = objection(query) if query else ""
    if against:
        reader.complain(f"query: it {against}")
    seconds = reader.number("timeout_seconds", _TIMEOUT_SECONDS, least=1, most=86_400)
    most_rows = int(reader.number("most_rows", MOST_ROWS, least=1, most=100_000_000))
    url, options = reader.text("url"), row_options(reader)
    write_back = read_write_back(reader, url, clock, seconds)
    reader.finish()
    database = Database.at(url, clock, seconds, "[source] url")
    back = write_back.make() if write_back else None
    return SqlSource(database, plain(query), options, back, most_rows)
