"""The models that a forecast can be made with, behind one face, and which of them may play.

- the funnel (`funnel`): for few decisions, and wherever stages are on record;
- the hazards (`hazards`), plain or with season and load: for many decisions;
- the plain mapping (`PlainMapping`): what a spreadsheet does, for where nothing better shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from taiga_pipeline.planning.forecast.curves import Arrivals, Curves, curves, new_deals
from taiga_pipeline.planning.forecast.funnel.fitting import CYCLE_DAYS, fit_funnel
from taiga_pipeline.planning.forecast.funnel.hidden_losses import unrecorded_losses
from taiga_pipeline.planning.forecast.funnel.model import FUNNEL
from taiga_pipeline.planning.forecast.hazards import Hazards, Variant, fit, gather, stage_chances
from taiga_pipeline.planning.forecast.record import Days, Floats, Record

MAPPING: Final = Variant(kind="mapping")
PLAIN: Final = Variant()
HAZARDS: Final = tuple(Variant(season, load) for load in (False, True) for season in (False, True))
MANY_DECISIONS: Final = 200
"""From so many decisions on, hazards by age can be told from chance."""
STAGED_DECISIONS: Final = 60
"""From so many decisions with stages on, stages say more than the ages of deals without them."""
FULL_QUARTER: Final = 91
"""Days of record before a season can be told from chance."""


class Model(Protocol):
    """A model, fitted to a record."""

    @property
    def record(self) -> Record:
        """What it was fitted to."""

    @property
    def variant(self) -> Variant:
        """Which model this is."""

    @property
    def asleep(self) -> int:
        """How many open deals are expected never to close."""

    def open_curves(self, horizon: int) -> Curves:
        """Returns the chances of the open deals, in the record's order."""

    def new_deals(self, coming: Arrivals, horizon: int) -> Curves:
        """Returns the expected wins and decisions of deals that will come in: one column."""

    def steps(self, place: int, horizon: int) -> tuple[float, float, float, float]:
        """Returns the chance to be won within the horizon of a new deal, of one in the stage of the
        open deal of this place, of its age as well, and of itself."""


@dataclass(frozen=True, slots=True)
class ByAge:
    """The hazards by age, as a model."""

    hazards: Hazards

    @property
    def record(self) -> Record:
        """What it was fitted to."""
        return self.hazards.record

    @property
    def variant(self) -> Variant:
        """Which model this is."""
        return self.hazards.variant

    @property
    def asleep(self) -> int:
        """How many open deals are expected never to close."""
        groups = self.hazards.groups[self.record.ages()[self.record.is_open]]
        asleep = self.hazards.asleep
        return int((groups == asleep).sum()) if asleep is not None else 0

    def open_curves(self, horizon: int) -> Curves:
        """Returns the chances of the open deals."""
        is_open = self.record.is_open
        ages, stages = self.record.ages()[is_open], self.record.stage[is_open]
        return curves(self.hazards, ages, stages, horizon)

    def new_deals(self, coming: Arrivals, horizon: int) -> Curves:
        """Returns the expected wins and decisions of deals that will come in."""
        return new_deals(self.hazards, coming, horizon)

    def steps(self, place: int, horizon: int) -> tuple[float, float, float, float]:
        """Returns the chance of a new deal, with stage, age, and season of an open one."""
        is_open = self.record.is_open
        age = int(self.record.ages()[is_open][place])
        stage = int(self.record.stage[is_open][place])

        def chance(age: int, stage: int, *, season: bool = False) -> float:
            ages, stages = (np.array([each], dtype=np.int64) for each in (age, stage))
            found = curves(self.hazards, ages, stages, horizon, season=season)
            return min(float(found.won.sum()), 1.0)

        return (
            chance(0, 0), chance(0, stage), chance(age, stage), chance(age, stage, season=True),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlainMapping:
    """The mapping's probability of the stage, times the share of decisions that fall into the time.

    Decisions fall as they did per deal and day; before there are any, one in `CYCLE_DAYS` days.
    """

    record: Record
    believed: Floats

    @property
    def variant(self) -> Variant:
        """Which model this is."""
        return MAPPING

    @property
    def asleep(self) -> int:
        """How many open deals are expected never to close."""
        return 0

    def open_curves(self, horizon: int) -> Curves:
        """Returns the chances of the open deals."""
        return self._curves(self.record.stage[self.record.is_open], horizon)

    def new_deals(self, coming: Arrivals, horizon: int) -> Curves:
        """Returns the expected wins and decisions of deals that will come in."""
        one = np.zeros(1, dtype=np.int64)
        decided = coming.per_day * np.cumsum(self._curves(one, horizon).kinds_decided)[:, None]
        return Curves(decided * self._usual(), decided, one)

    def steps(self, place: int, horizon: int) -> tuple[float, float, float, float]:
        """Returns the chance of a new deal, and thrice that of the stage: nothing else counts."""
        share = float(self._curves(np.zeros(1, dtype=np.int64), horizon).kinds_decided.sum())
        chance = float(self.believed[self.record.stage[self.record.is_open][place]]) * share
        return self._usual() * share, chance, chance, chance

    def _usual(self) -> float:
        """Returns the share of decisions that were wins, after one of a deal of unknown stage."""
        won = float(self.record.won[~self.record.is_open].sum())
        return (won + float(self.believed[0])) / (self.record.decided + 1)

    def _curves(self, stages: Days, horizon: int) -> Curves:
        rate = _decisions_per_day(self.record)
        decided = rate * (1 - rate) ** np.arange(horizon)[:, None] * np.ones(len(self.believed))
        return Curves(decided * self.believed, decided, stages)


def _decisions_per_day(record: Record) -> float:
    last = np.minimum(record.closed, record.today)
    at_risk = np.maximum(last - np.maximum(record.entered, record.start) + 1, 0).sum()
    return float((record.decided + 1) / (at_risk + CYCLE_DAYS))


def usual_variant(record: Record) -> Variant:
    """Returns the model that is used unless another one has done better."""
    few = record.decided < MANY_DECISIONS
    lacks_losses = unrecorded_losses(record) is not None
    staged = record.closed[~record.is_open] >= record.staged_since
    known = record.learns_stages or int(staged.sum()) >= STAGED_DECISIONS
    return FUNNEL if known or few or lacks_losses else PLAIN


def possible_variants(record: Record) -> tuple[Variant, ...]:
    """Returns the models that can be fitted to a record, the usual one first."""
    usual = usual_variant(record)
    if unrecorded_losses(record) is not None:
        return (usual,)  # The others take deals that no one closed for open ones.
    seasonal = record.today - record.start >= FULL_QUARTER
    hazards = [each for each in HAZARDS if seasonal or not each.season]
    if record.decided < MANY_DECISIONS:
        hazards = []
    return tuple(dict.fromkeys((usual, *hazards, MAPPING)))


def fit_models(
    record: Record, chances: Mapping[str, float], variants: tuple[Variant, ...]
) -> dict[Variant, Model]:
    """Fits models to a record; ``chances`` are the mapping's, by stage."""
    evidence = gather(record) if any(each.kind == "hazards" for each in variants) else None
    fitted: dict[Variant, Model] = {}
    for each in variants:
        if each.kind == "funnel":
            fitted[each] = fit_funnel(record, chances)
        elif each.kind == "mapping":
            fitted[each] = PlainMapping(record, stage_chances(record, chances))
        elif evidence is not None:
            fitted[each] = ByAge(fit(evidence, chances, each))
    return fitted
