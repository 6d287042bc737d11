"""``deals``: look at the deals of the built-in store, and change them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from taiga_pipeline.app.filters import refuse_unknown, stages_meant
from taiga_pipeline.app.funnel import (
    action_in,
    asked_by,
    chance_of,
    required_by,
    rules_of,
    stage_in,
)
from taiga_pipeline.app.store_access import deal_store, people_store, who
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.deal_text import (
    Chance,
    change_json,
    deal_json,
    move_json,
    print_allocations,
    print_deal,
    print_deals,
    print_facts,
    print_history,
    print_taken,
)
from taiga_pipeline.cli.pipeline.deals_files import export_deals, import_deals
from taiga_pipeline.cli.pipeline.deals_staff import staff
from taiga_pipeline.pipeline.columns import parse_cell
from taiga_pipeline.pipeline.delivery import left_of
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.gates import open_actions
from taiga_pipeline.pipeline.notation import parse_contacts
from taiga_pipeline.pipeline.values.amounts import read_amount
from taiga_pipeline.pipeline.values.units import common
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from sync.records.model import RecordKey
    from taiga_pipeline.pipeline.model import Deal

_EDITED: Final = {
    "name": "What is to be sold.",
    "customer": "Who buys.",
    "value": "Amount (1200, 1 200,50).",
    "currency": "Three letters (EUR).",
    "probability": "0.5 or 50%; the stage's own if not given.",
    "engaged_on": "Day on which work on the customer began.",
    "expected_close": "Day on which a decision is expected.",
    "closed_on": "Day on which it was won or lost.",
    "start": "First day of the project.",
    "owner": "Who sells.",
    "team": "Which part of the company.",
    "service": "What kind of work.",
    "lead_source": "Where the lead came from.",
    "lost_reason": "Why it was lost.",
    "roles": 'Who is needed ("Back:30h x10w; Design:16h x4w@+2w").',
    "notes": "Anything worth knowing.",
}
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _field_options(*left_out: str) -> Callable[[_Function], _Function]:
    """Adds an option per field of a deal, and ``--contact``."""

    def decorate(function: _Function) -> _Function:
        contact = click.option(
            "--contact",
            "contacts",
            multiple=True,
            metavar="TEXT",
            help='"Name | e-mail | telephone | part"; may be repeated; replaces those there.',
        )
        function = contact(function)
        for name, text in reversed(_EDITED.items()):
            if name not in left_out:
                flag = "--" + name.replace("_", "-")
                function = click.option(flag, name, metavar="TEXT", help=text)(function)
        return function

    return decorate


def _values(texts: dict[str, Any]) -> dict[str, Any]:
    """Reads the options that were given.

    :raises InvalidValue: all that cannot be read.
    """
    contacts = texts.pop("contacts", ())
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, text in texts.items():
        if text is None:
            continue
        try:
            values[name] = parse_cell(name, text)
        except InvalidValue as error:
            flag = "--" + name.replace("_", "-")
            problems.extend(f"{flag}: {problem.message}" for problem in error.problems)
    problems.extend(_take_currency(texts, values))
    if contacts:
        try:
            values["contacts"] = tuple(each for text in contacts for each in parse_contacts(text))
        except InvalidValue as error:
            problems.extend(f"--contact: {problem.message}" for problem in error.problems)
    if problems:
        raise InvalidValue(*problems)
    return values


def _take_currency(texts: dict[str, Any], values: dict[str, Any]) -> Iterator[str]:
    """Takes the currency of ``--value "1200 EUR"``, unless it is given by itself.

    Yields what is wrong where both are given, and exclude each other.
    """
    amount = read_amount(texts["value"]) if values.get("value") is not None else None
    if amount is None:
        return
    given = values.get("currency")
    if given is None and amount.currency:
        values["currency"] = amount.currency
    elif given:
        try:
            common(amount.currencies, (given,))
        except InvalidValue as error:
            yield f"--value and --currency: {error}"


@click.group()
def deals() -> None:
    """The deals of the pipeline."""


@deals.command("list")
@click.option("--stage", "stages", multiple=True, help="Only this stage; may be repeated.")
@click.option("--team", default="", help="Only this team.")
@click.option("--owner", default="", help="Only this owner.")
@click.option("--text", default="", help="Only with this in key, name, customer, service or notes.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many.")
@json_option
@pass_context
def list_deals(
    context: CommandContext,
    stages: tuple[str, ...],
    team: str,
    owner: str,
    text: str,
    limit: int | None,
    as_json: bool,
) -> None:
    """List deals, in the order of their keys."""
    with deal_store(context) as store:
        meant = stages_meant(context, stages)
        found: Iterator[Deal] = store.deals(stages=meant, team=team, owner=owner, text=text)
        with contextlib.closing(found):  # type: ignore[type-var]
            first = list(islice(found, 1))
            if not first:
                refuse_unknown(context, store, stages, team, owner)
            shown = islice(chain(first, found), limit)
            chance = chance_of(context)
            if as_json:
                print_json([_with_chance(deal, chance) for deal in shown])
            elif not print_deals(shown, chance):
                click.echo("no deals", err=True)


@deals.command("show")
@click.argument("key")
@json_option
@pass_context
def show_deal(context: CommandContext, key: str, as_json: bool) -> None:
    """Show a deal with its history, who is on it, and what became of it."""
    with deal_store(context) as store, people_store(context) as people:
        deal = store.get(key)
        moves, changes = list(store.history(deal.key)), list(store.changes(deal.key))
        allocations = people.allocations(deal_key=deal.key)
    facts, taken = _delivery_facts(context, deal.key)
    if as_json:
        print_json(
            {
                **_with_chance(deal, chance_of(context)),
                "history": [move_json(move) for move in moves],
                "changes": [change_json(change) for change in changes],
                "allocations": [_allocation_json(each) for each in allocations],
                "project": facts,
                "taken_away": [each.to_json() for each in taken],
            }
        )
        return
    print_deal(deal, chance_of(context), changes)
    if allocations:
        click.echo("\nStaffed")
        print_allocations(allocations, left_of(taken))
    print_facts(facts)
    print_taken(taken)
    print_history(moves, changes)


def _with_chance(deal: Deal, chance: Chance) -> dict[str, Any]:
    """Returns a deal with the chance that counts, beside the one that it states."""
    known = chance(deal)
    return {**deal_json(deal), "chance": None if known is None else format(known, "f")}


def _allocation_json(allocation: Any) -> dict[str, Any]:
    from taiga_pipeline.cli.pipeline.deals_staff import allocation_json

    return allocation_json(allocation)


def _delivery_facts(context: CommandContext, key: str) -> tuple[dict[str, Any], list[RecordKey]]:
    """Returns what was last read of the deal's project, and what people took away from it.

    Nothing is there of a deal that was never synced.
    """
    from taiga_pipeline.app.state_access import state_to_read

    with state_to_read(context) as state:
        (facts, seen_at), taken = state.facts(key), state.taken_away(key)
    seen = {"seen_at": seen_at.isoformat() if seen_at else None}
    return {**facts, **seen} if facts else {}, taken


@deals.command("add")
@click.argument("key")
@click.argument("name")
@click.option("--stage", default="", help="Its stage (default: the first of its mapping).")
@_field_options("name")
@json_option
@pass_context
def add_deal(
    context: CommandContext, /, key: str, name: str, stage: str, as_json: bool, **texts: Any
) -> None:
    """Add a deal. KEY names it for good, also in Taiga.

    What the stages before its own ask for counts as done, and is listed.
    """
    from taiga_pipeline.pipeline.model import Deal

    deal = Deal(key=key, name=name, **_values(texts))
    rules = rules_of(context, deal)
    at = stage_in(rules, stage) if stage else rules.stages[0]
    passed = asked_by(rules, "", at)
    with deal_store(context, create=True) as store:
        added = store.add(_placed(deal, at.name, passed), by=who(context))
    counts = f"; these actions count as done: {', '.join(passed)}" if passed else ""
    _tell(added, f"added {added.key} in {added.stage}{counts}", as_json)


def _placed(deal: Deal, stage: str, passed: tuple[str, ...]) -> Deal:
    """Returns the deal at a stage, with what had to be done to get there."""
    from dataclasses import replace

    return replace(deal, stage=stage, done=deal.done | frozenset(passed))


@deals.command("edit")
@click.argument("key")
@_field_options()
@json_option
@pass_context
def edit_deal(context: CommandContext, /, key: str, as_json: bool, **texts: Any) -> None:
    """Change fields of a deal. Empty text ("") means that a value is not known any more."""
    values = _values(texts)
    if not values:
        raise InvalidValue("nothing to change: name a field, such as --value 1200")
    with deal_store(context) as store:
        before = store.get(key)
        after = store.edit(key, values, by=who(context))
    changed = [name.replace("_", " ") for name in values if _differs(name, before, after)]
    _tell(after, f"{after.key}: {', '.join(changed) or 'nothing'} changed", as_json)


def _differs(name: str, before: Deal, after: Deal) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


@deals.command("move")
@click.argument("key")
@click.argument("stage")
@click.option("--force", is_flag=True, help="Move although actions are open; this is recorded.")
@click.option("--closed-on", metavar="DATE", help="When it was won or lost (default: today).")
@click.option("--reason", default="", help="Why it was lost.")
@json_option
@pass_context
def move_deal(
    context: CommandContext,
    key: str,
    stage: str,
    force: bool,
    closed_on: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Move a deal to another stage, once the actions of every stage that it passes are done.

    A deal may always be lost, set aside, or moved back.
    """
    from taiga_pipeline.pipeline.store import Destination

    day = parse_cell("closed_on", closed_on) if closed_on else None
    with deal_store(context) as store:
        deal = store.get(key)
        rules = rules_of(context, deal)
        to = stage_in(rules, stage)
        destination = Destination(
            to.name, to.category, asked_by(rules, deal.stage, to), day, lost_reason=reason
        )
        move = store.move(key, destination, force=force, by=who(context))
    if as_json:
        print_json(move_json(move))
        return
    click.echo(safe(f"{move.deal_key}: {move.from_stage or 'no stage'} → {move.to_stage}"))
    if move.forced:
        click.echo(safe(f"skipped: {'; '.join(move.forced)}"))


@deals.command("done")
@click.argument("key")
@click.argument("actions", metavar="[ACTION]...", nargs=-1)
@click.option("--undo", is_flag=True, help="Take it back.")
@json_option
@pass_context
def done(
    context: CommandContext, key: str, actions: tuple[str, ...], undo: bool, as_json: bool
) -> None:
    """Check off gate actions of a deal; without ACTION, list them."""
    with deal_store(context) as store:
        deal = store.get(key)
        rules = rules_of(context, deal)
        if undo:
            for action in actions:
                deal = store.undone(key, action, by=who(context))
        else:
            for action in [action_in(rules, name) for name in actions]:
                deal = store.done(key, action, by=who(context))
    requires = required_by(rules, deal.stage)
    missing = open_actions(requires, deal.done)
    if as_json:
        print_json(
            {"deal": deal.key, "stage": deal.stage, "done": sorted(deal.done), "open": missing}
        )
        return
    click.echo(safe(f"{deal.key} in {deal.stage}"))
    for action in requires:
        click.echo(safe(f"  [{' ' if action in missing else 'x'}] {action}"))
    if not requires:
        click.echo("  nothing has to be done before it may leave this stage")


def _tell(deal: Deal, text: str, as_json: bool) -> None:
    if as_json:
        print_json(deal_json(deal))
    else:
        click.echo(safe(text))


deals.add_command(staff)
deals.add_command(import_deals)
deals.add_command(export_deals)
