"""Targets that show nothing of what is in a root while it is retired (an archived project)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.in_memory_target import InMemoryTarget
from sync.plan.model import IssueKind
from sync.records.model import Desired, DesiredGroup, Observed, RecordKey
from sync.run.runner import Outcome
from tests.sync.test_life import kinds
from tests.sync.world import World, deal

STAFFED = deal("D1", "staffed", members={"a@x.test": "Back"})


class Archive(InMemoryTarget):
    """Tells a root's team only along with its children. ``archived`` are put away by people."""

    archived: frozenset[str] = frozenset()

    def __init__(self) -> None:
        super().__init__(hides_retired=True)

    def observe_children(self, root_ids):
        found = super().observe_children(root_ids)
        team = Observed("project", "", {}, facts={"team": ["Ana"]})
        return {root: [*each, replace(team, id=root)] for root, each in found.items()}

    def _hides(self, root):
        return super()._hides(root) or root.record.id in self.archived


@pytest.fixture
def archive(world: World) -> World:
    world.target = Archive()
    world.want(STAFFED)
    world.run()
    return world


def retire(world: World) -> None:
    world.want(deal("D1", "retired"))
    assert kinds(world.run()) == ["retire"]
    world.settled()


def test_what_cannot_be_seen_is_not_taken_for_deleted(archive: World):
    there = archive.target.children(archive.project().id)
    retire(archive)
    archive.want(STAFFED)
    report = archive.run()
    assert (kinds(report), report.outcome) == (["restore"], Outcome.DONE)
    assert not report.meanwhile, "it is not people who changed it"
    archive.settled()
    assert archive.target.children(archive.project().id) == there


def test_what_the_source_changed_meanwhile_is_written_by_the_run_after_the_restoring_one(
    archive: World,
):
    retire(archive)
    archive.want(deal("D1", "staffed", members={"a@x.test": "Back", "b@x.test": "Back"}))
    assert kinds(archive.run()) == ["restore"]
    assert kinds(archive.run()) == ["create"]
    archive.settled()


def test_a_retired_root_is_kept_current(archive: World):
    retire(archive)
    archive.want(deal("D1", "retired", value="7 EUR"))
    report = archive.run()
    assert (kinds(report), report.outcome) == (["update"], Outcome.DONE)
    archive.settled()


def test_facts_that_only_children_tell_stay_as_they_were_last_seen(archive: World):
    retire(archive)
    facts, _ = archive.store.facts("D1")
    assert (facts["team"], facts["title"]) == (["Ana"], archive.project().fields["title"])


def test_one_that_people_put_away_waits_and_says_why(archive: World):
    archive.target.archived = frozenset({archive.project().id})
    wanted = DesiredGroup(STAFFED.root, (Desired(RecordKey("D1", "story", "s"), {"subject": "S"}),))
    archive.want(wanted)
    report = archive.run()
    (issue,) = report.issues
    assert (issue.kind, report.applied) == (IssueKind.OBSTACLE, ())
    assert "does not show what is in it" in issue.message
    archive.target.archived = frozenset()
    assert "create" in kinds(archive.run())
