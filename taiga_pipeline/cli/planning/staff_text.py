"""A staffing suggestion in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from taiga_pipeline.cli.output import print_table, style
from taiga_pipeline.report.terminal import safe

_MOST = 12
"""How many rows of what is unmet are shown."""
_UNITS = {"won": "won deals", "open": "open deals"}


def print_suggestion(suggestion: Mapping[str, Any], path: Path) -> None:
    """Prints a suggestion; notes go to stderr."""
    _print_plan(suggestion["plan"])
    _print_delays(suggestion["delays"])
    _print_unmet(suggestion["unmet"])
    _print_help(suggestion)
    _print_measure(suggestion)
    for note in suggestion["notes"]:
        click.echo(safe(f"note: {note}"), err=True)
    if suggestion["plan"]:
        click.echo(f"Kept in {safe(str(path))}; accept it with: pipeline-sync staff accept")


def _print_plan(plan: list[Mapping[str, Any]]) -> None:
    if not plan:
        click.echo("there is no assignment to make")
        return
    headings = ["Deal", "Role", "Who", "Per week", "From", "To", "", "Why"]
    print_table(headings, [_plan_row(each) for each in plan], right=(3,))


def _plan_row(each: Mapping[str, Any]) -> list[str]:
    return [
        safe(each["deal"]),
        safe(each["role"]),
        safe(each["name"]),
        f"{each['hours_per_week']} h",
        each["start"],
        each["end"],
        each["status"],
        safe(each["why"]),
    ]


def _print_delays(delays: list[Mapping[str, Any]]) -> None:
    for each in delays:
        click.echo(
            safe(
                f"{each['deal']} is planned from {each['suggested_start']} on, {each['weeks']} "
                f"weeks after {each['start']}"
            )
        )


def _print_unmet(unmet: list[Mapping[str, Any]]) -> None:
    if not unmet:
        return
    click.echo(style("\nUnmet", bold=True))
    rows = [_unmet_row(each) for each in unmet[:_MOST]]
    print_table(["Deal", "Role", "Hours", "Of", "Weeks", "Why"], rows, right=(2, 3))
    if len(unmet) > _MOST:
        hours = sum(each["hours"] for each in unmet[_MOST:])
        click.echo(f"and {len(unmet) - _MOST:,} more with {hours:,.0f} h; --json lists all")


def _unmet_row(each: Mapping[str, Any]) -> list[str]:
    weeks = each["first_week"]
    if each["last_week"] != weeks:
        weeks = f"{weeks} to {each['last_week']}"
    hours, asked = f"{each['hours']:,.0f} h", f"{each['of']:,.0f} h"
    return [safe(each["deal"]), safe(each["role"]), hours, asked, weeks, safe(each["why"])]


def _print_help(suggestion: Mapping[str, Any]) -> None:
    hires, shifts = suggestion["hires"], suggestion["shifts"]
    if not (hires or shifts):
        return
    click.echo(style("\nWhat would help most", bold=True))
    for hire in hires:
        click.echo(
            safe(
                f"one more {hire['role']} ({hire['hours_per_week']:g} h a week): "
                f"{hire['hours_met']:,.0f} h more are met, on {_listed(hire['deals'])}"
            )
        )
    for shift in shifts:
        click.echo(
            safe(
                f"{shift['deal']} from {shift['suggested_start']} on ({shift['weeks']} weeks "
                f"later): {shift['hours_met']:,.0f} h more are met"
            )
        )


def _listed(keys: list[str]) -> str:
    return ", ".join(keys[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")


def _print_measure(suggestion: Mapping[str, Any]) -> None:
    """Says how good the plan is, and how much better another could be."""
    click.echo("")
    for name, hours in suggestion["hours"].items():
        if hours["asked"]:
            share = hours["met"] / hours["asked"]
            click.echo(
                f"{_UNITS[name]}: {hours['met']:,.0f} of {hours['asked']:,.0f} h are met "
                f"({share:.0%})"
            )
    click.echo(_verdict(suggestion))


def _verdict(suggestion: Mapping[str, Any]) -> str:
    cost = f"cost {suggestion['cost']:,.0f}"
    if suggestion["optimal"]:
        return f"{cost}: optimal, no plan costs less"
    quick = suggestion["cost_of_quick_rule"]
    saved = 1 - suggestion["cost"] / quick if quick else 0.0
    text = cost if suggestion["engine"] == "heuristic" else f"{cost}, {saved:.0%} below quick rule"
    if suggestion["bound"] is None:
        return f"{text}; how much better a plan could be is not known"
    ended = "" if suggestion["repeatable"] else "; the clock ended the search"
    return (
        f"{text}; no plan costs less than {suggestion['bound']:,.0f}, so at most "
        f"{suggestion['gap']:.0%} could still be saved{ended}"
    )
