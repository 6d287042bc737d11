"""The table of the three-way merge, and what holds for every merge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.records.merge import TABLE, Situation, Verdict, base_after_write, merge_field, situation
from sync.records.model import Base, Owner

OLD, SALES, PM = "old", "sales", "pm"
AGREED = Base(OLD, OLD)


@pytest.mark.parametrize(
    ("base", "desired", "observed", "expected"),
    [
        (AGREED, OLD, OLD, Situation.QUIET),
        (AGREED, SALES, OLD, Situation.SALES_MOVED),
        (AGREED, OLD, PM, Situation.DELIVERY_MOVED),
        (AGREED, SALES, SALES, Situation.AGREED),
        (AGREED, SALES, PM, Situation.APART),
        (None, OLD, OLD, Situation.NEW_EQUAL),
        (None, SALES, PM, Situation.NEW_APART),
        (None, SALES, None, Situation.NEW_EMPTY),
        (None, None, None, Situation.NEW_EQUAL),
        (AGREED, SALES, None, Situation.APART),
        (Base("Tag", "tag"), "Tag", "tag", Situation.QUIET),
    ],
)
def test_each_situation_is_decided_by_what_moved_since_the_base(base, desired, observed, expected):
    assert situation(base, desired, observed) is expected


@pytest.mark.parametrize(
    ("where", "sales", "delivery", "shared"),
    [
        (Situation.QUIET, Verdict.NOTHING, Verdict.NOTHING, Verdict.NOTHING),
        (Situation.SALES_MOVED, Verdict.WRITE, Verdict.KEEP, Verdict.WRITE),
        (Situation.DELIVERY_MOVED, Verdict.WRITE_BACK, Verdict.KEEP, Verdict.KEEP),
        (Situation.AGREED, Verdict.REBASE, Verdict.REBASE, Verdict.REBASE),
        (Situation.APART, Verdict.WRITE_BACK, Verdict.KEEP, Verdict.CONFLICT),
        (Situation.NEW_EQUAL, Verdict.REBASE, Verdict.REBASE, Verdict.REBASE),
        (Situation.NEW_APART, Verdict.WRITE, Verdict.KEEP, Verdict.CONFLICT),
        (Situation.NEW_EMPTY, Verdict.WRITE, Verdict.KEEP, Verdict.WRITE),
    ],
)
def test_the_table_says_what_the_design_says(where, sales, delivery, shared):
    assert TABLE[where] == {
        Owner.SALES: sales,
        Owner.DELIVERY: delivery,
        Owner.SHARED: shared,
    }


def test_the_table_covers_every_situation_and_every_owner():
    assert set(TABLE) == set(Situation)
    assert all(set(row) == set(Owner) for row in TABLE.values())


values = st.sampled_from(["a", "b", "c", ""])
sets = st.frozensets(st.sampled_from("abcd"))
owners = st.sampled_from(Owner)
scalar_bases = st.none() | st.builds(Base, values, values)
set_bases = st.none() | st.builds(lambda asked, some: Base(asked, asked & some), sets, sets)


@given(owners, scalar_bases, values, values)
def test_after_a_write_or_a_rebase_the_next_merge_is_quiet(owner, base, desired, observed):
    decision = merge_field(owner, base, desired, observed)
    if decision.writes:
        base = base_after_write(decision, desired, desired)
        observed = desired
    else:
        base = decision.base or base
    again = merge_field(owner, base, desired, observed)
    assert not again.writes
    assert (again.verdict is Verdict.CONFLICT) == (decision.verdict is Verdict.CONFLICT)


@given(owners, scalar_bases, values, values, values)
def test_a_server_that_rewrites_what_it_is_sent_is_not_written_to_for_ever(
    owner, base, desired, observed, rewritten
):
    decision = merge_field(owner, base, desired, observed)
    if decision.writes:
        base = base_after_write(decision, desired, rewritten)
        assert not merge_field(owner, base, desired, rewritten).writes


@given(scalar_bases, values, values)
def test_a_delivery_owned_value_is_never_written_over(base, desired, observed):
    assert not merge_field(Owner.DELIVERY, base, desired, observed).writes


@given(st.builds(Base, values, values), values, values)
def test_an_edit_by_people_to_a_shared_field_is_never_written_over(base, desired, observed):
    decision = merge_field(Owner.SHARED, base, desired, observed)
    if decision.writes:
        assert observed == base.observed


@given(owners, set_bases, sets, sets)
def test_a_set_loses_only_elements_that_the_connector_added(owner, base, desired, observed):
    added = base.observed if base else frozenset()
    removed = observed - merge_field(owner, base, desired, observed).value
    assert removed <= added - desired


@given(owners, set_bases, sets, sets)
def test_a_set_gains_only_elements_that_sales_ask_for(owner, base, desired, observed):
    gained = merge_field(owner, base, desired, observed).value - observed
    assert gained <= desired
    if owner is Owner.DELIVERY:
        assert not gained


@given(owners, set_bases, sets, sets)
def test_a_merged_set_is_quiet_the_next_time(owner, base, desired, observed):
    decision = merge_field(owner, base, desired, observed)
    if decision.writes:
        base = base_after_write(decision, desired, decision.value)
    else:
        base = decision.base or base
    again = merge_field(owner, base, desired, decision.value)
    assert not again.writes
    assert again.base is None


@given(set_bases, sets, sets)
def test_an_element_taken_away_by_people_stays_away_from_a_shared_set(base, desired, observed):
    asked = base.desired if base else frozenset()
    gained = merge_field(Owner.SHARED, base, desired, observed).value - observed
    assert not gained & asked
