"""Odoo's leads as deals, all of them at each read.

Without a cache, every read asks for everything. With one, a read asks for what was changed since
the newest change that is known, and some time before it: a change that was long in coming is
committed after younger ones. From time to time everything is read, and only that tells what is
gone.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sync.clock import Clock
from sync.errors import Rejected, SyncError, Unauthorised, Unreachable
from sync.source import WriteBackResult
from taiga_pipeline.http.rotation import Rotation
from taiga_pipeline.odoo.client import OdooClient, Refusal
from taiga_pipeline.odoo.lists import Asked, Row, pages, records
from taiga_pipeline.odoo.rotation import rotation_of
from taiga_pipeline.pipeline.importing.drafts import DraftReading
from taiga_pipeline.pipeline.importing.native import NativeRow
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions, Layout, lay_out
from taiga_pipeline.pipeline.importing.rows import RowReader
from taiga_pipeline.pipeline.model import Category, Deal, DeliveryFacts
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.odoo.catalogue import Catalogue
from taiga_pipeline.sources.odoo.fields import LOST, WON, cell, read_for
from taiga_pipeline.sources.odoo.history import History
from taiga_pipeline.sources.odoo.languages import with_english_stages
from taiga_pipeline.sources.odoo.rights import Rights
from taiga_pipeline.sources.odoo.values import Resolver, decode, encode_moment, heads
from taiga_pipeline.sources.odoo.write_back import OdooWriteBack
from taiga_pipeline.sources.port import DealReading, Past
from taiga_pipeline.sources.rows import read_deals
from taiga_pipeline.sources.spool import Cache, Kept, Spool, all_records, keep, kept_for

_LOG: Final = logging.getLogger(__name__)
_CHANGED: Final = "write_date"
_TRUE: Final = ("true", "yes", "1")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is read, and how often everything is.

    ``columns``: ours -> theirs, as they were named, under ``options`` that name them alike.
    ``only``: field -> what has to stand there for a record to be read. ``overlap`` is how far
    behind the newest known change a read begins.
    """

    model: str
    only: Mapping[str, str]
    options: ImportOptions
    cache: Cache | None
    complete_every: timedelta
    overlap: timedelta

    @property
    def names(self) -> tuple[str, ...]:
        """What is read, made up or not, in the order of a row's cells."""
        return tuple(dict.fromkeys(self.options.columns.values()))


@dataclass(slots=True)
class _Reading:
    """One reading: what it brought, and which fields this Odoo has of those that were asked for."""

    spool: Spool
    types: Mapping[str, str] = field(default_factory=dict)


class OdooSource:
    """The leads and opportunities of one database."""

    def __init__(
        self,
        client: OdooClient,
        terms: Terms,
        clock: Clock,
        write_back: OdooWriteBack | None = None,
    ) -> None:
        self._client = client
        self._terms = terms
        self._clock = clock
        self._write_back = write_back
        self._catalogue = Catalogue(client, terms.model)
        self._layout = layout(terms)
        self._knows_stages = False
        self._anew = False
        self._reading: _Reading | None = None

    def rotation(self) -> Rotation:
        """Returns how the account can get another secret."""
        return rotation_of(self._client)

    def read(self) -> DealReading:
        """Reads what is needed to know all leads; deals come one by one.

        :raises ProblemsError: a model or field that Odoo does not have.
        :raises SyncError: there is no answer, no access, or not the whole.
        """
        if self._reading:
            self._reading.spool.close()
        self._look_at_fields()
        self._reading = reading = _Reading(Spool(self._kept), self._types())
        self._fill(reading)
        _LOG.info(
            "%s records of %s read (%s)",
            reading.spool.count,
            self._terms.model,
            "those that changed" if reading.spool.kept else "all",
        )
        drafts = DraftReading(self._rows(reading), self._reader(), unit="record")
        found = DealReading(deals=())
        found.deals = self._deals(drafts, found)
        return found

    @property
    def _kept(self) -> Kept | None:
        """What the next read can add to, None if it has to be a complete one."""
        terms = self._terms
        return kept_for(terms.cache, self._clock.now(), terms.complete_every, anew=self._anew)

    def _look_at_fields(self) -> None:
        """Finds out whether the fields are there that are named.

        :raises ProblemsError: some are not.
        """
        problems = self._catalogue.wrong_with(self._terms.options.columns)
        problems += self._catalogue.wrong_with({name: name for name in self._terms.only}, "only")
        if self._write_back:
            problems += self._write_back.wrong_with(self._catalogue)
        if problems:
            raise ProblemsError(problems)
        self._know_stages()

    def _know_stages(self) -> None:
        """Has the stages that are named in English known by the names that the account is shown."""
        if not self._knows_stages:
            options = with_english_stages(self._terms.options, self._client)
            self._terms = replace(self._terms, options=options)
            self._knows_stages = True

    def _types(self) -> dict[str, str]:
        """Returns the types of the fields that are read, those that this version has, by path."""
        wanted = (*read_for(self._terms.options.columns), _CHANGED, *self._places)
        found = {path: self._catalogue.kind_of(path) for path in dict.fromkeys(wanted)}
        return {path: kind.type for path, kind in found.items() if kind is not None}

    @property
    def _places(self) -> tuple[str, ...]:
        return tuple(self._write_back.places.values()) if self._write_back else ()

    def _fill(self, reading: _Reading) -> None:
        """Reads the records, page by page, with what they lead to."""
        domain: list[object] = [self._condition(*each) for each in self._terms.only.items()]
        spool, resolver = reading.spool, Resolver(self._client, self._catalogue)
        if spool.kept:
            domain += self._changed_since(spool.kept.newest - self._terms.overlap, reading.types)
        asked = Asked(self._terms.model, heads(reading.types), domain)
        try:
            for rows in pages(self._client, asked):
                for row in resolver.resolve(rows, tuple(reading.types)):
                    changed = decode(row[_CHANGED], "datetime")
                    spool.put(row, changed if isinstance(changed, datetime) else None)
        except Refusal as error:
            if error.status != 403:
                raise Unreachable(str(error)) from error
            raise Unauthorised(
                f"{error}. Give the account a right that may read that (Sales: User, All "
                "Documents), or name other fields in [source.columns]"
            ) from error
        except Rejected as error:
            raise Unreachable(str(error)) from error

    def _condition(self, name: str, wanted: str) -> list[object]:
        kind = self._catalogue.kind_of(name)
        if kind is not None and kind.type == "boolean":
            return [name, "=", wanted.casefold() in _TRUE]
        return [name, "=", wanted]

    def _changed_since(self, moment: datetime, types: Mapping[str, str]) -> list[object]:
        """Returns the domain of records that changed, or lead to one that did, since then.

        A record does not change when its next activity does, nor when that is done.
        """
        since = encode_moment(moment)
        paths = [_CHANGED, *(f"{each}.{_CHANGED}" for each in self._relations(types))]
        if "activity_ids" in self._catalogue.fields():
            paths.append(f"activity_ids.{_CHANGED}")
        clauses: list[object] = [[path, ">=", since] for path in paths]
        clauses.append(["id", "in", sorted(self._talked_about(since))])
        return ["|"] * (len(clauses) - 1) + clauses

    def _relations(self, types: Mapping[str, str]) -> list[str]:
        """Returns the relations that are followed, their names' included."""
        found: dict[str, None] = {}
        for path in types:
            steps = path.split(".")
            for end in range(1, len(steps) + 1):
                prefix = ".".join(steps[:end])
                kind = self._catalogue.kind_of(prefix)
                stored = kind is not None and not prefix.startswith("activity_")
                if kind is not None and kind.relation and stored:
                    found[prefix] = None
        return [each for each in found if each != "company_currency"]

    def _talked_about(self, since: str) -> set[int]:
        """Returns the records on which a message was left: also that an activity was done."""
        domain = [["model", "=", self._terms.model], [_CHANGED, ">=", since]]
        try:
            found = records(self._client, "mail.message", ["res_id"], domain, {})
            return {int(row["res_id"]) for row in found if row["res_id"]}
        except Rejected as error:
            _LOG.info("activities that were done show up at the next complete reading: %s", error)
            return set()

    # --- from records to deals

    def _rows(self, reading: _Reading) -> Iterator[NativeRow]:
        for row in all_records(self._terms.cache, reading.spool):
            yield self._native(row, reading)

    def _native(self, row: Row, reading: _Reading) -> NativeRow:
        values = _Values(
            (path, decode(row.get(path), kind)) for path, kind in reading.types.items()
        )
        return NativeRow(row["id"], tuple(cell(name, values) for name in self._terms.names))

    def _reader(self) -> RowReader:
        return RowReader(self._layout, self._terms.options, funnel(self._terms.options))

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
        spool = self._reading.spool if self._reading else None
        keep(self._terms.cache, spool, self._clock.now())

    def examine(self) -> Sequence[str]:
        """Looks whether fields and rights are there; see `Examined`."""
        self._look_at_fields()
        version = ".".join(map(str, self._client.version))
        found = [f"Odoo {version}: {', '.join(sorted(self._types()))}"]
        found += Rights(self._client).remarks(self._terms.model)
        found += self._history().remarks()
        if self._write_back:
            found.append(self._write_back.examine(self._catalogue))
        if self._client.server.startswith("http://") and not _is_loopback(self._client.server):
            found.append(
                "[source] url is not encrypted: anyone on the network path can read the key"
            )
        return found

    @contextmanager
    def past(
        self, key: str = "", newest: int | None = None, fields: Collection[str] = ()
    ) -> Iterator[Past]:
        """Opens what Odoo keeps of how deals came to be as they are; see `TellsHistory`."""
        yield self._history().past(key, newest, fields)

    def _history(self) -> History:
        self._know_stages()
        options = self._terms.options
        return History(self._client, self._catalogue, options, funnel(options))

    @property
    def takes_facts(self) -> bool:
        """Whether the configuration names places for delivery facts."""
        return self._write_back is not None

    def take_facts(self, facts: Iterable[DeliveryFacts]) -> WriteBackResult:
        """Writes delivery facts into the places named for them; see `TakesDeliveryFacts`."""
        if self._write_back is None or self._reading is None:
            return WriteBackResult()
        reader, reading = self._reader(), self._reading
        rows = (
            (reader.key(self._native(row, reading)), row)
            for row in all_records(self._terms.cache, reading.spool)
        )
        try:
            return self._write_back.take(facts, rows, self._catalogue)
        except (SyncError, ProblemsError) as error:
            return WriteBackResult(problems=(str(error),))


class _Values(dict[str, Any]):
    """Values of fields; those that this version of Odoo does not have are None."""

    def __missing__(self, name: str) -> None:
        return None


def layout(terms: Terms) -> Layout:
    """Returns where each of our fields is in a row.

    :raises ProblemsError: everything that is wrong with the options.
    """
    return lay_out("[source]", terms.names, terms.options)


def funnel(options: ImportOptions) -> Funnel:
    """Which stages are closed, and what they are called here: ``[source.stages]`` may rename the
    stages that are won in Odoo, and what is ``won`` or ``lost``."""
    usual = Funnel()
    renamed = {folded(line(theirs)): ours for theirs, ours in options.stages.items()}
    closed = {renamed.get(WON), renamed.get(LOST)} - {None}

    def decided(category: Category, stage: str) -> str:
        if category is Category.LOST:
            return renamed.get(LOST, Category.LOST.value.capitalize())
        if stage in renamed.values():
            return stage
        return renamed.get(WON) or usual.decided(category, stage)

    return Funnel(
        is_closed=lambda stage: stage in closed or usual.is_closed(stage), decided=decided
    )


def _is_loopback(address: str) -> bool:
    return address.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
