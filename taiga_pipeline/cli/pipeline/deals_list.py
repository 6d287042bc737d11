"""``deals list``: which deals, in which order, with what they wait for; or the funnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.app.deals.listing import (
    Column,
    Listed,
    Listing,
    Selection,
    SortBy,
    Span,
    Sums,
    list_deals,
)
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_table
from taiga_pipeline.cli.pipeline.deal_fields import (
    columns_named,
    complete_columns,
    complete_fields,
    fields_named,
)
from taiga_pipeline.cli.pipeline.deal_text import CLOSE, COLUMNS, deal_json, print_deals
from taiga_pipeline.language import counted, figure, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.columns import parse_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.follow_ups import FollowUp
from taiga_pipeline.report.amounts import amounts_shown
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.follow_ups import Score, Waiting

_WAITS: Mapping[str, FollowUp] = {each.value.replace(" ", "-"): each for each in FollowUp}


class _Waits(click.Choice[str]):
    """What deals wait for, with hyphens or as the list shows it: ``no next step``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(str(value).strip().casefold().replace(" ", "-"), param, ctx)


_PER_CENT = click.FloatRange(0, 100)


@click.command("list")
@click.option("--stage", "stages", multiple=True, help="Only this stage; may be repeated.")
@click.option("--team", default="", help="Only this team.")
@click.option("--owner", default="", help="Only this owner; a part of the name is enough.")
@click.option(
    "--text", default="", help="Only with this text in key, name, customer, service or notes."
)
@click.option(
    "--where",
    multiple=True,
    metavar="FIELD=TEXT",
    help="Only where a field, also one of your own, holds this; may be repeated.",
    shell_complete=complete_fields,
)
@click.option(
    "--follow-up",
    "follow_ups",
    multiple=True,
    type=_Waits(list(_WAITS)),
    help="Only what waits for this; may be repeated: any of them.",
)
@click.option("--min-value", default="", help="Only of at least this value.")
@click.option("--max-value", default="", help="Only of at most this value.")
@click.option("--close-from", default="", metavar="DATE", help="Only closing on this day or later.")
@click.option("--close-to", default="", metavar="DATE", help="Only closing on this day or earlier.")
@click.option("--min-score", type=_PER_CENT, help="Only of at least this learnt chance, in %.")
@click.option("--max-score", type=_PER_CENT, help="Only of at most this learnt chance, in %.")
@click.option(
    "--sort",
    type=click.Choice([each.value for each in SortBy]),
    default=SortBy.KEY.value,
    help="Order (default: key). What is not known comes last.",
)
@click.option("--reverse", is_flag=True, help="The greatest first.")
@click.option("--by", type=click.Choice(["stage"]), help="Show the funnel: a column per stage.")
@click.option("--no-score", is_flag=True, help="Leave out learnt chances; faster.")
@click.option(
    "--columns",
    multiple=True,
    metavar="FIELDS",
    help="Show these fields, also ones of your own: key,name,region.",
    shell_complete=complete_columns,
)
@click.option("--limit", type=click.IntRange(min=1), help="Show at most this many.")
@json_option
@pass_context
def list_command(
    context: CommandContext,
    /,
    columns: tuple[str, ...],
    by: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """List deals, with what they wait for and what they sum up to.

    Beside the chance that a deal states stands the one that history gives it, from the proposal
    stage on.
    """
    shown = columns_named(context, columns)
    listing = list_deals(context, _selection(context, options))
    if by:
        _print_funnel(listing, as_json)
    elif as_json:
        every = (listed_json(each, context.fields) for each in listing.deals)
        print_json([{name: each[name] for name in shown or each} for each in every])
    else:
        _print_list(listing, context.fields, shown)


def _selection(context: CommandContext, given: Mapping[str, Any]) -> Selection:
    scores = [None if each is None else each / 100 for each in _both(given, "score")]
    where = given["where"]
    return Selection(
        stages=given["stages"],
        team=given["team"],
        owner=given["owner"],
        text=given["text"],
        where=fields_named(context, "--where", where) if where else {},
        follow_ups=[_WAITS[name] for name in given["follow_ups"]],
        value=Span(*(_read("value", text) for text in _both(given, "value"))),
        close=Span(*(_read("close", given[f"close_{end}"]) for end in ("from", "to"))),
        score=Span(*scores),
        sort=SortBy(given["sort"]),
        reverse=given["reverse"],
        limit=given["limit"],
        scored=not given["no_score"] or given["sort"] == SortBy.SCORE or any(scores),
    )


def _both(given: Mapping[str, Any], name: str) -> list[Any]:
    return [given[f"min_{name}"], given[f"max_{name}"]]


def _read(what: str, text: str) -> Any:
    try:
        return parse_cell("expected_close" if what == "close" else what, text) if text else None
    except InvalidValue as error:
        raise InvalidValue(*(f"{what}: {each.message}" for each in error.problems)) from None


def _print_list(listing: Listing, table: FieldTable, shown: Sequence[str]) -> None:
    extra = {} if shown else {each.deal.key: _extra(each) for each in listing.deals}
    headings = () if shown else (_("Learnt"), _("Waits for"))
    if not print_deals(listing.deals, table, shown or COLUMNS, headings, extra):
        click.echo(_("no deals"), err=True)
        return
    for line in _sums_text(listing.sums):
        click.echo(line, err=True)
    _say_unread(listing)


def _say_unread(listing: Listing) -> None:
    for problem in listing.unread:
        said = _("what deals wait for is not known: {problem}", problem=translated(problem))
        click.echo(safe(said), err=True)


def _extra(each: Listed) -> tuple[str, ...]:
    learnt = figure(each.score.chance, ".0%") if each.score else ""
    return learnt, ", ".join(_(item.value) for item in each.waiting.follow_ups)


def _sums_text(sums: Sums) -> list[str]:
    money = (
        [
            _(
                "{money} ({money2} weighted)",
                money=amounts_shown(sums.value),
                money2=amounts_shown(sums.weighted),
            )
        ]
        if sums.value
        else []
    )
    without = [_("{unvalued:,} without a value", unvalued=sums.unvalued)] if sums.unvalued else []
    return ["; ".join([counted(sums.deals, "deal"), *money, *without])]


def _print_funnel(listing: Listing, as_json: bool) -> None:
    if as_json:
        columns = [_column_json(each) for each in listing.columns]
        print_json({"stages": columns, "total": _sums_json(listing.sums)})
        return
    stages = [(safe(each.stage), each.sums) for each in listing.columns]
    stages.append((_("Total"), listing.sums))
    rows = [
        [_("Deals"), *(figure(sums.deals, ",") for _unused, sums in stages)],
        [_("Value"), *(amounts_shown(sums.value) for _unused, sums in stages)],
        [_("Weighted"), *(amounts_shown(sums.weighted) for _unused, sums in stages)],
    ]
    headings = ["", *(name for name, _unused in stages)]
    print_table(headings, rows, right=range(1, len(headings)))


def _column_json(column: Column) -> dict[str, Any]:
    return {
        "stage": column.stage,
        "category": column.category or None,
        **_sums_json(column.sums),
        "keys": [each.deal.key for each in column.deals],
    }


def _sums_json(sums: Sums) -> dict[str, Any]:
    return {
        "deals": sums.deals,
        "value": {currency: format(each, "f") for currency, each in sums.value.items()},
        "weighted": {currency: format(each, "f") for currency, each in sums.weighted.items()},
        "without_value": sums.unvalued,
    }


def listed_json(each: Listed, table: FieldTable) -> dict[str, Any]:
    """Returns a listed deal as plain data."""
    chance = None if each.chance is None else format(each.chance, "f")
    return {
        **deal_json(each.deal, table),
        "chance": chance,
        CLOSE: each.close and each.close.isoformat(),
        **waiting_json(each.waiting, each.score),
    }


def waiting_json(waiting: Waiting, score: Score | None) -> dict[str, Any]:
    """Returns what a deal waits for, and its learnt chance, as plain data."""
    learnt: dict[str, Any] | None = None
    if score:
        reasons = [str(each) for each in score.reasons]
        learnt = {"chance": round(score.chance, 4), "reasons": reasons}
    return {
        "waits_for": [each.value for each in waiting.follow_ups],
        "days_in_stage": waiting.days_in_stage,
        "usual_days": waiting.usual.days if waiting.usual else None,
        "learnt": learnt,
    }
