"""A look at a whole fleet at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from taiga_pipeline.workers.fleet import Fleet, read_fleet
from taiga_pipeline.workers.ledger import Ledger
from taiga_pipeline.workers.overview import Line, overview


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything at one moment (``now``, UTC, by the queue's database). ``workers`` counts those
    that are alive."""

    fleet: Fleet
    lines: Sequence[Line]
    held: Mapping[str, datetime]
    workers: int
    now: datetime


def picture_of(path: Path, environment: Mapping[str, str]) -> Picture:
    """Returns how all pipelines of a fleet are doing; ``path`` is the fleet's file.

    :raises ProblemsError: what is wrong with the file.
    :raises Unreachable: the queue's database does not answer.
    """
    fleet = read_fleet(path)
    ledger = Ledger(fleet.queue.address(environment), fleet.queue.name)
    try:
        ledger.check()
        sight = ledger.look()
        alive = ledger.workers_alive(fleet.workers.dead_after)
        return Picture(fleet, overview(fleet, sight), sight.held, alive, sight.now)
    finally:
        ledger.close()
