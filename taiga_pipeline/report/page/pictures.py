"""The charts as files, PNG and SVG, for slides and mails. Needs Matplotlib."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from taiga_pipeline.files import writing
from taiga_pipeline.language import text as _
from taiga_pipeline.report.page.model import Calibration, HeatMap, Page, Series, Timeline
from taiga_pipeline.report.terminal import safe

_LOADS: Final = ((0.5, "#eef6f1"), (0.8, "#cfe8d6"), (1.0, "#fdf3c4"), (1.2, "#f8cf9a"))
_SURE, _WIDE, _MISSED = "#0b7a75", "#b7dcd9", "#b3261e"
_MOST_LANES: Final = 200
_OVER, _NOBODY = "#f2a493", "#e3e6eb"
_DPI: Final = 150
_UNDATED: Final = {"Date": None}
"""The same charts make the same files."""


def draw_all(page: Page, folder: Path) -> list[Path]:
    """Writes every chart of the page into ``folder`` (made if need be); returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in _figures(page):
        for ending in ("png", "svg"):
            path = folder / f"{name}.{ending}"
            with warnings.catch_warnings():
                # A letter that the font lacks is drawn as a box: no reason to stop or to talk.
                warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
                metadata = _UNDATED if ending == "svg" else None
                with writing(path) as stream:
                    figure.savefig(stream, format=ending, dpi=_DPI, metadata=metadata)
            written.append(path)
    return written


def _figures(page: Page) -> Iterator[tuple[str, Figure]]:
    if page.capacity:
        yield "capacity", _heat_map(page.capacity, _("Hours missing by role and week"))
    if page.people:
        yield "people", _heat_map(page.people, _("Hours booked by person and week"))
    if page.idle:
        yield "idle", _heat_map(page.idle, _("Free hours by role and week"))
    if page.idle_people:
        yield "idle-people", _heat_map(page.idle_people, _("Free hours by person and week"))
    if page.timeline:
        yield "timeline", _timeline(page.timeline)
    for number, series in enumerate(page.forecast, 1):
        yield f"forecast-{number}", _ranges(series)
    if page.calibration:
        yield "calibration", _calibration(page.calibration)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _heat_map(heat: HeatMap, title: str) -> Figure:
    rows, columns = len(heat.rows), len(heat.weeks)
    names = [_plain(row.name) for row in heat.rows]
    figure = _figure(1.0 + _width(names) + 0.45 * columns, 1.2 + 0.35 * rows)
    axes = figure.subplots()
    for y, row in enumerate(heat.rows):
        for x, cell in enumerate(row.cells):
            colour = _colour(cell.load)
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="white"))
            axes.text(x + 0.5, y + 0.5, _plain(cell.text), ha="center", va="center", fontsize=8)
    axes.set(xlim=(0, columns), ylim=(rows, 0), title=title)
    axes.set_xticks([x + 0.5 for x in range(columns)], heat.weeks, rotation=90, fontsize=8)
    axes.set_yticks([y + 0.5 for y in range(rows)], names)
    axes.tick_params(length=0)
    return figure


def _colour(load: float | None) -> str:
    if load is None:
        return _NOBODY
    return next((colour for limit, colour in _LOADS if load < limit), _OVER)


def _ranges(series: Series) -> Figure:
    figure = _figure(max(5.0, 1.0 * len(series.periods) + 1), 3.2)
    axes = figure.subplots()
    for number, period in enumerate(series.periods):
        done = period.done or 0
        axes.bar(number, done, 0.55, color=_SURE)
        parts = ((period.whole, 0.55, _WIDE), (period.open.plus(done), 0.2, _SURE))
        for part, width, colour in parts:
            axes.bar(number, part.high - part.low, width, part.low, color=colour)
            half = width / 2
            axes.hlines(part.middle, number - half, number + half, color="#1d2430")
    axes.set_title(
        _("{plain} (P10 to P90; narrow: open now)", plain=_plain(series.name)), fontsize=10
    )
    axes.set_xticks(range(len(series.periods)), _names(series))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _timeline(line: Timeline) -> Figure:
    """Returns people by weeks: confirmed weeks are solid, tentative ones hatched."""
    lanes = [(track, lane) for track in line.tracks for lane in track.lanes][:_MOST_LANES]
    names = [_plain(track.name) if lane is track.lanes[0] else "" for track, lane in lanes]
    columns = len(line.weeks)
    figure = _figure(1.0 + _width(names) + 0.45 * columns, 1.2 + 0.3 * len(lanes))
    axes = figure.subplots()
    for y, (_unused, lane) in enumerate(lanes):
        for bar in lane:
            place = Rectangle((bar.first, y + 0.1), bar.weeks, 0.8, edgecolor=_SURE)
            paper, ink, hatch = (_SURE, "white", "") if bar.is_sure else ("white", "black", "//")
            place.set(facecolor=paper, hatch=hatch)
            axes.add_patch(place)
            name = axes.text(
                bar.first + 0.1, y + 0.5, _plain(bar.name), va="center", fontsize=7, color=ink,
            )  # fmt: skip
            name.set_clip_path(place)
            name.set_clip_on(True)
            if not bar.is_sure:
                name.set_bbox({"facecolor": paper, "edgecolor": "none", "pad": 0.6})
    axes.set(xlim=(0, columns), ylim=(len(lanes), 0), title=_("Who does what, and when"))
    weeks = [x + 0.5 for x in range(columns)]
    axes.set_xticks(weeks, line.weeks, rotation=90, fontsize=8)
    axes.set_yticks([y + 0.5 for y in range(len(lanes))], names)
    axes.tick_params(length=0)
    return figure


def _calibration(past: Calibration) -> Figure:
    """Returns chances by how often they came true, and past ranges of wins with what came."""
    figure = _figure(9.0, 3.4)
    said, wins = figure.subplots(1, 2)
    most = max((each.number for each in past.groups), default=1)
    sizes = [20 + 180 * each.number / most for each in past.groups]
    said.plot([0, 1], [0, 1], color="#5b6675", linestyle="--")
    said.scatter(
        [each.said for each in past.groups], [each.came for each in past.groups], sizes, color=_SURE
    )
    said.set(
        xlabel=_("said, within {days} days", days=past.days),
        ylabel="came",
        xlim=(0, 1),
        ylim=(-0.05, 1.05),
    )
    for number, each in enumerate(past.windows):
        span = each.expected
        wins.bar(number, span.high - span.low, 0.55, span.low, color=_WIDE)
        wins.plot(number, each.came, "o", color=_SURE if each.held else _MISSED)
    wins.set_title(_("Wins in 30 days: expected (bar), came (dot)"), fontsize=10)
    made = [_plain(each.made[2:]) for each in past.windows]
    wins.set_xticks(range(len(made)), made, rotation=90, fontsize=8)
    return figure


def _names(series: Series) -> Sequence[str]:
    return [_plain(period.name) for period in series.periods]


def _width(names: Sequence[str]) -> float:
    """Returns the inches that the longest of some names takes up."""
    widest = max((_letters(name) for name in names), default=0)
    return max(1.5, 0.1 * widest)


def _letters(name: str) -> int:
    """Returns how many letters of the usual width are as wide as a name."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in name)


def _plain(text: str) -> str:
    """Returns text for a chart: Matplotlib would read dollar signs as formulas."""
    return safe(text).replace("$", r"\$")[:40]
