from __future__ import annotations

import pytest

from sync.plan.limit_settings import DEFAULTS, FLOOR, Limit
from sync.plan.limits import check_limits
from sync.ways_out import AllowOnce, FindCause, RaiseLimit


def test_counts_and_shares_are_read_as_people_write_them():
    assert Limit.parse(50).allowed(1000) == 50
    assert Limit.parse("20%").allowed(1000) == 200
    assert str(Limit.parse(" 12.5 % ")) == "12.5%"


@pytest.mark.parametrize("text", ["", "many", "-1", "20 percent", "120%", True, "1e3"])
def test_anything_else_is_refused_with_what_is_expected(text):
    with pytest.raises(ValueError, match=r"neither a count|more than 100%"):
        Limit.parse(text)


def test_a_share_never_holds_back_a_handful():
    assert Limit.parse("20%").allowed(3) == FLOOR


def test_a_breach_names_the_numbers_and_carries_the_ways_out():
    (breach,) = check_limits({"retire": 40}, bound=100)
    assert "40 planned, 20 (20% of 100) allowed" in breach.message
    assert breach.ways_out == (FindCause("retire"), AllowOnce("retire"), RaiseLimit("retire", 40))
    assert breach.planned == 40


def test_what_is_within_the_limits_or_lifted_by_name_passes():
    assert not check_limits({"create": 50, "retire": 20}, bound=100)
    assert not check_limits({"create": 500}, bound=0, allow={"create"})


def test_every_limit_has_a_default_and_is_named():
    for name in DEFAULTS:
        (breach,) = check_limits({name: 10**6}, bound=10)
        assert name in breach.message


def test_a_source_that_lost_more_than_half_is_held_back_however_small_it_is():
    assert not check_limits({"source_shrink": 2}, bound=5)
    (breach,) = check_limits({"source_shrink": 3}, bound=5)
    assert breach.allowed == 2
    assert not check_limits({"retire": 3}, bound=5)
