"""What only happens to a Redmine on PostgreSQL, where it answers several requests at once.

Left out unless ``--redmine-url`` names a server that ``tests/live/redmine.sh`` set up with
``RM_DB=postgresql``.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.clock import SystemClock
from sync.errors import Rejected, SyncError
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Membership
from tests.contract.targets.account import Work
from tests.contract.targets.accounts import RedmineAccount
from tests.contract.targets.test_runs import Pipeline

AT_ONCE = 4
SETTLED_AFTER = 4
"""Runs of each of two machines, one after the other. In 780 orders of the requests of two machines,
on a Redmine and a Kanboard in memory, two were enough."""


@pytest.fixture
def accounts(live_redmine: Connection) -> Iterator[list[RedmineAccount]]:
    """Several connectors of one pipeline, as on several machines."""
    if os.environ.get("RM_DB", "sqlite") != "postgresql":
        pytest.skip("this Redmine is not on PostgreSQL (RM_DB), so that it takes turns by itself")
    made = [RedmineAccount(live_redmine, SystemClock()) for _ in range(AT_ONCE)]
    yield made
    for account in made[1:]:
        account.target.close()
        account._http.close()
    made[0].clean_up()


def at_once(functions: list[Callable[[], None]]) -> None:
    """Calls all at the same moment, and waits for them."""
    barrier = threading.Barrier(len(functions))

    def after_all_are_ready(function: Callable[[], None]) -> None:
        barrier.wait(300)
        function()

    threads = [
        threading.Thread(target=after_all_are_ready, args=(function,)) for function in functions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)


def posts(accounts: list[RedmineAccount], path: str, body: object) -> Counter[int]:
    """Sends the same request from all at once; returns how often which status was answered."""
    statuses: list[int] = []

    def post(account: RedmineAccount) -> None:
        url = f"{account.connection.url}/{path}"
        statuses.append(account._http.post(url, json=body, timeout=300).status_code)

    at_once([lambda account=account: post(account) for account in accounts])  # type: ignore[misc]
    return Counter(statuses)


def test_redmine_itself_makes_an_identifier_twice(accounts: list[RedmineAccount]) -> None:
    """The trap: where this no longer happens, the connector's care is not needed any more."""
    pipeline = accounts[0].pipeline
    twice = 0
    for number in range(100):
        name = {"name": f"race {number}", "identifier": f"ps-{pipeline}__race-{number}"}
        twice += posts(accounts, "projects.json", {"project": name})[201] > 1
        if twice:
            break
    assert twice
    doubles = Counter(
        marker.key for root in accounts[0].target.observe_roots() for marker in root.markers
        if marker.pipeline == pipeline
    )  # fmt: skip
    assert max(doubles.values()) > 1, "doubles are seen as such, and nobody guesses"


def test_connectors_that_make_a_project_at_once_leave_none_that_is_nobodys(
    accounts: list[RedmineAccount],
) -> None:
    for _ in range(5):
        key = Work(accounts[0]).key
        made: list[str] = []
        troubles: list[SyncError] = []

        def make(account: RedmineAccount) -> None:
            try:
                made.append(Work(account, key).make().record.id)  # noqa: B023
            except Rejected as error:
                troubles.append(error)  # noqa: B023

        at_once([lambda account=account: make(account) for account in accounts])  # type: ignore[misc]
        found = accounts[0].target.find_roots(Work(accounts[0], key).marker)
        assert found
        assert {root.id for root in found} <= set(made), troubles
        assert len(made) + len(troubles) == AT_ONCE
        if len(found) == 1:  # else one was begun earlier, and finished later than others looked
            assert Work(accounts[1], key).make().record.id == found[0].id


def test_a_member_added_by_several_at_once_is_a_member_once(
    accounts: list[RedmineAccount],
) -> None:
    for _ in range(5):
        works = [Work(accounts[0])]
        works[0].make()
        works += [Work(account, works[0].key) for account in accounts[1:]]
        for work in works:
            work.id = works[0].id
            work.bound[work.desired.key] = work.id
        troubles: list[SyncError] = []

        def join(work: Work) -> None:
            try:
                work.join("Developer")
            except SyncError as error:  # told as such, and looked at by the next run
                troubles.append(error)  # noqa: B023

        at_once([lambda work=work: join(work) for work in works])  # type: ignore[misc]
        (member,) = works[0].children(Kind.MEMBERSHIP)
        assert member.fields[Membership.ROLE] == "Developer"
        assert len(troubles) < AT_ONCE


def test_two_machines_that_run_at_once_end_with_one_version_and_one_issue(
    accounts: list[RedmineAccount], tmp_path: Path
) -> None:
    """Without a lease, which keeps them apart elsewhere: what both made at the same moment is
    removed by one of them.

    One after the other, each takes back what it made twice, and finishes what was cut short by the
    other one; the last run of each sees that nothing is left. Of two projects the one that was
    begun earlier may be finished later than the other's maker looked: they stay, and both say so.
    """
    for number in range(5):
        machines = []
        for at, account in enumerate(accounts[:2]):
            folder = tmp_path / f"{number}-{at}"
            folder.mkdir()
            machines.append(Pipeline(account, folder))
        deals = [f"{accounts[0].pipeline}-{number}-{at}" for at in range(4)]
        for machine in machines:
            for deal in deals:
                machine.want(deal, "staffed", accounts[0].member)
        at_once([lambda machine=machine: machine.run() and None for machine in machines])  # type: ignore[misc]
        for _ in range(SETTLED_AFTER):
            reports = [machine.run(full=True) for machine in machines]
        twins = {deal for deal in deals if len(machines[0].projects(deal)) > 1}
        for report in reports:
            assert {issue.key.group for issue in report.issues} == twins, report.issues
        for deal in set(deals) - twins:
            (root,) = machines[0].projects(deal)
            children = machines[0].account.target.observe_children([root])[root]
            kinds = Counter(child.kind for child in children if child.identity)
            assert (kinds[Kind.MILESTONE], kinds[Kind.STORY]) == (1, 1), deal
        for machine in machines:
            machine.store.close()
