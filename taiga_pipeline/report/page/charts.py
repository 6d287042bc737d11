"""The forecast's chart as SVG inside of the page: drawn in the page's own colours."""

from __future__ import annotations

from taiga_pipeline.report.page.model import Range, Series
from taiga_pipeline.report.page.text import escape

_WIDTH, _HEIGHT = 420, 200
_LEFT, _BOTTOM, _TOP = 48, 28, 12


def ranges_svg(series: Series) -> str:
    """Returns a chart of a series: a bar from P10 to P90 for each period, a mark at P50.

    The wide bar is all deals, the narrow one those that are open now.
    """
    highs = (high for period in series.periods for high in (period.all.high, period.open.high))
    top = max(highs, default=0) or 1
    width = (_WIDTH - _LEFT - 8) / max(1, len(series.periods))
    parts = [_axis(top)]
    for number, period in enumerate(series.periods):
        middle = _LEFT + width * (number + 0.5)
        parts.append(_bar("all", middle, min(36.0, width * 0.55), period.all, top))
        parts.append(_bar("open", middle, min(14.0, width * 0.2), period.open, top))
        parts.append(
            f'<text x="{middle:.0f}" y="{_HEIGHT - 8}" text-anchor="middle">'
            f"{escape(period.name)}</text>"
        )
    return (
        f'<svg class="ranges" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(series.name)} by period, ranges; the table below has the numbers">'
        f"{''.join(parts)}</svg>"
    )


def _axis(top: float) -> str:
    lines = []
    for share in (0, 0.5, 1):
        y = _y(top * share, top)
        lines.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(top * share)}</text>'
        )
    return "".join(lines)


def _bar(kind: str, middle: float, width: float, values: Range, top: float) -> str:
    high, low, mark = (_y(value, top) for value in (values.high, values.low, values.middle))
    left = middle - width / 2
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{high:.1f}" width="{width:.1f}" '
        f'height="{max(1.0, low - high):.1f}" rx="3"/>'
        f'<line class="mark" x1="{left:.1f}" x2="{left + width:.1f}" '
        f'y1="{mark:.1f}" y2="{mark:.1f}"/>'
    )


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / top


def _short(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
