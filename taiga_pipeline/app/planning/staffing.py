"""Who should do what: a suggestion, and taking it over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sync.errors import Refused
from taiga_pipeline.app.pipeline_data import reported_facts, who_left
from taiga_pipeline.app.planning.inputs import (
    LEARNT,
    holidays_source,
    reported_milestones,
)
from taiga_pipeline.app.planning.places import suggestion_path
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.tables.joins import joins_of

if TYPE_CHECKING:
    from taiga_pipeline.people.model import Allocation
    from taiga_pipeline.people.store import PeopleStore
    from taiga_pipeline.planning.hiring.resolve import Resolve
    from taiga_pipeline.planning.staffing.build import Case, Rules, Staff, Wish
    from taiga_pipeline.planning.staffing.problem import Problem
    from taiga_pipeline.planning.staffing.solution import Solution
    from taiga_pipeline.planning.staffing.work import Works

NO_OPTIMISER: Final = (
    "the optimiser is not installed, so this is the plan of the quick rule; install it with: {how}"
)


MOST_AGAIN: Final = 1.0
"""Seconds that the plan is solved again for at most, to see what a change is worth."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a suggestion is to heed.

    ``seconds`` is the time for the search; ``weeks`` are those in which projects begin (None: the
    configuration's horizon); ``overtime`` is a share (0.1: a tenth more than their hours);
    ``max_delay`` is in weeks; ``move`` gives reservations to others. ``priorities`` count deals
    more (2) or less (0.5) than others. ``chances`` are "learnt" or "stated". ``quick`` uses the
    quick rule, not the optimiser.
    """

    seconds: float = 10
    seed: int = 1
    weeks: int | None = None
    max_projects: int = 3
    overtime: float = 0.1
    max_delay: int = 0
    move: bool = False
    priorities: Mapping[str, float] | None = None
    wishes: tuple[Wish, ...] = ()
    chances: str = LEARNT
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was taken over of a suggestion.

    ``stored`` are allocations that are there now, ``changed`` of them were not before; ``released``
    are those that were taken away. ``starts`` are the first days of deals that are postponed, and
    ``postponed`` those of them that had another one.
    """

    stored: tuple[Allocation, ...]
    released: tuple[Allocation, ...]
    changed: int
    starts: Mapping[str, date]
    postponed: tuple[str, ...]


def suggest_staffing(workspace: Workspace, wanted: Wanted) -> dict[str, Any]:
    """Suggests who should work on which project, as JSON-compatible data; changes nothing.

    Won deals come before open ones; open ones are ordered by their probability. Present allocations
    stay.

    :raises EmptyRoster: nobody is on the roster.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the store.
    """
    from taiga_pipeline.planning.staffing.suggestion import Asked, describe

    learnt = _learnt(workspace, wanted)
    given = _input(workspace, wanted, learnt)
    case = given.case()
    solution = _solve(case.problem, wanted.seconds, wanted.seed, workspace, quick=wanted.quick)
    asked = Asked(
        workspace.today, wanted.seconds, wanted.seed, given.priorities, given.fingerprint(), learnt
    )
    suggestion = describe(case, solution, asked, resolver(workspace, wanted))
    if not (wanted.quick or _has_optimiser() or solution.is_optimal):
        suggestion["notes"].insert(0, NO_OPTIMISER.format(how=how_to_get("staffing")))
    return suggestion


def solved_case(workspace: Workspace, wanted: Wanted) -> tuple[Case, Solution]:
    """Returns the staffing problem as it is now, and a plan for it.

    :raises EmptyRoster: nobody is on the roster.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the store.
    """
    case = _input(workspace, wanted, _learnt(workspace, wanted)).case()
    return case, _solve(case.problem, wanted.seconds, wanted.seed, workspace, quick=wanted.quick)


def resolver(workspace: Workspace, wanted: Wanted) -> Resolve:
    """Returns what solves a problem again, each time for a tenth of the time of the search."""
    from taiga_pipeline.planning.hiring.resolve import quick

    if wanted.quick or not _has_optimiser():
        return quick
    from taiga_pipeline.planning.hiring.search import searched

    seconds = min(MOST_AGAIN, wanted.seconds / 10)
    return searched(seconds, wanted.seed, workspace.clock.monotonic)


def rules_for(workspace: Workspace, wanted: Wanted) -> Rules:
    """Returns the rules of a plan that begins this week."""
    from taiga_pipeline.planning.staffing.build import Rules
    from taiga_pipeline.planning.weeks import monday

    return Rules(
        first=monday(workspace.today),
        horizon=wanted.weeks or workspace.settings.planning.horizon_weeks,
        max_projects=wanted.max_projects,
        overtime=wanted.overtime,
        max_delay=wanted.max_delay,
        move=wanted.move,
        wishes=wanted.wishes,
    )


def _input(workspace: Workspace, wanted: Wanted, learnt: Mapping[str, float]) -> _Input:
    """Reads what a plan is made of, as of today."""
    rules = rules_for(workspace, wanted)
    return _Input(workspace, workspace.today, rules, wanted.priorities or {}, learnt)


def _learnt(workspace: Workspace, wanted: Wanted) -> dict[str, float]:
    """Returns the chances of open deals that history tells, where they are wanted; none where
    nothing can be learnt."""
    if wanted.chances != LEARNT or find_spec("numpy") is None:
        return {}
    from taiga_pipeline.app.planning.record import read_history
    from taiga_pipeline.planning.forecast.outlooks import outlooks

    found = outlooks(read_history(workspace, workspace.today), workspace.today)
    return {key: round(each.probability, 4) for key, each in found.by_deal.items()}


class _Input:
    """What a suggestion is made of, read from the stores."""

    def __init__(
        self,
        workspace: Workspace,
        today: date,
        rules: Rules,
        priorities: Mapping[str, float],
        chances: Mapping[str, float],
        *,
        suggestion: Mapping[str, Any] | None = None,
    ) -> None:
        """``suggestion`` is one that may have been accepted: deals that it put off are taken as
        they were before."""
        from taiga_pipeline.planning.staffing.suggestion import before_delays
        from taiga_pipeline.planning.staffing.work import About, find_works

        self._workspace = workspace
        self._rules = rules
        self.priorities = dict(priorities)
        mappings = workspace.load_mappings()
        with deal_store(workspace) as store:
            deals = list(store.deals())
        if suggestion is not None:
            deals = list(before_delays(deals, suggestion))
        milestones = reported_milestones(reported_facts(workspace), joins_of(deals))
        about = About(self.priorities, milestones, chances)
        self._works: Works = find_works(deals, mappings, today, about)
        self.notes = list(self._works.notes)
        left = who_left(workspace)
        self.notes += [f"{email} left the project of {key}" for key, email in sorted(left)]
        with people_store(workspace) as people:
            self.allocations = [
                each
                for each in people.allocations()
                if each.deal_key not in self._works.spared
                and (each.deal_key, each.email.casefold()) not in left
            ]
            self._staff = self._read_staff(people)

    def _read_staff(self, people: PeopleStore) -> Staff:
        from taiga_pipeline.people.calendar import working_hours
        from taiga_pipeline.planning.attendance import Attendance
        from taiga_pipeline.planning.staffing.build import Staff, weeks_needed

        roster = tuple(people.people())
        count = weeks_needed(self._works.works, self._rules)
        off = tuple(people.time_off())
        mondays = [self._rules.first + timedelta(weeks=week) for week in range(count)]
        hours = working_hours(
            roster,
            off,
            mondays,
            holidays_of=holidays_source(),
            default_country=self._workspace.settings.planning.calendar,
        )
        self.notes += hours.notices
        return Staff(roster, hours.by_person, Attendance(roster, off, mondays, hours))

    def case(self) -> Case:
        """Returns the staffing problem.

        :raises EmptyRoster: nobody is on the roster.
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
    problem: Problem, seconds: float, seed: int, workspace: Workspace, *, quick: bool
) -> Solution:
    from taiga_pipeline.planning.staffing.solution import quick_solution

    if quick or not _has_optimiser():
        return quick_solution(problem)
    from taiga_pipeline.planning.staffing.optimise import optimise

    return optimise(problem, seconds, seed, workspace.clock.monotonic)


def accept_suggestion(
    workspace: Workspace, *, by: str, only: Sequence[str] = (), source: Path | None = None
) -> Accepted:
    """Takes a suggestion over: allocates people to deals, and puts deals off.

    ``source`` is its file, None for the last one; ``only`` are the deals to do it for (none: all).
    Doing it twice does nothing the second time.

    :raises InvalidValue: there is no suggestion.
    :raises Refused: deals, people or allocations changed since.
    :raises RequestError: something could not be written; nothing is changed then.
    """
    from taiga_pipeline.planning.staffing.suggestion import accept, later_starts

    suggestion = load_suggestion(source or suggestion_path(workspace))
    allocations = unchanged_allocations(workspace, suggestion)
    acceptance = accept(suggestion, allocations, tuple(only))
    later = later_starts(suggestion, tuple(only))
    postponed, changed = _store(workspace, acceptance.store, acceptance.release, later, by)
    return Accepted(acceptance.store, acceptance.release, changed, later, tuple(postponed))


class NoSuggestion(InvalidValue):
    """There is no suggestion that can be accepted."""


class SuggestionOutdated(Refused):
    """Deals or people are not those of the suggestion any more."""


def load_suggestion(path: Path) -> dict[str, Any]:
    """Reads a suggestion.

    :raises NoSuggestion: there is none, or the file holds something else.
    """
    from taiga_pipeline.http.bounds import decode_json, read_file
    from taiga_pipeline.planning.staffing.suggestion import FORMAT

    try:
        data = decode_json(read_file(path))
    except FileNotFoundError:
        raise NoSuggestion(f"there is no suggestion {path}") from None
    except (OSError, ValueError) as error:
        raise NoSuggestion(f"{path} cannot be read ({error})") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise NoSuggestion(f"{path} is not a suggestion of this version")
    return data


def unchanged_allocations(workspace: Workspace, suggestion: Mapping[str, Any]) -> list[Allocation]:
    """Returns the present allocations, if deals and people are those of the suggestion.

    :raises Refused: they are not.
    """
    from taiga_pipeline.planning.staffing.suggestion import rules_of

    given = _Input(
        workspace,
        date.fromisoformat(suggestion["as_of"]),
        rules_of(suggestion),
        suggestion["priorities"],
        suggestion["chances"],
        suggestion=suggestion,
    )
    if given.fingerprint() != suggestion["fingerprint"]:
        raise SuggestionOutdated(
            f"deals or people changed since this suggestion was made ({suggestion['as_of']})"
        )
    return given.allocations


def _store(
    workspace: Workspace,
    store: tuple[Allocation, ...],
    release: tuple[Allocation, ...],
    later: Mapping[str, date],
    by: str,
) -> tuple[list[str], int]:
    """Writes allocations and the new first days of deals, all or nothing.

    Returns the deals that had another first day, and how many allocations were not there before.

    :raises RequestError: something could not be written; nothing is changed then.
    """
    from taiga_pipeline.people.store import exchange
    from taiga_pipeline.pipeline.batch import Outcome

    edits = {key: {"start": start} for key, start in later.items()}
    with deal_store(workspace) as deals:
        postponed, outcomes = deals.edit_with(
            edits, lambda connection: exchange(connection, release, store), by=by
        )
    return postponed, sum(outcome is not Outcome.UNCHANGED for outcome in outcomes)
