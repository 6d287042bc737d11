"""``metrics``: what the past says about selling and delivering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any, Final

import click

from taiga_pipeline.app.planning.metrics import dimensions_of, metrics_of
from taiga_pipeline.app.planning.money import has_rates, money_json, money_of
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_table
from taiga_pipeline.cli.pipeline.lessons_text import print_lessons_learnt, retrospective_json
from taiga_pipeline.language import figure, marked
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.columns import check_field
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.planning.metrics.delivery import (
    DemandSuggestion,
    ServiceMetrics,
)
from taiga_pipeline.planning.metrics.selling import (
    DIMENSIONS,
    NOT_SAID,
    SalesMetrics,
    Slippage,
    WinRate,
)
from taiga_pipeline.report.amounts import NO_CURRENCY
from taiga_pipeline.report.terminal import safe

_HOW_TO_USE: Final = marked("""\
# From what won deals were staffed with. Put it into a copy of the mapping file (of the same name,
# in another folder) in place of what it has for these roles; see what that would change with
# pipeline-sync mapping diff COPY, and put the copy in its place.""")


@click.command()
@click.option(
    "--since",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only deals that were decided since then, or are open.",
)
@click.option(
    "--by",
    "dimension",
    metavar="FIELD",
    help=f"Only the win rates by this field: {', '.join(DIMENSIONS)}, or one of your own.",
)
@click.option(
    "--suggest-demand",
    "suggest",
    is_flag=True,
    help="Only default roles for mappings, from what won deals were staffed with.",
)
@click.option(
    "--money",
    "only_money",
    is_flag=True,
    help="Only planned revenue, cost and margin, and what is left of budgets.",
)
@json_option
@pass_context
def metrics(
    context: CommandContext,
    since: Any,
    dimension: str | None,
    suggest: bool,
    only_money: bool,
    as_json: bool,
) -> None:
    """Show conversion, time in stage, win rates, slippage; and planned against actual delivery.

    Needs a source with a record of moves and changes, such as the built-in store. Where rates are
    set (people rate), planned revenue, cost and margin follow, and what is left of budgets.
    """
    if only_money:
        _show_money(context, as_json)
        return
    if dimension:
        dimension = _dimension(context, dimension)
    found = metrics_of(context, since.date() if since else None)
    if as_json:
        plain = _as_json(found.sales, found.delivery, found.suggestions)
        plain["retrospectives"] = [retrospective_json(each) for each in found.retrospectives]
        if _knows_money(context):
            plain["money"] = money_json(money_of(context))
        print_json(plain)
    elif suggest:
        _show_suggestions(found.suggestions)
    elif dimension:
        _show_win_rates(dimension, found.sales.win_rates[dimension])
    else:
        _show_sales(found.sales)
        _show_delivery(found.delivery)
        print_lessons_learnt(found.retrospectives)
        if _knows_money(context):
            click.echo("")
            _show_money(context, as_json=False)


def _knows_money(context: CommandContext) -> bool:
    """Returns whether rates are set, and there is what works the plan out."""
    return find_spec("numpy") is not None and has_rates(context)


def _show_money(context: CommandContext, as_json: bool) -> None:
    from taiga_pipeline.cli.planning.money_text import print_money

    found = money_of(context)
    if as_json:
        print_json(money_json(found))
    else:
        print_money(found)


# --- output


def _as_json(
    sales: SalesMetrics,
    delivery: Sequence[ServiceMetrics],
    suggestions: Sequence[DemandSuggestion],
) -> dict[str, object]:
    data = asdict(sales)
    for stage, plain in zip(sales.stages, data["stages"], strict=True):
        plain["conversion"] = stage.conversion
    for name, rates in sales.win_rates.items():
        for rate, plain in zip(rates, data["win_rates"][name], strict=True):
            plain["rate"] = rate.rate
    return {
        "sales": data,
        "delivery": [asdict(service) for service in delivery],
        "suggested_demand": [asdict(suggestion) for suggestion in suggestions],
    }


def _show_sales(sales: SalesMetrics) -> None:
    click.echo(
        _(
            "{deals} deals: {won} won, {lost} lost\n",
            deals=sales.deals,
            won=sales.won,
            lost=sales.lost,
        )
    )
    if not sales.deals:
        return
    _show_stages(sales)
    for dimension in sales.win_rates:
        if len(sales.win_rates[dimension]) > 1:
            click.echo("")
            _show_win_rates(dimension, sales.win_rates[dimension])
    click.echo("")
    _show_velocity(sales)
    _show_slippage(sales.slippage)
    for reason, times in sales.lost_reasons:
        click.echo(
            _(
                "Lost: {reason}: {times}",
                reason=_("(not said)") if reason == NOT_SAID else safe(reason),
                times=times,
            )
        )
    _show_skipped_gates(sales)


def _show_stages(sales: SalesMetrics) -> None:
    rows = [
        (
            stage.stage,
            str(stage.entered),
            str(stage.here),
            _percent(stage.conversion),
            _days(stage.days),
            _days(stage.slow_days),
        )
        for stage in sales.stages
    ]
    header = (
        _("Stage"),
        _("Entered"),
        _("There now"),
        _("Went on"),
        _("Median stay"),
        _("9 of 10 within"),
    )
    print_table(header, rows, right=range(1, 6))


def _show_velocity(sales: SalesMetrics) -> None:
    for each in sales.velocity:
        currency = safe(each.currency or (_(NO_CURRENCY) if len(sales.velocity) > 1 else ""))
        click.echo(
            _(
                "Velocity: {per_week:,} {currency} per week ({open_deals} open "
                "deals x {percent} won x {mean_value:,} {currency} in "
                "{cycle_days:.0f} days)",
                per_week=each.per_week,
                currency=currency,
                open_deals=each.open_deals,
                percent=_percent(each.win_rate),
                mean_value=each.mean_value,
                cycle_days=each.cycle_days,
            )
        )


def _show_slippage(slip: Slippage) -> None:
    if not slip.deals:
        return
    off = (
        "" if slip.days is None else _("; decided {later} the first date", later=_later(slip.days))
    )
    click.echo(
        _(
            "Close dates: {deals} deals, moved later {moved_later} times, "
            "earlier {moved_earlier} times{off}",
            deals=slip.deals,
            moved_later=slip.moved_later,
            moved_earlier=slip.moved_earlier,
            off=off,
        )
    )


def _show_skipped_gates(sales: SalesMetrics) -> None:
    for gate in sales.skipped_gates:
        click.echo(
            _(
                "Gate skipped at {stage}: {action}: {times} times ({won} won, {lost} lost)",
                stage=safe(gate.stage),
                action=safe(gate.action),
                times=gate.times,
                won=gate.won,
                lost=gate.lost,
            )
        )


def _dimension(context: CommandContext, name: str) -> str:
    """Returns a field by which win rates can be shown.

    :raises InvalidValue: there is no such field, or its values are different in every deal.
    """
    possible = dimensions_of(context)
    field = check_field(name, context.fields.names)
    if field not in possible:
        raise InvalidValue(
            _(
                "--by {name}: win rates can be shown by {possible}",
                name=name,
                possible=", ".join(possible),
            )
        )
    return field


def _show_win_rates(dimension: str, rates: Sequence[WinRate]) -> None:
    rows = [
        (
            rate.group,
            str(rate.won),
            str(rate.lost),
            _percent(rate.rate),
            _("{percent} to {percent2}", percent=_percent(rate.low), percent2=_percent(rate.high)),
        )
        for rate in rates
    ]
    if not rows:
        click.echo(_("no deal was won or lost in this time"), err=True)
    name = _(dimension.replace("_", " ").capitalize())
    print_table(
        (name, _("Won"), _("Lost"), _("Win rate"), _("80 % range")), rows, right=range(1, 5)
    )


def _show_delivery(delivery: Sequence[ServiceMetrics]) -> None:
    if not delivery:
        return
    click.echo("")
    rows = [
        (
            service.service,
            str(service.deals),
            ""
            if service.start_slip_days is None
            else _("{start_slip_days:+.0f} days", start_slip_days=service.start_slip_days),
            f"{figure(service.planned_hours, ',.0f')} h",
            f"{figure(service.staffed_hours, ',.0f')} h",
            "" if service.spent_hours is None else f"{figure(service.spent_hours, ',.0f')} h",
            _percent(service.progress),
        )
        for service in delivery
    ]
    header = (
        _("Service, won"),
        _("Deals"),
        _("Start"),
        _("Asked for"),
        _("Staffed"),
        _("Spent"),
        _("Progress"),
    )
    print_table(header, rows, right=range(1, 7))


def _show_suggestions(suggestions: Sequence[DemandSuggestion]) -> None:
    if not suggestions:
        click.echo(
            _("Nothing to suggest: what won deals were staffed with is what mappings assume,")
        )
        click.echo(_("or too few deals were won and staffed (three of a service and role)."))
        return
    click.echo(_(_HOW_TO_USE))
    for each in suggestions:
        now = each.assumed
        was = (
            _(
                "{hours_per_week:f} h x {weeks} weeks",
                hours_per_week=now.hours_per_week,
                weeks=now.weeks,
            )
            if now
            else _("nothing")
        )
        click.echo(_("\n# {deals} deals; assumed so far: {was}", deals=each.deals, was=was))
        click.echo(each.to_toml(), nl=False)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _days(days: float | None) -> str:
    return "" if days is None else _("{days:.0f} days", days=days)


def _later(days: float) -> str:
    if days >= 0:
        return _("{days:.0f} days after (median)", days=days)
    return _("{days:.0f} days before (median)", days=-days)
