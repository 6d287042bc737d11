"""A child whose natural identity changed: someone's address, the name of a role."""

from __future__ import annotations

from sync.plan.model import ActionType
from sync.records.model import Observed
from tests.sync.world import World, deal


def members(world: World) -> list[Observed]:
    return world.target.children(world.project().id, "membership")


def staffed(world: World, *addresses: str) -> None:
    world.want(deal("D1", "staffed", members=dict.fromkeys(addresses, "Back")))


def test_a_member_whose_address_changed_on_both_sides_neither_leaves_nor_comes(
    world: World,
) -> None:
    staffed(world, "ana.old@x.test", "bo@x.test")
    world.run()
    ana, bo = members(world)
    world.target.name_child(world.project().id, ana.id, "ana.new@x.test", email="ana.new@x.test")
    staffed(world, "ana.new@x.test", "bo@x.test")
    report = world.run()
    assert not [a for a in report.applied if a.type in (ActionType.CREATE, ActionType.REMOVE)]
    assert not report.issues
    assert [each.id for each in members(world)] == [ana.id, bo.id]
    world.settled()
    staffed(world, "bo@x.test")  # she is still the connector's own to take away
    world.run()
    assert [each.id for each in members(world)] == [bo.id]


def test_a_member_whose_address_changed_with_sales_alone_is_another_member(world: World) -> None:
    staffed(world, "ana.old@x.test")
    world.run()
    staffed(world, "ana.new@x.test")
    world.run()
    assert [each.identity for each in members(world)] == ["ana.new@x.test"]
    world.settled()


def test_a_member_who_took_over_an_address_that_stays_wanted_is_not_moved(world: World) -> None:
    staffed(world, "ana@x.test", "bo@x.test")
    world.run()
    ana, bo = members(world)
    world.target.name_child(world.project().id, ana.id, "cy@x.test", email="cy@x.test")
    staffed(world, "ana@x.test", "bo@x.test", "cy@x.test")
    world.run()
    assert {each.id for each in members(world)} >= {ana.id, bo.id}
