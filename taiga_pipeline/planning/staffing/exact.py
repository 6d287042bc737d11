"""A whole small problem as one model for a constraint solver, which can prove that a plan is best.

Every plan that `staffing.evaluate` accepts has its place in the model: each project has one start;
a candidate takes a request whole or half for all of its weeks, or in stretches of some weeks. A
stretch is known by the weeks that it covers and by where it begins, which is where it is charged.

Hours and costs are whole numbers in the model. They are rounded so that the model allows no less
and charges no more than the evaluator: its bound holds for the evaluator's costs. Plans are scored
by the evaluator alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, product
from math import ceil, floor
from threading import Event, Thread
from typing import Any, Final, Self

from ortools.sat.python import cp_model

from taiga_pipeline.planning.staffing.evaluate import evaluate, violations
from taiga_pipeline.planning.staffing.problem import (
    HALF,
    TOLERANCE,
    WHOLE,
    Assignment,
    Plan,
    Problem,
    given,
    met,
)

MOST_VARIABLES: Final = 40_000
"""Choices in a model beyond which nothing is proven in the time that people wait."""
WORKERS: Final = 8
"""Strategies of the solver, which take turns on one thread: so the same work gives the same."""
_SEARCHES: Final = (
    *("rins", "rens", "feasibility_pump", "rnd_var_lns", "rnd_cst_lns"),
    *("graph_var_lns", "graph_cst_lns", "graph_dec_lns", "graph_arc_lns"),
)
"""Strategies that look for better plans and prove nothing: `lns` has done that already."""
SAME_COST: Final = 0.05
"""Costs are shown in tenths; less than half of one is no difference."""
CHECK_CLOCK_SECONDS: Final = 0.05
_SCALES: Final = (1, 2, 4, 20, 40, 60, 120, 1_000, 10_000)
_FINEST: Final = 10_000_000
"""Parts of an hour where hours are no simple fractions; rounding stays within `TOLERANCE` then."""
_PARTS_OF_COST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Proof:
    """What the solver found: a plan at least as good as the one given, and a cost that no plan can
    go below: that of the plan, if it is the best. ``in_time`` is False when the clock ended the
    search."""

    plan: Plan
    bound: float
    in_time: bool


def count_variables(problem: Problem) -> int:
    """Returns about how many choices the model of a problem has."""
    return sum(
        (problem.projects[each.project].max_delay + 1)
        * len(each.candidates)
        * 2
        * (2 * len(each.need) + 1)
        for each in problem.requests
    )


def solve_whole(
    problem: Problem,
    plan: Plan,
    deterministic_time: float,
    seed: int,
    elapsed: Callable[[], float] = lambda: 0.0,
) -> Proof:
    """Looks for the best plan of a problem, from ``plan`` on.

    ``deterministic_time`` is CP-SAT's own measure of work, about a second on a usual machine; the
    search ends before when ``elapsed``, the part of the time that is used, comes to 1.
    """
    model = _Model(problem, plan)
    solver = cp_model.CpSolver()
    solver.parameters.interleave_search = True
    solver.parameters.num_workers = WORKERS
    solver.parameters.linearization_level = 2  # proofs come from the linear relaxation, mostly
    solver.parameters.ignore_subsolvers.extend(_SEARCHES)
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = deterministic_time
    with _Guard(solver, elapsed) as guard:
        return model.solve(solver, guard)


class _Guard:
    """Stops a solver when the time is over; ``has_stopped`` says that it did."""

    def __init__(self, solver: cp_model.CpSolver, elapsed: Callable[[], float]) -> None:
        self._solver = solver
        self._elapsed = elapsed
        self._done = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self.has_stopped = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(CHECK_CLOCK_SECONDS):
            if self._elapsed() >= 1:
                self.has_stopped = True
                self._solver.stop_search()


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a candidate would give, and meet of what is asked for, if they took a share of a request
    that begins after a delay."""

    request: int
    worker: int
    penalty: float
    halves: int
    delay: int
    gives: list[float]
    meets: list[float]


@dataclass(frozen=True, slots=True)
class _Share:
    """The variables of an offer: one for all of its weeks, and for each week one that says whether
    a stretch of some weeks covers it."""

    offer: _Offer
    full: Any
    covers: list[Any]

    def chosen(self) -> Iterator[tuple[int, float, list[Any]]]:
        """Yields the weeks in which something is met, the hours given, and the variables."""
        for week, hours in enumerate(self.offer.gives):
            if self.offer.meets[week] > 0:
                yield week, hours, [self.full, *self.covers[week : week + 1]]


class _Model:
    def __init__(self, problem: Problem, plan: Plan) -> None:
        self._problem = problem
        self._plan = plan
        self._model = cp_model.CpModel()
        self._cost: list[tuple[Any, int]] = []
        self._shares: list[_Share] = []
        self._delays: list[tuple[Any, float]] = []
        self._present = set(plan.assignments)
        self._starts = [self._start(number) for number in range(len(problem.projects))]
        offers = [each for each in _offers(problem) if any(each.meets)]
        self._hour = _scale(problem, offers)
        self._unit = self._hour * ceil(_PARTS_OF_COST / self._hour)
        self._loads: dict[tuple[int, int], list[tuple[Any, float]]] = defaultdict(list)
        self._joins: dict[tuple[int, int, str], list[Any]] = defaultdict(list)
        for variable, cost in self._delays:
            self._charge(variable, cost)
        for offer in offers:
            self._add_share(offer)
        self._limit_requests()
        self._limit_workers()
        self._limit_projects()
        terms = [variable * amount for variable, amount in self._cost]
        self._model.minimize(sum(terms))

    def _start(self, number: int) -> list[Any]:
        """Adds a variable for each week by which a project may be postponed; one is chosen."""
        project = self._problem.projects[number]
        variables = [self._model.new_bool_var("") for _ in range(project.max_delay + 1)]
        self._model.add_exactly_one(variables)
        for weeks, variable in enumerate(variables):
            self._model.add_hint(variable, self._plan.delays[number] == weeks)
            self._delays.append((variable, self._problem.unstaffed_cost(number, weeks)))
        return variables

    def _charge(self, variable: Any, cost: float) -> None:
        """Charges a cost (negative: what is saved) if a variable is chosen, never too much."""
        amount = floor(cost * self._unit + TOLERANCE)
        if amount:
            self._cost.append((variable, amount))

    def _add_share(self, offer: _Offer) -> None:
        problem, model = self._problem, self._model
        request = problem.requests[offer.request]
        project, terms = problem.projects[request.project], problem.terms
        weeks = len(offer.gives)
        share = _Share(offer, model.new_bool_var(""), [])
        is_now = self._plan.delays[request.project] == offer.delay
        whole = Assignment(offer.request, offer.worker, offer.halves, 0, weeks)
        model.add_hint(share.full, is_now and whole in self._present)
        split = terms.split_cost if offer.halves < WHOLE else 0.0
        self._charge(share.full, offer.penalty + split - project.weight * sum(offer.meets))
        if weeks > 1:
            charge = terms.split_cost + terms.handover_hours * project.weight
            self._add_stretches(share, offer.penalty + charge, project.weight)
        for week, hours, chosen in share.chosen():
            at = request.first + offer.delay + week
            self._loads[offer.worker, at] += [(variable, hours) for variable in chosen]
            self._joins[offer.worker, at, project.key] += chosen
        self._shares.append(share)

    def _add_stretches(self, share: _Share, charge: float, weight: float) -> None:
        model, offer = self._model, share.offer
        here = self._stretches_now(offer)
        before: Any = 0
        for week, hours in enumerate(offer.meets):
            covers, begins = model.new_bool_var(""), model.new_bool_var("")
            model.add_hint(covers, any(each.first <= week < each.end for each in here))
            model.add_hint(begins, any(each.first == week for each in here))
            model.add(begins >= covers - before)
            self._charge(covers, -weight * hours)
            self._charge(begins, charge)
            share.covers.append(covers)
            before = covers
        # All weeks in one stretch are no stretch: that is what `full` stands for.
        model.add(sum(share.covers) <= len(offer.gives) - 1)

    def _stretches_now(self, offer: _Offer) -> list[Assignment]:
        project = self._problem.requests[offer.request].project
        if self._plan.delays[project] != offer.delay:
            return []
        who = offer.request, offer.worker, offer.halves
        return [
            each
            for each in self._present
            if (each.request, each.worker, each.halves) == who
            and each.end - each.first < len(offer.gives)
        ]

    def _limit_requests(self) -> None:
        """A request gets no more than it asks for, and no one twice in the same week."""
        by_week: dict[tuple[int, int, int], list[tuple[_Offer, Any]]] = defaultdict(list)
        full: dict[tuple[int, int], list[tuple[_Offer, Any]]] = defaultdict(list)
        for share in self._shares:
            offer = share.offer
            full[offer.request, offer.delay].append((offer, share.full))
            for week, _, chosen in share.chosen():
                by_week[offer.request, offer.delay, week] += [(offer, each) for each in chosen]
        for (request, delay), wanted in full.items():
            self._share_out(request, delay, wanted)
        for (request, delay, _), there in by_week.items():
            self._share_out(request, delay, there)
            of_worker: dict[int, list[Any]] = defaultdict(list)
            for offer, each in there:
                of_worker[offer.worker].append(each)
            for variables in of_worker.values():
                self._model.add_at_most_one(variables)

    def _share_out(self, request: int, delay: int, wanted: list[tuple[_Offer, Any]]) -> None:
        """No more than the whole of a request is taken, and only if it begins after this delay."""
        start = self._starts[self._problem.requests[request].project][delay]
        taken = sum(offer.halves * each for offer, each in wanted)
        self._model.add(taken <= WHOLE * start)

    def _limit_workers(self) -> None:
        """Nobody works more than their hours and the overtime, which is charged for."""
        problem, model = self._problem, self._model
        for (worker, week), there in self._loads.items():
            person = problem.workers[worker]
            usual = max(0.0, person.hours[week] - person.fixed[week])
            most = ceil(problem.limit[worker][week] * self._hour - TOLERANCE)
            regular = ceil(usual * self._hour - TOLERANCE)
            load = sum(
                variable * floor(hours * self._hour + TOLERANCE) for variable, hours in there
            )
            model.add(load <= most)
            if most > regular:
                over = model.new_int_var(0, most - regular, "")
                model.add(load - over <= regular)
                amount = floor(problem.terms.overtime_cost * self._unit / self._hour + TOLERANCE)
                self._cost.append((over, amount))

    def _limit_projects(self) -> None:
        """Nobody is on more than so many projects in a week."""
        joining: dict[tuple[int, int], list[Any]] = defaultdict(list)
        for (worker, week, key), chosen in self._joins.items():
            if key not in self._problem.workers[worker].elsewhere[week]:
                joining[worker, week].append(chosen)
        for (worker, week), projects in joining.items():
            person = self._problem.workers[worker]
            places = max(0, person.max_projects - len(person.elsewhere[week]))
            if len(projects) <= places:
                continue
            there = []
            for chosen in projects:
                on = self._model.new_bool_var("")
                for each in chosen:
                    self._model.add_implication(each, on)
                there.append(on)
            self._model.add(sum(there) <= places)

    def solve(self, solver: cp_model.CpSolver, guard: _Guard) -> Proof:
        status = solver.solve(self._model)
        in_time = not guard.has_stopped or status == cp_model.OPTIMAL
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Proof(self._plan, 0.0, in_time)
        bound = max(0.0, solver.best_objective_bound / self._unit)
        found = self._read(solver)
        plans = [self._plan]
        if not any(violations(self._problem, found)):
            plans.append(found)
        best = min(plans, key=lambda each: evaluate(self._problem, each).cost)
        cost = evaluate(self._problem, best).cost
        # What is left between the two is rounding.
        return Proof(best, cost if cost - bound < SAME_COST else bound, in_time)

    def _read(self, solver: cp_model.CpSolver) -> Plan:
        delays = tuple(
            next(weeks for weeks, each in enumerate(row) if solver.boolean_value(each))
            for row in self._starts
        )
        assignments: list[Assignment] = []
        for share in self._shares:
            offer = share.offer
            if solver.boolean_value(share.full):
                whole = 0, len(offer.gives)
                assignments.append(Assignment(offer.request, offer.worker, offer.halves, *whole))
            assignments += _stretches(share, solver)
        return Plan(delays, tuple(sorted(assignments)))


def _stretches(share: _Share, solver: cp_model.CpSolver) -> Iterator[Assignment]:
    """Yields the stretches of a share, without weeks at their ends in which nothing is met."""
    offer = share.offer
    covered = [bool(solver.boolean_value(each)) for each in share.covers]
    for is_on, weeks in groupby(range(len(covered)), lambda week: covered[week]):
        meeting = [week for week in weeks if offer.meets[week] > 0]
        if is_on and meeting:
            first, end = meeting[0], meeting[-1] + 1
            yield Assignment(offer.request, offer.worker, offer.halves, first, end)


def _offers(problem: Problem) -> Iterator[_Offer]:
    for number, request in enumerate(problem.requests):
        delays = range(problem.projects[request.project].max_delay + 1)
        for each, halves, delay in product(request.candidates, (WHOLE, HALF), delays):
            whole = Assignment(number, each.worker, halves, 0, len(request.need))
            begin = request.first + delay
            gives, meets = given(problem, whole, begin), met(problem, whole, begin)
            yield _Offer(number, each.worker, each.penalty, halves, delay, gives, meets)


def _scale(problem: Problem, offers: Iterable[_Offer]) -> int:
    """Returns into how many parts an hour is divided so that all hours are whole numbers."""
    amounts = {hours for offer in offers for hours in offer.gives}
    amounts.update(hours for row in problem.limit for hours in row)
    amounts.update(hours for row in problem.free for hours in row)
    for parts in _SCALES:
        if all(abs(each * parts - round(each * parts)) < TOLERANCE for each in amounts):
            return parts
    return _FINEST
