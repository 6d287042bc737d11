"""The built-in store as a source.

Settings: ``url``, a database URL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Engine

from sync.clock import Clock
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.origins import missing_from_origin
from taiga_pipeline.pipeline.schema import open_store
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.sources.port import DealReading, by_deal
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
        roster = PeopleStore(engine)
        try:
            allocations = by_deal(roster.allocations())
            people = {person.email: person for person in roster.people()}
            fading = missing_from_origin(engine)
        finally:
            engine.dispose()  # opened again by who goes through the deals, if anybody does
        deals = _closing(engine, DealStore(engine, self._clock.now).deals())
        return DealReading(deals=deals, allocations=allocations, people=people, fading=fading)


def _closing(engine: Engine, deals: Iterator[Deal]) -> Iterator[Deal]:
    try:
        yield from deals
    finally:
        engine.dispose()


def create(settings: Mapping[str, object], clock: Clock) -> StoreSource:
    """Makes the source from the config's ``[source]`` table.

    :raises ProblemsError: keys that are missing, unknown or of the wrong type.
    """
    reader = SettingsReader("store", settings, KNOWN, required=("url",))
    url = reader.text("url")
    reader.finish()
    return StoreSource(url, clock)
