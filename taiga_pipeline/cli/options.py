"""Options that several commands share."""

from __future__ import annotations

from typing import Any, Final

import click

from taiga_pipeline.app.planning.inputs import LEARNT, STATED
from taiga_pipeline.cli.context import CommandContext


def _speak_english(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    if value and (context := ctx.find_object(CommandContext)) is not None:
        context.speak_to_programs()
    return value


json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_speak_english,
    help="Print the result as JSON.",
)
"""Adds ``--json`` as the argument ``as_json``. What programs read is English."""

_OF_PLANS: Final = (
    click.option("--team", default="", metavar="TEAM", help="Only this team's people and deals."),
    click.option("--from", "first", metavar="WEEK", help="First week, such as 2026-W49."),
    click.option("--weeks", type=click.IntRange(1, 520), help="How many weeks."),
    click.option("--quantile", type=float, help="Plan for this share of futures, such as 0.8."),
    click.option("--trials", type=click.IntRange(1, 100_000), default=10_000, show_default=True),
    click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True),
    click.option(
        "--chances",
        type=click.Choice([LEARNT, STATED]),
        help="From the pipeline's history, or as deals and stages state them.",
    ),
)


def plan_options(function: Any) -> Any:
    """Adds the options that `plan_input` and `options_for` read."""
    for option in reversed(_OF_PLANS):
        function = option(function)
    return function
