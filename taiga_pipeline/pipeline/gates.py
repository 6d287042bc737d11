"""Gates: the actions that are to be checked off before a deal may leave a stage."""

from __future__ import annotations

from collections.abc import Iterable

from taiga_pipeline.hints import command
from taiga_pipeline.pipeline.errors import GateClosed
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.text import folded, line


def open_actions(requires: Iterable[str], done: Iterable[str]) -> tuple[str, ...]:
    """Returns the required actions that are not done, in their order. Case does not matter."""
    finished = {folded(line(action)) for action in done}
    return tuple(action for action in requires if folded(line(action)) not in finished)


def pass_gate(deal: Deal, requires: Iterable[str], *, force: bool = False) -> tuple[str, ...]:
    """Lets a deal leave its stage; returns the actions that were skipped by force.

    :raises GateClosed: actions are open, and it is not forced.
    """
    missing = open_actions(requires, deal.done)
    if missing and not force:
        actions = ", ".join(repr(action) for action in missing)
        raise GateClosed(
            f"deal {deal.key} may not leave {deal.stage!r} yet, still to be done: {actions}. "
            f"Check an action off with: {command('deals done', deal.key, 'ACTION')}; "
            "or move it all the same with --force, which is recorded",
            missing,
        )
    return missing
