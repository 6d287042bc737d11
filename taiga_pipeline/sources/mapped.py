"""Deals through mappings: what a source of deals is to the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from sync.clock import Clock
from sync.records import DesiredGroup, Value
from sync.source import Quarantined, Reading
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.sources.port import DealReading, DealSource


class MappedSource:
    """The records that all deals of a source ask for (`sync.source.Source`).

    Deals are mapped one by one as they are read; none is kept. What "today" is for deals that
    were closed long ago is the UTC date at the beginning of a read.
    """

    def __init__(self, deals: DealSource, mappings: MappingSet, clock: Clock) -> None:
        self._deals = deals
        self._mappings = mappings
        self._clock = clock

    def read(self) -> Reading:
        """Reads the source as a whole.

        Quarantined are the deals that the source could not read, and those that cannot be mapped:
        an unknown stage, or two mappings that match equally well. Deals that no mapping is for
        are merely present.

        :raises Unreachable: it cannot be read at all (missing, locked, damaged).
        """
        deals = self._deals.read()
        reading = Reading(groups=(), quarantined=deals.quarantined, complete=deals.complete)
        reading.groups = self._groups(deals, reading, self._today())
        return reading

    def _today(self) -> date:
        return self._clock.now().date()

    def _groups(self, deals: DealReading, reading: Reading, today: date) -> Iterator[DesiredGroup]:
        for deal in deals.deals:
            try:
                group = self._mappings.desired(deal, _staffing(deal, deals), today)
            except NotMapped as problem:
                reading.quarantined.append(Quarantined(deal.key, problem.place, str(problem)))
                continue
            if group is None:
                reading.present.add(deal.key)
            else:
                yield group
        reading.complete = deals.complete

    def retired(self, key: str, base: Mapping[str, Value]) -> DesiredGroup:
        """Returns how the project of a deal that is gone from the source is put away."""
        return self._mappings.retired(key, base)


def _staffing(deal: Deal, deals: DealReading) -> Staffing:
    return Staffing(deals.allocations.get(deal.key, ()), deals.people)
