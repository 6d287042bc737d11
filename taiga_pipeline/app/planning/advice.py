"""What to do about hours that lack, with what each way costs, and by when it has to be decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from taiga_pipeline.app.planning.money import amounts_json, rate_book
from taiga_pipeline.app.planning.staffing import Wanted, resolver, solved_case
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.planning.hiring.advice import Leads, Movable, Option, Way, advise
from taiga_pipeline.planning.money.rates import add
from taiga_pipeline.planning.weeks import week_name

if TYPE_CHECKING:
    from taiga_pipeline.planning.money.rates import Amounts, Price, RateBook
    from taiga_pipeline.planning.staffing.build import Case


@dataclass(frozen=True, slots=True)
class Advice:
    """A way to get hours, in words of people, deals and days.

    ``person`` is the address of who would be trained, ``deal`` the project that would begin later
    (on ``start``). ``first`` and ``last`` are the days that it spans. ``cost`` is None where no
    rate tells, ``brings`` what the hours met are billed at.
    """

    option: Option
    first: date
    last: date
    decide_by: date
    deals: tuple[str, ...]
    cost: Amounts | None
    brings: Amounts | None
    person: str = ""
    deal: str = ""
    start: date | None = None


@dataclass(frozen=True, slots=True)
class Advices:
    """All ways that help, the most worth first; ``lacking`` are the hours that the plan lacks."""

    lacking: float
    ways: tuple[Advice, ...]
    notices: tuple[str, ...]


def advice_for(workspace: Workspace, wanted: Wanted) -> Advices:
    """Returns what to do about hours that lack; changes nothing.

    :raises EmptyRoster: nobody is on the roster.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the store.
    """
    case, solution = solved_case(workspace, wanted)
    busy = {each.deal_key for each in case.fixed}
    notice = timedelta(weeks=workspace.settings.planning.hiring.notice_weeks)
    later = [
        number
        for number, work in enumerate(case.works)
        if work.key not in busy and not work.tied and work.start - notice >= workspace.today
    ]
    plan = solution.plan
    movable = Movable(later, case.longer)
    options = advise(case.problem, plan, movable, _leads(workspace), resolver(workspace, wanted))
    book = rate_book(workspace)
    maker = _Maker(case, book, _dearer(workspace), workspace.today)
    ways = tuple(maker.advice(each, plan.delays) for each in options)
    return Advices(sum(solution.score.unmet), ways, tuple(_notices(case, book)))


def _leads(workspace: Workspace) -> Leads:
    hiring = workspace.settings.planning.hiring
    return Leads(
        {
            Way.HIRE: hiring.hire_weeks,
            Way.PART_TIME: hiring.hire_weeks,
            Way.TEMPORARY: hiring.temporary_weeks,
            Way.SUBCONTRACT: hiring.subcontract_weeks,
            Way.TRAIN: hiring.training_weeks,
            Way.LATER: hiring.notice_weeks,
        },
        has_begun=workspace.today.weekday() > 0,
    )


def _dearer(workspace: Workspace) -> Mapping[Way, float]:
    hiring = workspace.settings.planning.hiring
    return {Way.TEMPORARY: hiring.temporary_dearer, Way.SUBCONTRACT: hiring.subcontract_dearer}


def _notices(case: Case, book: RateBook) -> list[str]:
    whose = sorted({name for what, name in book.missing if what == "cost"})
    missing = [f"no cost rate, so what it costs is unknown: {', '.join(whose)}"] if whose else []
    return [*case.notes, *missing]


@dataclass(frozen=True, slots=True)
class _Maker:
    case: Case
    book: RateBook
    dearer: Mapping[Way, float]
    today: date

    def advice(self, option: Option, delays: tuple[int, ...]) -> Advice:
        case = self.case
        first = case.week(option.first)
        moved = case.works[option.project] if option.project is not None else None
        weeks = option.later_weeks + (delays[option.project] if option.project is not None else 0)
        return Advice(
            option=option,
            first=first,
            last=case.week(max(option.first + 1, option.after)) - timedelta(days=1),
            decide_by=max(self.today, case.week(option.decide)),
            deals=tuple(case.works[number].key for number in option.projects),
            cost=self._cost(option),
            brings=self._brings(option),
            person="" if option.worker is None else case.people[option.worker].email,
            deal=moved.key if moved else "",
            start=moved.start + timedelta(weeks=weeks) if moved else None,
        )

    def _cost(self, option: Option) -> Amounts | None:
        """Returns what a way costs: the hours that are paid. Somebody who is trained, and a start
        that is moved, cost nothing besides."""
        if option.way in (Way.TRAIN, Way.LATER):
            return {}
        dearer = self.dearer.get(option.way, 1.0)
        hours = [each * dearer for each in option.paid]
        return self._at_rates(option, hours, self.book.cost)

    def _brings(self, option: Option) -> Amounts | None:
        return self._at_rates(option, option.met_in, self.book.bill) if option.role else None

    def _at_rates(
        self, option: Option, hours: Sequence[float], price_of: Callable[..., Price | None]
    ) -> Amounts | None:
        """Returns hours by week at the role's rates of these weeks, None where one has none."""
        total: dict[str, float] = {}
        for number, each in enumerate(hours, option.first):
            price = price_of(option.role, "", self.case.week(number)) if each else None
            if each and price is None:
                return None
            add(total, price, each)
        return total


def advice_json(found: Advices) -> dict[str, Any]:
    """Returns advice as plain data; hours are rounded to tenths, money to two digits."""
    return {
        "hours_lacking": round(found.lacking, 1),
        "ways": [_way_json(each) for each in found.ways],
        "notices": list(found.notices),
    }


def _way_json(advice: Advice) -> dict[str, Any]:
    option = advice.option
    return {
        "way": option.way.value,
        "role": option.role,
        "person": advice.person,
        "deal": advice.deal,
        "start": advice.start,
        "hours_per_week": round(option.hours_per_week, 1),
        "from": advice.first,
        "from_week": week_name(advice.first),
        "to": advice.last,
        "decide_by": advice.decide_by,
        "hours_met": round(option.met, 1),
        "hours_idle": round(option.idle, 1),
        "cost": None if advice.cost is None else amounts_json(advice.cost),
        "brings": None if advice.brings is None else amounts_json(advice.brings),
        "saved": round(option.saved, 1),
        "worth": round(option.worth, 1),
        "deals": list(advice.deals),
    }
