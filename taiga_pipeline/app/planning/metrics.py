"""What the past says about selling and delivering."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from taiga_pipeline.app.pipeline_data import reported_facts
from taiga_pipeline.app.source_needs import source_with_history
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.delivery import facts_by_deal
from taiga_pipeline.planning.lessons.experience import experience_of
from taiga_pipeline.planning.lessons.looking_back import Retrospective, look_back
from taiga_pipeline.planning.metrics.delivery import (
    Delivered,
    DemandSuggestion,
    ServiceMetrics,
    delivery_metrics,
    suggest_demand,
)
from taiga_pipeline.planning.metrics.selling import (
    SLIPPING,
    Record,
    SalesMetrics,
    StageInfo,
    sales_metrics,
)

if TYPE_CHECKING:
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.mapping.rules import Rules
    from taiga_pipeline.people.model import Allocation
    from taiga_pipeline.pipeline.model import Deal, FieldChange, RoleDemand, StageMove

Item = TypeVar("Item", "StageMove", "FieldChange")


@dataclass(frozen=True, slots=True)
class Metrics:
    """How deals were sold, how what was sold was delivered, and default roles for mappings.

    ``retrospectives`` are those of projects that have ended; an answer says so too.
    """

    sales: SalesMetrics
    delivery: tuple[ServiceMetrics, ...]
    suggestions: tuple[DemandSuggestion, ...]
    retrospectives: tuple[Retrospective, ...] = ()


def metrics_of(workspace: Workspace, since: date | None = None) -> Metrics:
    """Returns conversion, time in stage, win rates, slippage; and planned against actual delivery.

    ``since`` leaves out deals that were decided before that day.

    :raises ProblemsError: the source keeps no record of the past, or a mapping has problems.
    :raises Unreachable: the source cannot be read.
    """
    mappings, source = workspace.load_mappings(), source_with_history(workspace, "metrics")
    with source.past(fields=SLIPPING) as past:
        moves, changes = _by_deal(past.moves), _by_deal(past.changes)
    reading = source.read()
    records = [
        record
        for deal in reading.deals
        if (record := record_of(deal, mappings, moves, changes)) is not None
        and (since is None or _is_recent(record, since))
    ]
    delivered = list(_delivered(workspace, mappings, records, reading.allocations))
    return Metrics(
        sales_metrics(records, workspace.clock.now(), dimensions_of(workspace)),
        tuple(delivery_metrics(delivered)),
        tuple(suggest_demand(delivered, _assumed(mappings, delivered))),
        tuple(_retrospectives(workspace, records, delivered)),
    )


def _retrospectives(
    workspace: Workspace, records: Iterable[Record], delivered: Iterable[Delivered]
) -> Iterator[Retrospective]:
    """Yields what was answered, or waits for answers, of projects that have ended."""
    of_deal = {each.deal.key: each for each in delivered}
    questions, today = workspace.settings.deals.retrospective, workspace.today
    for record in records:
        if record.deal.key in of_deal:
            about = of_deal[record.deal.key]
            experience = experience_of(record, about, today, questions=questions)
            found = look_back(experience, questions)
            if found.has_ended:
                yield found


def dimensions_of(workspace: Workspace) -> tuple[str, ...]:
    """Returns the fields by which win rates are shown, those of the user's own among them."""
    return workspace.fields.where(lambda field: field.is_grouped)


def _by_deal(items: Iterable[Item]) -> Mapping[str, Sequence[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.deal_key].append(item)
    return found


def record_of(
    deal: Deal,
    mappings: MappingSet,
    moves: Mapping[str, Sequence[StageMove]],
    changes: Mapping[str, Sequence[FieldChange]],
) -> Record | None:
    """Returns a deal with its past; None if no mapping is for it or its stage is unknown."""
    rules = _rules(deal, mappings)
    if rules is None:
        return None
    infos = {
        stage.name: StageInfo(stage.name, stage.category, order)
        for order, stage in enumerate(rules.stages)
    }
    named = {
        move.to_stage: infos[stage.name]
        for move in moves.get(deal.key, ())
        if (stage := rules.find_stage(move.to_stage)) is not None
    }
    current = rules.find_stage(deal.stage)
    if current is None:
        return None
    return Record(
        deal,
        infos[current.name],
        moves.get(deal.key, ()),
        changes.get(deal.key, ()),
        {**infos, **named},
    )


def _rules(deal: Deal, mappings: MappingSet) -> Rules | None:
    from taiga_pipeline.mapping.errors import NotMapped

    try:
        return mappings.choose(deal)
    except NotMapped:
        return None


def _is_recent(record: Record, since: date) -> bool:
    closed = record.deal.closed_on
    return not record.is_closed or (closed is not None and closed >= since)


def _delivered(
    workspace: Workspace,
    mappings: MappingSet,
    records: Iterable[Record],
    allocations: Mapping[str, Sequence[Allocation]],
) -> Iterator[Delivered]:
    """Yields the won deals with what was planned, who was put on them, and what became of it."""
    facts = facts_by_deal(reported_facts(workspace))
    for record in records:
        if record.is_won:
            deal = record.deal
            about = allocations.get(deal.key, ()), facts.get(deal.key, {})
            found = delivered_of(deal, mappings, *about, is_won=True)
            if found is not None:
                yield found


def delivered_of(
    deal: Deal,
    mappings: MappingSet,
    allocations: Sequence[Allocation],
    facts: Mapping[str, object],
    *,
    is_won: bool,
) -> Delivered | None:
    """Returns a deal with what was planned, who was put on it, and what became of it.

    None if no mapping is for it.
    """
    from taiga_pipeline.mapping.dates import project_start
    from taiga_pipeline.mapping.demand import deal_demand

    rules = _rules(deal, mappings)
    if rules is None:
        return None
    return Delivered(
        deal=deal,
        start=project_start(deal, won=is_won, lead_time_weeks=rules.lead_time_weeks),
        demand=deal_demand(deal, rules),
        allocations=allocations,
        facts=facts,
    )


def _assumed(
    mappings: MappingSet, delivered: Iterable[Delivered]
) -> Mapping[str, Sequence[RoleDemand]]:
    """Returns the mappings' default demand for each service that was sold."""
    from taiga_pipeline.mapping.demand import deal_demand

    assumed: dict[str, Sequence[RoleDemand]] = {}
    for each in delivered:
        rules = _rules(each.deal, mappings)
        if rules is not None:
            assumed[each.deal.service] = deal_demand(replace(each.deal, roles=()), rules)
    return assumed
