"""Where a deal is moved to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from taiga_pipeline.pipeline.model import Category


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a deal is moved to, and what the mapping knows about it.

    ``requires`` are the actions that its way there asks for (see `gates.asked_on_the_way`).
    ``category`` is the new stage's: a closed one sets the day of the decision (``closed_on``, else
    today), an open one takes it away, None leaves it. ``start`` is the stage in which the deal was
    when this was decided; None asks nothing.
    """

    stage: str
    category: Category | None = None
    requires: tuple[str, ...] = ()
    closed_on: date | None = None
    lost_reason: str = ""
    start: str | None = None
