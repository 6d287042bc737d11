"""Tryton's opportunities as deals, all of them at each read.

Without a cache, every read asks for everything. With one, a read asks for what was changed since
the newest change that is known, and some time before it: a change that was long in coming is
committed after younger ones. From time to time everything is read, and only that tells what is
gone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sync.clock import Clock
from sync.errors import SyncError, Unauthorised, Unavailable
from sync.source import WriteBackResult
from taiga_pipeline.pipeline.importing.drafts import DraftReading
from taiga_pipeline.pipeline.importing.native import NativeRow
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions, Layout, lay_out
from taiga_pipeline.pipeline.importing.rows import RowReader
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.port import DealReading
from taiga_pipeline.sources.rows import read_deals
from taiga_pipeline.sources.spool import Cache, Kept, Spool, all_records, keep, kept_for
from taiga_pipeline.sources.tryton.catalogue import Catalogue
from taiga_pipeline.sources.tryton.client import Client
from taiga_pipeline.sources.tryton.fields import CLOSED_STATES, Fields, NotShown
from taiga_pipeline.sources.tryton.typed import encode
from taiga_pipeline.sources.tryton.write_back import TrytonWriteBack

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is read, and how often everything is.

    ``only``: field -> what has to stand there for a record to be read. ``overlap`` is how far
    behind the newest known change a read begins.
    """

    model: str
    fields: Fields
    only: Mapping[str, str]
    options: ImportOptions
    cache: Cache | None
    complete_every: timedelta
    overlap: timedelta


class TrytonSource:
    """The opportunities of one database."""

    def __init__(
        self,
        client: Client,
        terms: Terms,
        clock: Clock,
        write_back: TrytonWriteBack | None = None,
    ) -> None:
        self._client = client
        self._terms = terms
        self._clock = clock
        self._write_back = write_back
        self._catalogue = Catalogue(client, terms.model)
        self._layout = layout(terms)
        self._anew = False
        self._spool: Spool | None = None

    def read(self) -> DealReading:
        """Reads what is needed to know all opportunities; deals come one by one.

        :raises ProblemsError: a model or field that Tryton does not have.
        :raises SyncError: there is no answer, no access, or not the whole.
        """
        if self._spool:
            self._spool.close()
        self._spool = spool = Spool(self._kept)
        try:
            self._fill(spool)
        except Unavailable:
            self._look_at_fields()
            raise
        if not spool.count and not spool.kept:
            # Tryton minds a wrong name only where there is something to show.
            self._look_at_fields()
        _LOG.info(
            "%s records of %s read (%s)",
            spool.count,
            self._terms.model,
            "those that changed" if spool.kept else "all",
        )
        drafts = DraftReading(self._rows(spool), self._reader(), unit="record")
        reading = DealReading(deals=())
        reading.deals = self._deals(drafts, reading)
        return reading

    @property
    def _kept(self) -> Kept | None:
        """What the next read can add to, None if it has to be a complete one."""
        terms = self._terms
        return kept_for(terms.cache, self._clock.now(), terms.complete_every, anew=self._anew)

    def _look_at_fields(self) -> None:
        """Finds out whether it is the fields' names that a failure comes from.

        :raises ProblemsError: it is.
        """
        problems = self._catalogue.wrong_with(self._terms.options.columns)
        problems += self._catalogue.wrong_with({name: name for name in self._terms.only}, "only")
        if self._write_back:
            problems += self._write_back.wrong_with(self._catalogue)
        if problems:
            raise ProblemsError(problems)

    def _fill(self, spool: Spool) -> None:
        fields = self._terms.fields
        domain: list[object] = [[name, "=", value] for name, value in self._terms.only.items()]
        if spool.kept:
            domain += fields.changed_since(encode(spool.kept.newest - self._terms.overlap))
        for row in self._client.records(self._terms.model, fields.requested, domain):
            try:
                fields.check_shown(row)
            except NotShown as error:
                raise Unauthorised(
                    f"Tryton does not show {', '.join(error.paths)} of {self._terms.model}: the "
                    "application's user may not read that. Give the user a group that may, or "
                    "name other fields in [source.columns]"
                ) from None
            spool.put(row, fields.newest(row))

    def _rows(self, spool: Spool) -> Iterator[NativeRow]:
        for row in all_records(self._terms.cache, spool):
            yield NativeRow(row["id"], self._terms.fields.cells(row))

    def _reader(self) -> RowReader:
        return RowReader(self._layout, self._terms.options, _funnel(self._terms.options))

    def _deals(self, drafts: DraftReading, reading: DealReading) -> Iterator[Deal]:
        yield from read_deals(drafts, self._place, reading.quarantined)
        reading.complete = drafts.complete

    def _place(self, number: int) -> str:
        return f"{self._terms.model},{number}"

    # --- beyond reading

    def read_anew(self) -> None:
        """Makes the next read a complete one."""
        self._anew = True

    def keep(self) -> None:
        """Keeps what the last read brought in the cache, if there is to be one."""
        keep(self._terms.cache, self._spool, self._clock.now())

    def examine(self) -> Sequence[str]:
        """Looks whether fields and rights are there; see `Examined`."""
        self._look_at_fields()
        found = [f"fields: {', '.join(sorted(set(self._terms.fields.paths)))}"]
        if self._write_back:
            found.append(self._write_back.examine(self._catalogue))
        if self._client.server.startswith("http://") and not _is_loopback(self._client.server):
            found.append(
                "[source] url is not encrypted: anyone on the network path can read the key"
            )
        return found

    @property
    def takes_facts(self) -> bool:
        """Whether the configuration names fields for delivery facts."""
        return self._write_back is not None

    def take_facts(self, facts: Iterable[DeliveryFacts]) -> WriteBackResult:
        """Writes delivery facts into the fields named for them; see `TakesDeliveryFacts`."""
        if self._write_back is None or self._spool is None:
            return WriteBackResult()
        reader = self._reader()
        records = (
            (reader.key(NativeRow(row["id"], self._terms.fields.cells(row))), row)
            for row in all_records(self._terms.cache, self._spool)
        )
        try:
            return self._write_back.take(facts, records, self._catalogue)
        except (SyncError, ProblemsError) as error:
            return WriteBackResult(problems=(str(error),))


def layout(terms: Terms) -> Layout:
    """Returns where each of our fields is in a row.

    :raises ProblemsError: everything that is wrong with the options.
    """
    return lay_out("[source]", terms.fields.paths, terms.options)


def _funnel(options: ImportOptions) -> Funnel:
    """Which stages are closed: those that Tryton's closed states are called here."""
    usual = Funnel()
    renamed = {theirs.strip().casefold(): ours for theirs, ours in options.stages.items()}
    closed = {renamed.get(state, state) for state in CLOSED_STATES}
    return Funnel(is_closed=lambda stage: stage in closed or usual.is_closed(stage))


def _is_loopback(address: str) -> bool:
    return address.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
