"""A source that remembers its server, for the sake of a state that knows nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import AnotherServer, Unreachable
from sync.in_memory_target import InMemoryTarget
from sync.run.runner import Outcome
from tests.sync.world import DictSource, World, deal


class Remembering(DictSource):
    """A source that keeps what it is told; it may be read-only."""

    def __init__(self) -> None:
        super().__init__()
        self.server: dict[str, str] = {}
        self.read_only = False

    def synced_with(self, pipeline: str) -> str:
        return self.server.get(pipeline, "")

    def note_synced_with(self, pipeline: str, server: str) -> None:
        if self.read_only:
            raise Unreachable("the database is read-only")
        self.server[pipeline] = server


@pytest.fixture
def source() -> Remembering:
    return Remembering()


@pytest.fixture
def first(tmp_path: Path, source: Remembering) -> Iterator[World]:
    (tmp_path / "first").mkdir()
    world = World(tmp_path / "first", source)
    world.want(deal("D1"), deal("D2"))
    yield world
    world.store.close()


@pytest.fixture
def second(tmp_path: Path, first: World, source: Remembering) -> Iterator[World]:
    """Another machine, with a state of its own."""
    (tmp_path / "second").mkdir()
    world = World(tmp_path / "second", source, first.target, first.clock)
    yield world
    world.store.close()


def test_a_new_state_does_not_begin_with_another_account(first: World, second: World) -> None:
    first.run()
    second.target.account = "petra"
    writes = second.target.writes
    with pytest.raises(AnotherServer, match="another state keeps this source in step as memory"):
        second.run()
    assert second.target.writes == writes


def test_a_new_state_does_not_begin_on_another_server(first: World, second: World) -> None:
    first.run()
    second.target = InMemoryTarget()
    with pytest.raises(AnotherServer, match="this is another server: another state keeps"):
        second.run()
    assert not second.target.roots


def test_a_new_state_with_the_same_account_adopts(first: World, second: World) -> None:
    first.run()
    assert second.run().outcome is Outcome.DONE
    assert len(second.target.roots) == 2


def test_another_pipeline_of_the_same_source_may_be_elsewhere(first: World, second: World) -> None:
    first.run()
    second.store.close()
    second.pipeline = "south"
    second.store = second.open_store()
    second.target = InMemoryTarget()
    assert second.run().outcome is Outcome.DONE


def test_a_source_that_cannot_be_written_does_without(first: World, source: Remembering) -> None:
    source.read_only = True
    assert first.run().outcome is Outcome.DONE
    first.settled()
