"""``deals similar`` and ``deals retrospective``: what past deals teach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.app.customers import lessons as use
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.lessons_text import (
    how_to_answer,
    print_retrospective,
    print_similar,
    retrospective_json,
    similar_json,
)
from taiga_pipeline.hints import command
from taiga_pipeline.language import counted
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.lessons.looking_back import Retrospective, look_back
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.customers.lessons import SimilarDeals

SHOWN: Final = 3
"""Similar deals that ``deals show`` has."""


@click.command("similar")
@click.argument("key")
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=use.MOST,
    show_default=True,
    help="Show at most this many.",
)
@json_option
@pass_context
def similar(context: CommandContext, key: str, limit: int, as_json: bool) -> None:
    """Show decided deals that are similar to a deal, and what became of them.

    The same service, the same customer, a similar value and the same team count. With deals add
    --like KEY, a new deal begins from one of them.
    """
    found = use.similar_deals(context, key, limit=limit)
    if as_json:
        every = [similar_json(each, context.fields) for each in found.similar]
        print_json({"deal": found.deal.key, "similar": every, "notices": list(found.notices)})
        return
    for notice in found.notices:
        click.echo(safe(notice), err=True)
    if found.similar:
        click.echo(safe(_("Similar to {key}  {name}", key=found.deal.key, name=found.deal.name)))
        print_similar(found.similar)
    else:
        click.echo(_("no decided deal has the same service or customer"), err=True)


def similar_to_show(context: CommandContext, key: str) -> SimilarDeals | None:
    """Returns what ``deals show`` says of similar deals; nothing where mappings are wrong."""
    try:
        return use.similar_deals(context, key, limit=SHOWN)
    except ProblemsError:  # which the commands report that need the mappings
        return None


def lessons_json(context: CommandContext, key: str) -> dict[str, Any]:
    """Returns similar deals, and a deal's own retrospective, as plain data."""
    found = similar_to_show(context, key)
    if found is None:
        return {"similar": [], "retrospective": None}
    return {
        "similar": [similar_json(each, context.fields) for each in found.similar],
        "retrospective": retrospective_json(look_back(found.itself, use.questions_of(context))),
    }


def print_lessons(context: CommandContext, key: str) -> None:
    """Prints below a deal what is similar to it, and whether its project should be looked at."""
    found = similar_to_show(context, key)
    if found is None:
        return
    own = look_back(found.itself, use.questions_of(context))
    if own.answers or own.has_ended:
        click.echo(_("\nRetrospective"))
        print_retrospective(own)
    if own.is_due:
        click.echo(safe(_("  answer with: {how_to_answer}", how_to_answer=how_to_answer(own.deal))))
    if found.similar:
        click.echo(_("\nSimilar past deals"))
        print_similar(found.similar)
        if len(found.similar) == SHOWN:
            click.echo(
                safe(_("  there may be more: {command}", command=command("deals similar", key)))
            )


@click.command("retrospective")
@click.argument("key", required=False)
@click.option(
    "--answer",
    "answers",
    type=(int, str),
    multiple=True,
    metavar="NUMBER TEXT",
    help='Answer a question by its number; "" takes the answer back. May be repeated.',
)
@click.option("--ended", is_flag=True, help="Say that the project has ended.")
@json_option
@pass_context
def retrospective(
    context: CommandContext,
    key: str | None,
    answers: tuple[tuple[int, str], ...],
    ended: bool,
    as_json: bool,
) -> None:
    """Look back at the project of a won deal: three questions, and their answers.

    A project has ended when all of it is done and its last milestone has passed, or when a person
    says so (--ended). Without KEY, list what waits for answers and what was answered. Answers are
    entries of the deal's log of notes; the newest holds. The questions are [deals] retrospective in
    the configuration.
    """
    if key is None:
        if answers or ended:
            raise click.UsageError(_("name the deal: deals retrospective KEY --answer 1 TEXT"))
        _list(use.retrospectives(context), as_json)
        return
    if answers or ended:
        given = dict(answers)
        found = use.answer_questions(context, key, given, by=context.by, has_ended=ended)
    else:
        found = use.retrospective_of(context, key)
    if as_json:
        print_json(retrospective_json(found))
        return
    print_retrospective(found)
    if found.unanswered:
        click.echo(safe(_("answer with: {how_to_answer}", how_to_answer=how_to_answer(found.deal))))


def _list(found: tuple[Retrospective, ...], as_json: bool) -> None:
    if as_json:
        print_json([retrospective_json(each) for each in found])
        return
    due = [each for each in found if each.is_due]
    if not found:
        click.echo(_("no project has ended yet, as far as is known"), err=True)
    if due:
        click.echo(
            _("{projects} ended and waiting for answers", projects=counted(len(due), "project"))
        )
    for each in due:
        count = counted(len(each.unanswered), "question")
        click.echo(
            safe(
                _(
                    "  {key}  {name}: {count} without an answer",
                    key=each.deal.key,
                    name=each.deal.name,
                    count=count,
                )
            )
        )
    for each in found:
        if each.answers:
            print_retrospective(each)
