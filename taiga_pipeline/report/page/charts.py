"""The forecast's chart: where each bar, mark and name stands. Templates draw it as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from taiga_pipeline.report.page.model import Range, Series

_WIDTH, _HEIGHT = 420, 200
_LEFT, _BOTTOM, _TOP = 48, 28, 12
_SPACE: Final = _HEIGHT - _BOTTOM - _TOP


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from P10 to P90 with a mark at P50, in pixels; ``kind`` is "all" or "open"."""

    kind: str
    left: float
    top: float
    width: float
    height: float
    mark: float


@dataclass(frozen=True, slots=True)
class AxisLine:
    """A line of the axis, and the figure beside it."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart in pixels; ``names`` are the periods, each with the middle of its bars."""

    width: int
    height: int
    left: int
    axis: Sequence[AxisLine]
    bars: Sequence[Bar]
    names: Sequence[tuple[str, int]]


def drawing(series: Series) -> Drawing:
    """Returns the chart of a series: a wide bar of all deals, a narrow one of those open now."""
    highs = (high for period in series.periods for high in (period.all.high, period.open.high))
    top = max(highs, default=0) or 1
    step = (_WIDTH - _LEFT - 8) / max(1, len(series.periods))
    names = [
        (period.name, round(_LEFT + step * (number + 0.5)))
        for number, period in enumerate(series.periods)
    ]
    axis = [AxisLine(_y(top * share, top), _short(top * share)) for share in (0, 0.5, 1)]
    return Drawing(_WIDTH, _HEIGHT, _LEFT, axis, list(_bars(series, step, top)), names)


def _bars(series: Series, step: float, top: float) -> Iterator[Bar]:
    for number, period in enumerate(series.periods):
        middle = _LEFT + step * (number + 0.5)
        yield _bar("all", middle, min(36.0, step * 0.55), period.all, top)
        yield _bar("open", middle, min(14.0, step * 0.2), period.open, top)


def _bar(kind: str, middle: float, width: float, values: Range, top: float) -> Bar:
    high, low, mark = (_y(value, top) for value in (values.high, values.low, values.middle))
    left = round(middle - width / 2, 1)
    return Bar(kind, left, high, round(width, 1), round(max(1.0, low - high), 1), mark)


def _y(value: float, top: float) -> float:
    return round(_HEIGHT - _BOTTOM - _SPACE * value / top, 1)


def _short(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
