"""Deals through mappings, as the engine reads them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sync.records.model import DesiredGroup
from sync.source import Quarantined, Source
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.mapping.page import PageMoney
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.records import Kind, Wiki
from taiga_pipeline.sources.mapped import Extent, MappedSource
from taiga_pipeline.sources.port import DealReading
from tests.mapping.support import STAGES, allocation, deal

MAPPING = f'[mapping]\nname = "test"\nmatch = {{ team = "Consulting" }}\n{STAGES}'
NOW = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)


class StoppedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Does not wait."""


@dataclass
class ListedDeals:
    """A source that learns while it is read that a row is bad, and that it broke off."""

    deals: list[Deal]
    late: list[Quarantined] = field(default_factory=list)
    complete: bool = True
    allocations: dict[str, tuple[Allocation, ...]] = field(default_factory=dict)
    joins: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> DealReading:
        reading = DealReading(
            deals=(),
            complete=self.complete,
            allocations=self.allocations,
            people={},
            joins=self.joins,
        )
        object.__setattr__(reading, "deals", self._deals(reading))
        return reading

    def _deals(self, reading: DealReading) -> Iterator[Deal]:
        yield from self.deals
        reading.quarantined.extend(self.late)


def source(deals: ListedDeals) -> Source:
    return MappedSource(deals, parse_mapping(MAPPING, "m.toml"), StoppedClock())


def test_each_deal_becomes_a_group_in_the_order_of_the_source() -> None:
    deals = ListedDeals([deal(key="B"), deal(key="A", stage="Won")])
    groups = list(source(deals).read().groups)
    assert [(group.key, group.root.fields["state"]) for group in groups] == [
        ("B", "tentative"),
        ("A", "staffed"),
    ]


def test_deals_without_a_mapping_are_present_but_ask_for_nothing() -> None:
    reading = source(ListedDeals([deal(team="Other")])).read()
    assert list(reading.groups) == []
    assert reading.present == {"D-1"}
    assert reading.complete


def test_a_deal_at_an_unknown_stage_is_quarantined_and_the_others_go_on() -> None:
    reading = source(ListedDeals([deal(key="X", stage="Propsal"), deal(key="Y")])).read()
    assert [group.key for group in reading.groups] == ["Y"]
    [row] = reading.quarantined
    assert (row.key, row.place) == ("X", "m.toml")
    assert 'did you mean "Proposal"?' in row.reason


def test_what_the_source_finds_out_on_the_way_is_passed_on() -> None:
    late = Quarantined("Z", "deals.csv:9", "no date")
    reading = source(ListedDeals([deal()], late=[late], complete=False)).read()
    assert len(list(reading.groups)) == 1
    assert reading.quarantined == [late]
    assert not reading.complete


def test_people_join_the_deals_that_they_are_staffed_on() -> None:
    deals = ListedDeals(
        [deal(stage="Won"), deal(key="D-2", stage="Won")], allocations={"D-1": (allocation(),)}
    )
    first, second = source(deals).read().groups
    assert [record.key.kind for record in first.children] == ["role", "membership"]
    assert second.children == ()


def test_what_is_long_ago_is_counted_from_the_clocks_day() -> None:
    recent, old = (
        deal(stage="Won", closed_on=NOW.date().replace(month=8, day=d)) for d in (25, 24)
    )
    assert [g.create for g in source(ListedDeals([recent, old])).read().groups] == [True, False]


def test_the_project_of_a_vanished_deal_is_put_away() -> None:
    gone = source(ListedDeals([])).retired("D-9", {"title": "Old"})
    assert gone.retired
    assert gone.root.fields["title"] == "Old"


@dataclass
class ManyDeals:
    count: int

    def read(self) -> DealReading:
        return DealReading(deals=(deal(key=f"D-{number}") for number in range(self.count)))


def test_a_large_source_is_not_held_in_memory() -> None:
    def peak(count: int) -> int:
        mapped = MappedSource(ManyDeals(count), parse_mapping(MAPPING), StoppedClock())
        tracemalloc.start()
        for _ in mapped.read().groups:
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(10)
    assert peak(2000) < peak(200) + 50_000


def with_pages(switch: str, money: Mapping[str, PageMoney] | None) -> list[DesiredGroup]:
    text = MAPPING + f'\n[project]\nfrom_sales_page = "tentative"\n{switch}\n'
    extent = Extent(money=lambda: money)
    deals = ListedDeals([deal(key="A"), deal(key="B")])
    mapped = MappedSource(deals, parse_mapping(text, "m.toml"), StoppedClock(), extent)
    return list(mapped.read().groups)


def pages(groups: list[DesiredGroup]) -> list[str]:
    children = [child for group in groups for child in group.children]
    return [str(each.fields[Wiki.FACTS]) for each in children if each.key.kind == Kind.WIKI]


KNOWN = {"A": PageMoney("9 EUR", "4 <b>EUR", "5 EUR", "12", "10", "2")}


def test_money_is_on_a_page_only_where_the_mapping_allows_it() -> None:
    assert pages(with_pages("", KNOWN)) == pages(with_pages("money_on_page = false", {}))
    shown, other = pages(with_pages("money_on_page = true", KNOWN))
    assert shown.endswith(
        "\n\n### Money of the plan\n- Revenue: 9 EUR\n- Cost: 4 &#60;b&#62;EUR\n- Margin: 5 EUR\n"
        "- Budget: 12 h\n- Reported: 10 h\n- Left: 2 h"
    )
    assert "Money" not in other


def test_a_page_stays_as_it_is_while_money_is_not_known() -> None:
    groups = with_pages("money_on_page = true", None)
    assert pages(groups) == []
    assert {key.kind for group in groups for key in group.waiting} == {Kind.WIKI}


def joined(*deals: Deal, joins: Mapping[str, str], late: list[Quarantined] | None = None) -> Source:
    return source(ListedDeals(list(deals), late or [], joins=joins))


def test_joined_deals_are_one_group_and_one_that_rests() -> None:
    reading = joined(deal(key="D-2"), deal(key="D-3"), deal(key="D-1"), joins={"D-2": "D-1"}).read()
    states = [(group.key, group.root.fields["state"]) for group in reading.groups]
    assert states == [("D-3", "tentative"), ("D-1", "tentative"), ("D-2", "retired")]
    assert reading.complete


def test_a_project_waits_for_a_joined_deal_that_cannot_be_read() -> None:
    bad = Quarantined("D-2", "row 7", "its value is no number")
    reading = joined(deal(key="D-1"), joins={"D-2": "D-1"}, late=[bad]).read()
    assert list(reading.groups) == []
    assert [each.key for each in reading.quarantined] == ["D-2", "D-1"]
    assert "waits until that can be read" in reading.quarantined[1].reason


def test_a_project_waits_for_a_joined_deal_that_cannot_be_mapped() -> None:
    reading = joined(deal(key="D-1"), deal(key="D-2", stage="X"), joins={"D-2": "D-1"}).read()
    assert list(reading.groups) == []
    assert [each.key for each in reading.quarantined] == ["D-2", "D-1"]


def test_deals_that_join_each_other_or_nothing_are_quarantined_with_the_way_out() -> None:
    joins = {"D-1": "D-2", "D-2": "D-1", "D-3": "D-9"}
    reading = joined(deal(key="D-1"), deal(key="D-2"), deal(key="D-3"), joins=joins).read()
    assert list(reading.groups) == []
    found = {each.key: each.reason for each in reading.quarantined}
    assert "join D-3 --undo" in found["D-3"]
    assert "part of each other" in found["D-1"]
    assert "part of each other" in found["D-2"]


def test_a_source_that_does_not_know_joins_does_not_guess_them() -> None:
    reading = source(ListedDeals([deal(key="D-1"), deal(key="D-2", part_of="D-1")])).read()
    assert [group.key for group in reading.groups] == ["D-1"]
    [row] = reading.quarantined
    assert (row.key, "built-in store" in row.reason) == ("D-2", True)


def test_a_way_out_names_a_key_with_blanks_as_a_shell_takes_it() -> None:
    reading = joined(deal(key="K 9"), joins={"K 9": "gone"}).read()
    assert list(reading.groups) == []
    (said,) = reading.quarantined
    assert said.reason.endswith("pipeline-sync join 'K 9' --undo")
