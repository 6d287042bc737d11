"""Names that change places among keys: no project becomes another deal's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.plan.limit_settings import DEFAULTS
from sync.records.model import DesiredGroup
from sync.run.runner import Outcome
from tests.sync.world import World, deal

NAMES = {"1": "Portal", "2": "Shop", "3": "App", "4": "Site"}


def named(key: str, name: str) -> DesiredGroup:
    """Returns a deal of a customer's, that is recognised by its name."""
    return replace(deal(key, title=name), likeness=f"acme\n{name}")


@pytest.fixture
def synced(world: World) -> World:
    world.want(*(named(key, name) for key, name in NAMES.items()))
    world.run()
    return world


def projects(world: World) -> dict[str, object]:
    return {root.id: root.fields["title"] for root in world.target.roots}


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ({"1": "Shop", "2": "Portal"}, 2),
        ({"1": "Shop", "2": "App", "3": "Site", "4": "Portal"}, 4),
        ({"1": "New", "2": "Portal", "3": "Shop", "4": "App", "5": "Site"}, 4),
    ],
    ids=["two swapped", "sorted another way", "a row inserted before the others"],
)
def test_are_refused_and_nothing_is_written(
    synced: World, rows: dict[str, str], count: int
) -> None:
    before = projects(synced)
    synced.want(*(named(key, name) for key, name in rows.items()))
    report = synced.run(limits=DEFAULTS)
    assert report.outcome is Outcome.REFUSED
    assert f"limit 'swapped': {count} planned" in report.refusal
    assert " is what " in report.refusal
    assert projects(synced) == before


def test_are_refused_where_the_first_row_went(synced: World) -> None:
    before = projects(synced)
    synced.want(*(named(str(key), name) for key, name in enumerate(("Shop", "App", "Site"), 1)))
    del synced.source.groups["4"]
    report = synced.run(limits=DEFAULTS)
    assert report.outcome is Outcome.REFUSED
    assert "limit 'swapped': 2 planned" in report.refusal
    assert projects(synced) == before


def test_are_written_once_they_are_allowed(synced: World) -> None:
    synced.want(named("1", "Shop"), named("2", "Portal"))
    report = synced.run(limits=DEFAULTS, allow=frozenset({"swapped"}))
    assert report.outcome is Outcome.DONE
    assert sorted(map(str, projects(synced).values())) == ["App", "Portal", "Shop", "Site"]
    synced.settled()


@pytest.mark.parametrize(
    "rows",
    [
        {"1": "Portal 2"},
        {"1": "Shop"},
        {"1": "Portal 2", "2": "Shop 2", "3": "App 2"},
        {"5": "Portal"},
    ],
    ids=["renamed", "named as one that stays", "all renamed", "a second one of a name"],
)
def test_other_renames_go_through(synced: World, rows: dict[str, str]) -> None:
    synced.want(*(named(key, name) for key, name in rows.items()))
    assert synced.run(limits=DEFAULTS).outcome is Outcome.DONE


def test_one_that_takes_the_name_of_one_that_is_gone_was_merged_with_it(synced: World) -> None:
    synced.want(named("1", "Shop"))
    del synced.source.groups["2"]
    report = synced.run(limits=DEFAULTS)
    assert report.outcome is Outcome.DONE
    assert "Shop" in projects(synced).values()


def test_deals_of_one_name_are_not_distinguished(world: World) -> None:
    world.want(*(named(key, "Upkeep") for key in NAMES))
    world.run()
    world.want(named("1", "Other"), named("2", "Third"), named("5", "Upkeep"))
    assert world.run(limits=DEFAULTS).outcome is Outcome.DONE
