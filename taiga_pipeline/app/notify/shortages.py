"""Which roles are short, as messages and digests say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.pipeline_data import Pipeline
from taiga_pipeline.app.planning.inputs import STATED, options_for, plan_input
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.notify.events import Shortage
from taiga_pipeline.planning.weeks import week_name

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.result import RoleCapacity

SHORT_HOURS: Final = 8
"""A role is short if so many hours are missing in all weeks together."""
NAMED_DEALS: Final = 3
_TRIALS: Final = 2_000


def roles_now(workspace: Workspace, read: Pipeline) -> Iterator[tuple[str, Shortage | None]]:
    """Yields the roles of the plan, each with the hours that it lacks, None if it has enough.

    :raises ProblemsError: what planning needs is not installed, or what is wrong with the rules.
    :raises Stop: the source does not answer.
    """
    from taiga_pipeline.planning.capacity.find import find_capacity

    given = plan_input(workspace, STATED, read)
    options = options_for(
        workspace,
        team="",
        first=None,
        weeks=None,
        quantile=None,
        trials=_TRIALS,
        seed=1,
        brief=True,
    )
    report = find_capacity(given.situation, given.mappings, given.outlooks, options)
    weeks = [week_name(week) for week in report.weeks]
    for role in report.roles:
        yield role.role, _shortage(role, weeks)


def _shortage(role: RoleCapacity, weeks: list[str]) -> Shortage | None:
    short = [at for at, cell in enumerate(role.weeks) if round(cell.gap) > 0]
    hours = sum(round(role.weeks[at].gap) for at in short)
    if hours < SHORT_HOURS:
        return None
    because = dict.fromkeys(driver.deal_key for driver in role.total.drivers)
    return Shortage(role.role, hours, len(short), weeks[short[0]], tuple(because)[:NAMED_DEALS])
