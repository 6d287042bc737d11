"""How many requests a run takes."""

from __future__ import annotations

from bench.pipeline import GeneratedDeals, connected_target, runner
from bench.sandbox_process import SandboxProcess, sandbox_process
from bench.table import print_table
from sync.run.runner import Runner

CHILDREN = {"tentative": 0, "staffed": 3 + 1 + 2 + 2}
"""Per staffed project: three members, a milestone, two stories, a wiki page with its link (the role
is the template's)."""


def main() -> None:
    """Prints requests per run, for tentative and for staffed projects."""
    rows = []
    for state, source in (
        ("tentative", GeneratedDeals(20)),
        ("tentative", GeneratedDeals(50)),
        ("tentative", GeneratedDeals(1500)),
        ("staffed", GeneratedDeals(50, "Won", members=3)),
        ("staffed", GeneratedDeals(400, "Won", members=3)),
    ):
        rows.append([state, source.count, *_measure(source), *_promised(state, source.count)])
    header = [
        "state", "projects", "first run", "of that for projects", "second run", "writes in it",
        "promised for projects", "promised for the second run",
    ]  # fmt: skip
    print_table("Requests", header, rows)


def _promised(state: str, count: int) -> tuple[int, int]:
    return count * (2 + CHILDREN[state]), 2 + -(-count // 1000)


def _measure(source: GeneratedDeals) -> tuple[int, int, int, int]:
    """Returns requests of a first run, of that writes and per project, and of a second run."""
    with sandbox_process() as sandbox, runner(sandbox.url, source) as first:
        sandbox.requests()
        report = first.run()
        assert len(report.plan.groups) == source.count
        requests = sandbox.requests()
        writes = sum(method in ("POST", "PATCH", "PUT", "DELETE") for method, _ in requests)
        with_login = _second_run(sandbox, source, first)
    return len(requests), writes, *with_login


def _second_run(sandbox: SandboxProcess, source: GeneratedDeals, first: Runner) -> tuple[int, int]:
    """Runs again as a new process would: with a log-in of its own."""
    first.target = connected_target(sandbox.url)
    report = first.run()
    assert report.plan.unchanged == source.count, report.plan.summary()
    again = sandbox.requests()
    writes = sum(m != "GET" and not path.endswith("/auth") for m, path in again)
    return len(again), writes


if __name__ == "__main__":
    main()
