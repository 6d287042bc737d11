"""Scenarios beside today: gaps, value, utilisation. Every column is simulated on the same draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.planning.capacity.find import Options
from taiga_pipeline.planning.capacity.result import CapacityReport
from taiga_pipeline.planning.demand.deals import Fate, Situation
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.scenario.model import TODAY, Scenario, apply_scenario
from taiga_pipeline.planning.scenario.what_if import WhatIf

_CENT: Final = Decimal("0.01")
_ROUNDING: Final = 0.05
"""Hours that are less than what is shown."""


@dataclass(frozen=True, slots=True)
class OpenValue:
    """Money of open deals, by currency: what a scenario wins, and what it may win besides.

    ``expected`` is value times probability of the deals that it says nothing about, ``decided``
    the value of those that it supposes to be won.
    """

    decided: Mapping[str, Decimal]
    expected: Mapping[str, Decimal]

    def converted(self, rates: Rates) -> OpenValue:
        """Returns the same in the common currency, as far as there are rates."""
        return OpenValue(_converted(self.decided, rates), _converted(self.expected, rates))


@dataclass(frozen=True, slots=True)
class Column:
    """One scenario (or today) and what it comes to."""

    name: str
    scenario: Scenario
    report: CapacityReport
    open_value: OpenValue

    @property
    def utilisation(self) -> float | None:
        """Expected demand per hour of capacity, None where there is no capacity."""
        total = self.report.total
        return total.weighted / total.capacity if total.capacity else None

    @property
    def short_weeks(self) -> int:
        """In how many weeks of how many roles hours are missing at the chosen quantile."""
        return sum(cell.gap > _ROUNDING for role in self.report.roles for cell in role.weeks)


def compare_scenarios(
    situation: Situation,
    mappings: MappingSet,
    outlooks: Outlooks,
    options: Options,
    scenarios: Iterable[Scenario],
) -> tuple[Column, ...]:
    """Returns today and the scenarios beside it.

    :raises InvalidValue: a scenario names what is not there.
    """

    what_if = WhatIf(situation, mappings, outlooks, options)
    worth = _Worth(situation, mappings, outlooks)

    def column(scenario: Scenario, report: CapacityReport) -> Column:
        supposed = apply_scenario(situation, scenario)
        return Column(scenario.name, scenario, report, worth.supposed(supposed.fates))

    today = column(Scenario(TODAY), what_if.before)
    return (today, *(column(each, what_if.suppose(each)) for each in scenarios))


def in_common_currency(columns: Iterable[Column], rates: Rates) -> tuple[Column, ...]:
    """Returns the columns with their values in the common currency, as far as there are rates."""
    return tuple(replace(each, open_value=each.open_value.converted(rates)) for each in columns)


def open_value_of(situation: Situation, mappings: MappingSet, outlooks: Outlooks) -> OpenValue:
    """Returns the value of the open deals of a situation, by currency."""
    return _Worth(situation, mappings, outlooks).supposed(situation.fates)


class _Worth:
    """What open deals are worth. Deals that a scenario says nothing of are summed up once."""

    def __init__(self, situation: Situation, mappings: MappingSet, outlooks: Outlooks) -> None:
        self._deals: dict[str, tuple[str, Decimal, Decimal | None]] = {}
        self._expected: dict[str, Decimal] = {}
        self._counts: Counter[str] = Counter()
        for deal in situation.deals:
            if deal.value is None or not _is_open(deal, mappings):
                continue
            outlook = outlooks.by_deal.get(deal.key)
            chance = None if outlook is None else Decimal(str(outlook.probability))
            self._deals[deal.key] = deal.currency, deal.value, chance
            if chance is not None:
                _add(self._expected, deal.currency, deal.value * chance)
                self._counts[deal.currency] += 1

    def supposed(self, fates: Mapping[str, Fate]) -> OpenValue:
        """Returns what a scenario wins, and what it may win besides."""
        decided: dict[str, Decimal] = {}
        expected, counts = dict(self._expected), self._counts.copy()
        for key in fates.keys() & self._deals.keys():
            fate, (currency, value, chance) = fates[key], self._deals[key]
            sized = value * Decimal(str(fate.size))
            if chance is not None:
                _add(expected, currency, -value * chance)
                counts[currency] -= 1
            if fate.won and not fate.lost:
                _add(decided, currency, sized)
            elif chance is not None and not fate.lost:
                _add(expected, currency, sized * chance)
                counts[currency] += 1
        left = {currency: expected[currency] for currency in expected if counts[currency]}
        return OpenValue(_rounded(decided), _rounded(left))


def _add(total: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    total[currency] = total.get(currency, Decimal(0)) + amount


def _is_open(deal: Deal, mappings: MappingSet) -> bool:
    try:
        return not mappings.stage_of(deal)[1].category.is_closed
    except NotMapped:
        return False


def _converted(amounts: Mapping[str, Decimal], rates: Rates) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for currency, amount in amounts.items():
        value, common = rates.convert(amount, currency)
        found[common] = found.get(common, Decimal(0)) + (value or Decimal(0))
    return _rounded(found)


def _rounded(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {currency: amounts[currency].quantize(_CENT) for currency in sorted(amounts)}
