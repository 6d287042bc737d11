"""Children of so many projects that each list has several pages: every one of them arrives.

RELIABILITY_PROFILE=long does it with 400 scrum projects and 60,000 children.
"""

from __future__ import annotations

from collections import Counter

import pytest

from taiga_pipeline.records import Kind
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from taiga_pipeline.sandbox.models import Membership, Milestone, Role
from taiga_pipeline.targets.taiga import paging, reading
from tests.profiles import LONG
from tests.targets.taiga.account import Account

PROJECTS = 400 if LONG else 9
ROLES = 6
MILESTONES = 4
TEAM = 2
STORIES = 138 if LONG else 9
"""All in all 150 children of a project, and fewer stories than a page has room for."""


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages as small, beside the lists, as Taiga's are beside those of 400 projects."""
    if not LONG:
        monkeypatch.setattr(paging, "PAGE_SIZE", 10)
        monkeypatch.setattr(reading, "PAGE_SIZE", 10)


@pytest.fixture
def roots(sandbox: Sandbox, bot: Account) -> list[str]:
    """The projects, every one with the same roles, sprints and subjects."""
    ids = [bot.project(template="scrum").id for _ in range(PROJECTS)]
    for root in ids:
        _fill(sandbox, int(root))
    return ids


def _fill(sandbox: Sandbox, project: int) -> None:
    store = sandbox.store
    with store.lock:
        now = store.clock.tick()
        owner = next(iter(store.memberships.of(project))).user
        for number in range(MILESTONES):
            dates = (f"2027-0{number + 1}-01", f"2027-0{number + 1}-15")
            row_id, name = store.milestones.next_id(), f"Sprint {number}"
            row = Milestone(row_id, project, name, f"s-{number}", owner or 0, *dates, now, now)
            store.milestones.add(row)
        role: Role = store.roles.of(project)[0]
        pm = store.find_user("pm")
        assert pm is not None
        row_id = store.memberships.next_id()
        member = Membership(row_id, project, role.id, pm.id, None, False, now, owner)
        store.memberships.add(member)
    subjects = "\n".join(f"Story {number}" for number in range(STORIES))
    body = {"project_id": project, "bulk_stories": subjects}
    sandbox.as_user(sandbox.username).post("/userstories/bulk_create", body)


def test_every_child_of_every_project_arrives(
    pages: None, sandbox: Sandbox, bot: Account, roots: list[str]
) -> None:
    before = bot.target.request_count
    found = bot.target.observe_children(roots)
    requests = bot.target.request_count - before
    assert sorted(found) == sorted(roots)
    for root in roots:
        kinds = Counter(child.kind for child in found[root])
        assert kinds[Kind.ROLE] == ROLES
        assert kinds[Kind.MILESTONE] == MILESTONES
        assert kinds[Kind.MEMBERSHIP] == TEAM
        assert found[root][0].facts["progress"] == 0
    assert requests < PROJECTS * (1 if LONG else 4)


def test_lists_that_never_come_whole_are_read_project_by_project(
    pages: None, sandbox: Sandbox, bot: Account, roots: list[str]
) -> None:
    """Whatever else a server does to the pages of a long list, a run does not end with it."""
    fault = Fault(FaultKind.SHIFTED_PAGE, path=r"/userstories$", times=10_000, amount=1)
    sandbox.faults.replace([fault])
    found = bot.target.observe_children(roots)
    assert sorted(found) == sorted(roots)


def test_the_sandbox_loses_roles_across_pages_as_a_server_does(
    bot: Account, roots: list[str]
) -> None:
    size = len(roots) * 2 - 3
    pages = [bot.call("GET", f"roles?page_size={size}&page={page}") for page in (1, 2, 3, 4)]
    ids = [row["id"] for rows in pages for row in rows]
    assert len(ids) == len(roots) * ROLES
    assert len(set(ids)) < len(ids)
