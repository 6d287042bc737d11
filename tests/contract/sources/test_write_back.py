"""What every source does that can be told what became of its deals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sync.source import WriteBackResult
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.sources.port import DealSource, TakesDeliveryFacts
from tests.contract.sources.place import Can, Place, Row, needs

START = date(2027, 1, 4)


def facts(key: str, progress: str = "0.4") -> DeliveryFacts:
    """Returns what became of a deal."""
    milestones = (("Later", date(2027, 2, 1), None), ("Kick-off", START, None))
    url = f"https://taiga.example.test/project/{key}"
    return DeliveryFacts(key, url=url, progress=Decimal(progress), milestones=milestones)


def write_facts(place: Place, *written_facts: DeliveryFacts) -> WriteBackResult:
    """Reads, as a run does, and then tells."""
    source: DealSource = place.source(writes_back=True)
    assert isinstance(source, TakesDeliveryFacts)
    assert source.takes_facts
    place.read(source)
    return source.take_facts(written_facts)


@needs(Can.TAKE_FACTS)
def test_facts_stand_in_the_places_named_for_them(place: Place) -> None:
    key = place.key("D-1")
    place.put(Row(key), Row(place.key("D-2")))
    assert write_facts(place, facts(key)) == WriteBackResult(written=1)
    assert place.written_facts(key) == (facts(key).url, "2027-01-04", "0.40")
    assert place.written_facts(place.key("D-2"))[0] is None
    deals, _ = place.read()
    assert deals[key] == Row(key).as_deal()


@needs(Can.TAKE_FACTS)
def test_what_stands_there_already_is_not_written_again(place: Place) -> None:
    key = place.key("D-1")
    place.put(Row(key))
    write_facts(place, facts(key))
    before = place.image()
    assert write_facts(place, facts(key)) == WriteBackResult()
    assert place.image() == before
    assert write_facts(place, facts(key, "0.404")) == WriteBackResult(), (
        "less than a per cent is not news"
    )
    assert write_facts(place, facts(key, "0.5")) == WriteBackResult(written=1)
    assert place.written_facts(key)[2] == "0.50"


@needs(Can.TAKE_FACTS)
def test_of_a_project_that_is_gone_nothing_is_left(place: Place) -> None:
    key = place.key("D-1")
    place.put(Row(key))
    write_facts(place, facts(key))
    assert write_facts(place, DeliveryFacts(key)) == WriteBackResult(written=1)
    assert place.written_facts(key) == (None, "None", None)
    assert write_facts(place, DeliveryFacts(key)) == WriteBackResult()


@needs(Can.TAKE_FACTS)
def test_facts_of_deals_that_are_not_there_are_nobodys_trouble(place: Place) -> None:
    place.put(Row(place.key("D-1")))
    before = place.image()
    assert write_facts(place, facts("no-such-deal")) == WriteBackResult()
    assert place.image() == before


@needs(Can.TAKE_FACTS)
def test_a_source_without_places_for_facts_takes_none(place: Place) -> None:
    source = place.source()
    assert isinstance(source, TakesDeliveryFacts)
    assert not source.takes_facts
    assert source.take_facts([facts(place.key("D-1"))]) == WriteBackResult()
