"""The forecast's charts: where each bar, mark and name stands. Templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Final

from taiga_pipeline.language import figure
from taiga_pipeline.report.page.model import Calibration, Period, Range, Series

_WIDTH, _HEIGHT = 420, 200
_LEFT, _BOTTOM, _TOP = 48, 28, 16
_SPACE: Final = _HEIGHT - _BOTTOM - _TOP
_MOST_NAMES: Final = 7
_ENDS: Final = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8)
_NEXT_TO_NONE: Final = 0.005
_SMALLEST, _LARGEST = 4.0, 12.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from P10 to P90 with a mark at P50, in pixels; ``kind`` is "all", "open", or "done" for
    what came already, which has no mark."""

    kind: str
    left: float
    top: float
    width: float
    height: float
    mark: float | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """What came: a dot; ``kind`` is "came", or "missed" outside of what was expected."""

    kind: str
    x: float
    y: float
    size: float = 5.0


@dataclass(frozen=True, slots=True)
class AxisLine:
    """A line of the axis, and the figure beside it."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart in pixels; ``names`` are the periods, each with the middle of its bars, ``labels``
    stand over bars: text, x, y."""

    width: int
    height: int
    left: int
    axis: Sequence[AxisLine]
    bars: Sequence[Bar]
    names: Sequence[tuple[str, int]]
    dots: Sequence[Dot] = ()
    labels: Sequence[tuple[str, float, float]] = ()
    diagonal: tuple[float, float, float, float] | None = None


def drawing(series: Series) -> Drawing:
    """Returns the chart of a series: a wide bar of all deals, a narrow one of those open now, and
    below them, in a period that has begun, what came so far."""
    top = _round_up(max((_highest(period) for period in series.periods), default=0))
    step = _step(len(series.periods))
    names = [(period.name, round(_middle(at, step))) for at, period in enumerate(series.periods)]
    bars: list[Bar] = []
    labels: list[tuple[str, float, float]] = []
    for at, period in enumerate(series.periods):
        middle = _middle(at, step)
        bars += _bars(period, middle, step, top)
        if says_any(period.whole):
            labels.append(
                (f"≥ 1: {figure(period.whole.any, '.0%')}", middle, _y(_highest(period), top) - 4)
            )
    return Drawing(_WIDTH, _HEIGHT, _LEFT, _axis(top), bars, names, labels=labels)


def says_any(values: Range) -> bool:
    """Whether the chance of at least one is said: the median rounds to 0, and one may come."""
    return round(values.middle) == 0 and values.any >= _NEXT_TO_NONE


def past_windows(calibration: Calibration) -> Drawing:
    """Returns the chart of past ranges of wins, each with a dot at what came."""
    windows = calibration.windows
    top = _round_up(max((max(each.expected.high, each.came) for each in windows), default=0))
    step = _step(len(windows))
    every = -(-len(windows) // _MOST_NAMES)
    bars, dots, names = [], [], []
    for at, each in enumerate(windows):
        middle = _middle(at, step)
        bars.append(_bar("all", middle, min(36.0, step * 0.55), each.expected, top))
        dots.append(Dot("came" if each.held else "missed", round(middle, 1), _y(each.came, top)))
        if at % every == 0:
            names.append((each.made[2:], round(middle)))
    return Drawing(_WIDTH, _HEIGHT, _LEFT, _axis(top), bars, names, dots)


def reliability(calibration: Calibration) -> Drawing:
    """Returns the chart of chances (to the right) by how often they came true (upward); the size of
    a dot is by how many there were."""
    most = max((each.number for each in calibration.groups), default=1)
    dots = [
        Dot(
            "came",
            _x(each.said),
            _y(each.came, 1.0),
            round(_SMALLEST + (_LARGEST - _SMALLEST) * (each.number / most) ** 0.5, 1),
        )
        for each in calibration.groups
    ]
    axis = [AxisLine(_y(share, 1.0), figure(share, ".0%")) for share in (0, 0.5, 1)]
    names = [(figure(share, ".0%"), round(_x(share))) for share in (0, 0.25, 0.5, 0.75, 1)]
    diagonal = (_x(0), _y(0, 1.0), _x(1), _y(1, 1.0))
    return Drawing(_WIDTH, _HEIGHT, _LEFT, axis, (), names, dots, diagonal=diagonal)


def _highest(period: Period) -> float:
    return max(period.whole.high, period.open.high + (period.done or 0))


def _bars(period: Period, middle: float, step: float, top: float) -> Iterator[Bar]:
    wide, narrow, done = min(36.0, step * 0.55), min(14.0, step * 0.2), period.done or 0
    if done:
        left, upper = round(middle - wide / 2, 1), _y(done, top)
        yield Bar("done", left, upper, round(wide, 1), round(_y(0, top) - upper, 1))
    yield _bar("all", middle, wide, period.whole, top)
    yield _bar("open", middle, narrow, period.open.plus(done), top)


def _bar(kind: str, middle: float, width: float, values: Range, top: float) -> Bar:
    high, low, mark = (_y(value, top) for value in (values.high, values.low, values.middle))
    left = round(middle - width / 2, 1)
    return Bar(kind, left, high, round(width, 1), round(max(1.0, low - high), 1), mark)


def _round_up(value: float) -> float:
    """Returns the next number that an axis may end with: its half is short as well."""
    if value <= 0:
        return 1
    unit = 10.0 ** floor(log10(value))
    return next((each * unit for each in _ENDS if each * unit >= value * (1 - 1e-9)), 10 * unit)


def _axis(top: float) -> list[AxisLine]:
    return [AxisLine(_y(top * share, top), _short(top * share)) for share in (0, 0.5, 1)]


def _step(number: int) -> float:
    return (_WIDTH - _LEFT - 8) / max(1, number)


def _middle(at: int, step: float) -> float:
    return _LEFT + step * (at + 0.5)


def _x(share: float) -> float:
    return round(_LEFT + 16 + (_WIDTH - _LEFT - 40) * share, 1)


def _y(value: float, top: float) -> float:
    return round(_HEIGHT - _BOTTOM - _SPACE * value / top, 1)


def _short(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{figure(value / size, '.3g')}{unit}"
    return figure(value, ".3g")
