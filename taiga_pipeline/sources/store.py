"""The built-in store as a source.

Settings: ``url``, a database URL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager

from sqlalchemy import Engine, delete, insert, select

from sync.clock import Clock
from sync.source import KeyChanges
from taiga_pipeline.adapters import Setting
from taiga_pipeline.people.model import Rate, TimeOff
from taiga_pipeline.people.rates.store import RateStore
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.importing.origins import missing_from_origin
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.schema import (
    SYNCED_WITH,
    open_store,
    reading_store,
    writing_store,
)
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.sources.port import (
    DealReading,
    Past,
    SourceCapabilities,
    by_deal,
    source_adapter,
)
from taiga_pipeline.sources.settings import SettingsReader

KNOWN = ("url",)


class StoreSource:
    """Deals, people and allocations of one store. Opened for each read, and closed after it."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock

    def read(self) -> DealReading:
        """Reads the store; deals come one by one while they are gone through.

        :raises Unreachable: the store is missing, locked, damaged, or from a newer program.
        """
        engine = open_store(self._url)
        roster = PeopleStore(engine, self._clock.now)
        try:
            allocations = by_deal(roster.allocations())
            people = {person.email: person for person in roster.people()}
            fading = missing_from_origin(engine)
            joins = DealStore(engine, self._clock.now).joins()
        finally:
            engine.dispose()  # opened again by who goes through the deals, if anyone does
        deals = _closing(engine, DealStore(engine, self._clock.now).deals())
        return DealReading(
            deals=deals, allocations=allocations, people=people, fading=fading, joins=joins
        )

    @contextmanager
    def past(
        self, key: str = "", newest: int | None = None, fields: Collection[str] = ()
    ) -> Iterator[Past]:
        """Opens the moves and changes on record; see `sources.port.TellsHistory`."""
        with closing(_Opened(self._url)) as opened:
            store = DealStore(opened.engine, self._clock.now)
            moves = store.history(key, newest)
            changes = store.changes(key, newest, fields=fields)
            yield Past(moves, changes, store.imported_keys())

    def key_changes(self) -> KeyChanges:
        """Returns which keys deals had before, and which deals were removed."""
        with closing(_Opened(self._url)) as opened:
            return KeyChanges(*DealStore(opened.engine, self._clock.now).keys_gone())

    def time_off(self) -> tuple[TimeOff, ...]:
        """Returns when people are away."""
        with closing(_Opened(self._url)) as opened:
            return tuple(PeopleStore(opened.engine, self._clock.now).time_off())

    def rates(self) -> tuple[Rate, ...]:
        """Returns what hours cost, and are billed at."""
        with closing(_Opened(self._url)) as opened:
            return RateStore(opened.engine).rates()

    def synced_with(self, pipeline: str) -> str:
        """Returns what was noted last; see `sync.source.RemembersServer`."""
        query = select(SYNCED_WITH.c.server).where(SYNCED_WITH.c.pipeline == pipeline)
        with closing(_Opened(self._url)) as store, reading_store(store.engine) as connection:
            return str(connection.execute(query).scalar() or "")

    def note_synced_with(self, pipeline: str, server: str) -> None:
        """Notes a server over an older one."""
        mine = SYNCED_WITH.c.pipeline == pipeline
        with closing(_Opened(self._url)) as store, writing_store(store.engine) as connection:
            connection.execute(delete(SYNCED_WITH).where(mine))
            connection.execute(insert(SYNCED_WITH).values(pipeline=pipeline, server=server))


class _Opened:
    """A store that is open."""

    def __init__(self, url: str) -> None:
        self.engine = open_store(url)

    def close(self) -> None:
        self.engine.dispose()


def _closing(engine: Engine, deals: Iterator[Deal]) -> Iterator[Deal]:
    try:
        yield from deals
    finally:
        engine.dispose()


@source_adapter(
    "the built-in store",
    capabilities=SourceCapabilities(edits=True, history=True, people=True, time_off=True),
    settings=(
        Setting("url", "sqlite:///pipeline.db", "or postgresql+psycopg://user@host/database"),
        Setting(
            "url_env",
            "PIPELINE_URL",
            "for a URL with a password: the variable that holds it",
            optional=True,
        ),
    ),
    default_url="sqlite:///pipeline.db",
    adds_people="add people with: pipeline-sync people import FILE",
)
def create(settings: Mapping[str, object], clock: Clock) -> StoreSource:
    """Makes the source from the config's ``[source]`` table.

    :raises ProblemsError: keys that are missing, unknown or of the wrong type.
    """
    reader = SettingsReader("store", settings, KNOWN, required=("url",))
    url = reader.text("url")
    reader.finish()
    return StoreSource(url, clock)
