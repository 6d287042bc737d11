"""Money of the plan on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.app.planning.money import NO_RATES, worth_showing
from taiga_pipeline.cli.output import print_table, style
from taiga_pipeline.hints import command
from taiga_pipeline.language import figure, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.planning.money import Money
    from taiga_pipeline.planning.money.budget import Budget, Overrun
    from taiga_pipeline.planning.money.deals import DealMoney
    from taiga_pipeline.planning.money.quarters import QuarterMoney, Spread
    from taiga_pipeline.planning.money.rates import Amounts

_RATE: Final = command("people rate set", "ROLE", options="--cost 60 --bill 120 --currency EUR")
_WAYS: Final = {NO_RATES: f"; set one with: {_RATE}"}
"""The way out of what is missing."""
_MOST: Final = 30
"""How many deals and budgets are shown."""


def print_money(money: Money) -> None:
    """Prints quarters, deals and budgets; what is missing goes to stderr."""
    _print_quarters(money.quarters)
    _print_deals(money.ahead)
    _print_budgets(money.budgets)
    _print_overrun(money.overrun)
    for notice in money.notices:
        click.echo(
            _(
                "note: {notice}{notice2}",
                notice=safe(translated(notice)),
                notice2=translated(_WAYS.get(notice, "")),
            ),
            err=True,
        )


def amounts(found: Amounts | None) -> str:
    """Returns ``12,000 EUR``, or several of them."""
    if not found:
        return ""
    return ", ".join(
        f"{figure(found[each], ',.0f')} {safe(each)}".strip() for each in sorted(found)
    )


def _print_quarters(quarters: Sequence[QuarterMoney]) -> None:
    if not quarters:
        return
    click.echo(style(_("Planned by quarter (P50, and P20 to P80 of futures)"), bold=True))
    headings = [_("Quarter"), "", _("Hours"), "", _("Revenue"), "", _("Cost"), "", _("Margin"), ""]
    rows = [
        [
            each.quarter,
            safe(each.currency),
            *_range(each.hours),
            *_range(each.revenue),
            *_cost(each),
            *(_range(each.margin) if each.margin else (_("unknown"), "")),
        ]
        for each in worth_showing(quarters)
    ]
    print_table(headings, rows, right=range(2, 10))


def _cost(quarter: QuarterMoney) -> tuple[str, str]:
    """Returns the range of a cost, "unknown" where no hour has a rate."""
    known = quarter.margin is not None or quarter.cost.expected
    return _range(quarter.cost) if known else (_("unknown"), "")


def _range(spread: Spread) -> tuple[str, str]:
    return figure(spread.middle, ",.0f"), _(
        "{low:,.0f} to {high:,.0f}", low=spread.low, high=spread.high
    )


def _print_deals(deals: Sequence[DealMoney]) -> None:
    if not deals:
        return
    click.echo(style(_("\nPlanned by deal, if it is won"), bold=True))
    headings = [
        _("Deal"),
        _("Chance"),
        _("Hours"),
        _("Revenue"),
        _("At bill rates"),
        _("Cost"),
        _("Margin"),
        "",
    ]
    rows = [_deal_row(each) for each in deals[:_MOST]]
    print_table(headings, rows, right=range(1, 8))
    if len(deals) > _MOST:
        click.echo(_("and {count:,} more; --json lists all", count=len(deals) - _MOST))


def _deal_row(deal: DealMoney) -> list[str]:
    share = deal.margin_share
    return [
        safe(deal.deal.key),
        _("won") if deal.won else figure(deal.chance, ".0%"),
        figure(deal.hours, ",.0f"),
        amounts(deal.revenue),
        amounts(deal.at_rates),
        amounts(deal.cost),
        amounts(deal.margin) if deal.margin is not None else _("unknown"),
        "" if share is None else f"{100 * share:.0f} %",
    ]


def _print_budgets(budgets: Sequence[Budget]) -> None:
    if not budgets:
        return
    click.echo(style(_("\nBudgets of won deals, in hours"), bold=True))
    headings = [
        _("Deal"),
        _("Budget"),
        _("Due by now"),
        _("Reported"),
        _("Left"),
        _("Progress"),
        _("At the end"),
        "",
    ]
    rows = [_budget_row(each) for each in budgets[:_MOST]]
    print_table(headings, rows, right=range(1, 7))
    if len(budgets) > _MOST:
        click.echo(_("and {count:,} more; --json lists all", count=len(budgets) - _MOST))


def _budget_row(budget: Budget) -> list[str]:
    hours = (budget.spent, budget.left)
    progress = "" if budget.progress is None else f"{100 * budget.progress:.0f} %"
    return [
        safe(budget.deal.key),
        figure(budget.hours, ",.0f"),
        figure(budget.due, ",.0f"),
        *_hours(hours),
        progress,
        *_hours([budget.at_end]),
        "; ".join(_(each.value) for each in budget.warnings),
    ]


def _hours(hours: Iterable[float | None]) -> list[str]:
    return ["" if each is None else figure(each, ",.0f") for each in hours]


def _print_overrun(overrun: Overrun | None) -> None:
    if overrun:
        click.echo(
            _(
                "Finished projects took {middle:.2f} of their budget hours (P20 to "
                "P80: {low:.2f} to {high:.2f}, of {deals} deals)",
                middle=overrun.middle,
                low=overrun.low,
                high=overrun.high,
                deals=overrun.deals,
            )
        )
