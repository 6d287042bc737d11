"""The engine knows what can be done, and nothing of the words for it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import sync
from sync.errors import Rejected, Unauthorised
from sync.plan.model import Issue, IssueKind
from sync.records.model import RecordKey
from sync.run.runner import Outcome
from sync.state.schema import ISSUES
from sync.way_out import WayOut
from sync.ways_out import (
    TYPES,
    Adopt,
    Adoption,
    AllowOnce,
    DeleteInTarget,
    Effect,
    MoveState,
    Resolve,
    ServerIs,
    Side,
    Statement,
    Unlink,
    Wait,
    dump,
    load,
)
from tests.sync.world import World, deal

ENGINE: Final = Path(sync.__file__).parent
WORDS: Final = re.compile(
    r"""\b(deals?|mappings?|milestones?|stor(y|ies)|cards?|customers?|taiga|redmine|odoo|kanboard
        |tryton|projects?(?!-management)|pipeline-sync|click|config(uration|\.toml)?)\b
        |(?<![\w'-])--[a-z]|(?<![\w=)])\[[a-z]{3,}\]|\bdocs/(?!postgresql)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Nouns of sales and of tools, names of tools, commands, options, settings and pages."""
ALLOWED: Final = {
    ("records/composite_text.py", "―― Kept current by pipeline-sync ――"),
    ("database/engine.py", "pipeline-sync "),
    ("run/lock.py", "pipeline-sync "),
}
"""What is stored elsewhere under this name: a line in people's texts, connections, a lock."""


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yields every text in a module, docstrings among them, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def is_allowed(path: str, text: str) -> bool:
    return any(path == where and part in text for where, part in ALLOWED)


def test_no_text_of_the_engine_speaks_of_deals_tools_commands_or_settings() -> None:
    found = [
        f"{place}:{line}: {match[0]}"
        for path in sorted(ENGINE.rglob("*.py"))
        for line, text in literals(path)
        if (match := WORDS.search(text))
        and not is_allowed(place := str(path.relative_to(ENGINE)), text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        *("the deal is gone", "a changed mapping", "Taiga says no", "run 'pipeline-sync plan'"),
        *("to allow it: --allow create", "under [limits]", "its project is gone", "two stories"),
    ],
)
def test_such_a_text_would_be_found(text: str) -> None:
    assert WORDS.search(text)


def every_way_out() -> Iterator[WayOut]:
    key = RecordKey("D 1", "story", "Kick-off")
    yield Resolve(key, Side.SALES, Effect.VALUE, "title")
    yield Adopt("D-1", "7", Adoption.INSTEAD)
    yield Unlink("D-1", clean=True)
    yield DeleteInTarget(("7", "12"), is_named=True)
    yield MoveState(ServerIs.RESTORED)
    yield AllowOnce("create")
    yield Wait()


def test_ways_out_are_kept_as_json_and_read_again() -> None:
    ways = tuple(every_way_out())
    assert load(json.loads(json.dumps(dump(ways)))) == ways


def test_one_that_another_version_knows_is_left_out() -> None:
    assert load([{"way": "Teleport", "to": "Mars"}, {"way": "Wait"}]) == (Wait(),)


def test_every_kind_is_known_by_its_name() -> None:
    assert set(TYPES) == {kind.__name__ for kind in WayOut.__subclasses__()}


def test_what_was_said_is_read_from_every_version() -> None:
    error = Rejected("no", ways_out=[Unlink("D-1")])
    assert Statement.read(Statement.of(error).to_json()) == Statement("no", (Unlink("D-1"),))
    assert Statement.read("an older version's text") == Statement("an older version's text")


class TestInTheStateStore:
    def conflict(self, world: World) -> Issue:
        world.want(deal("D1"))
        world.run()
        world.target.edit(world.project().id, title="PM's")
        world.want(deal("D1", title="Sales'"))
        (issue,) = world.run().issues
        return issue

    def test_an_issue_keeps_its_ways_out(self, world: World) -> None:
        issue = self.conflict(world)
        assert [way.side for way in issue.ways_out if isinstance(way, Resolve)] == list(Side)
        assert [item.issue for item in world.store.issues()] == [issue]

    def test_one_that_an_earlier_version_wrote_gets_those_of_its_kind(self, world: World) -> None:
        issue = self.conflict(world)
        old = {"message": "both", "base": None, "desired": "Sales'", "observed": "PM's"}
        with world.store._write("test") as connection:
            connection.execute(ISSUES.update().values(detail_json=json.dumps(old)))
        (found,) = world.store.issues()
        assert found.issue.message == "both"
        assert found.issue.ways_out == issue.ways_out

    def test_a_refused_run_keeps_what_could_be_done(self, world: World) -> None:
        world.want(*(deal(f"D{number}") for number in range(51)))
        assert world.run().outcome is Outcome.REFUSED
        (kept,) = world.store.runs(limit=1)[0].summary["refusal"]  # type: ignore[misc]
        assert AllowOnce("create") in Statement.read(kept).ways_out

    def test_an_error_that_ended_a_run_keeps_what_could_be_done(self, world: World) -> None:
        def fails(operation: str) -> None:
            raise Rejected("not now", ways_out=[Wait()])

        world.want(deal("D1"))
        world.target.faults = fails
        with pytest.raises(Unauthorised, match="every run needs this"):
            world.run()
        said = Statement.read(world.store.runs(limit=1)[0].summary["error"])
        assert said.message.startswith("not now; every run needs this")
        assert said.ways_out == (Wait(),)

    def test_an_error_with_one_group_hands_its_ways_out_to_the_issue(self, world: World) -> None:
        def fails(operation: str) -> None:
            if operation == "before create":
                raise Rejected("taken", ways_out=[Unlink("D2")])

        world.want(deal("D1"))
        world.target.faults = fails
        (issue,) = world.run().issues
        assert (issue.kind, issue.ways_out) == (IssueKind.FAILED, (Unlink("D2"),))
