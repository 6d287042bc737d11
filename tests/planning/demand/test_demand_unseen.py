"""What deals that are not there yet may ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from taiga_pipeline.mapping.load import parse_mapping  # noqa: E402
from taiga_pipeline.mapping.mapping_set import MappingSet  # noqa: E402
from taiga_pipeline.people.model import Person  # noqa: E402
from taiga_pipeline.pipeline.model import Deal, RoleDemand  # noqa: E402
from taiga_pipeline.planning.capacity.find import Options, capacity_for, demand_for  # noqa: E402
from taiga_pipeline.planning.demand.deals import Situation  # noqa: E402
from taiga_pipeline.planning.demand.unseen import (  # noqa: E402
    MOST_ROWS,
    past_wins,
    unseen_demand,
)
from taiga_pipeline.planning.outlook import Outlooks  # noqa: E402
from taiga_pipeline.planning.weeks import Weeks  # noqa: E402

TODAY = date(2026, 11, 23)
WEEKS = Weeks(TODAY, 20)
MAPPING = """\
[mapping]
name = "one"
lead_time_weeks = 2
[[stage]]
name = "Proposal"
category = "proposal"
[[stage]]
name = "Won"
category = "won"
[[stage]]
name = "Lost"
category = "lost"
"""
BACK = RoleDemand("Back", Decimal(20), 4)


def mappings() -> MappingSet:
    return parse_mapping(MAPPING, "one.toml")


def won(key: str, *roles: RoleDemand, days_ago: int = 30, team: str = "") -> Deal:
    closed = TODAY - timedelta(days=days_ago)
    return Deal(key=key, name=key, stage="Won", closed_on=closed, roles=roles, team=team)


def evenly(wins: float) -> list[tuple[date, float]]:
    return [(week, wins / 20) for week in WEEKS]


def test_wins_of_the_past_year_tell_what_new_ones_ask_for() -> None:
    late = replace(won("C", BACK), start=TODAY - timedelta(days=30) + timedelta(weeks=5))
    deals = (
        won("A", BACK),
        won("B"),
        late,
        won("OLD", BACK, days_ago=400),
        replace(won("L", BACK), stage="Lost"),
        replace(won("O", BACK), stage="Proposal", closed_on=None),
    )
    found, share = past_wins(deals, mappings(), TODAY)
    assert [(len(each.stretches), each.lag_weeks) for each in found] == [(1, 2), (0, 2), (1, 5)]
    assert share == 1.0


def test_a_team_gets_its_part_of_the_wins() -> None:
    deals = [won(str(n), BACK, team="Blue" if n < 3 else "Red") for n in range(12)]
    found, share = past_wins(deals, mappings(), TODAY, "blue")
    assert (len(found), share) == (3, 0.25)
    assert unseen_demand(evenly(40), found, share, WEEKS).wins == pytest.approx(10)


@pytest.mark.parametrize("wins", [0.3, 7.0, 60.0, 900.0])
def test_rows_stand_for_as_many_hours_as_the_expected_wins_ask_for(wins: float) -> None:
    past, _ = past_wins([won("A", BACK), won("B"), won("C", BACK)], mappings(), TODAY)
    unseen = unseen_demand(evenly(wins), past, 1.0, WEEKS)
    assert sum(row.probability for row in unseen.rows) == pytest.approx(wins * 2 / 3)
    assert len(unseen.rows) <= MOST_ROWS
    for row in unseen.rows:
        assert sum(chance for _, chance in row.starts) == pytest.approx(1.0)
        assert row.starts[0][0] == TODAY + timedelta(weeks=2)


def test_only_wins_within_the_weeks_count_and_no_history_tells_nothing() -> None:
    past, _ = past_wins([won("A", BACK)], mappings(), TODAY)
    beyond = [(TODAY + timedelta(weeks=25), 50.0)]
    assert unseen_demand(beyond, past, 1.0, WEEKS).rows == ()
    assert unseen_demand(evenly(9), [], 0.0, WEEKS).rows == ()


def test_capacity_with_new_deals_is_short_of_more_and_has_no_drivers_among_them() -> None:
    deals = tuple(won(str(n), BACK) for n in range(4))
    situation = Situation(TODAY, deals, (Person("a@x.se", "A", "Back"),))
    options = Options(WEEKS, lambda country, years: [], trials=4_000)
    outlooks = Outlooks(common_shock_sd=0.2)
    demand = demand_for(situation, mappings(), outlooks, options)
    past, share = past_wins(deals, mappings(), TODAY)
    unseen = unseen_demand(evenly(30), past, share, WEEKS)
    plain = capacity_for(situation, demand, outlooks, options)
    more = capacity_for(situation, demand, outlooks, options, unseen.rows)
    added = more.total.weighted - plain.total.weighted
    # Wins of the last weeks begin, or end, after the weeks that are shown.
    assert 30 * 80 * 0.6 < added < 30 * 80
    assert more.total.gap > plain.total.gap + 100
    assert more.open_deals == plain.open_deals == 0
    assert all(driver.is_won for role in more.roles for driver in role.total.drivers)
