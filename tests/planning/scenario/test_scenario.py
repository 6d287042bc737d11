"""What if: supposed beside today, saved under a name; nothing real changes."""

from __future__ import annotations

import copy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.people.model import Person
from taiga_pipeline.people.public_holidays import public_holidays
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.planning.capacity.find import Options
from taiga_pipeline.planning.demand.deals import Situation
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.scenario.compare import Column, OpenValue, compare_scenarios
from taiga_pipeline.planning.scenario.file import ScenarioFile, scenario_of
from taiga_pipeline.planning.scenario.model import (
    Hire,
    Leave,
    Scenario,
    apply_scenario,
    parse_hire,
    parse_leave,
    written_hire,
    written_leave,
)
from taiga_pipeline.planning.scenario.writing import delete_scenario, put_scenario
from taiga_pipeline.planning.weeks import WEEK, Weeks
from taiga_pipeline.problems import ProblemsError
from tests.mapping.support import deal, mappings

NOW = date(2026, 11, 23)
ANA = Person("ana@example.org", "Ana", role="Back")
ROLE = RoleDemand("Back", Decimal(30), 4)


def open_deal(key: str, **changes: Any) -> Deal:
    return deal(**{"key": key, "start": NOW + WEEK, "roles": (ROLE,), "currency": "EUR", **changes})


SITUATION = Situation(
    NOW,
    (open_deal("D-1"), open_deal("D-2"), open_deal("D-3", currency="SEK", value=Decimal(100))),
    (ANA,),
)


def compare(*scenarios: Scenario) -> list[Column]:
    rules = mappings()
    outlooks = plain_outlooks(SITUATION.deals, rules, NOW)
    options = Options(Weeks(NOW, 12), public_holidays, trials=1_000)
    return list(compare_scenarios(SITUATION, rules, outlooks, options, scenarios))


def test_nothing_real_changes() -> None:
    before = copy.deepcopy(SITUATION)
    everything = Scenario(
        "all",
        win=("D-1",),
        lose=("D-2",),
        delay={"D-3": 4},
        resize={"D-3": 2.0},
        hire=(Hire("Back", Decimal(40)),),
        leave=(Leave(ANA.email),),
    )
    compare(everything)
    assert before == SITUATION


def test_a_scenario_that_supposes_nothing_is_today() -> None:
    today, same = compare(Scenario("same"))
    assert today.name == "today"
    assert same.report == today.report
    assert same.open_value == today.open_value


def test_a_won_deal_is_confirmed_and_its_value_decided() -> None:
    today, column = compare(Scenario("x", win=("D-1",)))
    assert column.report.total.confirmed == today.report.total.confirmed + 120
    assert column.open_value.decided == {"EUR": Decimal(120_000)}
    assert today.open_value.expected == {"EUR": Decimal(120_000), "SEK": Decimal(50)}
    assert column.open_value.expected == {"EUR": Decimal(60_000), "SEK": Decimal(50)}


def test_a_lost_deal_takes_demand_away_and_touches_no_other() -> None:
    today, column = compare(Scenario("x", lose=("D-2",)))
    assert column.report.total.exposure == today.report.total.exposure - 120
    assert column.report.total.expected_gap < today.report.total.expected_gap
    assert column.open_value.expected["EUR"] == 60_000


def test_a_hire_adds_capacity_from_the_day_on_in_the_rosters_spelling() -> None:
    _, column = compare(Scenario("x", hire=(Hire("back", Decimal(20), NOW + WEEK * 2, count=2),)))
    (back,) = column.report.roles
    assert back.role == "Back"
    assert [cell.capacity for cell in back.weeks[:3]] == [40, 40, 80]


def test_somebody_who_leaves_is_gone_from_the_day_on() -> None:
    _, column = compare(Scenario("x", leave=(Leave(ANA.email, date(2026, 12, 2)),)))
    assert [cell.capacity for cell in column.report.roles[0].weeks[:3]] == [40, 16, 0]


def test_a_delay_and_a_size_move_and_scale_demand() -> None:
    _, later, larger = compare(
        Scenario("later", win=("D-1",), delay={"D-1": 3}),
        Scenario("larger", win=("D-1",), resize={"D-1": 2.0}),
    )
    confirmed = [cell.confirmed for cell in later.report.roles[0].weeks]
    assert confirmed[:8] == [0, 0, 0, 0, 30, 30, 30, 30]
    assert larger.report.total.confirmed == 240
    assert larger.open_value.decided == {"EUR": Decimal(240_000)}


def test_utilisation_is_expected_demand_per_hour_of_capacity() -> None:
    today, alone = compare(Scenario("x", leave=(Leave(ANA.email),)))
    total = today.report.total
    assert today.utilisation == pytest.approx(total.weighted / total.capacity)
    assert alone.utilisation is None


def test_all_unknown_names_are_said_with_the_nearest() -> None:
    wrong = Scenario("x", win=("D-11",), leave=(Leave("anna@example.org"),))
    with pytest.raises(InvalidValue) as caught:
        apply_scenario(SITUATION, wrong)
    assert "there is no deal 'D-11'; did you mean 'D-1'?" in str(caught.value)
    assert "no person has the address 'anna@example.org'; did you mean" in str(caught.value)


@pytest.mark.parametrize(
    "texts",
    [
        {"win": ["D-1"], "lose": ["D-1"]},
        {"lose": ["D-1"], "delay": ["D-1=2w"]},
        {"delay": ["D-1"]},
        {"delay": ["D-1=2"]},
        {"delay": ["D-1=1w", "D-1=2w"]},
        {"delay": ["D-1=9000w"]},
        {"resize": ["D-1=-5%"]},
        {"resize": ["D-1=5"]},
        {"resize": ["=50%"]},
        {"hire": ["Back"]},
        {"hire": ["Back:-4h"]},
        {"hire": ["Back:400h"]},
        {"hire": ["Back:40h@soon"]},
        {"hire": ["0x Back:40h"]},
        {"leave": ["ana"]},
        {"leave": ["ana@example.org=tomorrow"]},
    ],
)
def test_what_makes_no_sense_is_an_error(texts: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidValue):
        scenario_of("x", texts)


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(InvalidValue) as caught:
        scenario_of(" ", {"delay": ["D-1"], "resize": ["D-1"], "hire": ["x"], "leave": ["y"]})
    assert len(caught.value.problems) == 5


days = st.none() | st.dates(date(2026, 1, 1), date(2030, 1, 1))
hires = st.builds(
    Hire,
    st.sampled_from(["Back", "R and D", "UX design"]),
    st.integers(1, 1680).map(lambda tenths: Decimal(tenths) / 10),
    days,
    st.integers(1, 99),
)


@given(hires, days)
def test_what_is_written_is_read_again(hire: Hire, day: date | None) -> None:
    assert parse_hire(written_hire(hire)) == hire
    leave = Leave("ana@example.org", day)
    assert parse_leave(written_leave(leave)) == leave


# --- the file


FULL = scenario_of(
    'big "spring"',
    {
        "win": ["D-1"],
        "delay": ["D=2=4w"],
        "resize": ["D-3=62.5%"],
        "hire": ["2x Back:40h@2027-01-04"],
        "leave": ["ana@example.org=2027-01-31"],
    },
)


def test_scenarios_are_kept_in_a_file_that_people_can_edit(tmp_path: Path) -> None:
    file = ScenarioFile(tmp_path / "scenarios.toml")
    assert file.all() == {}
    put_scenario(file.path, FULL)
    put_scenario(file.path, Scenario("other", lose=("D-9",)))
    assert file.all() == {FULL.name: FULL, "other": Scenario("other", lose=("D-9",))}
    file.path.write_text("# ours\n" + file.path.read_text(encoding="utf-8"), encoding="utf-8")
    put_scenario(file.path, Scenario("other", lose=("D-8",)))
    assert delete_scenario(file.path, FULL.name) == FULL
    assert file.all() == {"other": Scenario("other", lose=("D-8",))}
    assert file.path.read_text(encoding="utf-8").startswith("# ours")


def test_an_unknown_scenario_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    file = ScenarioFile(tmp_path / "scenarios.toml")
    put_scenario(file.path, Scenario("spring", win=("D-1",)))
    with pytest.raises(UnknownName, match="did you mean 'spring'"):
        file.get("sprong")


def test_everything_wrong_in_the_file_is_said_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "scenarios.toml"
    path.write_text(
        "[scenario.a]\nwon = ['D-1']\ndelay = { D-2 = 'x' }\nhire = 'Back:40h'\n"
        "[scenario.b]\nwin = ['D-1']\nlose = ['D-1']\n[other]\n",
        encoding="utf-8",
    )
    with pytest.raises(ProblemsError) as caught:
        ScenarioFile(path).all()
    reported = str(caught.value)
    assert "scenarios.toml:2:1: unknown key 'won'; did you mean 'win'?" in reported
    assert "scenarios.toml:3:1: 'x' is not a time" in reported
    assert "scenarios.toml:4:1: hire must be written like" in reported
    assert "deal D-1 cannot be both won and lost" in reported
    assert "unknown key 'other'" in reported
    before = path.read_bytes()
    with pytest.raises(ProblemsError):
        put_scenario(path, FULL)
    assert path.read_bytes() == before


def test_values_of_several_currencies_become_one_where_there_are_rates() -> None:
    amounts = {"EUR": Decimal(10), "SEK": Decimal(40), "USD": Decimal(3)}
    value = OpenValue(amounts, {"SEK": Decimal(20)}).converted(
        Rates("EUR", {"SEK": Decimal("0.1")})
    )
    assert value.decided == {"EUR": Decimal(14), "USD": Decimal(3)}
    assert value.expected == {"EUR": Decimal(2)}
    assert OpenValue(amounts, {}).converted(Rates()).decided == amounts
