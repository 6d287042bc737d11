"""Reads the history that forecasts learn from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from taiga_pipeline.cli.context import Context
from taiga_pipeline.cli.store_access import deal_store
from taiga_pipeline.planning.history import History
from taiga_pipeline.planning.history_building import Rates, StageView, Stored, build_history

if TYPE_CHECKING:
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.history_building import StageBook


def read_history(context: Context, today: date) -> History:
    """Reads all deals, and what is on record of their past.

    A source other than the built-in store has no record of moves and changes.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    book = stage_book(context.load_mappings())
    planning = context.settings.planning
    by_currency = {name: Decimal(str(rate)) for name, rate in planning.rates.items()}
    rates = Rates(planning.currency, by_currency)
    if context.settings.source.kind != "store":
        return build_history(Stored(context.make_deal_source().read().deals), book, today, rates)
    with deal_store(context) as store:
        stored = Stored(store.deals(), store.history(), store.changes())
        return build_history(stored, book, today, rates)


def stage_book(mappings: MappingSet) -> StageBook:
    """Returns a way to look up the stages of deals."""
    from taiga_pipeline.mapping.errors import NotMapped

    def look_up(deal: Deal, name: str) -> StageView | None:
        try:
            rules = mappings.choose(deal)
        except NotMapped:
            return None
        stage = rules.find_stage(name) if rules else None
        if stage is None:
            return None
        chance = None if stage.probability is None else float(stage.probability)
        return StageView(stage.name, stage.category, chance)

    return look_up
