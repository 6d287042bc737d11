"""A capacity report on a terminal: a heat map, sums, and the deals behind the gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.cli.output import (
    aligned,
    is_plain,
    print_pairs,
    print_table,
    rendered,
    shorten,
    style,
    terminal_width,
)
from taiga_pipeline.hints import command, word
from taiga_pipeline.language import counted, figure, marked, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.notation import format_roles
from taiga_pipeline.planning.weeks import week_name
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.result import CapacityReport, Cell, Driver, RoleCapacity
    from taiga_pipeline.planning.demand.unseen import Unseen

ALL: Final = marked("All roles")
_COLUMN: Final = 5
_NAME: Final = 20
_PAGE: Final = 100
_FULL: Final = 0.9
_BUSY: Final = 0.7
_FAR_OVER: Final = 1.25
_SHOWN: Final = 0.05
"""Hours below which a figure with one digit behind the point says nothing."""
_NOTICES: Final = 20
_NOTICE: Final = 400


def percentile(quantile: float) -> str:
    """Returns ``P80`` for 0.8."""
    return f"P{100 * quantile:g}"


def print_report(report: CapacityReport, roles: Sequence[RoleCapacity]) -> None:
    """Prints a report about some of its roles."""
    _print_heading(report)
    if not roles:
        click.echo(_("no hours are needed, and the roster is empty"))
        _print_silent(report)
        return
    _print_heat(report, roles)
    click.echo("")
    _print_sums(report, roles)
    _print_drivers(report, roles)
    _print_silent(report)


def _print_silent(report: CapacityReport) -> None:
    """Prints the deals that state no roles: they are in none of the figures."""
    if not report.silent:
        return
    from taiga_pipeline.app.planning.capacity_data import silent_rows

    click.echo(_("\nDeals that state no roles, and so are not counted"))
    rows = [[safe(cell) for cell in row] for row in silent_rows(report)]
    print_table(
        [_("Service"), _("Deals"), _("Value"), _("Usual for this service")], rows, right=(1, 2)
    )
    first = report.silent[0]
    key = (first.open or first.won)[0]
    roles = format_roles(first.usual) or "Back:30h x10w"
    edit = command("deals edit", key, options=f"--roles {word(roles)}")
    click.echo(safe(_("say whom they need, such as: {edit}", edit=edit)))


def _print_heading(report: CapacityReport) -> None:
    span = _(
        "{week_name} to {week_name2}",
        week_name=week_name(report.weeks.first),
        week_name2=week_name(report.weeks.last),
    )
    click.echo(style(_("Capacity and demand, {span}", span=span), bold=True))
    common_shock = _("common shock {common_shock_sd:.2f}", common_shock_sd=report.common_shock_sd)
    click.echo(
        _(
            "as of {as_of}; {deals} in {trials:,} futures (seed {seed}, {common_shock})",
            as_of=report.as_of,
            deals=counted(report.open_deals, "open deal"),
            trials=report.trials,
            seed=report.seed,
            common_shock=common_shock,
        )
    )


def _print_heat(report: CapacityReport, roles: Sequence[RoleCapacity]) -> None:
    name = percentile(report.quantile)
    click.echo(
        _(
            "\nHours short at {name} (in {value:.0%} of futures more are "
            "missing); ~ nearly full, · room left",
            name=name,
            value=1 - report.quantile,
        )
    )
    label = min(_NAME, max(len(safe(role.role)) for role in roles))
    columns = max(1, ((terminal_width() or _PAGE) - label - 1) // _COLUMN)
    for first in range(0, len(report.weeks), columns):
        page = slice(first, first + columns)
        drawn = _plain_heat_map if is_plain() else _drawn_heat_map
        for line in drawn(report, roles, page):
            click.echo(line)


def _plain_heat_map(
    report: CapacityReport, roles: Sequence[RoleCapacity], page: slice
) -> list[str]:
    """Returns some weeks of a heat map as a file has them."""
    weeks = list(report.weeks)[page]
    rows = [["", *line] for line in _week_lines(weeks)]
    for role in roles:
        shown = (_heat(cell)[0] for cell in role.weeks[page])
        rows.append([shorten(safe(role.role), _NAME), *shown])
    return aligned(rows, range(1, len(weeks) + 1), gap=0, least=_COLUMN)


def _drawn_heat_map(
    report: CapacityReport, roles: Sequence[RoleCapacity], page: slice
) -> list[str]:
    """Returns some weeks of a heat map: the years, the weeks' numbers, a row for each role."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=0)
    grid.add_column(max_width=_NAME)
    weeks = list(report.weeks)[page]
    for _unused in weeks:
        grid.add_column(min_width=_COLUMN, justify="right")
    for line in _week_lines(weeks):
        grid.add_row("", *line, style="dim")
    for role in roles:
        name = Text(safe(role.role), no_wrap=True, overflow="ellipsis")
        grid.add_row(name, *(Text(*_heat(cell)) for cell in role.weeks[page]))
    return rendered(grid)


def _week_lines(weeks: Iterable[date]) -> tuple[list[str], list[str]]:
    """Returns the years, each where it begins, and the weeks' numbers below them."""
    years, names, last = [], [], 0
    for week in weeks:
        iso = week.isocalendar()
        years.append("" if iso.year == last else str(iso.year))
        names.append(f"W{iso.week:02}")
        last = iso.year
    return years, names


def _heat(cell: Cell) -> tuple[str, str]:
    """Returns what is shown of a week, and its style."""
    load = cell.load
    if cell.gap >= 0.5:
        far = load is None or load > _FAR_OVER
        return _short(cell.gap), "white on red" if far else "red"
    if load is None or cell.quantile < 0.5:
        return "·", ""
    if load >= _FULL:
        return "~", "yellow"
    return "·", "green" if load >= _BUSY else ""


def _short(hours: float) -> str:
    return f"{hours:.0f}" if hours < 9_999.5 else f"{hours / 1000:.0f}k"


def _print_sums(report: CapacityReport, roles: Sequence[RoleCapacity]) -> None:
    name = percentile(report.quantile)
    headings = [
        _("Role"),
        _("People"),
        _("Capacity"),
        _("Confirmed"),
        _("Weighted"),
        name,
        _("Exposure"),
    ]
    headings += [_("Short {name}", name=name), _("Expected short"), _("Worst week")]
    rows = [_sum_row(report, role.role, str(role.people), role.total, role) for role in roles]
    if len(roles) == len(report.roles) > 1:
        people = str(sum(role.people for role in roles))
        rows.append(_sum_row(report, _(ALL), people, report.total, None))
    print_table(headings, rows, right=range(1, 9))


def _sum_row(
    report: CapacityReport, name: str, people: str, cell: Cell, role: RoleCapacity | None
) -> list[str]:
    hours = (cell.capacity, cell.confirmed, cell.weighted, cell.quantile, cell.exposure)
    short = (cell.gap, cell.expected_gap)
    worst = _worst(report, role.weeks if role else report.by_week)
    return [safe(name), people, *(figure(each, ",.0f") for each in (*hours, *short)), worst]


def _worst(report: CapacityReport, cells: Sequence[Cell]) -> str:
    at = max(range(len(cells)), key=lambda number: cells[number].expected_gap)
    if cells[at].expected_gap < _SHOWN:
        return ""
    week = list(report.weeks)[at]
    return _(
        "{week_name} (short in {chance_short:.0%})",
        week_name=week_name(week),
        chance_short=cells[at].chance_short,
    )


def _print_drivers(report: CapacityReport, roles: Sequence[RoleCapacity]) -> None:
    rows = list(_driver_rows(roles))
    if not rows:
        return
    click.echo(_("\nDeals behind the hours short (hours that each adds to those expected)"))
    print_table(
        [_("Role"), _("Deal"), _("Adds"), _("Weighted"), _("Chance"), _("Close")],
        rows,
        right=(2, 3, 4),
    )


def _driver_rows(roles: Iterable[RoleCapacity]) -> Iterator[list[str]]:
    for role in roles:
        shown = (each for each in role.total.drivers if each.added >= _SHOWN)
        for number, driver in enumerate(shown):
            yield ["" if number else safe(role.role), *_driver_cells(driver)]


def _driver_cells(driver: Driver) -> list[str]:
    return [
        safe(driver.deal_key),
        f"{figure(driver.added, ',.1f')} h",
        f"{figure(driver.weighted, ',.1f')} h",
        _("won") if driver.is_won else figure(driver.probability, ".0%"),
        str(driver.expected_close or ""),
    ]


def print_unseen(report: CapacityReport, unseen: Unseen, more: CapacityReport) -> None:
    """Prints what deals that are not there yet add: ``more`` is ``report`` with them."""
    click.echo(style(_("\nWith deals that are not in the pipeline yet"), bold=True))
    if not unseen.past:
        click.echo(_("no deal was won within the past year, so their demand is unknown"))
        return
    if not unseen.rows:
        click.echo(_("none are expected, or deals won within the past year needed no people"))
        return
    click.echo(
        _(
            "about {wins:,.0f} wins in these weeks, each like one of the {past:,} of the past year",
            wins=unseen.wins,
            past=unseen.past,
        )
    )
    name = percentile(report.quantile)
    headings = [
        _("Role"),
        _("They ask for"),
        _("{name} with them", name=name),
        _("Short {name}", name=name),
        _("with them"),
    ]
    headings += [_("Expected short"), _("with them")]
    before = {role.role: role.total for role in report.roles}
    rows = [_unseen_row(role.role, before.get(role.role), role.total) for role in more.roles]
    if len(more.roles) > 1:
        rows.append(_unseen_row(_(ALL), report.total, more.total))
    print_table(headings, rows, right=range(1, 7))


def _unseen_row(name: str, before: Cell | None, after: Cell) -> list[str]:
    added = after.weighted - (before.weighted if before else 0.0)
    gap, missing = (before.gap, before.expected_gap) if before else (0.0, 0.0)
    hours = (added, after.quantile, gap, after.gap, missing, after.expected_gap)
    return [safe(name), *(figure(each, ",.0f") for each in hours)]


def print_weeks(report: CapacityReport, role: RoleCapacity) -> None:
    """Prints one role week by week."""
    name = percentile(report.quantile)
    headings = [
        _("Week"),
        _("Capacity"),
        _("Confirmed"),
        _("Weighted"),
        name,
        _("Exposure"),
        _("Short {name}", name=name),
    ]
    headings += [_("Expected short"), _("Chance"), _("Because of")]
    rows = []
    for week, cell in zip(report.weeks, role.weeks, strict=True):
        hours = (cell.capacity, cell.confirmed, cell.weighted, cell.quantile, cell.exposure)
        shown = [figure(each, ",.0f") for each in (*hours, cell.gap)]
        because = ", ".join(safe(driver.deal_key) for driver in cell.drivers[:3])
        chance = figure(cell.chance_short, ".0%")
        rows.append([week_name(week), *shown, figure(cell.expected_gap, ",.1f"), chance, because])
    click.echo("")
    print_table(headings, rows, right=range(1, 9))


def print_cell(report: CapacityReport, role: RoleCapacity, week: date, cell: Cell) -> None:
    """Prints everything about a role in a week."""
    name = percentile(report.quantile)
    click.echo(
        style(
            _(
                "{role} in {week_name} (from {week})",
                role=safe(role.role),
                week_name=week_name(week),
                week=week,
            ),
            bold=True,
        )
    )
    print_pairs(
        {
            _("Capacity"): _(
                "{capacity:,.1f} h ({people} people)", capacity=cell.capacity, people=role.people
            ),
            _("Confirmed"): f"{figure(cell.confirmed, ',.1f')} h",
            _("Weighted"): f"{figure(cell.weighted, ',.1f')} h",
            _("Exposure"): _("{exposure:,.1f} h if every open deal is won", exposure=cell.exposure),
            "P50 / "
            + name
            + " / P95": f"{figure(cell.median, ',.1f')} / {figure(cell.quantile, ',.1f')} / "
            f"{figure(cell.high, ',.1f')} h",
            _("Short at {name}", name=name): f"{figure(cell.gap, ',.1f')} h",
            _("Expected short"): f"{figure(cell.expected_gap, ',.1f')} h",
            _("Chance to be short"): figure(cell.chance_short, ".0%"),
            _(
                "Free P20 / P50 / P80"
            ): f"{figure(cell.idle.low, ',.1f')} / {figure(cell.idle.middle, ',.1f')} / "
            f"{figure(cell.idle.high, ',.1f')} h",
            _("Expected free"): f"{figure(cell.idle.expected, ',.1f')} h",
        }
    )
    if cell.drivers:
        click.echo("")
        rows = [_driver_cells(driver) for driver in cell.drivers]
        print_table(
            [_("Deal"), _("Adds"), _("Weighted"), _("Chance"), _("Close")], rows, right=(1, 2, 3)
        )


def print_notices(notices: Sequence[str]) -> None:
    """Says on stderr what could not be counted, or only with a doubt."""
    for notice in notices[:_NOTICES]:
        click.echo(_("note: {notice}", notice=translated(shorten(safe(notice), _NOTICE))), err=True)
    if len(notices) > _NOTICES:
        click.echo(
            _("and {count:,} more notes; --json lists all", count=len(notices) - _NOTICES), err=True
        )
