"""Tags: what the connector added goes when it is no longer asked for, and people's own stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.records.model import Binding, RecordKey
from sync.run.manual_actions import adopt, unlink
from sync.run.server_move import restored
from taiga_pipeline.records import Kind, Project
from tests.contract.targets.account import needs
from tests.contract.targets.test_claims import lose_state
from tests.contract.targets.test_runs import Pipeline, key, pipeline

__all__ = ["pipeline"]


@pytest.fixture
def tagged(pipeline: Pipeline) -> Pipeline:
    """A pipeline into a tool that has tags."""
    return pipeline


def set_tags(pipeline: Pipeline, deal: str, state: str, *tags: str) -> None:
    """Puts a deal into the source whose project has other tags in other states."""
    pipeline.want(deal, state)
    group = pipeline.deals.groups[deal]
    root = replace(
        group.root,
        fields={**group.root.fields, "tags": frozenset(tags)},
        at_any_time={"tags": frozenset({"Incoming", "Won", "Lost", "every"})},
    )
    pipeline.deals.groups[deal] = replace(group, root=pipeline.account.target.fit(root))


def tags_of(pipeline: Pipeline, root_id: str) -> frozenset[str]:
    root = pipeline.account.target.observe_root(root_id)
    assert root is not None
    return frozenset(tag.lower() for tag in pipeline.account.target.split(root, [])["tags"])


@needs(Kind.PROJECT, Project.TAGS)
@pytest.mark.parametrize("adopts", [False, True])
def test_tags_of_another_state_go_also_where_the_state_was_lost_meanwhile(
    tagged: Pipeline, tmp_path: Path, adopts: bool
) -> None:
    """And the tags that people added stay."""
    deal = key(tagged, 1)
    set_tags(tagged, deal, "tentative", "Incoming", "every")
    tagged.run()
    (root_id,) = tagged.projects(deal)
    tagged.account.tag(root_id, add="theirs")
    lose_state(tagged, tmp_path)
    set_tags(tagged, deal, "staffed", "Won", "every")
    if adopts:
        adopt(tagged.store, tagged.account.target, RecordKey(deal, Kind.PROJECT), root_id)
    tagged.run()
    assert tags_of(tagged, root_id) == {"won", "every", "theirs"}
    set_tags(tagged, deal, "tentative", "Incoming")
    tagged.run()
    assert tags_of(tagged, root_id) == {"incoming", "theirs"}
    tagged.settled()


@needs(Kind.PROJECT, Project.TAGS)
def test_a_tag_of_another_state_is_the_persons_in_a_project_that_a_person_chose(
    tagged: Pipeline, tmp_path: Path
) -> None:
    deal, other = key(tagged, 1), key(tagged, 2)
    set_tags(tagged, other, "tentative", "Incoming", "every")
    tagged.run()
    (root_id,) = tagged.projects(other)
    unlink(tagged.store, tagged.account.target, other)
    lose_state(tagged, tmp_path)
    tagged.deals.groups.clear()
    set_tags(tagged, deal, "staffed", "Won")
    root = RecordKey(deal, Kind.PROJECT)
    tagged.store.bind_by_hand(Binding(root, root_id, created=False))
    tagged.run()
    assert tags_of(tagged, root_id) == {"incoming", "every", "won"}


@needs(Kind.PROJECT, Project.TAGS)
def test_a_restored_server_has_tags_of_an_earlier_state_no_longer_than_until_the_next_run(
    tagged: Pipeline,
) -> None:
    deal = key(tagged, 1)
    set_tags(tagged, deal, "tentative", "incoming", "every")
    tagged.run()
    (root_id,) = tagged.projects(deal)
    set_tags(tagged, deal, "staffed", "won", "every")
    tagged.run()
    tagged.account.tag(root_id, remove="won")
    tagged.account.tag(root_id, add="incoming")
    tagged.account.tag(root_id, add="theirs")
    restored(tagged.store, tagged.account.target)
    tagged.run()
    assert tags_of(tagged, root_id) == {"won", "every", "theirs"}
    tagged.settled()
