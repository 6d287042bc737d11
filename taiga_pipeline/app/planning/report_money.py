"""The part of the report about money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.planning.money import worth_showing
from taiga_pipeline.language import figure, marked
from taiga_pipeline.language import text as _
from taiga_pipeline.report.page.model import Table

if TYPE_CHECKING:
    from taiga_pipeline.app.planning.money import Money
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.money.budget import Budget, Overrun
    from taiga_pipeline.planning.money.deals import DealMoney
    from taiga_pipeline.planning.money.quarters import QuarterMoney, Spread
    from taiga_pipeline.planning.money.rates import Amounts

MOST: Final = 40
"""Deals and budgets that are shown."""
_QUARTERS: Final = marked(
    "P50, with P20 to P80 in brackets: in 60 of 100 futures it lies between. Won deals count as "
    "they are planned, open ones as they may be won. A value is earned as its hours are worked."
)
_DEALS: Final = marked(
    "If the deal is won: its value (else its hours at bill rates), and its hours at cost rates."
)


def money_tables(money: Money) -> tuple[Table, ...]:
    """Returns quarters, deals and budgets; without rates, budgets alone."""
    tables = []
    if money.has_rates:
        tables += [_quarters(money), _deals(money)]
    if money.budgets:
        tables.append(_budgets(money.budgets, money.overrun))
    return tuple(table for table in tables if table.rows)


def _quarters(money: Money) -> Table:
    headings = (
        _("Quarter"),
        _("Hours"),
        _("Revenue"),
        _("Cost"),
        _("Margin"),
        _("Margin of revenue"),
    )
    shown = worth_showing(money.quarters)
    currencies = Counter(each.quarter for each in shown)
    rows = [
        (
            f"{each.quarter} {each.currency}".strip(),
            *(_range(spread) for spread in (each.hours, each.revenue, each.cost)),
            *(
                (_range(each.margin), _share(each, alone=currencies[each.quarter] == 1))
                if each.margin
                else (_("unknown"), "")
            ),
        )
        for each in shown
    ]
    return Table(_("By quarter"), _(_QUARTERS), headings, rows)


def _range(spread: Spread) -> str:
    return _(
        "{middle:,.0f} ({low:,.0f} to {high:,.0f})",
        middle=spread.middle,
        low=spread.low,
        high=spread.high,
    )


def _share(quarter: QuarterMoney, *, alone: bool) -> str:
    # What is paid in one currency for what is earned in another is no part of this one's margin.
    if quarter.margin is None or not alone or quarter.revenue.expected <= 0.5:
        return ""
    return f"{100 * quarter.margin.expected / quarter.revenue.expected:.0f} %"


def _deals(money: Money) -> Table:
    headings = (
        _("Deal"),
        _("Chance"),
        _("Hours"),
        _("Revenue"),
        _("Cost"),
        _("Margin"),
        _("Of revenue"),
    )
    shown = money.ahead[:MOST]
    left = len(money.ahead) - len(shown)
    note = _(_DEALS)
    if left:
        note += " " + _("{number} more deals are not shown.", number=left)
    return Table(_("By deal"), note, headings, [_deal(each) for each in shown])


def _deal(deal: DealMoney) -> Sequence[str]:
    share = deal.margin_share
    return (
        _named(deal.deal),
        _("won") if deal.won else f"{100 * deal.chance:.0f} %",
        figure(deal.hours, ",.0f"),
        _amounts(deal.revenue),
        _amounts(deal.cost),
        _("unknown") if deal.margin is None else _amounts(deal.margin),
        "" if share is None else f"{100 * share:.0f} %",
    )


def _named(deal: Deal) -> str:
    return f"{deal.key} {deal.name}".strip()


def _amounts(found: Amounts) -> str:
    return ", ".join(f"{figure(found[each], ',.0f')} {each}".strip() for each in sorted(found))


def _budgets(budgets: Sequence[Budget], overrun: Overrun | None) -> Table:
    headings = (
        _("Deal"),
        _("Budget"),
        _("Due by now"),
        _("Reported"),
        _("Left"),
        _("Progress"),
        _("At the end"),
    )
    note = _("Hours of won deals: planned, reported by delivery, and left.")
    if overrun:
        note += _(
            " Finished projects took {middle:.2f} of their budget (P20 to P80: "
            "{low:.2f} to {high:.2f}).",
            middle=overrun.middle,
            low=overrun.low,
            high=overrun.high,
        )
    shown = budgets[:MOST]
    warned = [number for number, each in enumerate(shown) if each.warnings]
    return Table(
        "Budgets", note, (*headings, _("Warning")), [_budget(each) for each in shown], warned
    )


def _budget(budget: Budget) -> Sequence[str]:
    progress = "" if budget.progress is None else f"{100 * budget.progress:.0f} %"
    return (
        _named(budget.deal),
        figure(budget.hours, ",.0f"),
        figure(budget.due, ",.0f"),
        _hours(budget.spent),
        _hours(budget.left),
        progress,
        _hours(budget.at_end),
        "; ".join(_(each.value) for each in budget.warnings),
    )


def _hours(hours: float | None) -> str:
    return "" if hours is None else figure(hours, ",.0f")
