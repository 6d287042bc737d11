"""What the past says about selling, on small pipelines that can be counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from taiga_pipeline.pipeline.model import Category, Deal, FieldChange, StageMove
from taiga_pipeline.planning.metrics.selling import (
    Record,
    StageInfo,
    sales_metrics,
    skipped_gates,
    slippage,
    stage_metrics,
    velocity,
    win_rates,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FUNNEL = {
    name: StageInfo(name, category, order)
    for order, (name, category) in enumerate(
        [
            ("Lead", Category.LEAD),
            ("Proposal", Category.PROPOSAL),
            ("Won", Category.WON),
            ("Lost", Category.LOST),
        ]
    )
}


def record(key: str, *path: tuple[str, int], changes=(), forced=(), **fields) -> Record:
    """Returns a deal that went along ``path``: stages, and the day on which each was entered."""
    moves = [
        StageMove(key, before, stage, START + timedelta(days=day), forced=forced)
        for before, (stage, day) in zip(["", *(s for s, _ in path)], path, strict=False)
    ]
    stage = path[-1][0]
    if FUNNEL[stage].category.is_closed:
        fields.setdefault("closed_on", (START + timedelta(days=path[-1][1])).date())
    deal = Deal(key, key, stage=stage, **fields)
    return Record(deal, FUNNEL[stage], moves, changes, FUNNEL)


def test_conversion_counts_what_left_a_stage_and_where_it_went():
    records = [
        record("A", ("Lead", 0), ("Proposal", 10), ("Won", 30)),
        record("B", ("Lead", 0), ("Proposal", 20), ("Lost", 25)),
        record("C", ("Lead", 0), ("Lost", 30)),
        record("D", ("Lead", 0), ("Proposal", 5)),
        record("E", ("Lead", 0)),
    ]
    lead, proposal = stage_metrics(records)
    assert (lead.entered, lead.here, lead.forward, lead.lost) == (5, 1, 3, 1)
    assert lead.conversion == pytest.approx(3 / 4)
    assert lead.days == pytest.approx(15)
    assert (proposal.entered, proposal.here, proposal.forward, proposal.lost) == (3, 1, 1, 1)
    assert proposal.days == pytest.approx(12.5)


def test_a_deal_that_went_back_and_forth_counts_once_by_its_last_stay():
    twice = record("A", ("Lead", 0), ("Proposal", 5), ("Lead", 8), ("Proposal", 20))
    lead, proposal = stage_metrics([twice])
    assert (lead.entered, lead.forward) == (1, 1)
    assert lead.days == pytest.approx(12)
    assert proposal.here == 1


def test_win_rates_come_with_a_range_that_narrows_with_the_number_of_deals():
    few = [record(f"A{n}", ("Won" if n < 3 else "Lost", 1), team="Few") for n in range(5)]
    many = [record(f"B{n}", ("Won" if n < 60 else "Lost", 1), team="Many") for n in range(100)]
    first, second = win_rates([*few, *many], "team")
    assert (first.group, first.won, first.lost, first.rate) == ("Many", 60, 40, 0.6)
    assert second.rate == 0.6
    assert first.high - first.low < second.high - second.low
    assert 0 <= second.low < 0.6 < second.high <= 1


def test_velocity_is_open_deals_times_win_rate_times_value_over_cycle():
    money = {"value": Decimal(1000), "currency": "EUR"}
    records = [
        record("A", ("Lead", 0), ("Won", 14), **money),
        record("B", ("Lead", 0), ("Lost", 3), **money),
        record("C", ("Lead", 0), **money),
        record("D", ("Lead", 0)),
    ]
    (found,) = velocity(records, START)
    assert found.per_week == Decimal("500.00")  # 2 open x 50 % x 1,000 per 14 days


def test_a_value_without_a_currency_is_not_mixed_with_others():
    ways = (("EUR", Decimal(1000)), ("", Decimal(9000)))
    records = [
        record(f"{kind}-{end}", ("Lead", 0), (end, 14), value=value, currency=kind)
        for kind, value in ways
        for end in ("Won", "Lost")
    ]
    found = {each.currency: each.mean_value for each in velocity(records, START)}
    assert found == {"EUR": Decimal("1000.00"), "": Decimal("9000.00")}


def test_slippage_follows_the_close_dates_that_were_stated():
    def change(before: str, after: str, day: int) -> FieldChange:
        at = START + timedelta(days=day)
        return FieldChange("A", "expected_close", before, after, at)

    moved = record(
        "A",
        ("Lead", 0),
        ("Won", 60),
        changes=[change("2026-03-20", "2026-04-20", 5), change("2026-04-20", "2026-04-15", 9)],
        expected_close=date(2026, 4, 15),
    )
    found = slippage([moved, record("B", ("Lead", 0))])
    assert (found.deals, found.moved_later, found.moved_earlier) == (1, 1, 1)
    assert found.days == (moved.deal.closed_on - date(2026, 3, 20)).days


def test_gates_that_were_skipped_are_reported_with_what_became_of_the_deals():
    records = [
        record("A", ("Proposal", 1), ("Won", 2), forced=("budget confirmed",)),
        record("B", ("Proposal", 1), ("Lost", 2)),
    ]
    gates = skipped_gates(records)
    assert sum(gate.times for gate in gates) == 2
    assert all(gate.won == gate.times for gate in gates)


def test_reasons_for_losing_are_counted_and_silence_is_named():
    records = [
        record("A", ("Lost", 1), lost_reason="price"),
        record("B", ("Lost", 1), lost_reason="price"),
        record("C", ("Lost", 1)),
    ]
    assert sales_metrics(records, START).lost_reasons == (("price", 2), ("(not said)", 1))


def test_an_empty_pipeline_has_empty_metrics():
    found = sales_metrics([], START)
    assert (found.deals, found.stages, found.velocity) == (0, (), ())
    assert found.slippage.days is None
