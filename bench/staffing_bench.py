"""How much better than the quick rule the optimiser staffs, on generated problems.

    python -m bench.staffing_bench                 # all sizes, five seeds, 60 s each: 20 minutes
    python -m bench.staffing_bench --sizes M --loads 0.5 --seeds 1 --seconds 10
    python -m bench.staffing_bench --sizes M --work 60       # the same work on any machine

The quick rule has the same overtime allowance as the optimiser (10 %), may let others stand in for
people who are away, and is scored by the same evaluator. ``unmet`` is the weighted cost of unmet
hours, which the goals are about; ``cost`` counts overtime, hand-overs, delays and second choices
as well. For M it is shown how much of the unmet hours any plan could avoid (`staffing_ceiling`).

A goal counts as reached when the mean of all seeds reaches it; how many do is shown. The seconds
given are those of one processor core (the optimiser uses one), so that other work on the machine
does not count. With ``--work``, the search does so many millions of its own steps of work (see
`lns`), and no clock ends anything: a slow machine finds the plans and bounds of a fast one. Prices
and the bound get what ``--seconds`` stand for, as ever. 60 s stand for 510 million.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.staffing_ceiling import least_unmet_cost
from bench.staffing_instances import Size, generate
from taiga_pipeline.planning.staffing.greedy import greedy_plan
from taiga_pipeline.planning.staffing.optimise import optimise
from taiga_pipeline.planning.staffing.problem import Problem

SIZES = {"M": (100, 60, 52), "L": (400, 250, 52)}
GOALS = {("M", 0.5): 0.83, ("M", 0.85): 0.65, ("L", 0.5): 0.50, ("L", 0.85): 0.15}
QUICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """One problem solved. ``seconds`` are of the processor, ``wall_seconds`` of the wall clock;
    ``load_average`` is of the last minute when it was done, of all work on the machine."""

    size: str
    load: float
    seed: int
    requests: int
    quick_seconds: float
    quick_cost: float
    quick_unmet: float
    seconds: float
    wall_seconds: float
    cost: float
    unmet: float
    bound: float
    repeatable: bool
    load_average: float
    ceiling: float | None

    @property
    def saved(self) -> float:
        """The part of the quick rule's cost that the optimiser saves."""
        return 1 - self.cost / self.quick_cost

    @property
    def saved_unmet(self) -> float:
        """The same of the weighted unmet hours alone."""
        return 1 - self.unmet / self.quick_unmet


def solve(size: str, load: float, seed: int, seconds: float, work: int | None = None) -> Result:
    """Generates a problem and solves it in both ways; with ``work``, no clock ends the search."""
    problem = generate(Size(*SIZES[size], load), seed)
    begun = time.process_time()
    greedy_plan(problem)
    quick_seconds = time.process_time() - begun
    begun, wall = time.process_time(), time.perf_counter()
    clock = time.process_time if work is None else _no_time
    solution = optimise(problem, seconds, seed, clock, work)
    return Result(
        size=size,
        load=load,
        seed=seed,
        requests=len(problem.requests),
        quick_seconds=round(quick_seconds, 3),
        quick_cost=round(solution.quick.cost),
        quick_unmet=round(solution.quick.unmet_cost),
        seconds=round(time.process_time() - begun, 1),
        wall_seconds=round(time.perf_counter() - wall, 1),
        cost=round(solution.score.cost),
        unmet=round(solution.score.unmet_cost),
        bound=round(solution.bound or 0),
        repeatable=solution.repeatable,
        load_average=round(os.getloadavg()[0], 1),
        ceiling=_ceiling(problem, solution.quick.unmet_cost) if size == "M" else None,
    )


def _ceiling(problem: Problem, quick_unmet: float) -> float:
    """Returns which part of the quick rule's unmet hours any plan could avoid at most."""
    return round(1 - least_unmet_cost(problem) / quick_unmet, 4)


def written(result: Result) -> str:
    """Returns a line about one problem."""
    ended = "" if result.repeatable else ", ended by the clock"
    at_most = "" if result.ceiling is None else f", at most {result.ceiling:.1%} possible"
    return (
        f"{result.size} {result.load:.2f} seed {result.seed}: {result.requests} requests, quick "
        f"{result.quick_cost:,.0f} in {result.quick_seconds:.2f} s, found {result.cost:,.0f} "
        f"({result.saved:.1%} less; unmet {result.saved_unmet:.1%} less{at_most}) in "
        f"{result.seconds:.0f} s "
        f"({result.wall_seconds:.0f} by the wall clock), bound {result.bound:,.0f}{ended} "
        f"[load {result.load_average:g}]"
    )


def report(results: Sequence[Result]) -> Iterator[str]:
    """Yields a line for each size and load, and whether its goal was reached."""
    for (size, load), goal in GOALS.items():
        found = [each for each in results if (each.size, each.load) == (size, load)]
        if not found:
            continue
        saved = [each.saved_unmet for each in found]
        mean = sum(saved) / len(saved)
        gap = sum(1 - each.bound / each.cost for each in found) / len(found)
        slowest = max(each.quick_seconds for each in found)
        yield (
            f"{size} {load:.0%}: unmet down {mean:.0%} in the mean ({_range(saved)}), goal "
            f"{goal:.0%} {'reached' if mean >= goal else 'MISSED'}, by "
            f"{sum(each >= goal for each in saved)} of {len(found)} seeds; all costs down "
            f"{_range([each.saved for each in found])}; mean gap to the bound {gap:.0%}; quick "
            f"rule up to {slowest:.2f} s (goal {QUICK_SECONDS:g} s "
            f"{'reached' if slowest < QUICK_SECONDS else 'MISSED'})"
        )


def _range(numbers: Sequence[float]) -> str:
    return f"{min(numbers):.0%} to {max(numbers):.0%}"


def _no_time() -> float:
    return 0.0


def main() -> None:
    """Runs the benchmark and prints a line per problem, then the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--loads", nargs="+", type=float, default=[0.5, 0.85])
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--work", type=float, help="millions that the search does, without a clock")
    parser.add_argument("--json", type=Path, help="write the results here")
    options = parser.parse_args()
    work = None if options.work is None else int(options.work * 1e6)
    results = []
    for seed in range(1, options.seeds + 1):
        for size in options.sizes:
            for load in options.loads:
                result = solve(size, load, seed, options.seconds, work)
                results.append(result)
                print(written(result), flush=True)
    for line in report(results):
        print(line)
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in results], indent=2) + "\n")
    if any("MISSED" in line for line in report(results)):
        sys.exit(1)


if __name__ == "__main__":
    main()
