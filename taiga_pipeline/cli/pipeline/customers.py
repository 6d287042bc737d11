"""``customers``: who bought, what became of it, and names that are one."""

from __future__ import annotations

import click

from taiga_pipeline.app.customers import customers as use
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.customers_text import (
    details_json,
    joined_json,
    print_customers,
    print_details,
    print_suggestions,
    suggestion_json,
    totals_json,
)
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.language import counted
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe


@click.group(cls=TranslatedGroup)
def customers() -> None:
    """Customers: their deals and projects over time, and what was learnt there."""


@customers.command("list")
@click.option("--text", default="", help="Only customers with this text in their name.")
@click.option(
    "--sort",
    "order",
    type=click.Choice(list(use.ORDERS)),
    default="name",
    show_default=True,
    help="By name, value won, open value, number of deals, or newest close date.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Show at most this many.")
@json_option
@pass_context
def list_customers(
    context: CommandContext, text: str, order: str, limit: int | None, as_json: bool
) -> None:
    """List customers with their deals, win rate, value won and open value.

    Names that may be one customer, written two ways, follow; customers join makes them one.
    """
    found = use.list_customers(context, text=text, order=order)
    shown = found.customers[:limit]
    if as_json:
        suggested = [suggestion_json(each) for each in found.suggestions]
        print_json({"customers": [totals_json(each) for each in shown], "look_alikes": suggested})
        return
    print_customers(shown)
    if not shown:
        click.echo(_("no customers"), err=True)
    elif left := len(found.customers) - len(shown):
        click.echo(_("and {customers}", customers=counted(left, "more customer")), err=True)
    print_suggestions(found.suggestions)


@customers.command("show")
@click.argument("name")
@json_option
@pass_context
def show_customer(context: CommandContext, name: str, as_json: bool) -> None:
    """Show a customer: deals over time, contacts, and what delivery learnt there.

    What is not known is said so.
    """
    found = use.show_customer(context, name)
    if as_json:
        print_json(details_json(found, context.fields))
        return
    for notice in found.notices:
        click.echo(safe(notice), err=True)
    print_details(found, context.fields)


@customers.command("join")
@click.argument("name")
@click.argument("into")
@click.option("--undo", is_flag=True, help="Take it back.")
@json_option
@pass_context
def join(context: CommandContext, name: str, into: str, undo: bool, as_json: bool) -> None:
    """Make two names one customer: the deals of NAME get the customer INTO.

    Each deal's history says so. The next run renames their projects where titles name the customer,
    within the limits. With --undo, the deals that a join changed get NAME back, except those that
    were renamed since.
    """
    change = use.undo_join if undo else use.join_customers
    done = change(context, name, into, by=context.by)
    if as_json:
        print_json(joined_json(done, undo=undo))
        return
    to = done.name if undo else done.into
    click.echo(
        safe(
            _(
                "{deals} of {to} now: {deals2}",
                deals=counted(len(done.deals), "deal"),
                to=to,
                deals2=", ".join(done.deals),
            )
        )
    )
    if done.kept:
        kept = ", ".join(done.kept)
        click.echo(safe(_("renamed since, and left as they are: {kept}", kept=kept)))


@customers.command("apart")
@click.argument("name")
@click.argument("other")
@json_option
@pass_context
def apart(context: CommandContext, name: str, other: str, as_json: bool) -> None:
    """Say that two names are two customers: they are not suggested for joining any more."""
    is_new = use.keep_apart(context, name, other, by=context.by)
    if as_json:
        print_json({"names": [name, other], "new": is_new})
        return
    was = "" if is_new else _(", as was said before")
    click.echo(
        safe(_("{name} and {other} are two customers{was}", name=name, other=other, was=was))
    )
