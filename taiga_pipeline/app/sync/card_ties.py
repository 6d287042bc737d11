"""Ties cards that people made to the deals that were made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sync.errors import Stop, SyncError
from sync.records.model import Base, Binding, Observed, RecordKey
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.records import Kind

if TYPE_CHECKING:
    from sync.run.runner import Runner
    from sync.state.store import StateStore

_NOTHING: Final = Base(frozenset(), frozenset())


def bind_as_left(store: StateStore, card: Observed, key: RecordKey) -> None:
    """Binds a card as people left it: what the deal says beyond that, the next run writes."""
    bases = {name: Base(value, value) for name, value in card.fields.items()}
    sets = [name for name, value in card.fields.items() if isinstance(value, frozenset)]
    bases |= dict.fromkeys(sets, _NOTHING)
    store.adopt(Binding(key, card.id, created=False), bases)


def tie_cards(workspace: Workspace, runner: Runner, board: str) -> None:
    """Binds cards of which a run made deals that was cut off right after that.

    Otherwise the run that begins now would make a second card of each. ``board`` is the key of the
    portfolio. The target is asked only where there are such cards.

    :raises Stop: the cards cannot be read.
    """
    bound = runner.store.known([board])[board].bound
    root = next((item.binding.target_id for key, item in bound.items() if key.is_root), "")
    if not root:
        return
    cards = workspace.open_card_store()
    try:
        made = cards.made_of(f"{runner.target.name.lower()}:{root}")
    finally:
        cards.close()
    keys = {name: RecordKey(board, Kind.STORY, deal) for name, deal in made.items()}
    waiting = {name.rpartition(":")[2]: key for name, key in keys.items() if key not in bound}
    if not waiting:
        return
    try:
        there = runner.target.observe_root(root)  # by it, the target knows that it is a board
        children = runner.target.observe_children([root]).get(root, ()) if there else ()
    except Stop:
        raise
    except SyncError as error:
        raise Stop(f"the cards of the board cannot be read: {error}") from error
    for child in children:
        key = waiting.get(child.id)
        if key is not None and child.kind == Kind.STORY and not child.identity:
            bind_as_left(runner.store, child, key)
