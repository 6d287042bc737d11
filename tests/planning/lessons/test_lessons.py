"""What became of deals is told as far as it is known, and similar ones are found."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import (
    Category,
    Contact,
    ContactPart,
    Deal,
    Note,
    RoleDemand,
    StageMove,
)
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.planning.lessons.customer import (
    contacts_of,
    delivery_record,
    totals_by_customer,
)
from taiga_pipeline.planning.lessons.experience import Experience, Outcome, Stay, experience_of
from taiga_pipeline.planning.lessons.looking_back import look_back
from taiga_pipeline.planning.lessons.retrospective import (
    QUESTIONS,
    answer_note,
    answers_in,
    ended_note,
)
from taiga_pipeline.planning.lessons.similar import most_similar
from taiga_pipeline.planning.metrics.delivery import Delivered
from taiga_pipeline.planning.metrics.selling import Record, StageInfo

TODAY = date(2026, 6, 1)
LEAD, OFFER = StageInfo("Lead", Category.LEAD, 0), StageInfo("Offer", Category.PROPOSAL, 1)
WON, LOST = StageInfo("Won", Category.WON, 2), StageInfo("Lost", Category.LOST, 3)
STAGES = {each.name: each for each in (LEAD, OFFER, WON, LOST)}


def moves(*days: tuple[str, int]) -> list[StageMove]:
    at = [(name, datetime(2026, 1, day, tzinfo=UTC)) for name, day in days]
    return [StageMove("D-1", "", name, when) for name, when in at]


def became(deal: Deal, stage: StageInfo, *, path: Any = (), **known: Any) -> Experience:
    """Returns what became of a deal with a start on 2 March and 300 hours of Back sold."""
    record = Record(deal, stage, moves(*path), (), STAGES)
    given = {"start": date(2026, 3, 2), "demand": (RoleDemand("Back", Decimal(30), 10),)}
    return experience_of(record, Delivered(deal, **{**given, **known}), TODAY, {"a@x.test": "Ann"})


def test_stays_in_a_stage_are_added_up_and_the_present_one_is_marked() -> None:
    path = (("Lead", 1), ("Offer", 5), ("Lead", 9), ("Offer", 10))
    found = became(Deal("D-1", "Portal", stage="Offer"), OFFER, path=path)
    assert found.outcome is Outcome.OPEN
    assert found.stays == (Stay("Lead", 5.0), Stay("Offer", 4.0, is_there=True))
    (only,) = became(Deal("D-1", "P", stage="Won"), WON, path=(("Lead", 1), ("Won", 4))).stays
    assert only == Stay("Lead", 3.0)


def test_hours_people_and_the_slip_of_the_start_come_from_both_sides() -> None:
    facts = {
        "milestones": [{"name": "Kick-off", "start": "2026-03-09", "finish": "2026-03-20"}],
        "progress": 1,
        "spent_hours": 340.0,
        "team": ["ann", "Bo"],
        "url": "https://taiga.example/p",
    }
    put_on = Allocation("D-1", "a@x.test", "back", Decimal(28), None, None)
    found = became(Deal("D-1", "P", stage="Won"), WON, facts=facts, allocations=(put_on,))
    assert (found.slip_days, found.has_begun, found.progress) == (7, True, 1.0)
    assert (found.sold_hours, found.staffed_hours, found.spent_hours) == (300, 280, 340)
    ((role, sold, staffed),) = ((each.role, each.sold, each.staffed) for each in found.roles)
    assert (role, sold, staffed) == ("Back", 300, 280)
    assert (found.people, found.url, found.has_ended) == (("Ann", "Bo"), facts["url"], True)


def test_what_is_not_known_is_not_made_up() -> None:
    found = became(Deal("D-1", "P", stage="Won"), WON, demand=(), start=None)
    known = (found.slip_days, found.sold_hours, found.staffed_hours, found.spent_hours)
    assert (*known, found.progress) == (None,) * 5
    assert (found.has_begun, found.has_ended, found.people, found.stays) == (False, False, (), ())


@pytest.mark.parametrize(
    ("progress", "finish", "ended"),
    [(1, "2026-05-01", True), (1, "2026-07-01", False), (0.9, "2026-05-01", False)],
)
def test_a_project_has_ended_when_all_is_done_and_its_last_milestone_has_passed(
    progress: float, finish: str, ended: bool
) -> None:
    milestones = [{"name": "End", "start": "2026-03-02", "finish": finish}]
    facts = {"progress": progress, "milestones": milestones}
    assert became(Deal("D-1", "P"), WON, facts=facts).has_ended is ended
    assert not became(Deal("D-1", "P"), LOST, facts=facts).has_ended
    said = Deal("D-1", "P", notes=(ended_note("maya"),))
    assert became(said, WON, facts=facts).has_ended


def test_of_several_answers_the_newest_holds_and_one_can_be_taken_back() -> None:
    first, again, other = (
        answer_note("What went well?", "Nothing", "maya", 1),
        answer_note("what went  well?", "The team\nand Ann", "tom", 2),
        answer_note("Asked before?", "Yes", "tom", 3),
    )
    notes = (Note("called"), other, again, first, Note("x", origin="card:7"))
    assert [(a.question, a.text, a.by) for a in answers_in(notes)] == [
        ("what went well?", "The team\nand Ann", "tom"),
        ("Asked before?", "Yes", "tom"),
    ]
    back = answer_note("What went well?", " ", "tom", 4)
    assert [a.question for a in answers_in((back, *notes))] == ["Asked before?"]


def test_a_note_that_people_write_below_the_questions_answers_them() -> None:
    text = (
        "## 1. What went well?\nThe team.\nAnd the customer.\n\n"
        "**what did we  underestimate?**\nThe import"
    )
    comment = Note(text, origin="comment:7", by="Petra")
    plain = Note("They ask: What went well?\nNobody knows.", origin="comment:8")
    assert {(a.question, a.text, a.by) for a in answers_in((plain, comment))} == {
        ("What went well?", "The team.\nAnd the customer.", "Petra"),
        ("What did we underestimate?", "The import", "Petra"),
    }
    assert became(Deal("D-1", "P", notes=(comment,)), WON).has_ended
    assert answers_in((comment,), ("Other?",)) == ()


def test_a_retrospective_is_due_until_all_questions_are_answered() -> None:
    found = Experience(Deal("D-1", "P"), Outcome.WON, has_ended=True)
    assert look_back(found, QUESTIONS).is_due
    notes = [answer_note(each, "yes", "tom", at) for at, each in enumerate(reversed(QUESTIONS))]
    done = look_back(
        Experience(Deal("D-1", "P"), Outcome.WON, has_ended=True, answers=answers_in(notes)),
        QUESTIONS,
    )
    assert [each.question for each in done.answers] == list(QUESTIONS) and not done.is_due


MINE = Deal("M", "P", customer="Acme AB", service="web", team="north", value=Decimal(100))


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        ({"service": "web", "value": 100}, {"service": "web", "value": 300}),
        ({"service": "web", "customer": "ACME"}, {"service": "web", "team": "north"}),
        ({"service": "WEB", "team": "North"}, {"service": "web"}),
        ({"service": "web", "closed_on": date(2026, 5, 1)}, {"service": "web"}),
        ({"customer": "Acme Inc.", "value": 110}, {"customer": "Acme", "value": 1000}),
    ],
)
def test_service_customer_size_and_team_make_deals_similar(
    nearer: dict[str, Any], farther: dict[str, Any]
) -> None:
    def deal(key: str, **about: Any) -> Deal:
        value = about.pop("value", None)
        return Deal(key, key, value=None if value is None else Decimal(value), **about)

    others = [deal("far", **farther), deal("near", **nearer), MINE, Deal("no", "no", team="north")]
    assert [each.key for each, _ in most_similar(MINE, others, Rates(), 5)] == ["near", "far"]
    assert [each.key for each, _ in most_similar(MINE, others, Rates(), 1)] == ["near"]


def test_sizes_are_compared_in_the_common_currency_or_not_at_all() -> None:
    mine = Deal("M", "P", service="web", value=Decimal(1000), currency="EUR")
    other = Deal("O", "P", service="web", value=Decimal(11000), currency="SEK")
    rates = Rates("EUR", {"SEK": Decimal("0.1")})
    ((_, known),) = most_similar(mine, [other], rates, 1)
    assert known.size == pytest.approx(1.1)
    ((_, unknown),) = most_similar(mine, [other], Rates(), 1)
    assert unknown.size is None and unknown.score < known.score


def test_a_customers_money_is_added_up_by_currency_and_its_win_rate_is_of_what_is_decided() -> None:
    outcomes = {"A": Outcome.WON, "B": Outcome.LOST, "C": Outcome.OPEN, "D": Outcome.WON}
    deals = [
        Deal("A", "a", "Acme", value=Decimal(10), currency="EUR", closed_on=date(2026, 1, 1)),
        Deal("B", "b", "Acme", value=Decimal(99), currency="EUR"),
        Deal("C", "c", "Acme"),
        Deal("D", "d", "Acme", value=Decimal(20), currency="SEK"),
        Deal("E", "e"),
    ]
    (found,) = totals_by_customer(deals, lambda deal: outcomes[deal.key], Rates())
    assert (found.deals, found.won, found.lost, found.open) == (4, 2, 1, 1)
    assert found.win_rate == pytest.approx(2 / 3)
    assert found.value_won == {"EUR": Decimal(10), "SEK": Decimal(20)}
    assert (found.value_open, found.unvalued, found.last) == ({}, 1, date(2026, 1, 1))
    rates = Rates("EUR", {"SEK": Decimal("0.1")})
    (converted,) = totals_by_customer(deals, lambda deal: outcomes[deal.key], rates)
    assert converted.value_won == {"EUR": Decimal(12)}


def test_a_contact_is_one_person_with_all_parts_and_deals() -> None:
    decides = Contact("Ann Berg", "Ann@acme.example", "", ContactPart.DECISION_MAKER)
    used = Contact("Ann", "ann@acme.example", "123", ContactPart.USER)
    other = Contact("Bo", part=ContactPart.OTHER)
    deals = [Deal("A", "a", contacts=(other, used)), Deal("B", "b", contacts=(decides,))]
    ann, bo = contacts_of(deals)
    assert (ann.name, ann.phone, ann.deals) == ("Ann Berg", "123", ("A", "B"))
    assert ann.parts == (ContactPart.DECISION_MAKER, ContactPart.USER)
    assert bo.deals == ("A",)


def test_what_delivery_learnt_counts_only_what_is_known_of_won_deals() -> None:
    won = Experience(
        Deal("A", "a"),
        Outcome.WON,
        slip_days=4,
        has_begun=True,
        sold_hours=10.0,
        spent_hours=14.0,
        people=("Ann",),
    )
    coming = Experience(Deal("B", "b"), Outcome.WON, slip_days=0, sold_hours=5.0, people=("Ann",))
    lost = Experience(Deal("C", "c"), Outcome.LOST, people=("Bo",))
    found = delivery_record([won, coming, lost])
    assert (found.deals, found.started, found.on_time, found.slip_days) == (2, 1, 0, 4)
    assert (found.hours_known, found.sold_hours, found.spent_hours) == (1, 10.0, 14.0)
    assert found.people == (("Ann", 2),)
    assert delivery_record([lost]).slip_days is None
