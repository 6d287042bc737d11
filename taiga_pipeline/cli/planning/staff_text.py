"""A staffing suggestion in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from taiga_pipeline.cli.output import print_table, style
from taiga_pipeline.language import figure, marked, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.report.scores import why_chosen
from taiga_pipeline.report.terminal import safe

_MOST = 12
"""How many rows of what is unmet are shown."""
_UNITS = {"won": marked("won deals"), "open": marked("open deals")}


def print_suggestion(suggestion: Mapping[str, Any], path: Path) -> None:
    """Prints a suggestion; notes go to stderr."""
    _print_plan(suggestion["plan"])
    _print_delays(suggestion["delays"])
    _print_unmet(suggestion["unmet"])
    _print_help(suggestion)
    _print_measure(suggestion)
    for note in suggestion["notes"]:
        click.echo(safe(_("note: {note}", note=translated(note))), err=True)
    if suggestion["plan"]:
        click.echo(
            _("Kept in {path}; accept it with: pipeline-sync staff accept", path=safe(str(path)))
        )


def _print_plan(plan: list[Mapping[str, Any]]) -> None:
    if not plan:
        click.echo(_("there is no assignment to make"))
        return
    headings = [_("Deal"), _("Role"), _("Who"), _("Per week"), _("From"), _("To"), "", _("Why")]
    print_table(headings, [_plan_row(each) for each in plan], right=(3,))


def _plan_row(each: Mapping[str, Any]) -> list[str]:
    return [
        safe(each["deal"]),
        safe(each["role"]),
        safe(each["name"]),
        f"{each['hours_per_week']} h",
        each["start"],
        each["end"],
        _(each["status"]),
        safe(why_chosen(each["why"])),
    ]


def _print_delays(delays: list[Mapping[str, Any]]) -> None:
    for each in delays:
        click.echo(
            safe(
                _(
                    "{deal} is planned from {suggested_start} on, {weeks} weeks after {start}",
                    deal=each["deal"],
                    suggested_start=each["suggested_start"],
                    weeks=each["weeks"],
                    start=each["start"],
                )
            )
        )


def _print_unmet(unmet: list[Mapping[str, Any]]) -> None:
    if not unmet:
        return
    click.echo(style(_("\nUnmet"), bold=True))
    rows = [_unmet_row(each) for each in unmet[:_MOST]]
    print_table(
        [_("Deal"), _("Role"), _("Hours"), _("Of"), _("Weeks"), _("Why")], rows, right=(2, 3)
    )
    if len(unmet) > _MOST:
        hours = sum(each["hours"] for each in unmet[_MOST:])
        click.echo(
            _(
                "and {count:,} more with {hours:,.0f} h; --json lists all",
                count=len(unmet) - _MOST,
                hours=hours,
            )
        )


def _unmet_row(each: Mapping[str, Any]) -> list[str]:
    weeks = each["first_week"]
    if each["last_week"] != weeks:
        weeks = _("{weeks} to {last_week}", weeks=weeks, last_week=each["last_week"])
    hours, asked = f"{figure(each['hours'], ',.0f')} h", f"{figure(each['of'], ',.0f')} h"
    return [
        safe(each["deal"]),
        safe(each["role"]),
        hours,
        asked,
        weeks,
        safe(translated(each["why"])),
    ]


def _print_help(suggestion: Mapping[str, Any]) -> None:
    hires, shifts = suggestion["hires"], suggestion["shifts"]
    if not (hires or shifts):
        return
    click.echo(style(_("\nWhat would help most"), bold=True))
    for hire in hires:
        click.echo(
            safe(
                _(
                    "one more {role} ({hours_per_week:g} h a week): {hours_met:,.0f} h "
                    "more are met, on {listed}",
                    role=hire["role"],
                    hours_per_week=hire["hours_per_week"],
                    hours_met=hire["hours_met"],
                    listed=_listed(hire["deals"]),
                )
            )
        )
    for shift in shifts:
        click.echo(
            safe(
                _(
                    "{deal} from {suggested_start} on ({weeks} weeks later): "
                    "{hours_met:,.0f} h more are met",
                    deal=shift["deal"],
                    suggested_start=shift["suggested_start"],
                    weeks=shift["weeks"],
                    hours_met=shift["hours_met"],
                )
            )
        )


def _listed(keys: list[str]) -> str:
    return ", ".join(keys[:4]) + (
        _(" and {count} more", count=len(keys) - 4) if len(keys) > 4 else ""
    )


def _print_measure(suggestion: Mapping[str, Any]) -> None:
    """Says how good the plan is, and how much better another could be."""
    click.echo("")
    for name, hours in suggestion["hours"].items():
        if hours["asked"]:
            share = hours["met"] / hours["asked"]
            click.echo(
                _(
                    "{units}: {met:,.0f} of {asked:,.0f} h are met ({share:.0%})",
                    units=_(_UNITS[name]),
                    met=hours["met"],
                    asked=hours["asked"],
                    share=share,
                )
            )
    click.echo(_verdict(suggestion))


def _verdict(suggestion: Mapping[str, Any]) -> str:
    cost = _("cost {cost:,.0f}", cost=suggestion["cost"])
    if suggestion["optimal"]:
        return _("{cost}: optimal, no plan costs less", cost=cost)
    quick = suggestion["cost_of_quick_rule"]
    saved = 1 - suggestion["cost"] / quick if quick else 0.0
    text = (
        cost
        if suggestion["engine"] == "heuristic"
        else _("{cost}, {saved:.0%} below quick rule", cost=cost, saved=saved)
    )
    if suggestion["bound"] is None:
        return _("{text}; how much better a plan could be is not known", text=text)
    ended = "" if suggestion["repeatable"] else _("; the clock ended the search")
    return _(
        "{text}; no plan costs less than {bound:,.0f}, so at most "
        "{gap:.0%} could still be saved{ended}",
        text=text,
        bound=suggestion["bound"],
        gap=suggestion["gap"],
        ended=ended,
    )
