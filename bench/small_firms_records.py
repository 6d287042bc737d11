"""What a small firm's store knows of the lives of its deals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from bench.small_firms_lives import Life
from bench.small_firms_shape import Shape
from taiga_pipeline.planning.history.model import CloseSpell, PastDeal, StageSpell, ValueSpell


def deal_of(shape: Shape, number: int, life: Life, *, is_open: bool) -> PastDeal:
    """Returns a deal as it is known on the day of the forecast."""
    today = shape.today.toordinal()
    imported = today - shape.imported if shape.imported else 0
    undated = is_open and life.since[0] < imported
    closed = None if is_open else date.fromordinal(_closed(shape, life))
    entered = date.fromordinal(imported if undated else life.since[0])
    if life.unseen and closed:
        entered = closed
    stated = None if shape.stated is None else date.fromordinal(life.stated)
    return PastDeal(
        key=str(number),
        entered=entered,
        closed=closed,
        won=None if is_open else life.won,
        service=life.kind.service,
        currency=life.kind.currency,
        stages=() if life.unseen else tuple(_spells(shape, life, today, imported, is_open=is_open)),
        values=tuple(_values(shape, life, entered, closed)),
        expected_close=stated,
        stated=() if stated is None else (CloseSpell(entered, stated),),
        arrived=not undated,
    )


def _closed(shape: Shape, life: Life) -> int:
    """Returns the day on which a deal was closed in the store."""
    if life.won or not shape.clean_up:
        return life.closed
    return -(-life.closed // shape.clean_up) * shape.clean_up


def _values(shape: Shape, life: Life, entered: date, closed: date | None) -> Iterator[ValueSpell]:
    won = bool(life.won and closed)
    stated = Decimal(int(life.value))
    yield ValueSpell(entered, stated if shape.priced or (won and shape.haggled == 1.0) else None)
    if won and closed and shape.haggled != 1.0:
        yield ValueSpell(closed, Decimal(int(life.final)))


def _spells(
    shape: Shape, life: Life, today: int, imported: int, *, is_open: bool
) -> list[StageSpell]:
    """Returns the stays in stages that are on record."""
    if not shape.stage_history:
        now = StageSpell(shape.today, shape.stages[life.stage_on(today)])
        return [now] if is_open else []
    begun = max(imported, today - shape.renamed if shape.renamed else 0)
    end = today if is_open else life.closed - 1
    found: list[StageSpell] = []
    days = life.since[: life.stage_on(today) - life.begins + 1]
    for at, day in enumerate(days):
        last = days[at + 1] - 1 if at + 1 < len(days) else end
        if last >= begun or day >= begun:
            name = _name(shape, life.begins + at, day)
            found.append(StageSpell(date.fromordinal(max(day, begun)), name))
    if life.reopened and life.reopened <= end:
        name = shape.stages[life.stage_on(life.reopened)]
        spell = StageSpell(date.fromordinal(life.reopened), name)
        found = sorted((*found, spell), key=lambda each: each.since)
    return found


def _name(shape: Shape, place: int, day: int) -> str:
    """Returns the name of a stage on a day: the two in the middle may have been reordered."""
    if shape.reordered and day < shape.today.toordinal() - shape.reordered:
        middle = len(shape.truth) // 2
        place = {middle: middle - 1, middle - 1: middle}.get(place, place)
    return shape.stages[place]
