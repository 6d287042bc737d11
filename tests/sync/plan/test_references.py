"""Fields that name another child: what becomes of them while it cannot be named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.plan.known import Bound
from sync.plan.model import PARTIAL, IssueKind
from sync.plan.references import Others, settled_references
from sync.records.model import Base, Binding, Desired, Observed, RecordKey, Reference, Value
from sync.ways_out import MakeNameable

ANA = RecordKey("D1", "member", "ana@example.com")
CARD = Desired(
    RecordKey("D1", "card", "build"),
    {"subject": "Build", "holder": ANA.name},
    refers={"holder": Reference(ANA)},
)
MEMBER = Observed("member", "7", {}, identity=ANA.name)
OTHER = Observed("member", "8", {}, identity="bo@example.com")
UNTOLD = Observed("member", "9", {})


def held(holder: Value) -> Observed:
    return Observed("card", "1", {"holder": holder})


def others(*observed: Observed, bound: str = "", made: tuple[RecordKey, ...] = ()) -> Others:
    known = {ANA: Bound(Binding(ANA, bound, created=True))} if bound else {}
    return Others(known, observed, made)


@pytest.mark.parametrize(
    "there",
    [
        others(MEMBER, OTHER),
        others(replace(MEMBER, identity=ANA.name.casefold()), UNTOLD),
        others(UNTOLD, bound="9"),  # what is bound is known without its name
        others(OTHER, made=(ANA,)),
    ],
)
def test_what_is_there_or_made_in_this_run_is_named(there: Others) -> None:
    record, issues = settled_references(CARD, {}, None, there)
    assert record.fields == CARD.fields
    assert not issues


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (others(), "ana@example.com has no member there"),
        (others(OTHER), "ana@example.com has no member there"),
        (others(OTHER, bound="7"), "ana@example.com has no member there"),
        (others(replace(MEMBER, unavailable="is away")), "ana@example.com is away"),
    ],
)
def test_what_cannot_be_named_is_waited_for_and_said(there: Others, why: str) -> None:
    record, (issue,) = settled_references(CARD, {}, None, there)
    assert record.fields == {"subject": "Build", "holder": None}
    assert (issue.kind, issue.field) == (IssueKind.WAITING, "holder")
    assert issue.message == f"D1/card/build: 'holder' stays empty: {why}"
    assert issue.ways_out == (MakeNameable(ANA.name),)
    assert issue.kind not in PARTIAL


def test_while_it_is_unknown_who_is_there_the_field_is_left_as_it_is() -> None:
    record, issues = settled_references(CARD, {}, None, others(UNTOLD))
    assert record.fields == {"subject": "Build"}
    assert not issues


def test_what_the_source_itself_cannot_tell_is_said() -> None:
    card = replace(CARD, refers={"holder": Reference(None, "Carl is not known")})
    record, (issue,) = settled_references(card, {}, None, others(MEMBER))
    assert record.fields["holder"] is None
    assert issue.message.endswith("stays empty: Carl is not known")
    assert not issue.ways_out


@pytest.mark.parametrize(
    ("base", "now", "is_released"),
    [
        (Base(ANA.name, ANA.name), ANA.name, True),
        (Base(ANA.name, ANA.name), "bo@example.com", False),
        (Base(None, None), "bo@example.com", False),
        (None, "bo@example.com", False),
        (None, None, True),
    ],
)
def test_only_what_the_connector_put_there_is_taken_away(
    base: Base | None, now: Value, is_released: bool
) -> None:
    card = replace(CARD, fields={"holder": None}, refers={"holder": Reference()})
    bases = {"holder": base} if base else {}
    record, issues = settled_references(card, bases, held(now), others(MEMBER))
    assert ("holder" in record.fields) is is_released
    assert not issues


def test_a_field_for_which_the_target_has_no_place_is_not_waited_for() -> None:
    card = replace(CARD, fields={"subject": "Build"})
    assert settled_references(card, {}, None, others()) == (card, [])
