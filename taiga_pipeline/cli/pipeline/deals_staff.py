"""``deals staff``: put a person on a deal, or take them off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.app.deals import staffing
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.deal_text import allocation_json, print_allocations
from taiga_pipeline.hints import command
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.dates import read_day
from taiga_pipeline.pipeline.values.numbers import read_hours
from taiga_pipeline.planning.weeks import week_name
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.staffing import PutOn, Staffing


@click.command("staff")
@click.argument("key")
@click.argument("person", required=False)
@click.option("--role", default="", help="In which role.")
@click.option("--hours", metavar="HOURS", help="Hours per week.")
@click.option("--from", "start", metavar="DATE", help="First day (default: the deal's start).")
@click.option("--to", "end", metavar="DATE", help="Last day (default: the deal's end).")
@click.option(
    "--tentative/--confirmed",
    default=None,
    help="A reservation until the deal is won (default on deals that are not), or sure.",
)
@click.option("--remove", is_flag=True, help="Take the person off (in this role, or all).")
@json_option
@pass_context
def staff(
    context: CommandContext,
    key: str,
    person: str | None,
    role: str,
    hours: str | None,
    start: str | None,
    end: str | None,
    tentative: bool | None,
    remove: bool,
    as_json: bool,
) -> None:
    """Put PERSON (an e-mail address) on a deal; without PERSON, list who is on it.

    People who left the deal's project in the tool are marked: their hours count as a gap in every
    plan. Weeks in which PERSON has too many hours because of it are reported, and so are hours
    beyond those that the deal asks for.
    """
    if person is None:
        _list(context, key, as_json)
        return
    if remove:
        gone = staffing.take_off(context, key, person, role, by=context.by)
        _report(gone, _("took off"), as_json)
        return
    wanted = _allocation(key, person, role, hours, start, end, bool(tentative))
    put = staffing.put_on(context, wanted, by_stage=tentative is None, by=context.by)
    if as_json:
        more = {"overbooked": _overbooked(put), "beyond_demand": _beyond(put)}
        print_json([{**allocation_json(put.allocation), **more}])
    else:
        _report([put.allocation], _("put on"), as_json)
    for each in put.overloads:
        click.echo(safe(_("overbooked: {each}", each=each)), err=True)
    if put.beyond:
        click.echo(safe(translated(str(put.beyond))), err=True)
    if put.stays_away:
        _warn_who_left(key, person)


def _overbooked(put: PutOn) -> list[dict[str, Any]]:
    return [
        {
            "from": week_name(each.first),
            "to": week_name(each.last),
            "hours_per_week": each.hours,
            "of": each.limit,
            "deals": dict(each.deals),
            "with_reservations": each.tentative,
        }
        for each in put.overloads
    ]


def _beyond(put: PutOn) -> dict[str, Any] | None:
    if put.beyond is None:
        return None
    return {
        "role": put.beyond.role,
        "hours": float(put.beyond.hours),
        "of": float(put.beyond.asked),
    }


def _warn_who_left(deal: str, person: str) -> None:
    """Says that someone who left the deal's project is not added to it again just so."""
    email = person.casefold()
    again = command("resolve", f"{deal}/membership/{email}", options="--take sales")
    click.echo(
        safe(
            _(
                "{email} left the deal's project and stays away from it; to add them: {again}",
                email=email,
                again=again,
            )
        ),
        err=True,
    )


def _allocation(
    key: str,
    person: str,
    role: str,
    hours: str | None,
    start: str | None,
    end: str | None,
    tentative: bool,
) -> Allocation:
    missing = [flag for flag, value in (("--role", role), ("--hours", hours)) if not value]
    if missing:
        raise InvalidValue(
            _(
                "say in which role and how many hours: {missing} missing",
                missing=" and ".join(missing),
            )
        )
    return Allocation(
        deal_key=key,
        email=person,
        role=role,
        hours_per_week=read_hours(hours or ""),
        start=read_day(start) if start else None,
        end=read_day(end) if end else None,
        confirmed=not tentative,
    )


def _list(context: CommandContext, key: str, as_json: bool) -> None:
    found = staffing.staffing_of(context, key)
    if as_json:
        print_json([_with_left(each, found) for each in found.allocations])
    elif not print_allocations(found.allocations, found.left, won=found.won):
        click.echo(_("no person is on this deal"), err=True)


def _with_left(allocation: Allocation, found: Staffing) -> dict[str, Any]:
    left = (allocation.deal_key, allocation.email.casefold()) in found.left
    return {**allocation_json(allocation), "left": left}


def _report(allocations: Sequence[Allocation], what: str, as_json: bool) -> None:
    if as_json:
        print_json([allocation_json(each) for each in allocations])
        return
    for each in allocations:
        status = "" if each.confirmed else ", tentative"
        click.echo(
            safe(
                _(
                    "{email} {what} {deal_key} as {role}, {hours_per_week:f} h per week{status}",
                    email=each.email,
                    what=what,
                    deal_key=each.deal_key,
                    role=each.role,
                    hours_per_week=each.hours_per_week,
                    status=status,
                )
            )
        )
