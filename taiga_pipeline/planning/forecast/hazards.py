"""How deals close: two small logistic regressions, refitted to the record each time.

For a deal of age a on day t, in stage s (cause-specific hazards of two competing risks):

- closing: the chance that it is decided on that day, given that it is still open,
  ``logit h = age group + stage + month of quarter x (younger | older)``
- winning: the chance that a decision is a win,
  ``logit w = base + age group + stage + month of quarter + month effect``

``h*w`` and ``h*(1-w)`` are the hazards of a win and of a loss. All effects but the age groups are
ridge-shrunk: an L2 penalty is a normal prior, whose width is set by scaling a column. The mapping's
stage probabilities take part as pseudo-deals (`STAGE_DEALS` each): with no history they are the
forecast, with much they vanish. The month effect (of one calendar month) keeps one good month from
counting as much as its hundreds of deals would: deals that are decided together are not
independent.

With ``load`` on, a closing's chance is inversely proportional to how many deals are in work: a
team takes so many decisions a week, and twice as many open deals do not double them. A person-day
then counts by its share of the team's attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from taiga_pipeline.planning.forecast.record import (
    NEVER,
    OLDEST,
    Days,
    Floats,
    PersonDays,
    Record,
    count_person_days,
    distinct,
)
from taiga_pipeline.planning.forecast.regression import logistic, ridge_logistic

STAGE_DEALS: Final = 10.0
"""A stage's probability in the mapping counts as this many decided deals."""
MONTH_CORRELATION: Final = 0.09
"""How alike the outcomes of two deals of one month are: the width of the month effect."""
USUAL_CHANCE: Final = 0.3
"""The chance of a deal when neither the mapping nor history says anything."""
USUAL_DAYS: Final = 90.0
"""The time to a decision, on average, without history; it counts as one decision."""
DEALS_PER_GROUP: Final = 10
MOST_GROUPS: Final = 10
MISSED: Final = 5.0
"""Beyond the oldest age of a decision deals count as asleep once so many were due and none came."""
SURE_OF_SLEEP: Final = 30
"""With fewer decisions than this no deal counts as asleep."""
PHASES: Final = 3
"""Months of a quarter."""
_UNIX_DAY: Final = date(1970, 1, 1).toordinal()

_FLAT: Final = 30.0
_AGE_SD, _STAGE_SD, _MONTH_SD, _WIN_PHASE_SD, _CLOSE_PHASE_SD = 0.3, 1.0, 0.7, 0.5, 1.0
_STAGE_CLOSE_SD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Variant:
    """Which model it is (hazards, funnel or mapping), and which parts of the hazards are on."""

    season: bool = False
    load: bool = False
    kind: str = "hazards"


@dataclass(frozen=True, slots=True)
class Hazards:
    """A fitted model.

    ``groups`` gives the age group of each age; group ``asleep`` never closes (None: there is no
    such group). ``closing`` and ``winning`` are log-odds: phase x age group x stage.
    """

    record: Record
    variant: Variant
    groups: Days
    asleep: int | None
    closing: Floats
    winning: Floats

    def chances(self, day: int) -> tuple[Floats, Floats]:
        """Returns the chances of closing and of winning on a day: age group x stage."""
        closing, winning = self.chances_by_phase()
        phase = int(phases_of(np.array([day]))[0])
        return closing[phase], winning[phase]

    def chances_by_phase(self, *, season: bool = True) -> tuple[Floats, Floats]:
        """Returns the chances of closing and of winning: phase x age group x stage.

        Without ``season`` the months of a quarter are averaged.
        """
        closing, winning = logistic(self.closing), logistic(self.winning)
        if not season:
            closing[:], winning[:] = closing.mean(axis=0), winning.mean(axis=0)
        if self.asleep is not None:
            closing[:, self.asleep] = 0.0
        return closing, winning


def months_of(days: Days) -> Days:
    """Returns the calendar months of ordinal days, counted from January 1970 on."""
    dates = (days - _UNIX_DAY).astype("datetime64[D]")
    return np.asarray(dates.astype("datetime64[M]").astype(np.int64))


def phases_of(days: Days) -> Days:
    """Returns the months of the quarter of ordinal days: 0, 1 or 2."""
    return months_of(days) % PHASES


@dataclass(frozen=True, slots=True)
class Evidence:
    """What all variants of the model are fitted to: the person-days of deals that are awake."""

    record: Record
    groups: Days
    asleep: int | None
    awake: PersonDays


def gather(record: Record) -> Evidence:
    """Returns the evidence of a record."""
    groups, asleep = age_groups(record)
    counts = count_person_days(record, groups)
    awake = counts if asleep is None else _without(counts, asleep)
    return Evidence(record, groups, asleep, awake)


def fit(evidence: Evidence, chances: Mapping[str, float], variant: Variant) -> Hazards:
    """Fits the model; ``chances`` are the mapping's, by stage."""
    record, awake, asleep = evidence.record, evidence.awake, evidence.asleep
    closing = _fit_closing(awake, variant)
    beliefs = stage_chances(record, chances)
    winning = _fit_winning(awake, beliefs[: awake.at_risk.shape[2]], variant)
    if not record.learns_stages:
        closing = np.repeat(closing, len(beliefs), axis=2)
        winning = winning + (logit(beliefs) - logit(beliefs[:1]))
    if asleep is not None:
        closing, winning = (
            np.concatenate([table, table[:, -1:]], axis=1) for table in (closing, winning)
        )
    return Hazards(record, variant, evidence.groups, asleep, closing, winning)


def age_groups(record: Record) -> tuple[Days, int | None]:
    """Returns the age group of each age and which group is asleep, if any.

    The groups hold about equally many decisions, at least `DEALS_PER_GROUP` each.
    """
    decided = record.closed != NEVER
    ages = np.minimum((record.closed - record.entered)[decided], OLDEST)
    all_ages = np.arange(OLDEST + 1)
    number = max(1, min(MOST_GROUPS, len(ages) // DEALS_PER_GROUP))
    inner = np.quantile(ages, np.linspace(0, 1, number + 1)[1:-1]) if number > 1 else []
    edges = distinct(np.asarray(inner, dtype=np.int64))
    if not len(ages):
        return np.zeros_like(all_ages), None
    oldest = int(ages.max())
    edges = edges[edges < oldest]
    with_sleepers = np.searchsorted(np.append(edges, oldest), all_ages)
    last = int(with_sleepers.max())
    if (
        last > len(edges)
        and len(ages) >= SURE_OF_SLEEP
        and _are_asleep(record, with_sleepers, last)
    ):
        return with_sleepers, last
    return np.searchsorted(edges, all_ages), None


def _are_asleep(record: Record, groups: Days, last: int) -> bool:
    counts = count_person_days(record, groups)
    at_risk, decided = counts.at_risk[:, :, 0].sum(axis=0), counts.decided[:, :, 0].sum(axis=0)
    due = at_risk[last] * decided[last - 1] / max(at_risk[last - 1], 1.0)
    return bool(due >= MISSED)


def _without(counts: PersonDays, group: int) -> PersonDays:
    return PersonDays(
        counts.days,
        counts.at_risk[:, :group],
        counts.decided[:, :group],
        counts.won[:, :group],
    )


@dataclass(frozen=True, slots=True)
class _Design:
    """Which column stands for what. Columns are scaled by the width of their effects' priors.

    Rows are made for arrays of phases, age groups and stages.
    """

    groups: int
    stages: int
    variant: Variant

    @property
    def shape(self) -> tuple[int, int, int]:
        return PHASES, self.groups, self.stages

    def cells(self) -> tuple[Days, Days, Days]:
        """Returns phase, age group and stage of all cells, in the order of a table."""
        phase, group, stage = np.indices(self.shape).reshape(3, -1)
        return phase, group, stage

    def closing(self, phase: Days, group: Days, stage: Days) -> Floats:
        seasons = np.zeros((len(phase), 2 * PHASES))
        if self.variant.season:
            part = PHASES * (group >= self.groups / 2) + phase
            seasons[np.arange(len(phase)), part] = _CLOSE_PHASE_SD
        age = np.eye(self.groups)[group] * _FLAT
        return np.hstack([age, self._stage(stage, _STAGE_CLOSE_SD), seasons])

    def winning(self, phase: Days, group: Days, stage: Days) -> Floats:
        season = np.eye(PHASES)[phase] * (_WIN_PHASE_SD if self.variant.season else 0.0)
        age = np.eye(self.groups)[group] * _AGE_SD
        return np.hstack([np.full((len(phase), 1), _FLAT), age, self._stage(stage), season])

    def beliefs(self) -> Floats:
        """Returns the rows of a pseudo-deal of each stage: of no age and no season."""
        base = np.full((self.stages, 1), _FLAT)
        age, season = np.zeros((self.stages, self.groups)), np.zeros((self.stages, PHASES))
        return np.hstack([base, age, self._stage(np.arange(self.stages)), season])

    def _stage(self, stage: Days, width: float = _STAGE_SD) -> Floats:
        return np.asarray(np.eye(self.stages)[stage, 1:] * width, dtype=np.float64)


def _fit_closing(counts: PersonDays, variant: Variant) -> Floats:
    """Returns log-odds of a decision: phase x age group x stage."""
    design = _Design(counts.at_risk.shape[1], counts.at_risk.shape[2], variant)
    spared = (counts.at_risk - counts.decided) * _attention(counts, variant)[:, None, None]
    phases = phases_of(counts.days)
    yes, no = np.zeros(design.shape), np.zeros(design.shape)
    for phase in range(PHASES):
        yes[phase] = counts.decided[phases == phase].sum(axis=0)
        no[phase] = spared[phases == phase].sum(axis=0)
    rows = design.closing(*design.cells())
    prior = np.zeros((design.groups, rows.shape[1]))
    prior[:, : design.groups] = np.eye(design.groups) * _FLAT
    each = np.full(design.groups, 1.0 / design.groups)
    weights = ridge_logistic(
        np.vstack([rows, prior]),
        np.append(yes.ravel(), each),
        np.append(no.ravel(), each * USUAL_DAYS),
    )
    return np.asarray((rows @ weights).reshape(design.shape))


def _attention(counts: PersonDays, variant: Variant) -> Floats:
    """Returns what a person-day of each day weighs: more where fewer deals were in work."""
    in_work: Floats = np.asarray(counts.at_risk[:, :, 0].sum(axis=1), dtype=np.float64)
    if not variant.load or not len(in_work) or in_work[-1] == 0:
        return np.ones(len(in_work))
    return np.asarray(in_work[-1] / np.maximum(in_work, 1.0), dtype=np.float64)


def _fit_winning(counts: PersonDays, beliefs: Floats, variant: Variant) -> Floats:
    """Returns log-odds of a win, given a decision: phase x age group x stage."""
    design = _Design(counts.at_risk.shape[1], counts.at_risk.shape[2], variant)
    decided, won = _by_month(counts)
    seen = decided > 0
    month, group, stage = np.nonzero(seen)
    phase = (int(phases_of(counts.days[0])) + month) % PHASES
    month_effect = np.eye(len(decided))[month] * _MONTH_SD
    beliefs_month_effect = np.zeros((design.stages, len(decided)))
    rows = np.vstack(
        [
            np.hstack([design.winning(phase, group, stage), month_effect]),
            np.hstack([design.beliefs(), beliefs_month_effect]),
        ]
    )
    weights = ridge_logistic(
        rows,
        np.append(won[seen], STAGE_DEALS * beliefs),
        np.append((decided - won)[seen], STAGE_DEALS * (1 - beliefs)),
    )
    table = design.winning(*design.cells())
    return np.asarray((table @ weights[: table.shape[1]]).reshape(design.shape))


def _by_month(counts: PersonDays) -> tuple[Floats, Floats]:
    """Returns decisions and wins: calendar month x age group x stage."""
    months = months_of(counts.days)
    firsts = np.flatnonzero(np.diff(months, prepend=months[0] - 1))
    return np.add.reduceat(counts.decided, firsts), np.add.reduceat(counts.won, firsts)


def stage_chances(record: Record, chances: Mapping[str, float]) -> Floats:
    """Returns the mapping's chance of each stage of the record; of "not known", their mean.

    Stages count in the mean as often as open deals are known to be in them.
    """
    known = [chances[name] for name in record.open_stages if name in chances]
    usual = float(np.mean(known or list(chances.values()) or [USUAL_CHANCE]))
    return np.array([chances.get(stage, usual) for stage in record.stages]).clip(0.01, 0.99)


def logit(chance: Floats) -> Floats:
    """Returns log-odds."""
    return np.asarray(np.log(chance / (1.0 - chance)))
