"""A pipeline into a tool in memory that answers wrongly once: how that run and the next end."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sync.errors import Malformed, Stop
from sync.run.runner import Outcome
from tests.contract.targets.account import Account
from tests.contract.targets.test_runs import Pipeline
from tests.reliability.lies import Ask, Change, Lies
from tests.targets.support import ManualClock

MEMBER = "ana@example.invalid"


class Tool(Protocol):
    """A tool in memory. ``projects`` are its rows, those of people and of the connector's own left
    out; ``tasks`` tell each story apart, by its project and its subject."""

    def answer(self) -> AbstractContextManager[Any]:
        """Has this process's requests answered from memory."""

    def open_account(self) -> Account:
        """Returns the connector's account."""

    def projects(self) -> Mapping[int, Mapping[str, Any]]: ...

    def tasks(self) -> list[tuple[int, str]]: ...

    def writes(self) -> Collection[object]: ...

    def forget_requests(self) -> None: ...


@dataclass
class Scene:
    """A pipeline of which one deal is to be made, one to be changed and one to be retired."""

    folder: Path
    lies: Lies
    tool: type[Any]
    count: int = 0
    answers: dict[Ask, bytes] = field(default_factory=dict)
    """Every kind of request of an undisturbed run, with what was answered to it."""

    def play(self, about: Ask | None = None, change: Change = bytes) -> object:
        """Returns how a run ends in which a kind of request is answered wrongly.

        An undisturbed one tells which kinds there are.
        """
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        clock = ManualClock()
        tool: Tool = self.tool(clock)
        with tool.answer():
            pipeline = Pipeline(tool.open_account(), folder)
            for key in ("D-1", "D-2"):
                pipeline.want(key, "tentative", MEMBER)
            pipeline.run()
            clock.sleep(3600)
            pipeline.want("D-1", "staffed", MEMBER, title="Changed")
            pipeline.want("D-2", "retired")
            pipeline.want("D-3", "tentative", MEMBER)
            if about:
                self.lies.lie(about, change)
            with self.lies.listen() as answers:
                try:
                    ending: object = pipeline.run(full=True)
                except (Stop, Malformed) as error:
                    ending = error
            if not about:
                self.answers = dict(sorted(answers.items()))
            self.lies.stop()
            outcomes = [run.outcome for run in pipeline.store.runs()]
            assert "running" not in outcomes
            self._settle(pipeline, tool, clock)
        pipeline.store.close()
        return ending

    @staticmethod
    def _settle(pipeline: Pipeline, tool: Tool, clock: ManualClock) -> None:
        """Runs until all is in step; then everything is there, once."""
        for _ in range(3):
            clock.sleep(3600)
            report = pipeline.run(full=True)
            if report.outcome is Outcome.DONE:
                break
        assert report.outcome is Outcome.DONE, report.issues
        before = copy.deepcopy(tool.projects())
        tool.forget_requests()
        assert pipeline.run(full=True).outcome is Outcome.DONE
        assert not tool.writes()
        assert tool.projects() == before
        names = sorted(str(row["name"]) for row in tool.projects().values())
        assert names == ["(lost) Acme D-2", "(tentative) Acme D-3", "Changed D-1"]
        tasks = tool.tasks()
        assert len(set(tasks)) == len(tasks)
