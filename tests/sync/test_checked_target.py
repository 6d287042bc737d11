"""What an adapter answers is held to the port: a defect of one adapter loses and spoils nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sync.checked_target import checked
from sync.errors import Malformed, Rejected
from sync.in_memory_target import InMemoryTarget
from sync.plan.model import IssueKind
from sync.records.model import Marker
from sync.run.lease import OffersLeases
from sync.run.runner import Outcome
from sync.run.server_identity import Identifies
from sync.target import Foresees, SendsMails, TellsCapabilities
from tests.sync.world import World, deal

D1 = deal("D1", "staffed", members={"a@x.test": "Back"})
D2 = deal("D2")


class Flawed(InMemoryTarget):
    """Has one defect: what one of its methods answers is spoilt by ``spoil``."""

    def __init__(self, method: str, spoil: Callable[[Any], Any]) -> None:
        super().__init__()
        whole = getattr(self, method)
        setattr(self, method, lambda *given: spoil(whole(*given)))


def fails(answer: Any) -> Any:
    raise KeyError("name")


def each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda rows: [change(row) for row in rows]


def inside(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda found: {root: each(change)(rows) for root, rows in found.items()}


def field(value: Any) -> Callable[[Any], Any]:
    return lambda row: replace(row, fields={**row.fields, "title": value})


def spoilt(method: str, spoil: Callable[[Any], Any], world: World) -> None:
    """Lets a run with the defect go by after a healthy one, then mends the adapter."""
    whole = world.target
    world.target = checked(whole)
    world.want(D1)
    assert world.run().outcome is Outcome.DONE
    flawed = Flawed(method, spoil)
    flawed._roots, flawed._ids = whole._roots, whole._ids
    world.want(D1, D2)
    world.target = checked(flawed)
    said = []
    try:
        report = world.runner().run(look_at_all=True)
        said = [issue.message for issue in report.issues]
        assert report.outcome in (Outcome.PARTIAL, Outcome.STOPPED)
    except Malformed as error:
        said = [str(error)]
    assert said
    assert all(f"the adapter for memory is at fault: its {method} " in each for each in said), said
    world.target = checked(whole)
    report = world.run()
    assert (report.outcome, report.issues) == (Outcome.DONE, ())
    assert sorted(str(r.markers[0].key) for r in whole.roots) == ["D1", "D2"]
    assert {r.fields["title"] for r in whole.roots} == {D.root.fields["title"] for D in (D1, D2)}
    assert not world.run().applied


DEFECTS = {
    "raises where all are read": ("observe_roots", fails),
    "nothing for a list": ("observe_roots", lambda rows: None),
    "a row of another type": ("observe_roots", each(lambda row: {"id": row.id})),
    "a number for an id": ("observe_roots", each(lambda row: replace(row, id=int(row.id)))),
    "a list in a field": ("observe_roots", each(field(["a"]))),
    "half a character in a field": ("observe_roots", each(field("\ud800"))),
    "no fields": ("observe_roots", each(lambda row: replace(row, fields=None))),
    "no token": ("observe_roots", each(lambda row: replace(row, change_token=None))),
    "no children at all": ("observe_children", lambda found: None),
    "children of another type": ("observe_children", inside(lambda row: None)),
    "a float in a child": ("observe_children", inside(field(1.5))),
    "raises over children": ("observe_children", fails),
    "fit loses the record": ("fit", lambda desired: None),
    "fit raises": ("fit", fails),
    "split makes a float": ("split", lambda fields: {**fields, "title": 4.5}),
    "split raises": ("split", fails),
    "raises after making": ("create_root", fails),
    "answers nothing after making": ("create_root", lambda written: None),
    "answers another kind": (
        "create_root",
        lambda written: replace(written, record=replace(written.record, kind="board")),
    ),
    "not connected": ("connect", lambda name: None),
}


@pytest.mark.parametrize(("method", "spoil"), DEFECTS.values(), ids=list(DEFECTS))
def test_a_defect_is_reported_with_the_adapters_name_and_nothing_is_lost(
    world: World, method: str, spoil: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
):
    if method == "create_root":  # it is looked for, and found
        world.target = checked(Flawed(method, spoil))
        world.want(D1)
        assert world.run().outcome is Outcome.DONE
        assert f"the adapter for memory {'failed' if spoil is fails else 'is'}" in caplog.text
        assert not world.run().applied
        assert len(world.target.find_roots(Marker("acme", "D1"))) == 1
    else:
        spoilt(method, spoil, world)


def test_what_comes_twice_counts_once(world: World):
    target = Flawed("observe_children", lambda found: {k: [*v, *v] for k, v in found.items()})
    twice = target.observe_roots
    target.observe_roots = lambda: [row for row in twice() for _ in range(2)]
    world.target = checked(target)
    world.want(D1)
    assert world.run().outcome is Outcome.DONE
    report = world.runner().run(look_at_all=True)
    assert (report.outcome, report.applied) == (Outcome.DONE, ())


def test_a_fact_that_is_not_json_is_left_out(world: World, caplog: pytest.LogCaptureFixture):
    spoil = each(lambda row: replace(row, facts={**row.facts, "progress": float("nan")}))
    world.target = checked(Flawed("observe_roots", spoil))
    world.want(D1)
    for _ in range(2):
        assert world.runner().run(look_at_all=True).outcome is Outcome.DONE
    assert "progress" not in world.store.facts("D1")[0]
    assert caplog.text.count("a fact that is not JSON: 'progress'") == 1


def test_an_adapter_keeps_its_own_refusals_and_what_it_offers_besides():
    def refuses(answer: Any) -> Any:
        raise Rejected("not today")

    target = checked(Flawed("create_root", refuses))
    with pytest.raises(Rejected, match="not today"):
        target.create_root(D1.root, Marker("acme", "D1"))
    offered = (Foresees, Identifies, TellsCapabilities)
    assert all(isinstance(target, each) for each in offered)
    assert not isinstance(target, OffersLeases)
    assert not isinstance(target, SendsMails)


def test_one_that_lacks_methods_is_refused_at_once():
    class Half:
        name = "Half"

    with pytest.raises(Malformed, match="the adapter for Half is not a target: it lacks connect"):
        checked(Half())  # type: ignore[arg-type]


def test_a_group_that_could_not_be_planned_is_looked_at_again_though_nothing_moved(world: World):
    world.want(D1)
    world.run()
    whole = world.target.split
    world.target.split = fails  # type: ignore[method-assign]
    report = world.runner().run(look_at_all=True)
    assert [issue.kind for issue in report.issues] == [IssueKind.FAILED]
    world.target.split = whole  # type: ignore[method-assign]
    report = world.run()
    assert (report.outcome, report.issues) == (Outcome.DONE, ())
