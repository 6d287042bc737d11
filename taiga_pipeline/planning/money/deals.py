"""What each deal brings in and costs if it is won: its hours at the rates of who does them.

Hours are those of `planning.demand`, as if every open deal were won at its planned start: people
who are allocated or reserved count at their own rates, hours that no person is named for at those
of the role. Revenue is the deal's value where it states one, else the hours at bill rates; it is
earned as the hours are worked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from taiga_pipeline.mapping.demand import deal_demand
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.pipeline.notation import MAX_WEEKS
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.demand.deals import Booked, Fate, Situation, find_demand
from taiga_pipeline.planning.money.rates import Amounts, RateBook, add, less
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.weeks import WEEK, Weeks, monday

BACK: Final = timedelta(days=730)
"""Won deals that began earlier are over: they are not looked at, unless delivery is still at it."""
AHEAD: Final = 156
"""Weeks from now on that are looked at at least; more where a deal's work takes more."""
FURTHEST: Final = 2 * MAX_WEEKS
"""Weeks from now on that are looked at at most."""
HORIZON: Final = 26
"""Weeks from now on for which someone without a last day is on a deal that asks for no roles."""


@dataclass(frozen=True, slots=True)
class WeekMoney:
    """A deal's week: hours, what they cost, and what is earned by them; ``unpriced`` are those of
    the hours that have no cost rate, or no bill rate where nothing else tells what they earn."""

    week: date
    hours: float
    cost: Amounts
    revenue: Amounts
    unpriced: float = 0.0


@dataclass(frozen=True, slots=True)
class DealMoney:
    """A deal as it is planned: what it brings in and costs if it is won.

    ``at_rates`` are its hours at bill rates, ``priced_hours`` and ``billed_hours`` those that have
    a cost and a bill rate. ``chance`` is 1 for a won deal.
    """

    deal: Deal
    won: bool
    chance: float
    hours: float
    priced_hours: float
    billed_hours: float
    cost: Amounts
    at_rates: Amounts
    revenue: Amounts
    weeks: tuple[WeekMoney, ...] = ()

    @property
    def is_dated(self) -> bool:
        """Whether the deal says about when its project begins."""
        return _begin(self.deal) is not None

    @property
    def margin(self) -> Amounts | None:
        """Revenue less cost by currency; None where no hours are known, some have no cost rate, or
        what they earn is unknown."""
        unpriced = sum(week.unpriced for week in self.weeks) > 0.05
        unknown = unpriced or not self.hours or not self.revenue
        return None if unknown else less(self.revenue, self.cost)

    @property
    def margin_share(self) -> float | None:
        """Margin as a part of revenue; None where that is unknown, or of two currencies."""
        margin = self.margin
        if margin is None or len(margin) != 1:
            return None
        (currency,) = margin
        revenue = self.revenue.get(currency, 0.0)
        return margin[currency] / revenue if revenue else None


def all_won(  # noqa: PLR0913 - a plan, and what to look at of it
    situation: Situation,
    mappings: MappingSet,
    outlooks: Outlooks,
    kept: Collection[str] = (),
    attendance_of: Callable[[Weeks], Attendance] | None = None,
    *,
    with_open: bool = True,
    horizon: int = HORIZON,
) -> Mapping[str, tuple[Booked, ...]]:
    """Returns the hours of all deals that are not over, by deal, as if every open one were won.

    ``kept`` are deals that are looked at however long ago they began. ``attendance_of`` says when
    people can work; without it, no public holidays are known. Without ``with_open``, hours of won
    deals alone are returned. ``horizon`` is for how many weeks from now on someone without a last
    day is on a deal that asks for no roles, as in capacity.
    """
    cases = [each for each in _cases(situation, mappings) if _is_now(each, situation, kept)]
    fates = {deal.key: Fate(won=True) for deal, won in cases if not won}
    wanted = tuple(deal for deal, won in cases if won or with_open)
    now = monday(situation.as_of)
    until = now + WEEK * horizon - timedelta(days=1)
    supposed = replace(situation, deals=wanted, fates=fates, open_end=until)
    first = min([situation.as_of, *(day for deal, _ in cases if (day := _begin(deal)))])
    ahead = max([AHEAD, *(_ahead(deal, mappings, situation.as_of) for deal in wanted)])
    ahead = min(ahead, FURTHEST)
    weeks = Weeks(monday(first), (now - monday(first)).days // 7 + ahead)
    attendance = attendance_of(weeks) if attendance_of else None
    demand = find_demand(supposed, mappings, outlooks, weeks, attendance)
    found: dict[str, list[Booked]] = defaultdict(list)
    for booked in demand.booked:
        found[booked.deal_key].append(booked)
    return {key: tuple(each) for key, each in found.items()}


def _cases(situation: Situation, mappings: MappingSet) -> Iterator[tuple[Deal, bool]]:
    """Yields deals that are not lost, and whether they are won."""
    for deal in situation.deals:
        try:
            category = mappings.stage_of(deal)[1].category
        except NotMapped:
            continue
        if category is not Category.LOST:
            yield deal, category is Category.WON


def _begin(deal: Deal) -> date | None:
    return deal.start or deal.expected_close or deal.closed_on


def _ahead(deal: Deal, mappings: MappingSet, today: date) -> int:
    """Returns in how many weeks from now the work that a deal asks for ends."""
    demand = deal_demand(deal, mappings.stage_of(deal)[0])
    begin = monday(max(_begin(deal) or today, today))
    length = max((each.start_week + each.weeks for each in demand), default=0)
    return (begin - monday(today)).days // 7 + length


def beyond(situation: Situation, mappings: MappingSet) -> tuple[str, ...]:
    """Returns the keys of deals whose work is not over within the weeks that money is looked at:
    what is later is in none of its figures."""
    today = situation.as_of
    return tuple(
        deal.key
        for deal, _ in _cases(situation, mappings)
        if _ahead(deal, mappings, today) > FURTHEST
    )


def _is_now(case: tuple[Deal, bool], situation: Situation, kept: Collection[str]) -> bool:
    deal, won = case
    begin = _begin(deal)
    recent = begin is None or begin >= situation.as_of - BACK
    return not won or recent or deal.key in kept


def deals_money(
    situation: Situation,
    mappings: MappingSet,
    outlooks: Outlooks,
    booked: Mapping[str, Sequence[Booked]],
    book: RateBook,
) -> tuple[DealMoney, ...]:
    """Returns what each deal that is not over brings in and costs, in the order of the pipeline.

    ``booked`` is what `all_won` returned for the same situation.
    """
    found = []
    for deal, won in _cases(situation, mappings):
        hours = booked.get(deal.key, ())
        if not hours and (won or deal.value is None):
            continue
        outlook = outlooks.by_deal.get(deal.key)
        chance = 1.0 if won else (outlook.probability if outlook else 0.0)
        found.append(_money(deal, won, chance, hours, book))
    return tuple(found)


def _money(
    deal: Deal, won: bool, chance: float, booked: Iterable[Booked], book: RateBook
) -> DealMoney:
    by_week: dict[date, list[Booked]] = defaultdict(list)
    for each in booked:
        by_week[each.week].append(each)
    priced = billed = total = 0.0
    cost: dict[str, float] = {}
    at_rates: dict[str, float] = {}
    weeks: list[tuple[date, float, Amounts, Amounts, float]] = []
    for week in sorted(by_week):
        spent: dict[str, float] = {}
        billable: dict[str, float] = {}
        hours = unpriced = 0.0
        for each in by_week[week]:
            costs = book.cost(each.role, each.email, week)
            bills = book.bill(each.role, each.email, week)
            hours += each.hours
            priced += each.hours if costs else 0.0
            is_known = costs and (bills or deal.value is not None)
            unpriced += 0.0 if is_known else each.hours
            billed += each.hours if bills else 0.0
            add(spent, costs, each.hours)
            add(billable, bills, each.hours)
        total += hours
        _sum_into(cost, spent)
        _sum_into(at_rates, billable)
        weeks.append((week, hours, spent, billable, unpriced))
    revenue = _stated(deal, book) if deal.value is not None else at_rates
    return DealMoney(
        deal,
        won,
        chance,
        total,
        priced,
        billed,
        cost,
        at_rates,
        revenue,
        tuple(
            WeekMoney(week, hours, spent, _earned(revenue, billable, hours, total, deal), unpriced)
            for week, hours, spent, billable, unpriced in weeks
        ),
    )


def added_up(parts: Sequence[DealMoney]) -> DealMoney:
    """Returns what deals in one project come to together, as that of the first one.

    Whether their margin is known, each of them tells.
    """
    first, *others = parts
    if not others:
        return first
    cost: dict[str, float] = {}
    at_rates: dict[str, float] = {}
    revenue: dict[str, float] = {}
    for each in parts:
        _sum_into(cost, each.cost)
        _sum_into(at_rates, each.at_rates)
        _sum_into(revenue, each.revenue)
    return replace(
        first,
        hours=sum(each.hours for each in parts),
        priced_hours=sum(each.priced_hours for each in parts),
        billed_hours=sum(each.billed_hours for each in parts),
        cost=cost,
        at_rates=at_rates,
        revenue=revenue,
        weeks=tuple(week for each in parts for week in each.weeks),
    )


def _sum_into(total: dict[str, float], amounts: Amounts) -> None:
    for currency, amount in amounts.items():
        total[currency] = total.get(currency, 0.0) + amount


def _stated(deal: Deal, book: RateBook) -> dict[str, float]:
    # A value without a currency is in the common one, as for `Rates.can_compare`.
    exchange = book.exchange
    value, currency = exchange.convert(deal.value, deal.currency or exchange.currency)
    return {} if value is None else {currency: float(value)}


def _earned(revenue: Amounts, billable: Amounts, hours: float, total: float, deal: Deal) -> Amounts:
    """Returns what a week earns: its part of a stated value by its hours, or its own bill."""
    if deal.value is None or not total:
        return billable
    return {currency: amount * hours / total for currency, amount in revenue.items()}
