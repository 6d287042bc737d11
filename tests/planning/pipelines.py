"""Made-up pipelines for forecasts: deals that come in and are decided by known rules."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from taiga_pipeline.planning.history.model import History, PastDeal, StageSpell, ValueSpell

FIRST = date(2025, 1, 6)


@dataclass(frozen=True)
class Rules:
    """How a made-up pipeline behaves: each day, open deals are decided with chance ``closing``."""

    deals: int = 600
    days: int = 400
    closing: float = 0.02
    winning: float = 0.4
    value: int | None = 1000


def grown(rules: Rules | None = None, seed: int = 1) -> History:
    """Returns the history of a pipeline that grew by ``rules``."""
    rules = rules or Rules()
    dice = random.Random(seed)
    deals = []
    for number in range(rules.deals):
        entered = FIRST + timedelta(days=dice.randrange(rules.days))
        wait = 1
        while dice.random() > rules.closing:
            wait += 1
        closed = entered + timedelta(days=wait)
        done = closed < FIRST + timedelta(days=rules.days)
        won = dice.random() < rules.winning
        deals.append(deal(f"D{number}", entered, closed if done else None, won, rules.value))
    return History(tuple(deals), {"Proposal": 0.5})


def last_day(rules: Rules | None = None) -> date:
    """Returns the last day of a pipeline that `grown` made."""
    return FIRST + timedelta(days=(rules or Rules()).days - 1)


def deal(
    key: str, entered: date, closed: date | None = None, won: bool = False, value: int | None = None
) -> PastDeal:
    """Returns a past deal in stage Proposal from its first day on."""
    return PastDeal(
        key,
        entered,
        closed,
        won if closed else None,
        currency="EUR",
        service="Web",
        stages=(StageSpell(entered, "Proposal"),),
        values=(ValueSpell(entered, None if value is None else Decimal(value)),),
    )
