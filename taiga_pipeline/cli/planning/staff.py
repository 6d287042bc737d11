"""``staff``: a suggestion of who should do what, and taking it over."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.app.pipeline_data import reported_facts, who_left
from taiga_pipeline.app.planning_input import (
    LEARNT,
    STATED,
    holidays_source,
    reported_milestones,
)
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, to_json
from taiga_pipeline.cli.pipeline.file_text import write_result
from taiga_pipeline.files import is_stdout
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from datetime import date

    from taiga_pipeline.people.model import Allocation
    from taiga_pipeline.planning.staffing.build import Case, Rules, Staff, Wish
    from taiga_pipeline.planning.staffing.problem import Problem
    from taiga_pipeline.planning.staffing.solution import Solution
    from taiga_pipeline.planning.staffing.work import Works

SUGGESTION: Final = "staffing.json"
NO_OPTIMISER: Final = (
    "the optimiser is not installed, so this is the plan of the quick rule; install it with: {how}"
)


@click.group()
def staff() -> None:
    """Who should do what."""


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

    Won deals come before open ones, and those by their probability. Present allocations stay.
    The suggestion is kept in a file; nothing else changes until you accept it.
    """
    from taiga_pipeline.planning.staffing.build import Rules
    from taiga_pipeline.planning.staffing.suggestion import Asked
    from taiga_pipeline.planning.weeks import monday

    today = context.today
    rules = Rules(
        first=monday(today),
        horizon=weeks or context.settings.planning.horizon_weeks,
        max_projects=max_projects,
        overtime=overtime / 100,
        max_delay=max_delay,
        move=move,
        wishes=_wishes(preferred, avoided),
    )
    learnt = _learnt(context, today) if chances == LEARNT else {}
    given = _Input(context, today, rules, _priorities(priorities), learnt)
    case = given.case()
    solution = _solve(case.problem, seconds, seed, context, quick=quick)
    from taiga_pipeline.planning.staffing.suggestion import describe

    asked = Asked(today, seconds, seed, given.priorities, given.fingerprint(), learnt)
    suggestion = describe(case, solution, asked)
    if not quick and not _has_optimiser():
        suggestion["notes"].insert(0, NO_OPTIMISER.format(how=how_to_get("staffing")))
    path = out or suggestion_path(context)
    write_result(path, to_json(suggestion) + "\n")
    if is_stdout(path):
        return
    if as_json:
        print_json(suggestion)
        return
    from taiga_pipeline.cli.planning.staff_text import print_suggestion

    print_suggestion(suggestion, path)


def suggestion_path(context: CommandContext) -> Path:
    """Returns where the last suggestion is kept: beside the configuration."""
    from taiga_pipeline.app.workspace import shortest

    return shortest(context.config_path.absolute().parent / SUGGESTION)


def _priorities(texts: tuple[str, ...]) -> dict[str, float]:
    """Reads ``DEAL=NUMBER``.

    :raises InvalidValue: all that cannot be read.
    """
    found: dict[str, float] = {}
    problems = []
    for text in texts:
        key, _, number = text.rpartition("=")
        try:
            found[key.strip()] = _positive(number)
        except ValueError:
            problems.append(f"--priority {text}: write DEAL=2, with a number from 0.01 to 100")
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
            email, _, what = (part.strip() for part in text.partition("="))
            if not (email and what):
                problems.append(f"{option} {text}: write EMAIL=DEAL, or a customer or service")
            found.append(Wish(email.casefold(), what, avoid=option == "--avoid"))
    if problems:
        raise InvalidValue(*problems)
    return tuple(found)


def _learnt(context: CommandContext, today: date) -> dict[str, float]:
    """Returns the chances of open deals that history tells; none where nothing can be learnt."""
    if find_spec("numpy") is None:
        return {}
    from math import exp

    from taiga_pipeline.app.forecast_data import read_history
    from taiga_pipeline.planning.forecast.outlooks import outlooks

    found = outlooks(read_history(context, today), today)
    return {
        key: round(min(1.0, each.probability * exp(found.bias)), 4)
        for key, each in found.by_deal.items()
    }


def _positive(text: str) -> float:
    number = float(text)
    if not 0.01 <= number <= 100:
        raise ValueError
    return number


class _Input:
    """What a suggestion is made of, read from the stores."""

    def __init__(
        self,
        context: CommandContext,
        today: date,
        rules: Rules,
        priorities: Mapping[str, float],
        chances: Mapping[str, float],
        suggestion: Mapping[str, Any] | None = None,
    ) -> None:
        """``suggestion`` is one that may have been accepted: deals that it put off are taken as
        they were before."""
        from taiga_pipeline.planning.staffing.suggestion import before_delays
        from taiga_pipeline.planning.staffing.work import About, find_works

        self._context = context
        self._rules = rules
        self.priorities = dict(priorities)
        mappings = context.load_mappings()
        with deal_store(context) as store:
            deals = list(store.deals())
        if suggestion is not None:
            deals = list(before_delays(deals, suggestion))
        milestones = reported_milestones(reported_facts(context))
        about = About(self.priorities, milestones, chances)
        self._works: Works = find_works(deals, mappings, today, about)
        self.notes = list(self._works.notes)
        left = who_left(context)
        self.notes += [f"{email} left the project of {key}" for key, email in sorted(left)]
        with people_store(context) as people:
            self.allocations = [
                each
                for each in people.allocations()
                if each.deal_key not in self._works.spared
                and (each.deal_key, each.email.casefold()) not in left
            ]
            self._staff = self._read_staff(people)

    def _read_staff(self, people: Any) -> Staff:
        from datetime import timedelta

        from taiga_pipeline.people.calendar import working_hours
        from taiga_pipeline.planning.staffing.build import Staff, weeks_needed

        roster = tuple(people.people())
        count = weeks_needed(self._works.works, self._rules)
        hours = working_hours(
            roster,
            people.time_off(),
            [self._rules.first + timedelta(weeks=week) for week in range(count)],
            holidays_of=holidays_source(),
            default_country=self._context.settings.planning.calendar,
        )
        self.notes += hours.notices
        return Staff(roster, hours.by_person)

    def case(self) -> Case:
        """Returns the staffing problem.

        :raises InvalidValue: there is nobody on the roster.
        """
        from taiga_pipeline.planning.staffing.build import build
        from taiga_pipeline.planning.staffing.suggestion import with_notes
        from taiga_pipeline.planning.staffing.work import unknown_roles, unknown_wishes

        case = build(self._works.works, self._staff, self.allocations, self._rules)
        names = {
            name for person in self._staff.people for name in (person.role, *person.skills) if name
        }
        notes = [*self.notes, *unknown_roles(case.works, names)]
        emails = {person.email for person in self._staff.people}
        wishes = [(wish.email, wish.what) for wish in self._rules.wishes]
        return with_notes(case, [*notes, *unknown_wishes(case.works, emails, wishes)])

    def fingerprint(self) -> str:
        """Returns what changes when deals or people change."""
        from taiga_pipeline.planning.staffing.suggestion import fingerprint

        return fingerprint(self._works.works, self._staff)


def _has_optimiser() -> bool:
    return all(find_spec(name) is not None for name in ("numpy", "ortools"))


def _solve(
    problem: Problem, seconds: float, seed: int, context: CommandContext, *, quick: bool
) -> Solution:
    from taiga_pipeline.planning.staffing.solution import quick_solution

    if quick or not _has_optimiser():
        return quick_solution(problem)
    from taiga_pipeline.planning.staffing.optimise import optimise

    return optimise(problem, seconds, seed, context.clock.monotonic)


@staff.command("accept")
@click.option("--only", multiple=True, metavar="DEAL", help="Only this deal; may be repeated.")
@click.option("--from", "source", type=ReadFile(), help="The suggestion's file.")
@json_option
@pass_context
def accept(
    context: CommandContext, only: tuple[str, ...], source: Path | None, as_json: bool
) -> None:
    """Take the last suggestion over: allocate people to deals.

    Confirmed for won deals, tentative (reservations) for open ones. Deals whose projects are put
    off get their new start. Refuses if deals, people or allocations changed since. Accepting twice
    does nothing the second time.
    """
    from taiga_pipeline.planning.staffing.suggestion import accept as find_acceptance
    from taiga_pipeline.planning.staffing.suggestion import allocation_json, later_starts

    path = source or suggestion_path(context)
    suggestion = _load(path)
    allocations = _unchanged(context, suggestion)
    acceptance = find_acceptance(suggestion, allocations, only)
    later = later_starts(suggestion, only)
    put_off, changed = _store(context, acceptance.store, acceptance.release, later)
    if as_json:
        print_json(
            {
                "stored": [allocation_json(each) for each in acceptance.store],
                "released": [allocation_json(each) for each in acceptance.release],
                "changed": changed,
                "starts": later,
            }
        )
        return
    deals = len({each.deal_key for each in acceptance.store})
    click.echo(f"{len(acceptance.store):,} allocations on {deals:,} deals, {changed:,} of them new")
    for key in put_off:
        click.echo(f"{safe(key)} now starts on {later[key]}")


def _load(path: Path) -> dict[str, Any]:
    """Reads a suggestion.

    :raises InvalidValue: there is none, or the file holds something else.
    """
    from taiga_pipeline.http.bounds import decode_json, read_file
    from taiga_pipeline.planning.staffing.suggestion import FORMAT

    again = "make one with: pipeline-sync staff suggest"
    try:
        data = decode_json(read_file(path))
    except FileNotFoundError:
        raise InvalidValue(f"there is no suggestion {path}; {again}") from None
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{path} cannot be read ({error}); {again}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidValue(f"{path} is not a suggestion of this version; {again}")
    return data


def _unchanged(context: CommandContext, suggestion: Mapping[str, Any]) -> list[Allocation]:
    """Returns the present allocations, if deals and people are those of the suggestion.

    :raises Refused: they are not.
    """
    from datetime import date

    from sync.errors import Refused
    from taiga_pipeline.planning.staffing.suggestion import rules_of

    given = _Input(
        context,
        date.fromisoformat(suggestion["as_of"]),
        rules_of(suggestion),
        suggestion["priorities"],
        suggestion["chances"],
        suggestion,
    )
    if given.fingerprint() != suggestion["fingerprint"]:
        raise Refused(
            "deals or people changed since this suggestion was made "
            f"({suggestion['as_of']}); make a new one with: pipeline-sync staff suggest"
        )
    return given.allocations


def _store(
    context: CommandContext,
    store: tuple[Allocation, ...],
    release: tuple[Allocation, ...],
    later: Mapping[str, date],
) -> tuple[list[str], int]:
    """Writes allocations and the new first days of deals, all or nothing.

    Returns the deals that had another first day, and how many allocations were not there before.

    :raises RequestError: something could not be written; nothing is changed then.
    """
    from taiga_pipeline.people.store import exchange
    from taiga_pipeline.pipeline.batch import Outcome

    edits = {key: {"start": start} for key, start in later.items()}
    with deal_store(context) as deals:
        put_off, outcomes = deals.edit_with(
            edits, lambda connection: exchange(connection, release, store), by=context.by
        )
    return put_off, sum(outcome is not Outcome.UNCHANGED for outcome in outcomes)
