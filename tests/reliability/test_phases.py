"""Deals get projects for their phases over a bad network, and by two machines: one project each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from sync.errors import SyncError
from sync.plan.model import ActionType
from sync.run.runner import Options, Runner
from sync.state.store import StateStore
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from taiga_pipeline.targets.taiga.identity import decode_markers
from tests.profiles import LONG, sampled
from tests.reliability.machine.world import LOOSE, MAPPINGS, PIPELINE, World

KINDS = sorted(set(FaultKind) - {FaultKind.ARCHIVED, FaultKind.BLOCKED})
"""A project that people lock is another matter."""


@contextmanager
def before_phases() -> Iterator[World]:
    """Three deals with a project each, and a mapping that has phases since."""
    with closing(World()) as world:
        world.book.put("D1")
        world.book.put("D2", stage="Won")
        world.book.put("D3")
        world.book.staffed["D2", "ana@example.test"] = "Back"
        world.run()
        world.mapping = MAPPINGS[1]
        world.book.put("D3", stage="Lost")
        world.sandbox.clear_requests()
        yield world


def picture(world: World) -> dict[str, tuple[str, int, tuple[str, ...]]]:
    """What a project of each key is called, and what is in it."""
    store = world.sandbox.store
    found: dict[str, tuple[str, int, tuple[str, ...]]] = {}
    for project in store.projects:
        [marker] = decode_markers(project.tags_colors)
        assert marker.key not in found, f"{marker.key} has two projects"
        subjects = tuple(sorted(story.subject for story in store.stories.of(project.id)))
        members = len(store.memberships.of(project.id))
        found[marker.key] = project.name, members, subjects
    return found


@pytest.mark.sampled_inside
def test_every_project_of_a_phase_is_made_once_whatever_fault_meets_the_run() -> None:
    with before_phases() as world:
        world.run()
        expected, requests = picture(world), len(world.sandbox.requests)
    assert set(expected) == {"D1", "D1::build", "D2", "D2::build", "D2::support", "D3"}
    cells = [(kind, number) for number in range(1, requests + 1) for kind in KINDS]
    for kind, number in sampled(cells[:: 1 if LONG else 33], 6):
        with before_phases() as world:
            world.sandbox.faults.replace([Fault(kind, method="", path="^/", occurrence=number)])
            with suppress(SyncError):
                world.run()
            world.sandbox.faults.replace(())
            world.run(full=True)
            world.run(full=True)
            assert picture(world) == expected, (kind, number)
            world.sandbox.clear_requests()
            world.run(full=True)
            assert not world.writes(), (kind, number)


def test_a_second_machine_finds_the_projects_of_all_phases(tmp_path: Path) -> None:
    with before_phases() as world:
        world.run()
        expected = picture(world)
        store = StateStore(f"sqlite:///{tmp_path / 'other.db'}", PIPELINE, world.clock)
        with closing(store):
            world.state, kept = store, world.state
            runner = Runner(
                world.source(), world.target(), store, world.clock, Options(rules=LOOSE)
            )
            report = runner.run()
            world.state = kept
        created = [each for each in report.applied if each.type is ActionType.CREATE]
        assert not [each for each in created if each.key.is_root]
        assert picture(world) == expected
        world.run(full=True)
        assert picture(world) == expected


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("back", [0, 2])
def test_a_mapping_that_loses_phases_and_gets_them_again_makes_nothing_twice(
    lost: bool, back: int
) -> None:
    with before_phases() as world:
        world.run()
        expected = picture(world)
        numbers = {project.id for project in world.sandbox.store.projects}
        world.mapping = MAPPINGS[back]
        world.run()
        if lost:
            world.state.close()
            world.state = StateStore("sqlite://", PIPELINE, world.clock)
            world.run(full=True)
        world.mapping = MAPPINGS[1]
        world.run(full=True)
        now = picture(world)
        # Without the state it is unknown who added a member: nobody is removed.
        assert {key: (each[0], each[2]) for key, each in now.items()} == {
            key: (each[0], each[2]) for key, each in expected.items()
        }
        assert lost or now == expected
        assert {project.id for project in world.sandbox.store.projects} == numbers


def test_no_phase_takes_the_project_of_a_deal_whose_key_looks_like_its_own() -> None:
    with closing(World()) as world:
        world.book.put("D1")
        world.book.put("D1::build", name="Another deal")
        world.run()
        before = picture(world)
        world.mapping = MAPPINGS[1]
        report = world.run()
        assert {str(issue.key) for issue in report.issues} == {"D1", "D1::build"}
        assert picture(world) == before
