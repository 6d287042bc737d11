"""How deals close: two small logistic regressions, refitted to the record each time.

For a deal of age a on day t, in stage s (cause-specific hazards of two competing risks):

- closing: the chance that it is decided on that day, given that it is still open,
  ``logit h = age group + stage + month of quarter x (younger | older)``
- winning: the chance that a decision is a win,
  ``logit w = base + age group + stage + month of quarter + that calendar month's own luck``

``h*w`` and ``h*(1-w)`` are the hazards of a win and of a loss. All effects but the age groups are
ridge-shrunk: scikit-learn's L2 penalty is a normal prior, whose width is set by scaling a column.
The mapping's stage probabilities take part as pseudo-deals (`STAGE_DEALS` each): with no history
they are the forecast, with much they vanish. A calendar month's own luck keeps one good month from
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
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from taiga_pipeline.planning.forecast.record import (
    NEVER,
    OLDEST,
    Days,
    Floats,
    PersonDays,
    Record,
    count_person_days,
)

STAGE_DEALS: Final = 10.0
"""As many decided deals a stage's probability in the mapping is worth."""
MONTH_CORRELATION: Final = 0.09
"""How alike the outcomes of two deals of one month are: what the width of a month's luck means."""
USUAL_CHANCE: Final = 0.3
"""The chance of a deal when neither the mapping nor history says anything."""
USUAL_DAYS: Final = 90.0
"""The time to a decision, on average, before history tells; it is worth one decision."""
DEALS_PER_GROUP: Final = 10
MOST_GROUPS: Final = 10
MISSED: Final = 5.0
"""Beyond the oldest age of a decision deals count as asleep once so many were due and none came."""
SURE_OF_SLEEP: Final = 30
"""With fewer decisions than this no deal counts as asleep."""
PHASES: Final = 3
"""Months of a quarter."""

_FLAT: Final = 30.0
_AGE_SD, _STAGE_SD, _MONTH_SD, _WIN_PHASE_SD, _CLOSE_PHASE_SD = 0.3, 1.0, 0.7, 0.5, 1.0
_STAGE_CLOSE_SD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Variant:
    """Which parts of the model are on."""

    season: bool = False
    load: bool = False


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

    def chances(self, day: int, *, season: bool = True) -> tuple[Floats, Floats]:
        """Returns the chances of closing and of winning on a day: age group x stage.

        Without ``season`` the months of a quarter are averaged.
        """
        if season:
            phase = phase_of(day)
            closing, winning = _logistic(self.closing[phase]), _logistic(self.winning[phase])
        else:
            closing = _logistic(self.closing).mean(axis=0)
            winning = _logistic(self.winning).mean(axis=0)
        if self.asleep is not None:
            closing[self.asleep] = 0.0
        return closing, winning


def phase_of(day: int) -> int:
    """Returns the month of the quarter of an ordinal day: 0, 1 or 2."""
    return (date.fromordinal(day).month - 1) % PHASES


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
    edges = np.unique(np.asarray(inner, dtype=np.int64))
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
    """Which column stands for what. Rows are scaled by the width of their effects' priors."""

    groups: int
    stages: int
    variant: Variant

    @property
    def shape(self) -> tuple[int, int, int]:
        return PHASES, self.groups, self.stages

    def closing(self, phase: int, group: int, stage: int) -> Floats:
        age = np.eye(self.groups)[group] * _FLAT
        seasons = np.zeros(2 * PHASES)
        if self.variant.season:
            seasons[PHASES * (group >= self.groups / 2) + phase] = _CLOSE_PHASE_SD
        return np.concatenate([age, self._stage(stage, _STAGE_CLOSE_SD), seasons])

    def winning(self, phase: int, group: int, stage: int) -> Floats:
        season = np.eye(PHASES)[phase] * (_WIN_PHASE_SD if self.variant.season else 0.0)
        age = np.eye(self.groups)[group] * _AGE_SD
        return np.concatenate([[_FLAT], age, self._stage(stage, _STAGE_SD), season])

    def belief(self, stage: int) -> Floats:
        """Returns the row of a pseudo-deal of a stage: of no age and no season."""
        age, season = np.zeros(self.groups), np.zeros(PHASES)
        return np.concatenate([[_FLAT], age, self._stage(stage, _STAGE_SD), season])

    def _stage(self, stage: int, width: float) -> Floats:
        return np.asarray(np.eye(self.stages)[stage][1:] * width, dtype=np.float64)


def _fit_closing(counts: PersonDays, variant: Variant) -> Floats:
    """Returns log-odds of a decision: phase x age group x stage."""
    design = _Design(counts.at_risk.shape[1], counts.at_risk.shape[2], variant)
    spared = (counts.at_risk - counts.decided) * _attention(counts, variant)[:, None, None]
    phases = np.array([phase_of(int(day)) for day in counts.days])
    yes, no = np.zeros(design.shape), np.zeros(design.shape)
    np.add.at(yes, phases, counts.decided)
    np.add.at(no, phases, spared)
    rows = np.array([design.closing(*cell) for cell in np.ndindex(design.shape)])
    prior = np.zeros((design.groups, rows.shape[1]))
    prior[:, : design.groups] = np.eye(design.groups) * _FLAT
    each = np.full(design.groups, 1.0 / design.groups)
    weights = _regress(
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
    first = _month(int(counts.days[0]))
    luck = np.eye(len(decided)) * _MONTH_SD
    rows = [
        np.append(design.winning((first + month) % PHASES, group, stage), luck[month])
        for month, group, stage in np.argwhere(decided > 0)
    ]
    rows += [np.append(design.belief(stage), np.zeros(len(luck))) for stage in range(design.stages)]
    seen = decided > 0
    weights = _regress(
        np.array(rows),
        np.append(won[seen], STAGE_DEALS * beliefs),
        np.append((decided - won)[seen], STAGE_DEALS * (1 - beliefs)),
    )
    table = np.array([design.winning(*cell) for cell in np.ndindex(design.shape)])
    return np.asarray((table @ weights[: table.shape[1]]).reshape(design.shape))


def _by_month(counts: PersonDays) -> tuple[Floats, Floats]:
    """Returns decisions and wins: calendar month x age group x stage."""
    months = np.array([_month(int(day)) for day in counts.days])
    months -= months[0]
    shape = (int(months[-1]) + 1, *counts.decided.shape[1:])
    decided, won = np.zeros(shape), np.zeros(shape)
    np.add.at(decided, months, counts.decided)
    np.add.at(won, months, counts.won)
    return decided, won


def _month(day: int) -> int:
    when = date.fromordinal(day)
    return when.year * 12 + when.month - 1


def stage_chances(record: Record, chances: Mapping[str, float]) -> Floats:
    """Returns the mapping's chance of each stage of the record; of "not known", their mean.

    Stages count in the mean as often as open deals are known to be in them.
    """
    known = [chances[name] for name in record.open_stages if name in chances]
    usual = float(np.mean(known or list(chances.values()) or [USUAL_CHANCE]))
    return np.array([chances.get(stage, usual) for stage in record.stages]).clip(0.01, 0.99)


def _regress(design: Floats, yes: Floats, no: Floats) -> Floats:
    """Returns the weights of a logistic regression with a standard normal prior on each.

    ``yes`` and ``no`` count the outcomes of each row.
    """
    outcomes = np.repeat([1, 0], len(design))
    counts = np.concatenate([yes, no])
    used = counts > 0
    model: Any = LogisticRegression(
        C=1.0, fit_intercept=False, solver="newton-cholesky", max_iter=200, tol=1e-6
    )
    model.fit(np.vstack([design, design])[used], outcomes[used], sample_weight=counts[used])
    return np.asarray(model.coef_[0], dtype=np.float64)


def logit(chance: Floats) -> Floats:
    """Returns log-odds."""
    return np.asarray(np.log(chance / (1.0 - chance)))


def _logistic(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
