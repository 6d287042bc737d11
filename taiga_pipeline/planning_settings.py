"""The section ``[planning]`` of ``config.toml``: how far ahead, in which money, at which rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from taiga_pipeline.field_settings import Section


def _plain_number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


Number = Annotated[float, BeforeValidator(_plain_number), Field(allow_inf_nan=False)]
CurrencyCode = Annotated[str, Field(pattern=r"^([A-Z]{3})?$")]


class RateSettings(Section):
    """What an hour of a role or person costs, and is billed at (``[[planning.rate]]``).

    Rates in the store count before these. ``since`` is the first day, None for "from ever".
    """

    role: str = ""
    person: str = ""
    since: date | None = Field(None, alias="from")
    cost: Annotated[Number, Field(ge=0, le=1e6)] | None = None
    bill: Annotated[Number, Field(ge=0, le=1e6)] | None = None
    currency: CurrencyCode = ""

    @model_validator(mode="after")
    def _check(self) -> RateSettings:
        if bool(self.role.strip()) == bool(self.person.strip()):
            raise ValueError('a rate is of one role or of one person: role = "Back"')
        if self.cost is None and self.bill is None:
            raise ValueError("a rate needs a cost, a bill, or both: cost = 60")
        return self


class HiringSettings(Section):
    """How long before the work begins each way of getting help has to be decided, in weeks.

    ``notice_weeks`` is that of people who are moved, and of a start that is moved. ``dearer`` says
    how many times the usual cost of an hour subcontractors and temporary people ask for.
    """

    hire_weeks: int = Field(12, ge=0, le=260)
    temporary_weeks: int = Field(4, ge=0, le=260)
    subcontract_weeks: int = Field(2, ge=0, le=260)
    training_weeks: int = Field(6, ge=0, le=260)
    notice_weeks: int = Field(2, ge=0, le=260)
    subcontract_dearer: Number = Field(1.5, ge=1, le=20)
    temporary_dearer: Number = Field(1.2, ge=1, le=20)


class GoalSettings(Section):
    """What a quarter is to bring (``[[planning.goal]]``): a value, or a number of wins.

    Without ``quarter``, it is the goal of every quarter that has none of its own; without ``team``,
    that of the whole pipeline.
    """

    quarter: Annotated[str, Field(pattern=r"^([0-9]{4}[ -]?[Qq][1-4])?$")] = ""
    team: str = ""
    value: Annotated[Number, Field(gt=0, le=1e15)] | None = None
    wins: Annotated[int, Field(gt=0, le=1_000_000)] | None = None
    currency: CurrencyCode = ""

    @model_validator(mode="after")
    def _check(self) -> GoalSettings:
        if (self.value is None) == (self.wins is None):
            raise ValueError("a goal needs a value or a number of wins: value = 500000")
        if self.currency and self.value is None:
            raise ValueError("a number of wins has no currency")
        return self


class PlanningSettings(Section):
    """How far ahead demand and capacity are looked at.

    ``rates`` say what a unit of each currency is worth in ``currency``; without them, values are
    kept per currency. ``rate`` are those of hours, ``goal`` what quarters are to bring.
    """

    horizon_weeks: int = Field(26, ge=1, le=520)
    calendar: str = ""
    quantile: Number = Field(0.8, gt=0, lt=1)
    currency: CurrencyCode = ""
    rates: dict[CurrencyCode, Annotated[Number, Field(ge=1e-9, le=1e9)]] = Field(
        default_factory=dict
    )
    rate: Annotated[list[RateSettings], Field(max_length=1_000)] = Field(default_factory=list)
    goal: Annotated[list[GoalSettings], Field(max_length=500)] = Field(default_factory=list)
    hiring: HiringSettings = Field(default_factory=HiringSettings)

    @model_validator(mode="after")
    def _check_rates(self) -> PlanningSettings:
        if self.rates and not self.currency:
            raise ValueError('rates need a currency to convert to: currency = "EUR"')
        return self
