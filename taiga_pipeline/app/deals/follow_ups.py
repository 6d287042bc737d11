"""What deals wait for, and what history says of their chances: for lists, digests and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

from taiga_pipeline.app.planning.record import read_history
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.days import day_of
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.pipeline.follow_ups import FollowUp, Standing, Usual, follow_ups, usual_days
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.problems import ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.mapping.rules import StageRule
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.forecast.forecast import Ground
    from taiga_pipeline.planning.forecast.outlooks import Step
    from taiga_pipeline.planning.history.model import History, PastDeal
    from taiga_pipeline.planning.outlook import Outlooks

_Learnt = TypeVar("_Learnt")

LEARNT_SECONDS: Final = 600.0
"""So long a program that serves for weeks goes by what it learnt from the past."""
REASONS: Final = 3
"""How many reasons of a score are told."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an open deal waits for.

    ``days_in_stage`` is None where it is not known since when it is there. ``usual`` is how long
    won deals stay there, None where nothing tells.
    """

    follow_ups: tuple[FollowUp, ...] = ()
    days_in_stage: int | None = None
    usual: Usual | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A fact that moves a chance, by so many points in a hundred, and why it does."""

    fact: str
    points: int
    because: str

    def __str__(self) -> str:
        """Says so in English, as JSON has it."""
        return f"{self.fact} {self.points:+} points: {self.because}"


@dataclass(frozen=True, slots=True)
class Score:
    """The chance to win that history gives a deal, 0 to 1, and the facts that move it most."""

    chance: float
    reasons: tuple[Reason, ...] = ()


class Followed:
    """Knows of each deal what it waits for; what that takes is read when it is first asked for.

    Works with deals of any source: of one that tells no history, the mapping says how long a stage
    takes, and there are scores only as far as there are decided deals.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._today = workspace.today

    def waiting(self, deal: Deal) -> Waiting:
        """Returns what a deal waits for; a deal that is decided, or that no mapping knows, for
        nothing."""
        stage = self.stage(deal)
        if stage is None or stage.category.is_closed:
            return Waiting()
        since = deal.stage_since and day_of(deal.stage_since, self._workspace.zone)
        days = (self._today - since).days if since else None
        usual = self._usual.get(stage.name) or Usual(stage.stale_after_days)
        standing = Standing(days, usual, rests=stage.sets_aside)
        return Waiting(follow_ups(deal, standing, self._today), days, usual)

    def ground(self) -> tuple[object, ...]:
        """Returns what all that is known of open deals stands on, but for the deals themselves."""
        rules = self._mappings.rules if self._mappings else ()
        return (self._today, self._workspace.zone, rules, self._usual)

    def stage(self, deal: Deal) -> StageRule | None:
        """Returns the stage of a deal by its mapping, None if none knows it."""
        if self._mappings is None:
            return None
        try:
            return self._mappings.stage_of(deal)[1]
        except NotMapped:
            return None

    def score(self, deal: Deal, *, with_reasons: bool = False) -> Score | None:
        """Returns the learnt chance of a deal from the proposal stage on, None for others.

        It is that of a forecast of the deal. None too where what forecasts need is not installed.
        """
        stage = self.stage(deal)
        if stage is None or stage.category is not Category.PROPOSAL or self._ground is None:
            return None
        outlook = self._outlooks.by_deal.get(deal.key)
        if outlook is None:
            return None
        return Score(outlook.probability, self._reasons(deal.key) if with_reasons else ())

    def _reasons(self, key: str) -> tuple[Reason, ...]:
        from taiga_pipeline.planning.forecast.outlooks import explain

        explanation = explain(self._ground, key) if self._ground else None
        return tuple(main_reasons(explanation.steps)) if explanation else ()

    @property
    def unread(self) -> ProblemsError | None:
        """Why the mappings cannot be read, so that it is not known what deals wait for; None where
        they can."""
        return self._read[1]

    @property
    def _mappings(self) -> MappingSet | None:
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[MappingSet | None, ProblemsError | None]:
        try:
            return self._workspace.load_mappings(), None
        except ProblemsError as error:  # a list of deals is no less true for it
            return None, error

    @cached_property
    def _history(self) -> History:
        return self._learnt("history", lambda: read_history(self._workspace, self._today))

    def _learnt(self, name: str, make: Callable[[], _Learnt]) -> _Learnt:
        """Returns what is learnt from the past, which is no other one from click to click."""
        mark = (self._today, int(self._workspace.clock.monotonic() / LEARNT_SECONDS))
        return self._workspace.remembered(f"learnt: {name}", mark, make)

    @cached_property
    def _usual(self) -> Mapping[str, Usual]:
        return self._learnt("usual days", self._read_usual)

    def _read_usual(self) -> Mapping[str, Usual]:
        return usual_days(stay for deal in self._history.decided for stay in stays(deal))

    @cached_property
    def _ground(self) -> Ground | None:
        if find_spec("numpy") is None or not self._history.decided:
            return None
        from taiga_pipeline.planning.forecast.forecast import prepare
        from taiga_pipeline.planning.forecast.outlooks import COMMON_SHOCK_DAYS

        return self._learnt(
            "ground", lambda: prepare(self._history, self._today, COMMON_SHOCK_DAYS)
        )

    @cached_property
    def _outlooks(self) -> Outlooks:
        from taiga_pipeline.planning.forecast.outlooks import outlooks_of

        ground = self._ground
        assert ground is not None
        return self._learnt("outlooks", lambda: outlooks_of(ground))


def stays(deal: PastDeal) -> Iterator[tuple[str, int]]:
    """Yields the stages that a won deal went through, with the days that it was there.

    Of one that was added and won on the same day, none are known.
    """
    if not deal.won or deal.closed is None or not deal.stages:
        return
    ends = [*(spell.since for spell in deal.stages[1:]), deal.closed]
    for spell, end in zip(deal.stages, ends, strict=True):
        yield spell.stage, (end - spell.since).days


def main_reasons(steps: Sequence[Step]) -> Iterator[Reason]:
    """Yields the facts that move a chance most, by a point at least, the strongest first."""
    changes = [(after.chance - before.chance, after) for before, after in pairwise(steps)]
    strongest = sorted(changes, key=lambda each: -abs(each[0]))[:REASONS]
    for change, step in strongest:
        if points := round(100 * change):
            yield Reason(step.name, points, step.reason)
