"""A suggestion as it is shown and kept: the plan, what it lacks, what would help, and of what data
it was made, so that it is not accepted when those have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from sync.errors import Refused
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.planning.hiring.resolve import Resolve, quick
from taiga_pipeline.planning.staffing.allocations import (
    Suggested,
    allocations_of,
    identity,
    merged,
)
from taiga_pipeline.planning.staffing.build import Case, Rules, Staff, Wish
from taiga_pipeline.planning.staffing.explain import (
    Hire,
    Shift,
    best_hires,
    best_shifts,
    lacks,
)
from taiga_pipeline.planning.staffing.problem import asked_of
from taiga_pipeline.planning.staffing.solution import Solution
from taiga_pipeline.planning.staffing.work import Work
from taiga_pipeline.planning.weeks import week_name

FORMAT: Final = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """How, when and of what data a suggestion was asked for.

    ``chances`` are those of open deals as learnt from history, empty where deals' own were
    taken.
    """

    as_of: date
    seconds: float
    seed: int
    priorities: Mapping[str, float]
    fingerprint: str
    chances: Mapping[str, float] = field(default_factory=dict)


def describe(
    case: Case, solution: Solution, asked: Asked, resolve: Resolve = quick
) -> dict[str, Any]:
    """Returns a suggestion as plain data, ready for JSON (dates and Decimals as text).

    ``resolve`` solves the problem again, to see what one person more is worth.
    """
    suggested = allocations_of(case, solution.plan)
    wanted = [each.allocation for each in suggested]
    score = solution.score
    document = {
        "format": FORMAT,
        "fingerprint": asked.fingerprint,
        "as_of": asked.as_of,
        "first_week": case.rules.first,
        "weeks": case.problem.weeks,
        "rules": asdict(case.rules),
        "engine": solution.engine.value,
        "seed": asked.seed,
        "seconds": asked.seconds,
        "priorities": dict(asked.priorities),
        "chances": {
            work.key: asked.chances[work.key] for work in case.works if work.key in asked.chances
        },
        "repeatable": solution.repeatable,
        "cost": _rounded(score.cost),
        "cost_of_quick_rule": _rounded(solution.quick.cost),
        "bound": None if solution.bound is None else _rounded(solution.bound),
        "gap": None if solution.gap is None else round(solution.gap, 4),
        "optimal": solution.is_optimal,
        "hours": _hours(case, solution),
        "plan": [_suggested_json(case, each) for each in suggested],
        "delays": _delays(case, solution),
        "unmet": _unmet(case, solution),
        "hires": [
            _hire_json(case, each) for each in best_hires(case.problem, solution.plan, resolve)
        ],
        "shifts": _shifts(case, solution),
        "before": [allocation_json(each) for each in (*case.fixed, *case.movable)],
        "stored": [allocation_json(each) for each in merged(wanted, case.fixed)],
        "released": [allocation_json(each) for each in case.movable],
        "notes": list(case.notes),
    }
    plain: dict[str, Any] = json.loads(json.dumps(document, default=_plain))
    return plain


def rules_of(suggestion: Mapping[str, Any]) -> Rules:
    """Returns the rules that a suggestion was made by."""
    rules = dict(suggestion["rules"])
    wishes = tuple(Wish(**each) for each in rules.pop("wishes"))
    return Rules(**{**rules, "first": date.fromisoformat(rules["first"]), "wishes": wishes})


def later_starts(suggestion: Mapping[str, Any], only: Sequence[str] = ()) -> dict[str, date]:
    """Returns the new first days of the projects that a suggestion puts off, by deal."""
    return {
        each["deal"]: date.fromisoformat(each["suggested_start"])
        for each in suggestion["delays"]
        if not only or each["deal"] in only
    }


def before_delays(deals: Iterable[Deal], suggestion: Mapping[str, Any]) -> Iterator[Deal]:
    """Yields deals as they were before a suggestion that puts some off was accepted, if it was."""
    later = later_starts(suggestion)
    stated = {each["deal"]: each["stated"] for each in suggestion["delays"]}
    for deal in deals:
        if deal.key in later and deal.start == later[deal.key]:
            start = stated[deal.key]
            yield replace(deal, start=date.fromisoformat(start) if start else None)
        else:
            yield deal


def _hours(case: Case, solution: Solution) -> dict[str, dict[str, float]]:
    """Returns hours asked for and met, for won deals and for open ones."""
    found = {}
    hours = asked_of(case.problem, solution.plan)
    for name, confirmed in (("won", True), ("open", False)):
        numbers = [
            number
            for number, request in enumerate(case.problem.requests)
            if case.problem.projects[request.project].confirmed is confirmed
        ]
        asked = sum(sum(hours[number]) for number in numbers)
        unmet = sum(solution.score.unmet[number] for number in numbers)
        found[name] = {"asked": _rounded(asked), "met": _rounded(asked - unmet)}
    return found


def _suggested_json(case: Case, each: Suggested) -> dict[str, Any]:
    names = {person.email: person.name for person in case.people}
    work = next(work for work in case.works if work.key == each.allocation.deal_key)
    return {
        **allocation_json(each.allocation),
        "deal_name": work.name,
        "name": names[each.allocation.email],
        "why": each.why,
    }


def _delays(case: Case, solution: Solution) -> list[dict[str, Any]]:
    return [
        {
            "deal": work.key,
            "weeks": weeks,
            "start": work.start,
            "stated": work.stated,
            "suggested_start": work.start + timedelta(weeks=weeks),
        }
        for work, weeks in zip(case.works, solution.plan.delays, strict=True)
        if weeks
    ]


def _unmet(case: Case, solution: Solution) -> list[dict[str, Any]]:
    found = []
    asked = asked_of(case.problem, solution.plan)
    for lack in lacks(case.problem, solution.plan):
        piece, of = case.pieces[lack.request], sum(asked[lack.request])
        found.append(
            {
                "deal": piece.work.key,
                "role": piece.role,
                "hours": _rounded(lack.hours),
                "of": _rounded(of),
                "first_week": week_name(case.week(lack.first)),
                "last_week": week_name(case.week(lack.last)),
                "cost": _rounded(lack.cost),
                "why": _why_unmet(case, lack.request, met=lack.hours < of - 0.05),
            }
        )
    return found


def _why_unmet(case: Case, number: int, *, met: bool) -> str:
    """Returns why hours lack; ``met`` says whether some are met."""
    request = case.problem.requests[number]
    count = len(request.candidates)
    if not count:
        return "no person has this role with these skills"
    busy = "away, full, or on more important work"
    if met:
        return (
            f"the assigned people are {busy} in these weeks, and no other person can replace them"
        )
    if count == 1:
        return f"the one person who could is {busy}"
    return f"the {count} people who could are {busy}"


def _hire_json(case: Case, hire: Hire) -> dict[str, Any]:
    return {
        "role": hire.role,
        "hours_per_week": hire.usual,
        "from": case.week(0),
        "hours_met": _rounded(hire.help.hours),
        "cost_saved": _rounded(hire.help.cost),
        "deals": [case.works[number].key for number in hire.help.projects],
    }


def _shifts(case: Case, solution: Solution) -> list[dict[str, Any]]:
    """Returns the best shifts of projects without people and that begin in the future."""
    busy = {each.deal_key for each in case.fixed}
    movable = [
        number
        for number, work in enumerate(case.works)
        if work.key not in busy and work.start >= case.rules.first
    ]
    found = best_shifts(case.longer, solution.plan, movable)
    return [_shift_json(case, solution, shift) for shift in found]


def _shift_json(case: Case, solution: Solution, shift: Shift) -> dict[str, Any]:
    work = case.works[shift.project]
    weeks = solution.plan.delays[shift.project] + shift.weeks
    return {
        "deal": work.key,
        "weeks": weeks,
        "suggested_start": work.start + timedelta(weeks=weeks),
        "hours_met": _rounded(shift.help.hours),
        "cost_saved": _rounded(shift.help.cost),
    }


def allocation_json(allocation: Allocation) -> dict[str, Any]:
    """Returns an allocation as plain data."""
    return {
        "deal": allocation.deal_key,
        "email": allocation.email,
        "role": allocation.role,
        "hours_per_week": allocation.hours_per_week,
        "start": allocation.start,
        "end": allocation.end,
        "status": "confirmed" if allocation.confirmed else "tentative",
    }


def read_allocation(data: Mapping[str, Any]) -> Allocation:
    """Returns an allocation from plain data."""

    def day(text: str | None) -> date | None:
        return None if text is None else date.fromisoformat(text)

    return Allocation(
        deal_key=data["deal"],
        email=data["email"],
        role=data["role"],
        hours_per_week=Decimal(data["hours_per_week"]),
        start=day(data["start"]),
        end=day(data["end"]),
        confirmed=data["status"] == "confirmed",
    )


def fingerprint(works: Iterable[Work], staff: Staff) -> str:
    """Returns a short text that changes when what is asked for, or who is there, changes.

    Allocations are not part of it: `Acceptance` compares those one by one.
    """
    document = [
        [asdict(work) for work in works],
        [asdict(person) for person in staff.people],
        [[round(hours, 6) for hours in staff.hours[each.email]] for each in staff.people],
    ]
    text = json.dumps(document, default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What is to be stored and released for some deals (all, if none is named)."""

    store: tuple[Allocation, ...]
    release: tuple[Allocation, ...]


def accept(
    suggestion: Mapping[str, Any], present: Iterable[Allocation], only: Sequence[str] = ()
) -> Acceptance:
    """Returns what accepting a suggestion comes to, now that ``present`` is what there is.

    What was accepted before may be accepted again. Nothing else may have changed since.

    :raises Refused: allocations changed since the suggestion was made.
    :raises InvalidValue: a deal that the suggestion does not have.
    """
    before = set(map(read_allocation, suggestion["before"]))
    stored = list(map(read_allocation, suggestion["stored"]))
    released = set(map(read_allocation, suggestion["released"]))
    delayed = {each["deal"] for each in suggestion["delays"]}
    _check_deals(only, {each.deal_key for each in (*stored, *released)} | delayed)
    _check_unchanged(set(present), before, stored, released)
    chosen = [each for each in stored if not only or each.deal_key in only]
    kept = {identity(each) for each in stored}
    gone = [
        each
        for each in sorted(released, key=lambda each: (each.deal_key, each.email, each.role))
        if (not only or each.deal_key in only) and identity(each) not in kept
    ]
    return Acceptance(tuple(chosen), tuple(gone))


def _check_deals(only: Sequence[str], known: set[str]) -> None:
    unknown = [key for key in only if key not in known]
    if unknown:
        listed = ", ".join(sorted(known)) or "none"
        raise InvalidValue(
            f"the suggestion does not include {', '.join(unknown)} (deals: {listed})"
        )


def _check_unchanged(
    present: set[Allocation],
    before: set[Allocation],
    stored: list[Allocation],
    released: set[Allocation],
) -> None:
    added = present - before - set(stored)
    replaced = {identity(each) for each in stored}
    missing = {each for each in before - present - released if identity(each) not in replaced}
    changes = [
        *(f"{_named(each)} is new" for each in sorted(added, key=_named)),
        *(f"{_named(each)} is gone" for each in sorted(missing, key=_named)),
    ]
    if changes:
        shown = "; ".join(changes[:3]) + (f"; and {len(changes) - 3} more" * (len(changes) > 3))
        raise Refused(
            f"allocations changed since this suggestion was made ({shown}); make a new one with: "
            "pipeline-sync staff suggest"
        )


def _named(allocation: Allocation) -> str:
    hours = f"{allocation.hours_per_week:f}"
    return f"{allocation.email} on {allocation.deal_key} as {allocation.role}, {hours} h"


def _rounded(number: float) -> float:
    return round(number, 1)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def with_notes(case: Case, notes: Iterable[str]) -> Case:
    """Returns a case with more notes, those that are there last."""
    return replace(case, notes=(*notes, *case.notes))
