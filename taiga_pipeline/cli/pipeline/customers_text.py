"""Customers as JSON and as terminal text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.cli.output import print_pairs, print_table
from taiga_pipeline.cli.pipeline.deal_text import money
from taiga_pipeline.cli.pipeline.lessons_text import (
    answer_text,
    experience_json,
    number,
    people_text,
    share_text,
    slip_text,
)
from taiga_pipeline.hints import command
from taiga_pipeline.language import counted, marked
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.customers.names import Likeness
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.planning.lessons.experience import Outcome
from taiga_pipeline.report.amounts import amounts_shown
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.customers.customers import CustomerDetails, Suggestion
    from taiga_pipeline.pipeline.customers.store import Joined
    from taiga_pipeline.planning.lessons.customer import (
        CustomerTotals,
        DeliveryRecord,
        KnownContact,
    )
    from taiga_pipeline.planning.lessons.experience import Experience

_SUGGESTED: Final = 10
"""Suggestions that are shown; ``--json`` has all."""
_DEALS: Final = 50
"""Deals that are shown of a customer, the newest; ``--json`` has all."""
_VALUES: Final = 5
_WHY: Final = {
    Likeness.SAME_BUT_FOR_FORM: marked("the same but for their form"),
    Likeness.ONE_LETTER_APART: marked("one letter apart"),
}


def totals_json(found: CustomerTotals) -> dict[str, Any]:
    """Returns what a customer's deals come to as plain data."""
    return {
        "name": found.name,
        "deals": found.deals,
        "open": found.open,
        "won": found.won,
        "lost": found.lost,
        "win_rate": found.win_rate,
        "value_won": _plain(found.value_won),
        "value_open": _plain(found.value_open),
        "unvalued": found.unvalued,
        "last": found.last.isoformat() if found.last else None,
    }


def _plain(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: format(value, "f") for currency, value in amounts.items()}


def suggestion_json(found: Suggestion) -> dict[str, Any]:
    """Returns names that may be one customer as plain data."""
    joined = [{"name": name, "into": into} for name, into in found.joined]
    names, why = list(found.look_alike.names), found.look_alike.likeness.value
    return {"names": names, "most": found.most, "likeness": why, "joined_before": joined}


def details_json(found: CustomerDetails, table: FieldTable) -> dict[str, Any]:
    """Returns all about a customer as plain data."""
    delivery = asdict(found.delivery)
    delivery["people"] = [{"name": name, "deals": times} for name, times in found.delivery.people]
    contacts = [asdict(each) for each in found.contacts]
    return {
        **totals_json(found.totals),
        "contacts": [{**each, "parts": [p.value for p in each["parts"]]} for each in contacts],
        "deal_list": [experience_json(each, table) for each in found.deals],
        "delivery": delivery,
        "own": {name: dict(values) for name, values in found.own.items()},
        "look_alikes": [suggestion_json(each) for each in found.suggestions],
        "notices": list(found.notices),
    }


def joined_json(done: Joined, *, undo: bool) -> dict[str, Any]:
    """Returns a join as plain data."""
    kept = {"kept": list(done.kept)} if undo else {}
    return {"name": done.name, "into": done.into, "undone": undo, "deals": list(done.deals), **kept}


def print_customers(found: Sequence[CustomerTotals]) -> None:
    """Prints a table of customers."""
    rows = [
        (
            each.name,
            str(each.deals),
            str(each.open),
            str(each.won),
            str(each.lost),
            "" if each.win_rate is None else f"{100 * each.win_rate:.0f} %",
            amounts_shown(each.value_won),
            amounts_shown(each.value_open),
            str(each.last or ""),
        )
        for each in found
    ]
    headings = (
        _("Customer"),
        _("Deals"),
        _("Open"),
        _("Won"),
        _("Lost"),
        _("Win rate"),
        _("Value won"),
        _("Open value"),
    )
    if rows:
        print_table((*headings, _("Last close")), rows, right=range(1, 8))


def print_suggestions(found: Sequence[Suggestion]) -> None:
    """Prints names that may be one customer, with the commands that settle it."""
    if not found:
        return
    click.echo(_("\nMay be one customer"))
    for each in found[:_SUGGESTED]:
        names = each.look_alike.names
        click.echo(safe(f"  {'; '.join(names)} ({_WHY[each.look_alike.likeness]})"))
        for name, into in each.joined:
            click.echo(safe(_("    {name} was joined into {into} before", name=name, into=into)))
        for name in (name for name in names if name != each.most):
            click.echo(_("    one: {command}", command=command("customers join", name, each.most)))
            click.echo(_("    two: {command}", command=command("customers apart", name, each.most)))
    if (more := len(found) - _SUGGESTED) > 0:
        click.echo(
            _(
                "  and {more} more: {command}",
                more=more,
                command=command("customers list", options="--json"),
            )
        )


def print_details(found: CustomerDetails, table: FieldTable) -> None:
    """Prints all about a customer."""
    print_pairs(_pairs(found, table))
    if found.contacts:
        click.echo(_("\nContacts"))
        for contact in found.contacts:
            click.echo(safe(f"  {_contact(contact)}"))
    click.echo(_("\nDeals"))
    _print_deals(found.deals)
    won = [each for each in found.deals if each.outcome is Outcome.WON]
    if won:
        click.echo(_("\nWhat delivery learnt"))
        _print_delivery(found.delivery)
        _print_projects(won[-_DEALS:])
    answers = [(each.deal.key, answer) for each in won for answer in each.answers]
    if answers:
        click.echo(_("\nRetrospectives"))
        for key, answer in answers[-_DEALS:]:
            click.echo(safe(f"  {key}  {answer_text(answer)}"))
    print_suggestions(found.suggestions)


def _pairs(found: CustomerDetails, table: FieldTable) -> dict[str, str]:
    totals = found.totals
    rate = _("nothing decided") if totals.win_rate is None else f"{100 * totals.win_rate:.0f} % won"
    valued = (
        _(" ({deals} without a value)", deals=counted(totals.unvalued, "deal"))
        if totals.unvalued
        else ""
    )
    pairs = {
        _("Customer"): totals.name,
        _("Deals"): _(
            "{open} open, {won} won, {lost} lost ({rate})",
            open=totals.open,
            won=totals.won,
            lost=totals.lost,
            rate=rate,
        ),
        _("Value won"): amounts_shown(totals.value_won) or _("none"),
        _("Open value"): (amounts_shown(totals.value_open) or _("none")) + valued,
    }
    for name, values in found.own.items():
        most = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[:_VALUES]
        pairs[safe(table[name].label)] = ", ".join(f"{text} ({count})" for text, count in most)
    return pairs


def _contact(contact: KnownContact) -> str:
    parts = _(" and ").join(_(part.value) for part in contact.parts)
    about = (contact.name, contact.email, contact.phone, parts)
    return f"{', '.join(filter(None, about))} ({', '.join(contact.deals[-_VALUES:])})"


def _print_deals(deals: Sequence[Experience]) -> None:
    if (older := len(deals) - _DEALS) > 0:
        click.echo(_("  {deals} not shown; --json has all", deals=counted(older, "older deal")))
    rows = []
    for each in deals[-_DEALS:]:
        deal = each.deal
        close = str(deal.closed_on or deal.expected_close or "")
        what = (deal.name, deal.service, deal.stage, _(each.outcome.value), money(deal), close)
        rows.append((deal.key, *what, deal.lost_reason))
    headings = (
        _("Key"),
        _("Name"),
        _("Service"),
        _("Stage"),
        _("Outcome"),
        _("Value"),
        _("Close"),
        _("Lost because"),
    )
    print_table(headings, rows, right=(5,))


def _print_delivery(found: DeliveryRecord) -> None:
    of = counted(found.deals, "won deal")
    slip = (
        ""
        if found.slip_days is None
        else _(", median {slip_days:+.0f} days", slip_days=found.slip_days)
    )
    start = (
        _(
            "{on_time} of {started} on time{slip}",
            on_time=found.on_time,
            started=found.started,
            slip=slip,
        )
        if found.started
        else _("unknown")
    )
    hours = "unknown"
    if found.sold_hours is not None:
        spent = _(
            "{number} sold, {number2} spent",
            number=number(found.sold_hours),
            number2=number(found.spent_hours),
        )
        hours = _("{spent} (known of {hours_known})", spent=spent, hours_known=found.hours_known)
    people = people_text(f"{name} ({times})" for name, times in found.people)
    print_pairs({_("Of"): of, _("Start"): start, _("Hours"): hours, _("Worked here"): people})


def _print_projects(won: Sequence[Experience]) -> None:
    rows = [
        (
            each.deal.key,
            slip_text(each),
            number(each.sold_hours),
            number(each.staffed_hours),
            number(each.spent_hours),
            share_text(each.progress),
            people_text(each.people),
            each.url,
        )
        for each in won
    ]
    headings = (
        _("Deal"),
        _("Start"),
        _("Sold"),
        _("Staffed"),
        _("Spent"),
        _("Progress"),
        _("People"),
        _("Project"),
    )
    print_table(headings, rows, right=(2, 3, 4, 5))
