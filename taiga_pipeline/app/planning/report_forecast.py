"""The part of the report about what will be won, and how past forecasts did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.planning.record import read_history
from taiga_pipeline.language import text as _
from taiga_pipeline.report.page.model import Calibration, ChanceGroup, PastWindow, Period, Range
from taiga_pipeline.report.page.model import Series as Charted

if TYPE_CHECKING:
    from datetime import date

    from taiga_pipeline.app.pipeline_data import Pipeline
    from taiga_pipeline.app.workspace import Workspace
    from taiga_pipeline.planning.forecast.calibration import Calibration as Compared
    from taiga_pipeline.planning.forecast.forecast import Forecast as Expected
    from taiga_pipeline.planning.forecast.forecast import Row, Split
    from taiga_pipeline.planning.forecast.simulate import Range as Span
    from taiga_pipeline.planning.outlook import Outlooks

_MONTHS: Final = 6

Made = tuple[tuple[Charted, ...], list[str], Calibration | None, "Outlooks"]


def forecast_part(workspace: Workspace, today: date, read: Pipeline) -> Made:
    """Returns the charts, the notes to them, how past forecasts did, and what was learnt about each
    open deal.

    Learning is what takes the time: the forecast and capacity planning share it.
    """
    need_extra("forecast", "planning", "numpy")
    from taiga_pipeline.planning.forecast.forecast import forecast_of, horizon_of, prepare
    from taiga_pipeline.planning.forecast.notes import notes
    from taiga_pipeline.planning.forecast.outlooks import COMMON_SHOCK_DAYS, outlooks_of

    history = read_history(workspace, today, read, with_filled=False)
    ground = prepare(history, today, max(horizon_of(today, _MONTHS), COMMON_SHOCK_DAYS))
    forecast = forecast_of(ground, today, _MONTHS)
    series = [
        Charted(
            _("Wins by {name}", name=name), [_period(row, row.won, row.so_far.won) for row in rows]
        )
        for name, rows in ((_("month"), forecast.months), (_("quarter"), forecast.quarters))
        if rows
    ]
    past = _calibration(forecast.calibration)
    return (*series, *_values(forecast)), notes(forecast, history), past, outlooks_of(ground)


def _values(forecast: Expected) -> Iterator[Charted]:
    currencies = sorted({currency for row in forecast.months for currency in row.value})
    for currency in currencies:
        for name, rows in ((_("month"), forecast.months), (_("quarter"), forecast.quarters)):
            periods = [_value(row, currency) for row in rows]
            if periods:
                yield Charted(
                    _("Won value by {name}, {currency}", name=name, currency=currency).rstrip(", "),
                    periods,
                )


def _value(row: Row, currency: str) -> Period:
    return _period(row, row.value[currency], row.so_far.value[currency])


def _period(row: Row, split: Split, done: float) -> Period:
    now, coming, everything = map(_range, (split.open, split.coming, split.all))
    return Period(row.period.name, now, coming, everything, done if row.period.begun else None)


def _range(span: Span) -> Range:
    return Range(span.low, span.middle, span.high, span.any)


def _calibration(found: Compared) -> Calibration | None:
    if not found.groups and not found.windows:
        return None
    return Calibration(
        found.days,
        [ChanceGroup(each.said, each.came, each.number) for each in found.groups],
        [PastWindow(f"{each.made}", _range(each.expected), each.came) for each in found.windows],
    )
