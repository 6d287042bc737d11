"""Gathers everything that the report shows. A part that cannot be had leaves its reason behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.app.pipeline_data import Pipeline, read_pipeline
from taiga_pipeline.app.planning.capacity_data import silent_rows
from taiga_pipeline.app.planning.inputs import Learnt, PlanInput, options_for, plan_input
from taiga_pipeline.app.planning.money import budgets_for, has_rates, money_for
from taiga_pipeline.app.planning.places import scenario_path
from taiga_pipeline.app.planning.report_forecast import forecast_part
from taiga_pipeline.app.planning.report_idle import idle_of_people, idle_of_roles, key_and_name
from taiga_pipeline.app.planning.report_money import money_tables
from taiga_pipeline.app.planning.report_timeline import timeline
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.language import figure, marked, plural
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.delivery import facts_by_deal
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.report.page.model import (
    Card,
    Cell,
    Comparison,
    Health,
    HeatMap,
    HeatRow,
    Page,
    Stage,
)

if TYPE_CHECKING:
    from datetime import date

    from sync.state.store import StateStore
    from taiga_pipeline.mapping.rules import StageRule
    from taiga_pipeline.people.model import Person
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.capacity.find import Options
    from taiga_pipeline.planning.capacity.result import CapacityReport, Driver, RoleCapacity
    from taiga_pipeline.planning.capacity.result import Cell as HoursCell
    from taiga_pipeline.planning.demand.deals import Demand
    from taiga_pipeline.planning.scenario.compare import Column

RECENT_DAYS: Final = 90
"""Deals that were decided longer ago are not on the board."""


@dataclass
class _Missing:
    """Parts that could not be made, and why."""

    reasons: list[tuple[str, str]] = field(default_factory=list)

    def attempt(self, name: str, make: Callable[[], Any]) -> Any:
        """Returns what ``make`` returns; None, with the reason noted, if it cannot be made."""
        try:
            return make()
        except ProblemsError as error:
            self.reasons.append((name, str(error)))
            return None


def gather(workspace: Workspace, asked: Mapping[str, Any], chances: str | None) -> Page:
    """Returns the page of the report.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    read = read_pipeline(workspace)
    missing = _Missing()
    today = workspace.today
    page = Page(workspace.settings.pipeline, today, stages=_board(read, today))
    expected = missing.attempt(
        marked("What will be won"), lambda: forecast_part(workspace, today, read)
    )
    known = None
    if expected is not None:
        series, said, past, outlooks = expected
        page = replace(page, forecast=series, forecast_notes=said, calibration=past)
        known = Learnt(outlooks)
    given = missing.attempt(
        marked("Who is short, and when"), lambda: plan_input(workspace, chances, read, known)
    )
    if given is not None:
        page = _with_plan(workspace, page, read, given, options_for(workspace, **asked))
    return replace(page, health=_health(workspace), missing=tuple(missing.reasons))


# --- the board


def _board(read: Pipeline, today: date) -> tuple[Stage, ...]:
    """Returns the open deals, and those that were decided lately, by stage."""
    from taiga_pipeline.mapping.errors import NotMapped
    from taiga_pipeline.mapping.facts import own_facts

    urls = {key: str(facts.get("url") or "") for key, facts in facts_by_deal(read.facts).items()}
    order: dict[str, tuple[int, str]] = {}
    found: dict[str, list[tuple[Deal, tuple[str, ...]]]] = defaultdict(list)
    for deal in read.deals:
        try:
            rules, stage = read.mappings.stage_of(deal)
        except NotMapped:
            continue
        closed = stage.category.is_closed
        if closed and (deal.closed_on is None or (today - deal.closed_on).days > RECENT_DAYS):
            continue
        order.setdefault(stage.name, (rules.stages.index(stage), stage.name))
        found[stage.name].append((_decided(deal, stage), tuple(own_facts(deal, rules, stage))))
    return tuple(_stage(name, found[name], urls) for name in sorted(found, key=order.__getitem__))


def _decided(deal: Deal, stage: StageRule) -> Deal:
    """Returns the deal with the chance that its stage decides."""
    is_decided = stage.category.is_closed
    return replace(deal, probability=stage.chance(None)) if is_decided else deal


def _stage(
    name: str, deals: Sequence[tuple[Deal, tuple[str, ...]]], urls: Mapping[str, str]
) -> Stage:
    total_value: dict[str, Decimal] = defaultdict(Decimal)
    for deal, _unused in deals:
        if deal.value is not None:
            total_value[deal.currency] += deal.value
    largest = sorted(deals, key=lambda each: (-(each[0].value or Decimal(0)), each[0].key))
    money = ", ".join(
        f"{figure(total_value[each], ',.0f')} {each}".strip() for each in sorted(total_value)
    )
    return Stage(name, money, [_card(deal, own, urls.get(deal.key, "")) for deal, own in largest])


def _card(deal: Deal, own: Sequence[str], url: str) -> Card:
    title = f"{deal.customer}: {deal.name}" if deal.customer else deal.name
    value = "" if deal.value is None else f"{figure(deal.value, ',.0f')} {deal.currency}".strip()
    chance = "" if deal.probability is None else f"{100 * deal.probability:.0f} %"
    close = (
        ""
        if deal.expected_close is None
        else _("closes {expected_close}", expected_close=deal.expected_close)
    )
    facts = [fact for fact in (value, chance, close, deal.owner, *own) if fact]
    return Card(deal.key, title, facts, url)


# --- capacity, people, scenarios


def _with_plan(
    workspace: Workspace, page: Page, read: Pipeline, given: PlanInput, options: Options
) -> Page:
    from taiga_pipeline.planning.capacity.find import capacity_for, demand_for

    demand = demand_for(given.situation, given.mappings, given.outlooks, options)
    report = capacity_for(given.situation, demand, given.outlooks, options)
    found = (
        money_for(workspace, read, given)
        if has_rates(workspace)
        else budgets_for(workspace, read, given, demand)  # which is all that is shown then
    )
    notices = dict.fromkeys((*given.notices, *report.notices, *found.notices))
    people = [each for each in given.situation.people if options.team in ("", each.team)]
    called = given.names()
    return replace(
        page,
        capacity=_capacity(report, called),
        without_roles=silent_rows(report),
        people=_people(given, demand, people, options, called),
        timeline=timeline(given, demand, people, options.weeks),
        idle=idle_of_roles(report),
        idle_people=idle_of_people(report, called),
        money=money_tables(found),
        scenarios=_scenarios(workspace, given, options),
        notices=tuple(notices),
    )


def _capacity(report: CapacityReport, called: Mapping[str, str]) -> HeatMap | None:
    if not report.roles:
        return None
    from taiga_pipeline.planning.weeks import week_name

    weeks = [week_name(week) for week in report.weeks]
    return HeatMap(
        weeks,
        [_role_row(role, weeks, called) for role in report.roles],
        _(
            "Hours missing at P{value} of what is asked for: in so many of 100 "
            "futures they are enough. {open_deals} open deals, {trials:,} "
            "futures, seed {seed}. A cell with a number tells the deals behind "
            "it.",
            value=round(100 * report.quantile),
            open_deals=report.open_deals,
            trials=report.trials,
            seed=report.seed,
        ),
    )


def _role_row(role: RoleCapacity, weeks: Sequence[str], called: Mapping[str, str]) -> HeatRow:
    cells = [
        _hours(cell, f"{role.role}, {week}", called)
        for cell, week in zip(role.weeks, weeks, strict=True)
    ]
    note = plural("{number} person", "{number} people", role.people)
    whole = _hours(role.total, _("{role}, all weeks", role=role.role), called)
    return HeatRow(role.role, note, cells, whole)


def _hours(cell: HoursCell, where: str, called: Mapping[str, str]) -> Cell:
    text = figure(cell.gap, ",.0f") if cell.gap >= 0.5 else ""
    asked = _(
        "{quantile:,.0f} h asked for, {capacity:,.0f} h there",
        quantile=cell.quantile,
        capacity=cell.capacity,
    )
    sure = _(
        "{confirmed:,.0f} h sure, {exposure:,.0f} h if everything is won",
        confirmed=cell.confirmed,
        exposure=cell.exposure,
    )
    hint = _(
        "{where}: {asked}; {sure}; short in {value:.0f} % of futures",
        where=where,
        asked=asked,
        sure=sure,
        value=100 * cell.chance_short,
    )
    nobody = cell.capacity == 0 and cell.quantile > 0
    load = None if nobody else (cell.load or 0.0)
    return Cell(text, load, hint, _drivers(cell, called) if text else ())


def _drivers(cell: HoursCell, called: Mapping[str, str]) -> list[str]:
    """Returns the deals behind a gap, but those that add less than half an hour to it."""
    return [_driver(each, called) for each in cell.drivers if round(each.added)]


def _driver(driver: Driver, called: Mapping[str, str]) -> str:
    close = (
        _(", closes {expected_close}", expected_close=driver.expected_close)
        if driver.expected_close
        else ""
    )
    chance = _("won") if driver.is_won else f"{100 * driver.probability:.0f} %"
    added = figure(driver.added, ",.0f")
    return f"{key_and_name(driver.deal_key, called)}: +{added} h ({chance}{close})"


def _people(
    given: PlanInput,
    demand: Demand,
    people: Sequence[Person],
    options: Options,
    called: Mapping[str, str],
) -> HeatMap | None:
    """Returns how much of each person's time is booked for won deals, week by week."""
    from taiga_pipeline.people.calendar import working_hours
    from taiga_pipeline.planning.weeks import week_name

    situation, weeks = given.situation, list(options.weeks)
    if not people:
        return None
    there = working_hours(
        people,
        situation.time_off,
        weeks,
        holidays_of=options.holidays_of,
        default_country=options.default_country,
    ).by_person
    booked: dict[tuple[str, date], dict[str, float]] = {}
    for each in demand.booked:
        if each.email:
            hours = booked.setdefault((each.email, each.week), {})
            hours[each.deal_key] = hours.get(each.deal_key, 0.0) + each.hours
    rows = [
        _person_row(
            person,
            there[person.email],
            [booked.get((person.email, week), {}) for week in weeks],
            called,
        )
        for person in people
    ]
    names = [week_name(week) for week in weeks]
    return HeatMap(names, rows, _("Hours booked for won deals, of the hours that a person has."))


def _person_row(
    person: Person,
    there: Sequence[float],
    booked: Sequence[Mapping[str, float]],
    called: Mapping[str, str],
) -> HeatRow:
    cells = [
        _person_cell(person, hours, deals, called)
        for hours, deals in zip(there, booked, strict=True)
    ]
    total = sum(sum(deals.values()) for deals in booked)
    everything: dict[str, float] = defaultdict(float)
    for deals in booked:
        for key, hours in deals.items():
            everything[key] += hours
    whole = _person_cell(person, sum(there), everything, called)
    return HeatRow(person.name, person.role, cells, replace(whole, text=figure(total, ",.0f")))


def _person_cell(
    person: Person, there: float, deals: Mapping[str, float], called: Mapping[str, str]
) -> Cell:
    hours = sum(deals.values())
    load = hours / there if there else (None if hours else 0.0)
    hint = _("{name}: {hours:,.0f} of {there:,.0f} h", name=person.name, hours=hours, there=there)
    drivers = [
        f"{key_and_name(key, called)}: {figure(each, ',.0f')} h"
        for key, each in sorted(deals.items())
    ]
    return Cell(figure(hours, ",.0f") if hours else "", load, hint, drivers)


def _scenarios(workspace: Workspace, given: PlanInput, options: Options) -> Comparison | None:
    from taiga_pipeline.planning.scenario.compare import compare_scenarios, in_common_currency
    from taiga_pipeline.planning.scenario.file import ScenarioFile

    saved = list(ScenarioFile(scenario_path(workspace)).all().values())
    if not saved:
        return None
    quiet = replace(options, with_drivers=False, brief=True)
    compared = compare_scenarios(given.situation, given.mappings, given.outlooks, quiet, saved)
    columns = in_common_currency(compared, workspace.rates)
    figures: tuple[tuple[str, Callable[[Column], str]], ...] = (
        (_("Hours missing"), lambda c: f"{figure(c.report.total.gap, ',.0f')} h"),
        (_("Short weeks of roles"), lambda c: f"{c.short_weeks}"),
        (
            _("Utilisation"),
            lambda c: "" if c.utilisation is None else f"{100 * c.utilisation:.0f} %",
        ),
        (_("Won in it"), lambda c: _money(c.open_value.decided)),
        (_("Expected besides"), lambda c: _money(c.open_value.expected)),
    )
    rows = [(name, [figure(column) for column in columns]) for name, figure in figures]
    names = [_("today"), *(column.name for column in columns[1:])]
    return Comparison(names, rows)


def _money(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{figure(amounts[each], ',.0f')} {each}".strip() for each in sorted(amounts))


# --- the sync


def _health(workspace: Workspace) -> Health:
    with state_to_read(workspace) as store:
        return _health_of(store)


def _health_of(store: StateStore) -> Health:
    runs = store.runs(limit=1)
    from taiga_pipeline.report.ways_out import in_words

    issues = [
        _("{in_words} (since {since:%Y-%m-%d})", in_words=in_words(item.issue), since=item.since)
        for item in store.issues()
    ]
    states: dict[str, int] = defaultdict(int)
    for row in store.index().values():
        if row.is_followed:
            states[row.state or "unknown"] += 1
    if not runs:
        return Health([(_("Last run"), _("none yet"))], issues, is_well=not issues)
    last = runs[0]
    projects = ", ".join(f"{count} {_(state)}" for state, count in sorted(states.items())) or _(
        "none"
    )
    facts = [
        (
            _("Last run"),
            _(
                "{started_at:%Y-%m-%d %H:%M} UTC: {outcome}",
                started_at=last.started_at,
                outcome=_(last.outcome),
            ),
        ),
        (_("Projects"), projects),
        (_("Open"), str(len(issues)) if issues else _("nothing")),
    ]
    return Health(facts, issues, is_well=last.outcome == "done" and not issues)
