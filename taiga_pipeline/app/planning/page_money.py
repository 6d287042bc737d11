"""Money on the projects' pages "From sales", where a mapping allows it to be seen there."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sync.errors import Stop
from taiga_pipeline.app.pipeline_data import read_pipeline
from taiga_pipeline.app.planning.inputs import STATED, plan_input
from taiga_pipeline.app.planning.money import deals_for, rate_book
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.mapping.page import PageMoney
from taiga_pipeline.pipeline.delivery import facts_by_deal
from taiga_pipeline.pipeline.errors import RequestError
from taiga_pipeline.planning.weeks import monday
from taiga_pipeline.problems import ProblemsError

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
    from taiga_pipeline.planning.money.budget import budget_of

    read = read_pipeline(workspace)
    given = plan_input(workspace, STATED, read)
    # As of the week's Monday: a page that changed with every day would be read by no one.
    as_of = monday(given.situation.as_of)
    given = replace(given, situation=replace(given.situation, as_of=as_of))
    book = rate_book(workspace)
    found, facts = {}, facts_by_deal(read.facts)
    for each in deals_for(workspace, read, given, book):
        budget = budget_of(each, facts.get(each.deal.key, {}), as_of) if each.won else None
        # Nothing reported is no news: what a first run finds changes no page in the second.
        spent = budget.spent if budget else None
        found[each.deal.key] = replace(
            _plain(each),
            budget=f"{each.hours:,.0f}" if each.won and each.hours else "",
            reported=f"{spent:,.0f}" if spent else "",
            left=f"{each.hours - spent:,.0f}" if spent else "",
        )
    return found


def _plain(deal: DealMoney) -> PageMoney:
    margin = "" if deal.margin is None else _amounts(deal.margin)
    known = deal.priced_hours > deal.hours - 0.05
    return PageMoney(_amounts(deal.revenue), _amounts(deal.cost) if known else "", margin)


def _amounts(found: Amounts) -> str:
    return ", ".join(f"{found[each]:,.0f} {each}".strip() for each in sorted(found))
