"""What the plan comes to in money: by deal and quarter, and what is left of budgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from taiga_pipeline.app.people.rates import all_rates
from taiga_pipeline.app.pipeline_data import Pipeline, read_pipeline
from taiga_pipeline.app.planning.inputs import PlanInput, attendance_of, plan_input
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.delivery import facts_by_deal
from taiga_pipeline.pipeline.tables.joins import joins_of, main_deals
from taiga_pipeline.planning.weeks import monday

if TYPE_CHECKING:
    from datetime import date

    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.demand.deals import Demand
    from taiga_pipeline.planning.money.budget import Budget, Overrun
    from taiga_pipeline.planning.money.deals import DealMoney
    from taiga_pipeline.planning.money.quarters import QuarterMoney, Spread
    from taiga_pipeline.planning.money.rates import Amounts, RateBook

NO_RATES = "no rates are set, so cost and margin are unknown"
_NAMED = 5
_NO_HOURS = "delivery reports no hours, so what is left of budgets is unknown"


@dataclass(frozen=True, slots=True)
class Money:
    """What the plan comes to in money, as of a day.

    ``budgets`` are of won deals that are not finished, ``finished`` those that are. ``overrun`` is
    learnt from these; None where they are too few. ``notices`` say what is missing.
    """

    as_of: date
    deals: tuple[DealMoney, ...]
    quarters: tuple[QuarterMoney, ...]
    budgets: tuple[Budget, ...]
    finished: tuple[Budget, ...]
    overrun: Overrun | None
    has_rates: bool
    notices: tuple[str, ...]

    @property
    def ahead(self) -> tuple[DealMoney, ...]:
        """The open deals, and the won ones that still have work ahead."""
        now = monday(self.as_of)
        return tuple(
            each for each in self.deals if not each.won or any(w.week >= now for w in each.weeks)
        )


def has_rates(workspace: Workspace) -> bool:
    """Returns whether any rate is set."""
    return bool(all_rates(workspace))


def rate_book(workspace: Workspace) -> RateBook:
    """Returns all rates, in the configuration's currency where it has a rate for theirs."""
    from taiga_pipeline.planning.money.rates import RateBook

    return RateBook(all_rates(workspace), workspace.rates)


def money_of(workspace: Workspace, chances: str | None = None) -> Money:
    """Returns what the plan comes to in money. ``chances`` are as for `plan_input`.

    :raises ProblemsError: what is wrong with the configuration, the mappings or the packages.
    :raises Unreachable: the source does not answer.
    """
    read = read_pipeline(workspace)
    return money_for(workspace, read, plan_input(workspace, chances, read))


def money_for(workspace: Workspace, read: Pipeline, given: PlanInput) -> Money:
    """Returns `money_of` of a pipeline that was read, and what is expected of it."""
    from taiga_pipeline.planning.demand.deals import find_demand
    from taiga_pipeline.planning.money.quarters import Draws, quarters_money, weeks_of

    book = rate_book(workspace)
    situation = given.situation
    today = situation.as_of
    plan = given.mappings, given.outlooks
    deals = deals_for(workspace, read, given, book)
    weeks = weeks_of(today)
    demand = find_demand(situation, *plan, weeks, attendance_of(workspace, situation, weeks))
    starts = {each.deal_key: each for each in demand.open}
    quarters = quarters_money(deals, starts, given.outlooks, today, Draws())
    found = _with_budgets(read, book, deals, given, demand)
    return replace(found, deals=deals, quarters=quarters)


def budgets_for(workspace: Workspace, read: Pipeline, given: PlanInput, demand: Demand) -> Money:
    """Returns what of `money_for` needs no rates: budgets, and what is missing. ``demand`` is that
    of the same situation, in whatever weeks."""
    book = rate_book(workspace)
    deals = deals_for(workspace, read, given, book, only_won=True)
    return _with_budgets(read, book, deals, given, demand)


def _with_budgets(
    read: Pipeline,
    book: RateBook,
    deals: tuple[DealMoney, ...],
    given: PlanInput,
    demand: Demand,
) -> Money:
    """Returns the budgets of deals, without the deals themselves."""
    from taiga_pipeline.planning.money.budget import budgets, overrun
    from taiga_pipeline.planning.money.deals import beyond

    today, later = given.situation.as_of, beyond(given.situation, given.mappings)
    main_of = main_deals(joins_of(read.deals))
    found = budgets(deals, facts_by_deal(read.facts), today, main_of)
    finished = tuple(each for each in found if each.is_finished)
    running = tuple(each for each in found if not each.is_finished and _runs(each))
    return Money(
        as_of=today,
        deals=(),
        quarters=(),
        budgets=running,
        finished=finished,
        overrun=overrun(finished),
        has_rates=not book.is_empty,
        notices=(
            *_notices(book, deals, running),
            *_silent((*demand.silent_open, *demand.silent_won), book),
            *_undated(deals),
            *_cut(later),
        ),
    )


def deals_for(
    workspace: Workspace,
    read: Pipeline,
    given: PlanInput,
    book: RateBook,
    *,
    only_won: bool = False,
) -> tuple[DealMoney, ...]:
    """Returns what each deal that is not over brings in and costs if it is won. ``only_won`` leaves
    out the hours of open ones."""
    from taiga_pipeline.planning.money.deals import all_won, deals_money

    situation, plan = given.situation, (given.mappings, given.outlooks)
    attendance = partial(attendance_of, workspace, situation)
    kept = facts_by_deal(read.facts)
    horizon = workspace.settings.planning.horizon_weeks
    booked = all_won(situation, *plan, kept, attendance, with_open=not only_won, horizon=horizon)
    return deals_money(situation, *plan, booked, book)


def _runs(budget: Budget) -> bool:
    """Returns whether a project is still worth looking at: not all of its hours are due, or
    delivery says how far it is."""
    return budget.progress is not None or budget.due < budget.hours - 0.05


def _notices(
    book: RateBook, deals: tuple[DealMoney, ...], running: tuple[Budget, ...]
) -> list[str]:
    notices = []
    if book.is_empty:
        notices.append(NO_RATES)
    else:
        for what in ("cost", "bill"):
            whose = sorted(name or "(no role)" for kind, name in book.missing if kind == what)
            if whose:
                notices.append(f"no {what} rate, so their hours are left out: {', '.join(whose)}")
    currencies = {each for deal in deals for each in (*deal.revenue, *deal.cost)}
    if len(currencies) > 1:
        listed = ", ".join(sorted(each or "(none)" for each in currencies))
        notices.append(
            f"amounts in {listed} are kept apart: planning.rates has no rate between them"
        )
    if running and all(each.spent is None for each in running):
        notices.append(_NO_HOURS)
    return notices


def _silent(deals: Iterable[Deal], book: RateBook) -> Iterator[str]:
    """Yields what is to say of deals that state no roles: no hours earn their value."""
    worth: dict[str, Decimal] = {}
    count = 0
    for deal in deals:
        value, currency = book.exchange.convert(deal.value, deal.currency)
        if value is not None:
            count += 1
            worth[currency] = worth.get(currency, Decimal(0)) + value
    if count:
        amounts = ", ".join(f"{worth[each]:,.0f} {each}".strip() for each in sorted(worth))
        which = f"{count} deal states" if count == 1 else f"{count} deals state"
        yield f"{which} no roles, so cost is unknown, and {amounts} of value is in no quarter"


def _undated(deals: Iterable[DealMoney]) -> Iterator[str]:
    """Yields what is to say of deals that say neither when they begin nor when they are decided."""
    keys = [each.deal.key for each in deals if each.hours and not each.is_dated]
    if keys:
        more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
        named = ", ".join(keys[:_NAMED])
        yield (
            f"neither a start nor an expected close is known, so their money is in no quarter: "
            f"{named}{more}"
        )


def _cut(keys: Sequence[str]) -> Iterator[str]:
    """Yields what is to say of deals whose work is not over in the weeks that are looked at."""
    from taiga_pipeline.planning.money.deals import FURTHEST

    if keys:
        more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
        named = ", ".join(keys[:_NAMED])
        yield f"money is counted for the next {FURTHEST:,} weeks, and work is later: {named}{more}"


def worth_showing(quarters: Sequence[QuarterMoney]) -> Sequence[QuarterMoney]:
    """Returns the quarters without the currencies in which nothing comes in or is spent, as long
    as another one of the quarter is left."""
    found: dict[str, list[QuarterMoney]] = {}
    for each in quarters:
        found.setdefault(each.quarter, []).append(each)
    kept = ([one for one in some if _has_money(one)] or some[:1] for some in found.values())
    return [each for some in kept for each in some]


def _has_money(quarter: QuarterMoney) -> bool:
    spreads = (quarter.revenue, quarter.cost)
    return any(round(each.high) or round(each.expected) for each in spreads)


# --- as plain data


def money_json(money: Money) -> dict[str, Any]:
    """Returns money as plain data: amounts by currency to two digits, hours to tenths."""
    return {
        "quarters": [_quarter_json(each) for each in money.quarters],
        "deals": [_deal_json(each, money.overrun) for each in money.deals],
        "budgets": [_budget_json(each) for each in money.budgets],
        "overrun": _overrun_json(money.overrun),
        "notices": list(money.notices),
    }


def _quarter_json(quarter: QuarterMoney) -> dict[str, Any]:
    parts = ("hours", "revenue", "cost")
    return {
        "quarter": quarter.quarter,
        "currency": quarter.currency,
        **{name: _spread_json(getattr(quarter, name)) for name in parts},
        "margin": None if quarter.margin is None else _spread_json(quarter.margin),
    }


def _spread_json(spread: Spread) -> dict[str, float]:
    return {
        "sure": round(spread.sure, 2),
        "p20": round(spread.low, 2),
        "p50": round(spread.middle, 2),
        "p80": round(spread.high, 2),
        "expected": round(spread.expected, 2),
    }


def _deal_json(deal: DealMoney, known: Overrun | None) -> dict[str, Any]:
    share = deal.margin_share
    return {
        "deal": deal.deal.key,
        "name": deal.deal.name,
        "customer": deal.deal.customer,
        "won": deal.won,
        "probability": round(deal.chance, 4),
        "hours": round(deal.hours, 1),
        "hours_p80": None if known is None else round(deal.hours * known.high, 1),
        "revenue": amounts_json(deal.revenue),
        "at_rates": amounts_json(deal.at_rates),
        "cost": amounts_json(deal.cost),
        "cost_p80": None if known is None else amounts_json(deal.cost, known.high),
        "margin": None if deal.margin is None else amounts_json(deal.margin),
        "margin_share": None if share is None else round(share, 4),
        "hours_without_cost": round(deal.hours - deal.priced_hours, 1),
    }


def amounts_json(amounts: Amounts, factor: float = 1.0) -> dict[str, float]:
    """Returns amounts by currency, to two digits."""
    return {currency: round(factor * amounts[currency], 2) for currency in sorted(amounts)}


def _budget_json(budget: Budget) -> dict[str, Any]:
    def rounded(number: float | None) -> float | None:
        return None if number is None else round(number, 1)

    return {
        "deal": budget.deal.key,
        "name": budget.deal.name,
        "hours": rounded(budget.hours),
        "due": rounded(budget.due),
        "reported": rounded(budget.spent),
        "left": rounded(budget.left),
        "progress": budget.progress,
        "at_end": rounded(budget.at_end),
        "warnings": [each.value for each in budget.warnings],
    }


def _overrun_json(overrun: Overrun | None) -> Mapping[str, float] | None:
    if overrun is None:
        return None
    return {
        "deals": overrun.deals,
        "p20": round(overrun.low, 3),
        "p50": round(overrun.middle, 3),
        "p80": round(overrun.high, 3),
    }
