"""Writes the report as one HTML file: no script, no address that is looked up, no font to load.

Every text from deals, people or the target passes through `escape`: it is text, never markup. The
page forbids itself everything else by its own content security policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from taiga_pipeline.report.page.charts import ranges_svg
from taiga_pipeline.report.page.model import (
    Card,
    Cell,
    Comparison,
    Health,
    HeatMap,
    HeatRow,
    Page,
    Range,
    Series,
    Stage,
)
from taiga_pipeline.report.page.text import escape

FEW_CARDS = 40
"""So many deals of a stage are shown at once; the others open on demand."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"


def render(page: Page) -> str:
    """Returns the whole page."""
    return "".join(_document(page))


def _document(page: Page) -> Iterator[str]:
    style = (files("taiga_pipeline") / "data" / "report.css").read_text(encoding="utf-8")
    title = f"{escape(page.pipeline)}, {page.as_of:%Y-%m-%d}"
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the report</a>\n'
        f"<header><h1>{escape(page.pipeline)}</h1><p>As of {page.as_of:%Y-%m-%d}</p></header>\n"
    )
    sections = list(_sections(page))
    links = "".join(f'<li><a href="#{anchor}">{name}</a></li>' for anchor, name, _ in sections)
    yield f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main id="main">\n'
    for anchor, name, content in sections:
        yield f'<section id="{anchor}"><h2>{name}</h2>\n{content}</section>\n'
    yield "</main>\n</body>\n</html>\n"


def _sections(page: Page) -> Iterator[tuple[str, str, str]]:
    """Yields anchor, heading and content of each section there is something for."""
    if page.capacity:
        content = _heat_map(page.capacity, "Role") + _because(page.capacity)
        yield "capacity", "Who is short, and when", content
    if page.forecast:
        yield "forecast", "What will be won", _forecast(page)
    if page.people:
        yield "people", "Who is busy with what", _heat_map(page.people, "Person")
    if page.scenarios:
        yield "scenarios", "What if", _comparison(page.scenarios)
    if page.stages:
        yield "board", "The pipeline", _board(page.stages)
    if page.health:
        yield "health", "The sync", _health(page.health)
    if page.notices or page.missing:
        yield "notes", "Notes", _notes(page)


# --- heat maps


def _heat_map(heat: HeatMap, what: str) -> str:
    weeks = "".join(f'<th scope="col">{_week(name)}</th>' for name in heat.weeks)
    rows = "".join(_heat_row(row) for row in heat.rows)
    return (
        f"<p>{escape(heat.explanation)}</p>\n"
        f'<div class="wide" role="region" aria-label="{what} by week" tabindex="0">'
        f'<table class="heat"><thead><tr><th scope="col">{what}</th>{weeks}'
        f'<th scope="col">All</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n{_LEGEND}'
    )


_LEGEND = (
    '<p class="legend" aria-hidden="true">asked for, of what there is: '
    '<span class="h0">&lt; 50 %</span> <span class="h1">&lt; 80 %</span> '
    '<span class="h2">&lt; 100 %</span> <span class="h3">&lt; 120 %</span> '
    '<span class="h4">more</span> <span class="hn">nobody there</span></p>\n'
)


def _because(heat: HeatMap) -> str:
    """Returns the deals behind what is short over all weeks: paper has nothing to hover over."""
    rows = [row for row in heat.rows if row.total.drivers]
    items = "".join(
        f"<li><b>{escape(row.name)}</b>: {escape(row.total.text)} h. "
        f"<span>{escape('; '.join(row.total.drivers))}</span></li>"
        for row in rows
    )
    heading = "<h3>Short over all weeks, and the deals that add most to it</h3>"
    return f'{heading}\n<ul class="because">{items}</ul>\n' if rows else ""


def _week(name: str) -> str:
    year, _, week = name.partition("-")
    return f"<small>{escape(year)}</small> {escape(week)}" if week else escape(name)


def _heat_row(row: HeatRow) -> str:
    note = f" <small>{escape(row.note)}</small>" if row.note else ""
    cells = "".join(_heat_cell(cell) for cell in (*row.cells, row.total))
    return f'<tr><th scope="row">{escape(row.name)}{note}</th>{cells}</tr>\n'


def _heat_cell(cell: Cell) -> str:
    """Returns a cell; one with drivers can be reached by keyboard and by a tap."""
    shade = _shade(cell)
    text = escape(cell.text)
    if not cell.drivers:
        return f'<td class="{shade}" title="{escape(cell.hint)}">{text}</td>'
    because = "".join(f"<span>{escape(driver)}</span>" for driver in cell.drivers)
    label = escape("; ".join([cell.hint, *cell.drivers]))
    return (
        f'<td class="{shade}"><button type="button" aria-label="{label}">{text}</button>'
        f'<div class="hint" aria-hidden="true"><b>{escape(cell.hint)}</b>{because}</div></td>'
    )


def _shade(cell: Cell) -> str:
    if cell.load is None:
        return "hn" if cell.text else "h0"
    limits = (0.5, 0.8, 1.0 + 1e-9, 1.2)
    return f"h{sum(cell.load >= limit for limit in limits)}"


# --- forecast


def _forecast(page: Page) -> str:
    charts = "".join(_series(series) for series in page.forecast)
    notes = "".join(f"<li>{escape(note)}</li>" for note in page.forecast_notes)
    return (
        "<p>Eight of ten futures lie between P10 and P90. The wide bar is everything, the narrow "
        "one the deals that are open now; the rest are deals that the pipeline does not hold yet."
        f'</p>\n<div class="charts">{charts}</div>\n<ul class="notes">{notes}</ul>\n'
    )


def _series(series: Series) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(period.name)}</th>{_range(period.open)}'
        f"{_range(period.coming)}{_range(period.all)}</tr>"
        for period in series.periods
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Open now", "Not there yet", "All"))
    return (
        f"<figure><figcaption>{escape(series.name)}</figcaption>{ranges_svg(series)}"
        f'<details><summary>Numbers</summary><table><thead><tr><th scope="col">Period</th>{heads}'
        f"</tr></thead><tbody>{rows}</tbody></table></details></figure>\n"
    )


def _range(values: Range) -> str:
    return f"<td>{values.middle:,.0f} <small>({values.low:,.0f} to {values.high:,.0f})</small></td>"


# --- board


def _board(stages: Iterable[Stage]) -> str:
    columns = "".join(_stage(stage) for stage in stages)
    return f'<div class="board" role="list">\n{columns}</div>\n'


def _stage(stage: Stage) -> str:
    shown, more = stage.cards[:FEW_CARDS], stage.cards[FEW_CARDS:]
    rest = ""
    if more:
        cards = "".join(map(_card, more))
        rest = f"<details><summary>{len(more)} more</summary><ul>{cards}</ul></details>"
    return (
        f'<div class="stage" role="listitem"><h3>{escape(stage.name)} '
        f"<small>{len(stage.cards)}</small></h3><p>{escape(stage.total_value)}</p>"
        f"<ul>{''.join(map(_card, shown))}</ul>{rest}</div>\n"
    )


def _card(card: Card) -> str:
    title = escape(card.title)
    if card.url.startswith(("https://", "http://")):
        title = f'<a href="{escape(card.url)}" rel="noreferrer">{title}</a>'
    facts = "".join(f"<span>{escape(fact)}</span>" for fact in card.facts)
    return f"<li><b>{title}</b> <small>{escape(card.key)}</small>{facts}</li>"


# --- the rest


def _comparison(comparison: Comparison) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in comparison.names)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{_cells(values)}</tr>\n'
        for name, values in comparison.rows
    )
    return (
        '<div class="wide" role="region" aria-label="Scenarios" tabindex="0"><table>'
        f'<thead><tr><th scope="col"></th>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div>'
    )


def _cells(values: Sequence[str]) -> str:
    return "".join(f"<td>{escape(value)}</td>" for value in values)


def _health(health: Health) -> str:
    facts = "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in health.facts)
    issues = "".join(f"<li>{escape(issue)}</li>" for issue in health.issues)
    state = "well" if health.is_well else "unwell"
    return f'<dl class="{state}">{facts}</dl>\n' + (f"<ul>{issues}</ul>\n" if issues else "")


def _notes(page: Page) -> str:
    missing = "".join(f"<li>{escape(n)}: {escape(why)}</li>" for n, why in page.missing)
    notices = "".join(f"<li>{escape(notice)}</li>" for notice in page.notices)
    return f"<ul>{missing}{notices}</ul>\n"
