"""What all pages of a server share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from anyio import CapacityLimiter, Semaphore

from taiga_pipeline.app.serving import Served
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.session import Sessions
from taiga_pipeline.web.pages import Queue, Section
from taiga_pipeline.web.repeated import Repeated

WORKERS: Final = 8
"""So many use cases are at work at once; other requests wait for their turn."""
AT_ONCE: Final[Mapping[Queue, int]] = {Queue.TARGET: 3, Queue.PASSWORDS: 2}
"""So many requests of a queue are at work at once, in threads of their own: a target that does not
answer takes minutes to give up, and a password takes a good part of a second of a processor."""


@dataclass(frozen=True)
class Site:
    """What all pages of a server share.

    ``pipelines`` are by name, the first one is at the root. ``base`` is the path below which
    everything is. ``hosts`` are the names that are answered; without any, all are.
    """

    pipelines: Mapping[str, Served]
    door: Door
    sessions: Sessions
    sections: tuple[Section, ...]
    base: str = ""
    hosts: tuple[str, ...] = ()
    workers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(WORKERS))
    queues: Mapping[Queue, CapacityLimiter] = field(
        default_factory=lambda: {each: CapacityLimiter(most) for each, most in AT_ONCE.items()}
    )
    turns: Mapping[Queue, Semaphore] = field(
        default_factory=lambda: {each: Semaphore(most) for each, most in AT_ONCE.items()}
    )

    repeated: Repeated = field(default_factory=Repeated)

    @property
    def bases(self) -> dict[str, str]:
        """The address of each pipeline."""
        first, *others = self.pipelines
        return {first: self.base, **{name: f"{self.base}/pipelines/{name}" for name in others}}
