"""Writes the report as one HTML file: no script, no address that is looked up, no font to load.

Every text from deals, people or the target is escaped by Jinja2 where a template shows it, and what
would hide or reorder text is shown by its number: it is text, never markup. The page forbids itself
everything else by its own content security policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from taiga_pipeline.language import figure, text, translated, used
from taiga_pipeline.report.page.charts import drawing, past_windows, reliability, says_any
from taiga_pipeline.report.page.model import Cell, HeatMap, Page
from taiga_pipeline.report.terminal import safe

FEW_CARDS: Final = 40
"""So many deals of a stage are shown at once; the others open on demand."""


MOST_TOLD: Final = 200
"""So many cells of a heat map are described in words; others only where they stand."""


def render(page: Page) -> str:
    """Returns the whole page."""
    return (
        _templates()
        .get_template("page.html.j2")
        .render(page=page, few_cards=FEW_CARDS, language=used())
    )


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("taiga_pipeline.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_readable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    del templates.filters["safe"]  # what would let markup through: no template may use it
    templates.globals.update(_=text, translated=translated)
    templates.filters.update(
        drawing=drawing,
        past_windows=past_windows,
        percent=_percent,
        reliability=reliability,
        shade=_shade,
        described=_described,
        whole=_whole,
        year_and_week=_year_and_week,
    )
    templates.tests["saying_any"] = says_any
    templates.tests["web_address"] = _is_web_address
    return templates


def _readable(value: object) -> object:
    """Returns what a template shows; in a text, what hides or reorders others is made visible.

    What macros return is markup: its texts came through here before.
    """
    return safe(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _shade(cell: Cell) -> str:
    """Returns the style of a cell."""
    if cell.load is None:
        return "hn"
    limits = (0.5, 0.8, 1.0 + 1e-9, 1.2)
    return f"h{sum(cell.load >= limit for limit in limits)}"


@dataclass(frozen=True, slots=True)
class _Described:
    """Cells that are described in a list, and how many found no place in it."""

    cells: Sequence[Cell]
    left_out: int


def _described(heat: HeatMap) -> _Described:
    """Returns the cells that have deals behind them; where none has, those of whole rows."""
    cells = [cell for row in heat.rows for cell in row.cells if cell.drivers and cell.text]
    if not cells or heat.is_described_by_row:
        cells = [row.total for row in heat.rows if row.total.hint]
    return _Described(cells[:MOST_TOLD], max(len(cells) - MOST_TOLD, 0))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _whole(value: float) -> str:
    return figure(value, ",.0f")


def _year_and_week(name: str) -> tuple[str, str]:
    """Returns ``2026`` and ``W49`` for ``2026-W49``; the week is "" in any other name."""
    year, _, week = name.partition("-")
    return year, week


def _is_web_address(text: str) -> bool:
    return text.startswith(("https://", "http://"))
