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
    from taiga_pipeline.mapping.rules import Rules, StageRule
    from taiga_pipeline.pipeline.model import Deal


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
        history = replace(history, notices=tuple(history_notices(workspace)))
    else:
        with source.past(fields=DATED) as past:
            stored = Stored(deals, past.moves, past.changes, past.imported)
            history = build_history(stored, book, today, rates, with_filled=with_filled)
    # No deal may be in a stage today, or have been in it as far as is on record.
    return replace(history, chances={**book.chances(), **history.chances})


def stage_book(mappings: MappingSet) -> StagesOfMappings:
    """Returns a way to look up the stages of deals."""
    return StagesOfMappings(mappings)


class StagesOfMappings:
    """Looks up the stages of deals in their mappings, and keeps which mappings these were."""

    def __init__(self, mappings: MappingSet) -> None:
        self._mappings = mappings
        self._views: dict[tuple[int, str], StageView | None] = {}
        self._rules: dict[int, Rules] = {}

    def __call__(self, deal: Deal, name: str) -> StageView | None:
        """Returns a stage of a deal, None if its mapping does not know it."""
        from taiga_pipeline.mapping.errors import NotMapped

        try:
            rules = self._mappings.choose(deal)
        except NotMapped:
            return None
        if rules is None:
            return None
        place = id(rules), name
        if place not in self._views:
            self._rules[id(rules)] = rules
            self._views[place] = _view(rules.find_stage(name))
        return self._views[place]

    def chances(self) -> dict[str, float]:
        """Returns the chances of all open stages of the mappings that deals have."""
        return {
            stage.name: float(stage.probability)
            for rules in self._rules.values()
            for stage in rules.stages
            if stage.probability is not None and not stage.category.is_closed
        }


def _view(stage: StageRule | None) -> StageView | None:
    if stage is None:
        return None
    chance = None if stage.probability is None else float(stage.probability)
    return StageView(stage.name, stage.category, chance)
