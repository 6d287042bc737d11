"""What if, asked again and again about one plan, as a page in the browser does."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.app.planning.inputs import PlanInput, options_for, plan_input
from taiga_pipeline.app.workspace import Workspace

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.result import CapacityReport
    from taiga_pipeline.planning.scenario.model import Scenario
    from taiga_pipeline.planning.scenario.what_if import WhatIf

SUPPOSED: Final = "what if"
"""The name of what is supposed; it is not saved."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Today's plan, and what it becomes. Neither names drivers."""

    before: CapacityReport
    after: CapacityReport


class Questions:
    """A plan that questions are asked about. What deals and people become later is not in it: open
    a new one when they change. Who asks while another question is answered waits for it.

    ``given`` is what the plan was made of, ``before`` is the plan.
    """

    def __init__(self, what_if: WhatIf, given: PlanInput) -> None:
        self._what_if = what_if
        self._lock = threading.Lock()
        self.given = given
        self.before = replace(what_if.before, notices=(*given.notices, *what_if.before.notices))

    def ask(self, supposed: Mapping[str, Sequence[str]]) -> Answer:
        """Returns the plan before and after. ``supposed`` has texts by change, as `save_scenario`
        takes them: ``{"win": ["D-7"], "delay": ["D-2=4w"]}``.

        :raises InvalidValue: what cannot be read, contradicts itself, or is not there.
        """
        from taiga_pipeline.planning.scenario.file import scenario_of

        scenario = scenario_of(SUPPOSED, supposed)
        with self._lock:
            after = self._what_if.suppose(scenario)
        return Answer(self.before, replace(after, notices=self.before.notices))

    def explained(self, scenario: Scenario | None = None) -> CapacityReport:
        """Returns the plan under a scenario (None: today's) with the deals behind each gap; this
        takes as long as drawing it.

        :raises InvalidValue: it contradicts itself, or names what is not there.
        """
        with self._lock:
            return replace(self._what_if.explained(scenario), notices=self.before.notices)


def open_questions(workspace: Workspace, *, chances: str | None = None, **asked: Any) -> Questions:
    """Reads the pipeline and draws its plan, which takes as long as `capacity_of`; each question
    then takes a fraction of it. ``asked``: see `options_for`.

    :raises UnknownName: there is no such team.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the packages.
    :raises Unreachable: the source does not answer.
    """
    given = plan_input(workspace, chances)
    options = options_for(workspace, **asked)
    from taiga_pipeline.planning.scenario.what_if import WhatIf

    what_if = WhatIf(given.situation, given.mappings, given.outlooks, options)
    return Questions(what_if, given)
