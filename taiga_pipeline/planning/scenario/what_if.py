"""What if, again and again: the draws of today's plan are kept, and each question costs little."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from taiga_pipeline.planning.capacity.find import Options, capacity_for, demand_for
from taiga_pipeline.planning.capacity.kept import KeptDraws
from taiga_pipeline.planning.demand.deals import replaced
from taiga_pipeline.planning.scenario.model import Scenario, apply_scenario

if TYPE_CHECKING:
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.planning.capacity.result import CapacityReport
    from taiga_pipeline.planning.demand.deals import Demand, Situation
    from taiga_pipeline.planning.outlook import Outlooks


class WhatIf:
    """Today's plan, and what it becomes under changes of some deals or people.

    ``before`` is the plan of today, without drivers. What `suppose` returns is what a plan made
    anew with the same seed is, but for its notices, which are those of today. It may be asked any
    number of times, always about today.
    """

    def __init__(
        self, situation: Situation, mappings: MappingSet, outlooks: Outlooks, options: Options
    ) -> None:
        """Draws today's plan; this takes as long as `find_capacity`.

        :raises InvalidValue: a quantile or a number of trials that is invalid.
        :raises UnknownName: no one and no deal is of the team; names the nearest.
        """
        self.situation = situation
        self._mappings = mappings
        self._outlooks = outlooks
        kept = KeptDraws(options.trials, options.seed)
        self._options = replace(options, with_drivers=False, kept=kept)
        self._demand = demand_for(situation, mappings, outlooks, self._options)
        self.before = self._plan(situation, self._demand)

    def suppose(self, scenario: Scenario) -> CapacityReport:
        """Returns the plan under a scenario.

        :raises InvalidValue: it contradicts itself, or names what is not there.
        """
        supposed = apply_scenario(self.situation, scenario)
        return self._plan(supposed, self._demand_of(supposed))

    def explained(self, scenario: Scenario | None = None) -> CapacityReport:
        """Returns the plan under a scenario (None: today's) with drivers, drawn once more.

        :raises InvalidValue: it contradicts itself, or names what is not there.
        """
        options = replace(self._options, with_drivers=True, kept=None)
        if scenario is None:
            return capacity_for(self.situation, self._demand, self._outlooks, options)
        supposed = apply_scenario(self.situation, scenario)
        return capacity_for(supposed, self._demand_of(supposed), self._outlooks, options)

    def _demand_of(self, supposed: Situation) -> Demand:
        """Returns the demand; deals that a scenario says nothing of are not looked at again."""
        given = supposed, self._mappings, self._outlooks, self._options
        keys = frozenset(supposed.fates)
        if supposed.people != self.situation.people:
            keys |= self._hanging_on_people
        found = demand_for(*given, keys)
        before = {each.deal_key for each in self._demand.open if each.deal_key in keys}
        if before != {each.deal_key for each in found.open}:
            return demand_for(*given)  # a deal that nothing is left of gives its place up
        return replaced(self._demand, found, keys)

    @cached_property
    def _hanging_on_people(self) -> frozenset[str]:
        """The deals whose hours depend on who is there, and when. Open deals that nobody is
        reserved for ask for the same, whoever comes and goes."""
        reserved = {each.deal_key for each in self.situation.allocations}
        free = {each.deal_key for each in self._demand.open} - reserved
        return frozenset(deal.key for deal in self.situation.deals if deal.key not in free)

    def _plan(self, situation: Situation, demand: Demand) -> CapacityReport:
        return capacity_for(situation, demand, self._outlooks, self._options)
