"""What planning says: capacity, forecast, staffing, scenarios, metrics; as text, JSON, CSV, TOML.

A pipeline with a past, which no server is needed for. Of each entry there is an open deal (whose
key it is, too), three that were won and staffed alike, one that was lost, a person, a scenario.
"""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from taiga_pipeline.app.planning.capacity_data import cell_json
from taiga_pipeline.app.planning.inputs import options_for, plan_input
from taiga_pipeline.app.planning.record import read_history
from taiga_pipeline.cli.output import to_json
from taiga_pipeline.cli.planning.capacity_text import print_cell, print_weeks
from taiga_pipeline.cli.planning.forecast_deal import explanation_json, print_explanation
from taiga_pipeline.cli.planning.staff_text import print_suggestion
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.text import line
from taiga_pipeline.planning.capacity.find import find_capacity
from taiga_pipeline.planning.capacity.result import CapacityReport, RoleCapacity
from taiga_pipeline.planning.forecast.forecast import Ground
from taiga_pipeline.planning.forecast.forecast import prepare as learn
from taiga_pipeline.planning.forecast.outlooks import COMMON_SHOCK_DAYS, explain
from taiga_pipeline.planning.scenario.model import Scenario
from taiga_pipeline.planning.scenario.writing import put_scenario
from tests.reliability.hostile.checks import (
    as_shown,
    assert_no_formula,
    assert_terminal_safe,
    commands_in,
    csv_rows,
    unguarded,
)
from tests.reliability.hostile.commands import Commands, printed
from tests.reliability.hostile.corpus import STORABLE
from tests.reliability.hostile.world import (
    MAPPING,
    NOW,
    World,
    hostile_deal,
    key_of,
    prepare,
    staff,
    stores,
)

TODAY: Final = NOW.date()
FEW: Final = ("--weeks", "4", "--trials", "50")
"""How much is shown is not how much is computed."""
WON: Final = ("W", "V", "U")
"""What won deals' keys begin with: default demand is suggested from three on."""


def deals_of(name: str, text: str, number: int) -> Iterator[Deal]:
    """Yields an entry's deals: one is open, three were won, one was lost."""
    began = TODAY - timedelta(days=200 + number)
    past = replace(hostile_deal("", text, "Won"), engaged_on=began, start=TODAY)
    opened = {"engaged_on": TODAY - timedelta(days=40), "expected_close": TODAY, "closed_on": None}
    yield replace(past, key=key_of(name, text), stage="Proposal", **opened)  # type: ignore[arg-type]
    for place, letter in enumerate(WON):
        closed = began + timedelta(days=30 + 20 * place)
        yield replace(past, key=f"{letter}-{name}", closed_on=closed)
    lost = began + timedelta(days=100)
    yield replace(past, key=f"L-{name}", stage="Lost", closed_on=lost)


def _allocate(people: PeopleStore, name: str, text: str) -> None:
    role = line(text)
    for letter in WON:
        people.allocate(Allocation(f"{letter}-{name}", f"{name}@example.org", role, Decimal(8)))


@contextlib.contextmanager
def planning_world(folder: Path) -> Iterator[Planning]:
    """A pipeline with a past, a roster, and a scenario for each entry."""
    world = prepare(folder, "http://taiga.example.test", "bot", "a-password")
    with stores(world) as (deals, people):
        people.add(Person("pm@example.test", "Petra Manager"))
        with deals.batch() as batch:
            every = enumerate(STORABLE.items())
            batch.put_all(
                each for number, (name, text) in every for each in deals_of(name, text, number)
            )
        for name, text in STORABLE.items():
            staff(people, name, text)
            _allocate(people, name, text)
    yield Planning(world)


class Planning(Commands):
    """What planning says about the hostile pipeline."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        for name, text in STORABLE.items():
            scenario = Scenario(line(text), win=(key_of(name),), delay={f"W-{name}": 2})
            put_scenario(world.folder / "scenarios.toml", scenario)

    @cached_property
    def capacity(self) -> CapacityReport:
        """The report behind ``capacity``."""
        with contextlib.chdir(self.world.folder):
            context = self.world.context()
            given = plan_input(context, "stated")
            asked: Any = {"team": "", "first": None, "quantile": None, "seed": 1}
            options = options_for(context, weeks=4, trials=50, **asked)
        return find_capacity(given.situation, given.mappings, given.outlooks, options)

    def role(self, text: str) -> RoleCapacity:
        """The part of the report about an entry's role."""
        wanted = " ".join(line(text).split()).casefold()
        return next(
            role for role in self.capacity.roles if " ".join(role.role.split()).casefold() == wanted
        )

    @cached_property
    def ground(self) -> Ground:
        """What forecasts of single deals stand on."""
        with contextlib.chdir(self.world.folder):
            history = read_history(self.world.context(), TODAY)
        return learn(history, TODAY, COMMON_SHOCK_DAYS)

    @cached_property
    def capacity_csv(self) -> str:
        """The file that ``capacity --csv`` writes."""
        path = self.world.folder / "capacity.csv"
        self.text("capacity", "--chances", "stated", *FEW, "--csv", str(path))
        return path.read_text(encoding="utf-8")

    @cached_property
    def edited_mapping(self) -> Path:
        """A folder with the mapping as someone has edited it."""
        folder = self.world.folder / "edited"
        folder.mkdir()
        edited = MAPPING.replace('title = "{name}"', 'title = "New: {name} ({team})"')
        (folder / "hostile.toml").write_text(edited, encoding="utf-8")
        return folder

    @cached_property
    def demand_tables(self) -> list[dict[str, Any]]:
        """What ``metrics --suggest-demand`` prints, read as the mapping file would be."""
        text = self.text("metrics", "--suggest-demand")
        tables: list[dict[str, Any]] = tomllib.loads(text)["role"]
        return tables


def _named(rows: list[dict[str, Any]], place: str, text: str) -> list[dict[str, Any]]:
    """Returns the rows that name an entry, letter by letter."""
    return [row for row in rows if row[place] == line(text)]


def terminal_capacity(out: Planning, name: str, text: str) -> None:
    for shown in out.both("capacity", "--chances", "stated", *FEW):
        assert_terminal_safe(shown)
    assert as_shown(text) in out.text("capacity", "--chances", "stated", *FEW)
    role = out.role(text)
    assert_terminal_safe(printed(print_weeks, out.capacity, role))


def terminal_capacity_cell(out: Planning, name: str, text: str) -> None:
    role = out.role(text)
    first = next(iter(out.capacity.weeks))
    shown = printed(print_cell, out.capacity, role, first, role.weeks[0])
    assert_terminal_safe(shown)
    assert "Chance to be short" in shown


def json_capacity(out: Planning, name: str, text: str) -> None:
    data = out.data("capacity", "--chances", "stated", *FEW)
    assert _named(data["roles"], "role", text)
    assert commands_in(to_json(cell_json(out.role(text).total))) == []


def csv_capacity(out: Planning, name: str, text: str) -> None:
    rows = [row for row in csv_rows(out.capacity_csv) if unguarded(row["role"]) == line(text)]
    assert len(rows) == 4
    for row in rows:
        assert_no_formula(row["role"])
        assert_no_formula(row["drivers"])


def terminal_forecast(out: Planning, name: str, text: str) -> None:
    for shown in out.both("forecast"):
        assert_terminal_safe(shown)


def terminal_forecast_deal(out: Planning, name: str, text: str) -> None:
    explanation = explain(out.ground, key_of(name))
    assert explanation is not None
    assert_terminal_safe(printed(print_explanation, explanation))


def json_forecast(out: Planning, name: str, text: str) -> None:
    assert out.data("forecast")["basis"]["open"] == len(STORABLE)
    explanation = explain(out.ground, key_of(name))
    assert explanation is not None
    data = explanation_json(explanation)
    assert data["deal"] == key_of(name)
    assert commands_in(to_json(data)) == []


SUGGEST: Final = ("staff", "suggest", "--quick", "--weeks", "8")


def terminal_staff(out: Planning, name: str, text: str) -> None:
    for command in (SUGGEST, ("staff", "accept")):
        for shown in out.both(*command):
            assert_terminal_safe(shown)
    data = out.data(*SUGGEST)
    own = {part: [row for row in data[part] if name in row["deal"]] for part in ("plan", "unmet")}
    shown = printed(print_suggestion, {**data, **own}, Path("staffing.json"))
    assert_terminal_safe(shown)
    assert as_shown(text) in shown


def json_staff(out: Planning, name: str, text: str) -> None:
    data = out.data(*SUGGEST)
    asked = [row for part in ("plan", "unmet") for row in data[part] if row["deal"] == key_of(name)]
    assert asked
    assert all(row["role"] == line(text) for row in asked)


def staffing_file(out: Planning, name: str, text: str) -> None:
    out.data(*SUGGEST)
    saved = (out.world.folder / "staffing.json").read_text(encoding="utf-8")
    assert commands_in(saved) == []
    assert json.loads(saved) == out.data(*SUGGEST)


COMPARE: Final = ("scenario", "compare", "--chances", "stated", "--weeks", "2", "--trials", "5")
"""Of one team, whose roles are few, all scenarios; of all teams, whose roles are many, one."""


def _comparisons() -> tuple[tuple[str, ...], tuple[str, ...]]:
    name, team = "html", STORABLE["html"]
    return (*COMPARE, "--team", team), (*COMPARE, line(STORABLE[name]))


def terminal_scenarios(out: Planning, name: str, text: str) -> None:
    for command in (("scenario", "list"), *_comparisons()):
        for shown in out.both(*command):
            assert_terminal_safe(shown)
        assert as_shown(text) in out.text(*command)


def json_scenarios(out: Planning, name: str, text: str) -> None:
    (saved,) = _named(out.data("scenario", "list"), "name", text)
    assert saved["win"] == [key_of(name)]
    every_scenario, every_role = _comparisons()
    assert _named(out.data(*every_scenario), "name", text)
    assert all(line(text) in column["roles"] for column in out.data(*every_role))


def scenario_file(out: Planning, name: str, text: str) -> None:
    saved = (out.world.folder / "scenarios.toml").read_text(encoding="utf-8")
    assert tomllib.loads(saved)["scenario"][line(text)]["win"] == [key_of(name)]


def terminal_metrics(out: Planning, name: str, text: str) -> None:
    for command in (("metrics",), ("metrics", "--by", "owner")):
        for shown in out.both(*command):
            assert_terminal_safe(shown)
        assert as_shown(text) in out.text(*command)


def json_metrics(out: Planning, name: str, text: str) -> None:
    data = out.data("metrics")
    for dimension in ("team", "service", "owner", "lead_source"):
        (rate,) = _named(data["sales"]["win_rates"][dimension], "group", text)
        assert (rate["won"], rate["lost"]) == (3, 1)
    assert [reason for reason, _ in data["sales"]["lost_reasons"]].count(line(text)) == 1


def suggested_demand(out: Planning, name: str, text: str) -> None:
    assert commands_in(out.text("metrics", "--suggest-demand")) == []
    (table,) = _named(out.demand_tables, "role", text)
    assert table.keys() == {"role", "hours_per_week", "weeks", "services"}
    assert table["services"] == [line(text)]


def mapping_diff(out: Planning, name: str, text: str) -> None:
    command = ("mapping", "diff", str(out.edited_mapping), "--limit", "1000")
    assert_terminal_safe(out.text(*command))
    assert key_of(name) in [each["deal"] for each in out.data(*command)["deals"]]


PLANNING: Final[Mapping[str, Callable[[Planning, str, str], None]]] = {
    "terminal: capacity": terminal_capacity,
    "terminal: capacity --explain": terminal_capacity_cell,
    "JSON: capacity": json_capacity,
    "CSV: capacity": csv_capacity,
    "terminal: forecast": terminal_forecast,
    "terminal: forecast --deal": terminal_forecast_deal,
    "JSON: forecast": json_forecast,
    "terminal: staff": terminal_staff,
    "JSON: staff": json_staff,
    "suggestion file": staffing_file,
    "terminal: scenario": terminal_scenarios,
    "JSON: scenario": json_scenarios,
    "scenario file": scenario_file,
    "terminal: metrics": terminal_metrics,
    "JSON: metrics": json_metrics,
    "TOML: metrics --suggest-demand": suggested_demand,
    "mapping diff": mapping_diff,
}
