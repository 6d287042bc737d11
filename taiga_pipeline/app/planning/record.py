"""Reads the history that forecasts learn from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from taiga_pipeline.app.source_needs import history_notices
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.planning.history.building import DATED, StageView, Stored, build_history
from taiga_pipeline.planning.history.model import History
from taiga_pipeline.sources.port import TellsHistory

if TYPE_CHECKING:
    from taiga_pipeline.app.pipeline_data import Pipeline
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.mapping.rules import StageRule
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.history.building import StageBook


def read_history(
    workspace: Workspace, today: date, read: Pipeline | None = None, *, with_filled: bool = True
) -> History:
    """Reads all deals, and what is on record of their past.

    ``read`` is the pipeline if it was read already. A source that does not tell its history has no
    record of moves and changes. ``with_filled``: see `build_history`.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    book = stage_book(read.mappings if read else workspace.load_mappings())
    rates = workspace.rates
    source = workspace.make_deal_source()
    deals = read.deals if read else source.read().deals
    if not isinstance(source, TellsHistory):
        history = build_history(Stored(deals), book, today, rates, with_filled=with_filled)
        return replace(history, notices=tuple(history_notices(workspace)))
    with source.past(fields=DATED) as past:
        stored = Stored(deals, past.moves, past.changes, past.imported)
        return build_history(stored, book, today, rates, with_filled=with_filled)


def stage_book(mappings: MappingSet) -> StageBook:
    """Returns a way to look up the stages of deals."""
    from taiga_pipeline.mapping.errors import NotMapped

    views: dict[tuple[int, str], StageView | None] = {}

    def look_up(deal: Deal, name: str) -> StageView | None:
        try:
            rules = mappings.choose(deal)
        except NotMapped:
            return None
        if rules is None:
            return None
        place = id(rules), name
        if place not in views:
            views[place] = _view(rules.find_stage(name))
        return views[place]

    return look_up


def _view(stage: StageRule | None) -> StageView | None:
    if stage is None:
        return None
    chance = None if stage.probability is None else float(stage.probability)
    return StageView(stage.name, stage.category, chance)
