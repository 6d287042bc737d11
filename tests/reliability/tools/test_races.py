"""A person edits in the midst of a run, on every tool: the edit survives, or is reported.

No tool here checks a version on every write. What a person saves in the one round trip between the
connector's last look and its write is overwritten in the fields that it writes then; everything
else lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from sync.records.model import Marker
from tests.contract.targets.account import Account
from tests.figures import Figure
from tests.profiles import LONG, sampled
from tests.reliability.tools.office import Original, World

pytestmark = pytest.mark.sampled_inside

EVERY: Final = 3 if LONG else 67
"""Of so many requests one has an edit before it, in a whole run; another one for each edit."""

Edit = Callable[[Account, str], None]
TITLE: Final = "Petra's new name"
SUBJECT: Final = "Petra's subject"


def _story(account: Account, root: str) -> str:
    children = account.target.observe_children([root])[root]
    return next(c.id for c in children if c.kind == "story" and c.identity == "call")


def _copy(account: Account, root: str) -> None:
    account.target.unmark(account.copy(root, "Somebody's own"), _marker(account, root))


def _marker(account: Account, root: str) -> Marker:
    found = account.target.observe_root(root)
    assert found is not None
    return found.markers[0]


EDITS: Final[Mapping[str, Edit]] = {
    "renames the project": lambda a, root: a.rename(root, f"(tentative) {TITLE}"),
    "adds a story": lambda a, root: a.add_story(root, SUBJECT),
    "renames a story": lambda a, root: a.edit_story(root, _story(a, root), SUBJECT),
    "deletes a story": lambda a, root: a.delete_story(root, _story(a, root)),
    "deletes the project": lambda a, root: a.delete(root),
    "copies the project": _copy,
}


def test_an_edit_before_any_request_of_a_run_survives(
    world_of_a_tool: Original, figure: Figure
) -> None:
    world = world_of_a_tool.again()
    world.run()
    count = len(world.edge.asked)
    wrong, tried, open_ = [], 0, 0
    for turn, (name, edit) in enumerate(EDITS.items()):
        for at in sampled(range(1 + 11 * turn % EVERY, count + 1, EVERY), 3):
            trouble, in_between = race(world_of_a_tool.again(), edit, name, at)
            tried += 1
            if trouble and in_between and name in OVERWRITTEN:
                open_ += 1
                continue
            wrong += [f"somebody {name} before request {at}: {each}" for each in trouble]
    assert not wrong, "\n".join(wrong)
    tool = world_of_a_tool.world.server.name
    figure(f"{tool}: {tried} edits in the midst of a run, {open_} in the round trip left open")


OVERWRITTEN: Final = frozenset({"renames the project", "renames a story"})


def race(world: World, edit: Edit, name: str, at: int) -> tuple[list[str], bool]:
    """Runs, has a person edit before a request, and runs again; returns what does not hold, and
    whether the edit came right before a write."""
    asked = 0
    in_between = False

    def before(request: str) -> None:
        nonlocal asked, in_between
        asked += 1
        if asked == at:
            in_between = not world.server.reads(request)
            account = world.server.account(world.clock)
            edit(account, changed_project(account))
            account.target.close()  # type: ignore[attr-defined]

    world.edge.before = before
    world.run()
    world.edge.before = lambda request: None
    world.run()
    world.run()
    trouble = [each for each in (_lasting(world, name), world.not_quiet()) if each]
    return trouble, in_between


def changed_project(account: Account) -> str:
    """Returns the project in which the run has most to do."""
    roots = account.target.observe_roots()
    return next(root.id for root in roots for m in root.markers if m.key == "CHANGED")


def _lasting(world: World, name: str) -> str:
    """Says which edit is gone."""
    said = str(world.picture())
    is_there = {
        "renames the project": TITLE in said,
        "adds a story": SUBJECT in said,
        "renames a story": SUBJECT in said,
        "deletes a story": said.count("acme/CHANGED/call") + said.count("acme__CHANGED__call") < 1,
        "deletes the project": not any("Acme & Sons" in str(each) for each in world.picture()),
        "copies the project": "Somebody's own" in said,
    }
    return "" if is_there[name] else f"it is gone: {said}"
