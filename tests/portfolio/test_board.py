"""The board: columns out of the stages of all mappings, cards out of deals."""

from __future__ import annotations

from datetime import date

from sync.records.model import Desired, DesiredGroup, Owner, RecordKey
from sync.source import Quarantined
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.portfolio.board import Look, Portfolio, Surroundings, stages_of
from taiga_pipeline.records import Kind, Status, Story, Wiki
from tests.mapping.support import STAGES, TODAY, deal, mappings
from tests.pipeline.fields.support import TABLE

KEY = "~portfolio-acme"
SHARED = '[ownership]\nstage = "shared"\n'


def board(
    *deals: Deal,
    rules: MappingSet | None = None,
    known: Surroundings | None = None,
    quarantined: tuple[Quarantined, ...] = (),
) -> DesiredGroup:
    used = rules or mappings()
    portfolio = Portfolio(
        KEY, Look(members=("ana@example.com",)), used.rules, lambda: known or Surroundings()
    )
    portfolio.begin(TODAY)
    for each in deals:
        portfolio.add(each, *used.stage_of(each))
    return portfolio.group(quarantined)


def of_kind(group: DesiredGroup, kind: str) -> list[Desired]:
    return [child for child in group.children if child.key.kind == kind]


def card(group: DesiredGroup) -> Desired:
    (only,) = of_kind(group, Kind.STORY)
    return only


def test_a_column_for_each_stage_in_the_order_of_the_funnel_and_closed_ones_closed() -> None:
    columns = of_kind(board(), Kind.STATUS)
    assert [(c.fields[Status.NAME], c.fields[Status.CLOSED]) for c in columns] == [
        ("Needs", False),
        ("Proposal", False),
        ("Won", True),
        ("Lost", True),
    ]
    assert [column.fields[Status.ORDER] for column in columns] == [1, 2, 3, 4]


def test_stages_of_several_mappings_stand_once_and_decided_ones_last() -> None:
    other = parse_mapping(
        '[mapping]\nname = "b"\n[[stage]]\nname = "WON"\ncategory = "won"\n'
        '[[stage]]\nname = "Offer"\ncategory = "proposal"\n',
        "b.toml",
    )
    names = [stage.name for stage in stages_of([*mappings().rules, *other.rules])]
    assert names == ["Needs", "Proposal", "Offer", "WON", "Lost"]


def test_a_card_shows_who_what_when_and_how_likely() -> None:
    fields = card(board(deal())).fields
    assert fields[Story.SUBJECT] == "Acme: New portal"
    assert fields[Story.STATUS] == "Proposal"
    assert fields[Story.DUE_DATE] == "2026-12-01"
    assert fields[Story.TAGS] == frozenset({"Anna", "50 %"})
    assert str(fields[Story.FACTS]).splitlines()[:2] == [
        "- Value: 120,000 EUR",
        "- Probability: 50 %",
    ]


def test_a_card_links_to_its_project_once_that_is_known() -> None:
    known = Surroundings(links={"D-1": "https://taiga.example/project/x"})
    assert "- Project: https://taiga.example/project/x" in str(
        card(board(deal(), known=known)).fields[Story.FACTS]
    )


def test_what_sales_typed_is_shown_as_it_is() -> None:
    facts = str(card(board(deal(owner="<b>@all</b> | [x](y)"))).fields[Story.FACTS])
    assert not set("<@|[") & set(facts)


def test_a_deal_without_a_close_has_no_due_date() -> None:
    assert card(board(deal(expected_close=None))).fields[Story.DUE_DATE] is None


def test_sales_owns_the_column_unless_the_mapping_lets_delivery_move_cards() -> None:
    assert card(board(deal())).owner(Story.STATUS) is Owner.SALES
    assert card(board(deal(), rules=mappings(SHARED))).owner(Story.STATUS) is Owner.SHARED


def test_a_card_that_may_not_move_its_deal_goes_back() -> None:
    known = Surroundings(sent_back={(RecordKey(KEY, Kind.STORY, "D-1"), Story.STATUS)})
    group = board(deal(), rules=mappings(SHARED), known=known)
    assert card(group).owner(Story.STATUS) is Owner.SALES


def test_a_deal_decided_long_ago_gets_no_card_but_one_that_has_a_card_keeps_it() -> None:
    old = deal(stage="Won", closed_on=date(2026, 1, 2))
    assert of_kind(board(old), Kind.STORY) == []
    known = Surroundings(followed=[RecordKey(KEY, Kind.STORY, "D-1")])
    assert card(board(old, known=known)).fields[Story.STATUS] == "Won"


def test_the_card_of_a_deal_that_cannot_be_read_stays_as_it_is() -> None:
    bad = (Quarantined("D-7", "deals.csv:3", "no date"), Quarantined("D-8", "deals.csv:4", "no"))
    known = Surroundings(followed=[RecordKey(KEY, Kind.STORY, "D-7")])
    kept = card(board(known=known, quarantined=bad))
    assert (kept.key.name, dict(kept.fields)) == ("D-7", {})


def test_a_page_that_cannot_be_made_now_stays_as_it_is() -> None:
    page = RecordKey(KEY, Kind.WIKI, "plan")
    seen: list[RecordKey] = []
    portfolio = Portfolio(
        KEY,
        Look(),
        mappings().rules,
        lambda: Surroundings(followed=tuple(seen)),
        {"plan": lambda _: None},
    )
    portfolio.begin(TODAY)
    assert of_kind(portfolio.group(()), Kind.WIKI) == []
    seen.append(page)
    portfolio.begin(TODAY)
    assert [dict(each.fields) for each in of_kind(portfolio.group(()), Kind.WIKI)] == [{}]


def test_a_page_that_can_be_made_is_part_of_the_group() -> None:
    made = Desired(RecordKey(KEY, Kind.WIKI, "plan"), {Wiki.FACTS: "x"})
    portfolio = Portfolio(KEY, Look(), mappings().rules, Surroundings, {"plan": lambda _: made})
    portfolio.begin(TODAY)
    assert of_kind(portfolio.group(()), Kind.WIKI) == [made]


def test_a_card_shows_fields_of_ones_own_as_plain_text() -> None:
    rules = parse_mapping(f'[mapping]\nname = "a"\n{STAGES}', "a.toml", TABLE)
    own = {"region": "[North](http://x)", "margin": "5 EUR", "strategic": "yes"}
    facts = str(card(board(deal(own=own), rules=rules)).fields[Story.FACTS])
    assert facts.splitlines()[-2:] == [
        "- Region: &#91;North&#93;(http://x)",
        "- Strategic account: yes",
    ]


def test_the_card_of_a_deal_that_joined_a_project_shows_the_address_of_that_project() -> None:
    rules, known = mappings(), Surroundings(links={"D-1": "https://pm/1", "D-2": "https://pm/old"})
    portfolio = Portfolio(KEY, Look(), rules.rules, lambda: known)
    portfolio.begin(TODAY)
    part = deal(key="D-2", part_of="D-9")
    portfolio.add(part, *rules.stage_of(part), "D-1")
    facts = str(card(portfolio.group(())).fields[Story.FACTS])
    assert facts.endswith("- Project: https://pm/1")
