"""An account of Odoo 19 that may not read external ids: they are told record by record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.records.model import Desired, Marker, RecordKey
from sync.target import Place
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.odoo.adapter import OdooTarget
from tests.odoo.fake import FakeOdoo
from tests.targets.odoo.test_traps import MARKER, make, open_target
from tests.targets.support import ManualClock


@pytest.fixture
def odoo() -> Iterator[FakeOdoo]:
    fake = FakeOdoo(version=19, now=ManualClock().now)
    with fake.answer():
        yield fake


@pytest.fixture
def target(odoo: FakeOdoo) -> OdooTarget:
    return open_target()


def test_projects_are_recognised_and_none_is_made_twice(odoo: FakeOdoo, target: OdooTarget) -> None:
    first = make(target)
    assert make(target) == first
    assert make(open_target()) == first
    fresh = open_target()
    assert [root.id for root in fresh.find_roots(MARKER)] == [first]
    assert [set(root.markers) for root in fresh.observe_roots()] == [{MARKER}]
    other = make(fresh, "D-2")
    assert [root.id for root in fresh.find_roots(Marker("acme", "D-2"))] == [other]
    assert [root.id for root in target.find_roots(Marker("acme", "D-2"))] == [other]


def test_a_project_that_is_gone_is_not_found(odoo: FakeOdoo, target: OdooTarget) -> None:
    first = make(target)
    odoo.remove("project.project", int(first))
    assert not [*target.find_roots(MARKER)]
    assert make(target) != first


def test_the_list_is_asked_for_once_and_then_never_again(
    odoo: FakeOdoo, target: OdooTarget
) -> None:
    for number in range(3):
        make(target, f"D-{number}")
    assert odoo.calls.count("ir.model.data/search_read") == 1


def test_stories_are_recognised(odoo: FakeOdoo, target: OdooTarget) -> None:
    root = make(target)
    key = RecordKey("D-1", Kind.STORY, "call")
    fields = {"subject": "Call", "description": "", "milestone": ""}
    place = Place(root, {})
    story = target.fit(Desired(key, fields))
    made = {target.create_child(story, place).record.id for _ in "ab"}
    assert len(made) == 1
