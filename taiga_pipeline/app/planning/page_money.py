"""Money on the projects' pages "From sales", where a mapping allows it to be seen there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sync.errors import Stop
from taiga_pipeline.app.pipeline_data import read_pipeline
from taiga_pipeline.app.planning.inputs import STATED, plan_input
from taiga_pipeline.app.planning.money import deals_for, rate_book
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.page import PageMoney
from taiga_pipeline.pipeline.delivery import facts_by_deal
from taiga_pipeline.pipeline.errors import RequestError
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.tables.joins import joins_of, main_deals
from taiga_pipeline.planning.weeks import monday
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.records import ProjectState

if TYPE_CHECKING:
    from taiga_pipeline.planning.money.deals import DealMoney
    from taiga_pipeline.planning.money.rates import Amounts

log = logging.getLogger(__name__)

_NO_PACKAGES: Final = (
    "pages with money stay as they are: money needs packages that are not installed; install them "
    "with: {how} (or set project.money_on_page = false)"
)


def page_money(workspace: Workspace) -> Mapping[str, PageMoney] | None:
    """Returns what deals come to, by key; None, with a warning, if that cannot be known now."""
    if find_spec("numpy") is None:
        log.warning(_NO_PACKAGES.format(how=how_to_get("planning")))
        return None
    try:
        return _found(workspace)
    except (ProblemsError, RequestError, Stop) as error:
        log.warning("pages with money stay as they are: %s", error)
    except Exception:
        log.exception("pages with money stay as they are, because of an unexpected error")
    return None


def _found(workspace: Workspace) -> Mapping[str, PageMoney]:
    read = read_pipeline(workspace)
    given = plan_input(workspace, STATED, read)
    # As of the week's Monday: a page that changed with every day would be read by no one.
    as_of = monday(given.situation.as_of)
    given = replace(given, situation=replace(given.situation, as_of=as_of))
    book = rate_book(workspace)
    facts = facts_by_deal(read.facts)
    by_deal = {each.deal.key: each for each in deals_for(workspace, read, given, book)}
    found = {key: _shown([each], facts, key) for key, each in by_deal.items()}
    for main, others in _joined(given.situation.deals, given.mappings).items():
        together = [by_deal[key] for key in others if key in by_deal]
        if together:
            found[main] = _shown(together, facts, main)
    return found


def _joined(deals: Iterable[Deal], mappings: MappingSet) -> dict[str, list[str]]:
    """Returns the main deals of projects that several deals share, each with all whose part of it
    goes on: as in the project itself, one that ended takes its money away."""
    deals = list(deals)
    main_of = main_deals(joins_of(deals))
    projects: dict[str, list[str]] = {main: [] for main in main_of.values()}
    for deal in deals:
        main = main_of.get(deal.key, deal.key)
        if main in projects and _goes_on(deal, mappings):
            projects[main].append(deal.key)
    return {main: keys for main, keys in projects.items() if set(keys) - {main}}


def _goes_on(deal: Deal, mappings: MappingSet) -> bool:
    try:
        state = mappings.stage_of(deal)[1].state
    except NotMapped:  # which is reported where it is mapped
        return False
    return state in (ProjectState.TENTATIVE, ProjectState.STAFFED)


def _shown(
    parts: Sequence[DealMoney], facts: Mapping[str, Mapping[str, object]], main: str
) -> PageMoney:
    """Returns what deals in one project come to together; ``main`` is the key of its main deal."""
    from taiga_pipeline.planning.money.budget import facts_of
    from taiga_pipeline.planning.money.deals import added_up

    won = [each for each in parts if each.won]
    hours = sum(each.hours for each in won)
    # Nothing reported is no news: what a first run finds changes no page in the second.
    reported = facts_of(facts, main, won).get("spent_hours") if won else None
    spent = reported if isinstance(reported, int | float) else 0
    return replace(
        _plain(added_up(parts), parts),
        budget=f"{hours:,.0f}" if hours else "",
        reported=f"{spent:,.0f}" if spent else "",
        left=f"{hours - spent:,.0f}" if spent else "",
    )


def _plain(whole: DealMoney, parts: Sequence[DealMoney]) -> PageMoney:
    from taiga_pipeline.planning.money.rates import less

    margins = [each.margin for each in parts]
    known = whole.priced_hours > whole.hours - 0.05
    has_all = known and (len(parts) == 1 or all(each.hours for each in parts))
    margin = "" if None in margins else _amounts(less(whole.revenue, whole.cost))
    return PageMoney(_amounts(whole.revenue), _amounts(whole.cost) if has_all else "", margin)


def _amounts(found: Amounts) -> str:
    return ", ".join(f"{found[each]:,.0f} {each}".strip() for each in sorted(found))
