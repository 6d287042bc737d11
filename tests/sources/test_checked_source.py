"""What the adapter of a source answers is held to the port: a defect of one loses and spoils
nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sync.errors import Malformed, Unreachable
from sync.source import KeyChanges, Quarantined, WriteBackResult
from taiga_pipeline.people.model import Allocation, Person, Rate, TimeOff
from taiga_pipeline.pipeline.model import Contact, Deal, RoleDemand, StageMove
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.sources.checked_source import checked
from taiga_pipeline.sources.port import (
    DealReading,
    DealSource,
    Examined,
    Past,
    TakesDeliveryFacts,
    TellsHistory,
    TellsRates,
    TellsTimeOff,
)

FAULT = "the adapter for Orders is at fault: its"
D1, D2 = Deal("D1", "Portal"), Deal("D2", "App")
ANA = Person("ana@x.test", "Ana")
WORK = Allocation("D1", "ana@x.test", "Back", Decimal(20))
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Orders:
    """Answers what it is told to."""

    def __init__(self, reading: Any) -> None:
        self.reading = reading

    def read(self) -> Any:
        return self.reading() if callable(self.reading) else self.reading


def read(reading: Any) -> tuple[list[Deal], DealReading]:
    answer = checked(Orders(reading), "Orders").read()
    return list(answer.deals), answer


def anything(**values: Any) -> Any:
    return values


DEFECTS: Mapping[str, tuple[Any, str]] = {
    "a float": (replace(D1, **anything(value=1.5)), "a float in 'value'"),
    "a moment for a day": (replace(D1, start=NOON), "a datetime in 'start'"),
    "nothing for text": (replace(D1, **anything(customer=None)), "nothing in 'customer'"),
    "a list of roles": (replace(D1, **anything(roles=[])), "a list in 'roles'"),
    "a role with a float": (
        replace(D1, roles=(RoleDemand("Back", **anything(hours_per_week=1.5, weeks=1)),)),
        "a float in 'hours_per_week' in 'roles'",
    ),
    "a dict for a contact": (replace(D1, **anything(contacts=({},))), "a tuple in 'contacts'"),
    "a number in a field of one's own": (
        replace(D1, **anything(own={"a": 1})),
        "a dict in 'own'",
    ),
    "no amount": (replace(D1, value=Decimal("NaN")), "NaN is not an amount"),
    "per cents for a share": (
        replace(D1, probability=Decimal(50)),
        "50 is not between 0 and 1 (0 % and 100 %)",
    ),
    "half a character": (replace(D1, name="A\ud800"), r"A\ud800 holds bytes that"),
    "NUL": (replace(D1, customer="A\0"), "a NUL character"),
    "no name": (replace(D1, name=" "), "a deal needs a name"),
    "a contact without a name": (replace(D1, contacts=(Contact(""),)), "a contact without a name"),
    "before all time": (
        replace(D1, updated_at=datetime.fromisoformat("0001-01-01T00:00:00+02:00")),
        "OverflowError",
    ),
}


@pytest.mark.parametrize(("deal", "said"), DEFECTS.values(), ids=list(DEFECTS))
def test_a_deal_that_is_not_as_it_should_be_waits_alone(deal: Deal, said: str):
    deals, answer = read(DealReading([deal, D2]))
    assert deals == [D2]
    (row,) = answer.quarantined
    assert (row.key, row.place) == ("D1", "deal D1")
    assert row.reason.startswith(f"{FAULT} read answers with ") and said in row.reason
    assert answer.complete


@pytest.mark.parametrize(
    "what",
    [{"key": "D1"}, None, Deal("", "Portal"), Deal(" ", "X"), Deal(**anything(key=1, name=""))],
)
def test_of_what_has_no_key_nothing_is_taken_for_gone_and_each_reason_is_said_once(what: Any):
    deals, answer = read(DealReading([what, D2, what]))
    assert deals == [D2]
    assert [row.key for row in answer.quarantined] == [""]
    assert FAULT in answer.quarantined[0].reason
    assert not answer.complete


def test_a_deal_that_comes_twice_counts_once_and_two_of_one_key_are_reported():
    deals, answer = read(DealReading([D1, D2, replace(D1, stage="Won"), replace(D2, name="Web")]))
    assert deals == [D1, D2]
    assert [row.key for row in answer.quarantined] == ["D2"]
    assert "another deal of the same key; the first counts" in answer.quarantined[0].reason


def test_what_is_found_out_on_the_way_is_handed_on_in_its_order():
    row = Quarantined("D3", "row 3", "no name")
    reading = DealReading(())

    def deals() -> Iterator[Deal]:
        yield D1
        reading.quarantined.append(row)
        yield D2
        reading.complete = False
        reading.people = {ANA.email: ANA}
        reading.quarantined.append({"key": "D4"})  # type: ignore[arg-type]

    reading.deals = deals()
    answer = checked(Orders(reading), "Orders").read()
    assert answer.complete
    each = iter(answer.deals)
    assert next(each) == D1 and not answer.quarantined
    assert next(each) == D2 and answer.quarantined == [row]
    assert not list(each)
    assert "a dict where a Quarantined belongs" in answer.quarantined[1].reason
    assert (answer.complete, answer.people) == (False, {ANA.email: ANA})


def test_people_are_left_out_and_a_deal_with_an_allocation_of_no_use_waits():
    wrong = replace(WORK, **anything(hours_per_week=20))
    people = {"ana@x.test": ANA, "bo@x.test": replace(ANA, email="bo"), "c": None}
    reading = DealReading(
        [D1, D2],
        people=people,
        allocations={"D1": (WORK, wrong), "D2": (WORK,)},  # type: ignore[arg-type]
    )
    deals, answer = read(reading)
    assert deals == [D2]
    assert answer.people == {ANA.email: ANA}
    assert answer.allocations == {"D2": (WORK,)}
    said = {row.place: row.reason for row in answer.quarantined}
    assert said.keys() == {"person 'bo@x.test'", "person 'c'", "deal D1"}
    assert "an allocation of no use (a int in 'hours_per_week')" in said["deal D1"]


WHOLES: Mapping[str, tuple[Any, str]] = {
    "nothing": (None, "answers with nothing where a DealReading belongs"),
    "a list": ([D1], "answers with a list where a DealReading belongs"),
    "an error of its own": (lambda: {}["deals"], "failed (KeyError: 'deals')"),
    "an error on the way": (DealReading({}[key] for key in "a"), "failed (KeyError: 'a')"),
    "no deals": (DealReading(**anything(deals=None)), "answers with nothing for a list"),
    "no word on whether it is complete": (
        DealReading([D1], **anything(complete=None)),
        "answers with nothing in 'complete'",
    ),
    "nobody": (DealReading([D1], **anything(people=None)), "answers with nothing in 'people'"),
    "a tuple of rows": (
        DealReading([D1], **anything(quarantined=())),
        "answers with a tuple in 'quarantined'",
    ),
}


@pytest.mark.parametrize(("reading", "said"), WHOLES.values(), ids=list(WHOLES))
def test_of_a_reading_that_is_none_nothing_is_concluded(reading: Any, said: str):
    with pytest.raises(Malformed) as caught:
        read(reading)
    assert str(caught.value) == f"{FAULT} read {said}"


@pytest.mark.parametrize("error", [Unreachable("away"), ProblemsError([Problem("no column")])])
def test_errors_of_the_port_are_the_adapters_own(error: Exception):
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        read(fail)
    assert caught.value is error


BESIDES: Mapping[str, Callable[[Any], Any]] = {
    "examine": lambda source: source.examine(),
    "key_changes": lambda source: source.key_changes(),
    "time_off": lambda source: source.time_off(),
    "rates": lambda source: source.rates(),
    "take_facts": lambda source: source.take_facts([]),
    "synced_with": lambda source: source.synced_with("acme"),
    "past": lambda source: source.past().__enter__(),
}


def fails(*given: object) -> Any:
    raise KeyError("name")


@pytest.mark.parametrize("method", BESIDES)
@pytest.mark.parametrize(
    "answer",
    [None, 1.5, "text", [1.5], fails],
    ids=["nothing", "a float", "text", "a list", "fails"],
)
def test_what_a_source_has_besides_is_held_to_the_port_too(method: str, answer: Any):
    source = Orders(DealReading([]))
    setattr(source, method, answer if callable(answer) else lambda *given: answer)
    asked = checked(source, "Orders")
    if (method, answer) == ("synced_with", "text"):
        assert BESIDES[method](asked) == "text"
        return
    with pytest.raises(Malformed, match=f"{FAULT} {method} (answers with|failed)"):
        BESIDES[method](asked)


class Full(Orders):
    """Has all that a source can have."""

    takes_facts = True

    def examine(self) -> list[str]:
        return ["3 deals"]

    def take_facts(self, facts: object) -> WriteBackResult:
        return WriteBackResult(1)

    def past(self, *given: object, **named: object) -> AbstractContextManager[Past]:
        moves = [StageMove("D1", "", "Won", NOON.replace(tzinfo=None))]
        return nullcontext(Past(moves, (), frozenset({"D1"})))

    def key_changes(self) -> KeyChanges:
        return KeyChanges([("D0", "D1")], frozenset({"D9"}))

    def time_off(self) -> list[TimeOff]:
        return [TimeOff("ana@x.test", date(2026, 5, 4), date(2026, 5, 8))]

    def rates(self) -> list[Rate]:
        return [Rate(role="Back", cost=Decimal(50))]


def test_what_is_as_it_should_be_comes_through_and_what_is_missing_stays_missing():
    source = checked(Full(DealReading([])), "Orders")
    assert isinstance(source, Examined) and list(source.examine()) == ["3 deals"]
    assert isinstance(source, TakesDeliveryFacts) and source.takes_facts
    assert source.take_facts([]).written == 1
    assert isinstance(source, TellsHistory)
    with source.past() as past:
        assert list(past.moves) == [StageMove("D1", "", "Won", NOON)]
        assert (list(past.changes), past.imported) == ([], {"D1"})
    assert source.key_changes() == Full(None).key_changes()  # type: ignore[attr-defined]
    assert isinstance(source, TellsTimeOff) and len(source.time_off()) == 1
    assert isinstance(source, TellsRates) and len(source.rates()) == 1
    bare: DealSource = checked(Orders(None), "Orders")
    assert not isinstance(bare, Examined | TellsHistory | TakesDeliveryFacts)


def test_what_does_not_read_is_no_source():
    with pytest.raises(Malformed, match="the adapter for Orders is not a source: it lacks read"):
        checked(object(), "Orders")
