"""Gates: the actions that are to be checked off before a deal may go on.

One rule holds wherever a deal changes its stage: on the command line, by a card that is moved in
the tool, by an import. A deal may always be lost, put on hold, or moved back. On its way forward it
passes stages, and each of them asks for its actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from taiga_pipeline.pipeline.errors import GateClosed
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.pipeline.text import folded, line

_ORDER: Final = tuple(Category)


class GateStage(Protocol):
    """What a gate needs to know of a stage of the funnel."""

    @property
    def category(self) -> Category:
        """Which part of a funnel it belongs to."""

    @property
    def requires(self) -> tuple[str, ...]:
        """The actions that are to be checked off before a deal may go on from here."""

    @property
    def sets_aside(self) -> bool:
        """Whether deals rest here that are neither lost nor on their way."""


def asked_on_the_way(
    stages: Sequence[GateStage], start: GateStage | None, to: GateStage
) -> tuple[str, ...]:
    """Returns the actions that a move asks for, each once: those of every stage that it passes.

    ``stages`` are those of the mapping, in its order. None is asked for where the move ends in a
    loss, sets the deal aside, or goes back. A deal that comes from a loss, from aside, or from a
    stage that the mapping does not know passes all stages before ``to``.
    """
    path = sorted(
        (stage for stage in stages if _is_on_the_way(stage)),
        key=lambda stage: _ORDER.index(stage.category),
    )
    if to not in path:
        return ()
    begin = path.index(start) if start in path else 0
    passed = path[begin : path.index(to)]
    return tuple(dict.fromkeys(action for stage in passed for action in stage.requires))


def _is_on_the_way(stage: GateStage) -> bool:
    return stage.category is not Category.LOST and not stage.sets_aside


def open_actions(requires: Iterable[str], done: Iterable[str]) -> tuple[str, ...]:
    """Returns the required actions that are not done, in their order. Case does not matter."""
    finished = {folded(line(action)) for action in done}
    return tuple(action for action in requires if folded(line(action)) not in finished)


def pass_gate(
    deal: Deal, requires: Iterable[str], *, force: bool = False, stage: str | None = None
) -> tuple[str, ...]:
    """Lets a deal leave its stage; returns the actions that were skipped by force.

    ``stage`` is the one that it leaves, where that is no longer the deal's own.

    :raises GateClosed: actions are open, and it is not forced.
    """
    missing = open_actions(requires, deal.done)
    if missing and not force:
        raise GateClosed(deal.key, deal.stage if stage is None else stage, missing)
    return missing
