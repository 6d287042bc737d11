"""``deals``: look at the deals of the built-in store, and change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from taiga_pipeline.app.deals import editing as use
from taiga_pipeline.app.deals.days_ahead import AHEAD, with_days
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.lazy import Entry, PartlyLazyGroup
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.deal_fields import (
    complete_fields,
    fields_given,
)
from taiga_pipeline.cli.pipeline.deal_text import (
    deal_json,
    move_json,
)
from taiga_pipeline.cli.pipeline.deals_list import list_command
from taiga_pipeline.cli.pipeline.deals_notes import add_note, list_notes
from taiga_pipeline.hints import command
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.columns import parse_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.model import Deal

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _field_options(*left_out: str) -> Callable[[_Function], _Function]:
    """Adds an option per field of a deal, ``--contact``, and ``--set`` for any by its name."""

    def decorate(function: _Function) -> _Function:
        contact = click.option(
            "--contact",
            "contacts",
            multiple=True,
            metavar="TEXT",
            help='"Name | e-mail | telephone | part"; may be repeated; replaces those there.',
        )
        given = click.option(
            "--set",
            "given",
            multiple=True,
            metavar="FIELD=TEXT",
            help="Any field by its name, also one of your own; may be repeated.",
            shell_complete=complete_fields,
        )
        function = contact(given(function))
        for field in reversed(tuple(BUILT_IN)):
            if field.is_edited and field.name not in ("contacts", *left_out):
                flag = "--" + field.name.replace("_", "-")
                option = click.option(flag, field.name, metavar="TEXT", help=field.about)
                function = option(function)
        return function

    return decorate


def _values(context: CommandContext, texts: dict[str, Any]) -> dict[str, Any]:
    """Reads the options that were given.

    :raises InvalidFields: all that cannot be read.
    """
    contacts, given = texts.pop("contacts", ()), texts.pop("given", ())
    if given:
        for name, text in fields_given(context, given).items():
            if texts.get(name) is not None:
                raise click.UsageError(
                    _("--set {name}: {name} has an option too; leave one out", name=name)
                )
            texts[name] = text
    if any(texts.get(name) for name in AHEAD):
        texts = with_days(texts, context.today)
    return read_fields(texts, contacts, context.fields if given else BUILT_IN)


class _Deals(PartlyLazyGroup):
    """What reads files, plans people or looks at the past is heavy, and needed by few calls."""

    later = {  # noqa: RUF012 - as click has it
        "show": Entry(".pipeline.deals_show:show_deal", "", ""),
        "similar": Entry(".pipeline.deals_lessons:similar", "", ""),
        "retrospective": Entry(".pipeline.deals_lessons:retrospective", "", ""),
        "staff": Entry(".pipeline.deals_staff:staff", "", ""),
        "import": Entry(".pipeline.deals_files:import_deals", "", ""),
        "export": Entry(".pipeline.deals_files:export_deals", "", ""),
    }


@click.group(cls=_Deals)
def deals() -> None:
    """The deals of the pipeline."""


@deals.command("add")
@click.argument("words", metavar="[KEY] NAME", nargs=-1)
@click.option("--stage", default="", help="Its stage (default: the first of its mapping).")
@click.option(
    "--like",
    default="",
    metavar="KEY",
    help="Begin from this deal: its roles, service, team and value, where not given.",
)
@_field_options("name")
@json_option
@pass_context
def add_deal(
    context: CommandContext,
    /,
    words: tuple[str, ...],
    stage: str,
    like: str,
    as_json: bool,
    **texts: Any,
) -> None:
    """Add a deal. KEY is its permanent name, also in the target; without it, one is made.

    The actions of earlier stages count as done, and are listed. The rule for keys is [deals] key in
    the configuration ("D-{number}").
    """
    if len(words) not in (1, 2):
        raise click.UsageError(_("write deals add KEY NAME, or deals add NAME to have a key made"))
    *given, name = words
    key = given[0] if given else ""
    if given and not key.strip():
        raise InvalidValue(_("key: a deal needs a key; leave it out to have one made"))
    added = use.add_deal(
        context, key, name, by=context.by, stage=stage, values=_values(context, texts), like=like
    )
    passed = ", ".join(added.counted_as_done)
    counts = _("; these actions count as done: {passed}", passed=passed) if passed else ""
    taken = (
        _("; taken from {like}: {taken}", like=like, taken=", ".join(added.taken) or _("nothing"))
        if like
        else ""
    )
    text = _(
        "added {key} in {stage}{taken}{counts}",
        key=added.deal.key,
        stage=added.deal.stage,
        taken=taken,
        counts=counts,
    )
    _report(added.deal, text, as_json, context)
    if texts.get("owner"):
        _compare_owners(context, added.deal.owner)


@deals.command("rename")
@click.argument("key")
@click.argument("new")
@json_option
@pass_context
def rename_deal(context: CommandContext, key: str, new: str, as_json: bool) -> None:
    """Give a deal another key. Its history, notes, people and project stay its own.

    The next run writes the new key into the project. No other deal gets the former key.
    """
    deal = use.rename_deal(context, key, new, by=context.by)
    _report(
        deal,
        _("{key} is {key2} now; the next run tells its project", key=key, key2=deal.key),
        as_json,
        context,
    )


@deals.command("remove")
@click.argument("key")
@json_option
@pass_context
def remove_deal(context: CommandContext, key: str, as_json: bool) -> None:
    """Remove a deal that was a mistake; a deal that is lost is moved to its stage instead.

    What it held is kept in the history. The next run retires its project, within the limits.
    """
    deal = use.remove_deal(context, key, by=context.by)
    _report(
        deal,
        _("removed {key}; what it held is kept in the history", key=deal.key),
        as_json,
        context,
    )


@deals.command("edit")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@_field_options()
@json_option
@pass_context
def edit_deal(
    context: CommandContext, /, keys: tuple[str, ...], as_json: bool, **texts: Any
) -> None:
    """Change fields of a deal, or of several. Empty text ("") clears a field.

    Of several, all are changed or none: where one is not there, nothing is done.
    """
    every = use.edit_deals(context, keys, _values(context, texts), by=context.by)
    if as_json:
        found = [deal_json(each.deal, context.fields) for each in every]
        print_json(found if len(keys) > 1 else found[0])
    else:
        for each in every:
            changed = ", ".join(name.replace("_", " ") for name in each.changed) or _("nothing")
            click.echo(safe(_("{key}: {changed} changed", key=each.deal.key, changed=changed)))
    for owner in {each.deal.owner for each in every if "owner" in each.changed}:
        _compare_owners(context, owner)


def _compare_owners(context: CommandContext, owner: str) -> None:
    """Says so where other deals seem to name the same person in another way."""
    if others := use.spelled_otherwise(context, owner):
        note = _(
            "note: other deals are of {others}; write the same person in the same way",
            others=", ".join(map(repr, others)),
        )
        click.echo(safe(note), err=True)


@deals.command("move")
@click.argument("key")
@click.argument("stage")
@click.option("--force", is_flag=True, help="Move even if actions are open; this is recorded.")
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

    A deal may always be lost, put on hold, or moved back.
    """
    day = parse_cell("closed_on", closed_on) if closed_on else None
    move = use.move_deal(
        context, key, stage, by=context.by, force=force, closed_on=day, lost_reason=reason
    )
    if as_json:
        print_json(move_json(move))
        return
    click.echo(safe(f"{move.deal_key}: {move.from_stage or _('no stage')} → {move.to_stage}"))
    if move.forced:
        click.echo(safe(_("skipped: {forced}", forced="; ".join(move.forced))))
    if use.lacks_reason(context, move.deal_key):
        way = command("deals edit", move.deal_key, options="--lost-reason TEXT")
        click.echo(
            safe(_("note: it is not known why it was lost; say so: {way}", way=way)), err=True
        )


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
    change = use.take_back if undo else use.check_off
    gate = change(context, key, actions, by=context.by)
    deal = gate.deal
    if as_json:
        print_json(
            {"deal": deal.key, "stage": deal.stage, "done": sorted(deal.done), "open": gate.open}
        )
        return
    click.echo(safe(_("{key} in {stage}", key=deal.key, stage=deal.stage)))
    for action in gate.requires:
        click.echo(safe(f"  [{' ' if action in gate.open else 'x'}] {action}"))
    if not gate.requires:
        click.echo(_("  no action is needed before it may leave this stage"))


def _report(deal: Deal, text: str, as_json: bool, context: CommandContext) -> None:
    if as_json:
        print_json(deal_json(deal, context.fields))
    else:
        click.echo(safe(text))


deals.add_command(list_command)
deals.add_command(add_note)
deals.add_command(list_notes)
