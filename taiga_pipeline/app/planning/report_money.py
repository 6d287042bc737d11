"""The part of the report about money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from taiga_pipeline.report.page.model import Table

if TYPE_CHECKING:
    from taiga_pipeline.app.planning.money import Money
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.money.budget import Budget, Overrun
    from taiga_pipeline.planning.money.deals import DealMoney
    from taiga_pipeline.planning.money.quarters import Spread
    from taiga_pipeline.planning.money.rates import Amounts

MOST: Final = 40
"""Deals and budgets that are shown."""
_QUARTERS: Final = (
    "P50, with P20 to P80 in brackets: in 60 of 100 futures it lies between. Won deals count as "
    "they are planned, open ones as they may be won. A value is earned as its hours are worked."
)
_DEALS: Final = (
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
    headings = ("Quarter", "Hours", "Revenue", "Cost", "Margin", "Margin of revenue", "")
    rows = [
        (
            each.quarter,
            *(_range(spread) for spread in (each.hours, each.revenue, each.cost)),
            *(
                (_range(each.margin), _share(each.margin.expected, each.revenue.expected))
                if each.margin
                else ("unknown", "")
            ),
            each.currency,
        )
        for each in money.quarters
    ]
    return Table("By quarter", _QUARTERS, headings, rows)


def _range(spread: Spread) -> str:
    return f"{spread.middle:,.0f} ({spread.low:,.0f} to {spread.high:,.0f})"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole > 0.5 else ""


def _deals(money: Money) -> Table:
    headings = ("Deal", "Chance", "Hours", "Revenue", "Cost", "Margin", "Of revenue")
    shown = money.ahead[:MOST]
    left = len(money.ahead) - len(shown)
    note = f"{_DEALS} {left} more deals are not shown." if left else _DEALS
    return Table("By deal", note, headings, [_deal(each) for each in shown])


def _deal(deal: DealMoney) -> Sequence[str]:
    share = deal.margin_share
    return (
        _named(deal.deal),
        "won" if deal.won else f"{100 * deal.chance:.0f} %",
        f"{deal.hours:,.0f}",
        _amounts(deal.revenue),
        _amounts(deal.cost),
        "unknown" if deal.margin is None else _amounts(deal.margin),
        "" if share is None else f"{100 * share:.0f} %",
    )


def _named(deal: Deal) -> str:
    return f"{deal.key} {deal.name}".strip()


def _amounts(found: Amounts) -> str:
    return ", ".join(f"{found[each]:,.0f} {each}".strip() for each in sorted(found))


def _budgets(budgets: Sequence[Budget], overrun: Overrun | None) -> Table:
    headings = ("Deal", "Budget", "Due by now", "Reported", "Left", "Progress", "At the end")
    note = "Hours of won deals: planned, reported by delivery, and left."
    if overrun:
        note += (
            f" Finished projects took {overrun.middle:.2f} of their budget (P20 to P80: "
            f"{overrun.low:.2f} to {overrun.high:.2f})."
        )
    shown = budgets[:MOST]
    warned = [number for number, each in enumerate(shown) if each.warnings]
    return Table("Budgets", note, (*headings, "Warning"), [_budget(each) for each in shown], warned)


def _budget(budget: Budget) -> Sequence[str]:
    progress = "" if budget.progress is None else f"{100 * budget.progress:.0f} %"
    return (
        _named(budget.deal),
        f"{budget.hours:,.0f}",
        f"{budget.due:,.0f}",
        _hours(budget.spent),
        _hours(budget.left),
        progress,
        _hours(budget.at_end),
        "; ".join(each.value for each in budget.warnings),
    )


def _hours(hours: float | None) -> str:
    return "" if hours is None else f"{hours:,.0f}"
