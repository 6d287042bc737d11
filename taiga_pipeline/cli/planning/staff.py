"""``staff``: a suggestion of who should do what, and taking it over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taiga_pipeline.app.planning.inputs import LEARNT, STATED
from taiga_pipeline.app.planning.places import SUGGESTION, suggestion_path
from taiga_pipeline.app.planning.staffing import Wanted, accept_suggestion, suggest_staffing
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, to_json
from taiga_pipeline.cli.pipeline.file_text import write_result
from taiga_pipeline.cli.planning.fitting_text import who
from taiga_pipeline.cli.planning.staff_advise import advise
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.files import is_stdout
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.staffing.build import Wish


@click.group(cls=TranslatedGroup)
def staff() -> None:
    """Who should do what."""


staff.add_command(advise)
staff.add_command(who)


@staff.command("suggest")
@click.option("--seconds", type=click.FloatRange(min=0.1, max=3600), default=10, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--weeks", type=click.IntRange(1, 520), help="Projects that begin within this many weeks."
)
@click.option(
    "--max-projects",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Most projects per person at a time.",
)
@click.option(
    "--overtime",
    type=click.FloatRange(0, 50),
    default=10,
    show_default=True,
    metavar="PERCENT",
    help="How many hours people may get beyond their own.",
)
@click.option(
    "--delay-up-to",
    "max_delay",
    type=click.IntRange(0, 26),
    default=0,
    show_default=True,
    metavar="WEEKS",
    help="How far projects without people may be postponed.",
)
@click.option("--move", is_flag=True, help="Reservations may be reassigned.")
@click.option(
    "--priority",
    "priorities",
    multiple=True,
    metavar="DEAL=NUMBER",
    help="Counts a deal more (2) or less (0.5) than others; may be repeated.",
)
@click.option(
    "--prefer",
    "preferred",
    multiple=True,
    metavar="EMAIL=WHAT",
    help="Who likes to work on a deal, for a customer, or in a service; may be repeated.",
)
@click.option(
    "--avoid",
    "avoided",
    multiple=True,
    metavar="EMAIL=WHAT",
    help="Who prefers not to; may be repeated.",
)
@click.option(
    "--chances",
    type=click.Choice([LEARNT, STATED]),
    default=LEARNT,
    show_default=True,
    help="Of open deals: from the pipeline's history, or as deals and stages state them.",
)
@click.option("--quick", is_flag=True, help="Use the quick rule, not the optimiser.")
@click.option("--out", type=WrittenFile(), help=f"Save it here, not in {SUGGESTION}.")
@json_option
@pass_context
def suggest(
    context: CommandContext,
    seconds: float,
    seed: int,
    weeks: int | None,
    max_projects: int,
    overtime: float,
    max_delay: int,
    move: bool,
    priorities: tuple[str, ...],
    preferred: tuple[str, ...],
    avoided: tuple[str, ...],
    chances: str,
    quick: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Suggest who should work on which project.

    Won deals come before open ones; open ones are ordered by their probability. Present allocations
    stay. The suggestion is kept in a file; nothing else changes until you accept it.
    """
    wanted = Wanted(
        seconds=seconds,
        seed=seed,
        weeks=weeks,
        max_projects=max_projects,
        overtime=overtime / 100,
        max_delay=max_delay,
        move=move,
        priorities=_priorities(priorities),
        wishes=_wishes(preferred, avoided),
        chances=chances,
        quick=quick,
    )
    suggestion = suggest_staffing(context, wanted)
    path = out or suggestion_path(context)
    write_result(path, to_json(suggestion) + "\n")
    if is_stdout(path):
        return
    if as_json:
        print_json(suggestion)
        return
    from taiga_pipeline.cli.planning.staff_text import print_suggestion

    print_suggestion(suggestion, path)


def _priorities(texts: tuple[str, ...]) -> dict[str, float]:
    """Reads ``DEAL=NUMBER``.

    :raises InvalidValue: all that cannot be read.
    """
    found: dict[str, float] = {}
    problems = []
    for text in texts:
        key, _unused, number = text.rpartition("=")
        try:
            found[key.strip()] = _positive(number)
        except ValueError:
            problems.append(
                _("--priority {text}: write DEAL=2, with a number from 0.01 to 100", text=text)
            )
    if problems:
        raise InvalidValue(*problems)
    return found


def _wishes(preferred: tuple[str, ...], avoided: tuple[str, ...]) -> tuple[Wish, ...]:
    """Reads ``EMAIL=WHAT``.

    :raises InvalidValue: all that cannot be read.
    """
    from taiga_pipeline.planning.staffing.build import Wish

    found, problems = [], []
    for option, texts in (("--prefer", preferred), ("--avoid", avoided)):
        for text in texts:
            email, _unused, what = (part.strip() for part in text.partition("="))
            if not (email and what):
                problems.append(
                    _(
                        "{option} {text}: write EMAIL=DEAL, or a customer or service",
                        option=option,
                        text=text,
                    )
                )
            found.append(Wish(email.casefold(), what, avoid=option == "--avoid"))
    if problems:
        raise InvalidValue(*problems)
    return tuple(found)


def _positive(text: str) -> float:
    number = float(text)
    if not 0.01 <= number <= 100:
        raise ValueError
    return number


@staff.command("accept")
@click.option("--only", multiple=True, metavar="DEAL", help="Only this deal; may be repeated.")
@click.option("--from", "source", type=ReadFile(), help="The suggestion's file.")
@json_option
@pass_context
def accept(
    context: CommandContext, only: tuple[str, ...], source: Path | None, as_json: bool
) -> None:
    """Accept the last suggestion: allocate people to deals.

    Allocations are confirmed for won deals, tentative (reservations) for open ones. Deals with a
    postponed project get their new start. Refuses if deals, people or allocations changed since.
    Accepting again changes nothing.
    """
    from taiga_pipeline.planning.staffing.suggestion import allocation_json

    done = accept_suggestion(context, by=context.by, only=only, source=source)
    if as_json:
        print_json(
            {
                "stored": [allocation_json(each) for each in done.stored],
                "released": [allocation_json(each) for each in done.released],
                "changed": done.changed,
                "starts": done.starts,
            }
        )
        return
    deals = len({each.deal_key for each in done.stored})
    click.echo(
        _(
            "{count:,} allocations on {deals:,} deals, {changed:,} of them new",
            count=len(done.stored),
            deals=deals,
            changed=done.changed,
        )
    )
    for key in done.postponed:
        click.echo(_("{key} now starts on {starts}", key=safe(key), starts=done.starts[key]))
