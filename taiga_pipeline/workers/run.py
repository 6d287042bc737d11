"""One run of a pipeline, as a worker orders it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sync.errors import DatabaseAway
from sync.plan.model import PARTIAL
from sync.run.runner import Outcome
from taiga_pipeline.app.sync.running import Performed, perform
from taiga_pipeline.app.trouble import Trouble, describe, trouble_of
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.credentials import from_file, unquoted
from taiga_pipeline.language import ENGLISH, use
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.terminal import safe
from taiga_pipeline.report.ways_out import in_words
from taiga_pipeline.workers.children import Order
from taiga_pipeline.workers.decisions import LONGEST_MESSAGE, Ended, Ending

_CUT_SHORT: Final = (Trouble.PARTIAL, Trouble.UNREACHABLE)
"""What it looks like when a wait or a request was given up because the run was to end."""
_ENDINGS: Final = {
    None: Ending.DONE,
    Trouble.USAGE: Ending.USAGE,
    Trouble.PARTIAL: Ending.PARTIAL,
    Trouble.REFUSED: Ending.REFUSED,
    Trouble.LOCKED: Ending.LOCKED,
    Trouble.UNREACHABLE: Ending.UNREACHABLE,
}
_UNEXPECTED: Final = 1

CodeFor = Callable[[Trouble | None], int]
"""Tells the number that is kept of a trouble: the exit code of a run by hand."""


def run_order(workspace: Workspace, order: Order, stop: threading.Event, code: CodeFor) -> Ended:
    """Runs the pipeline of ``order``; returns how that ended, whatever happened."""
    workspace.use_config(str(order.config))
    try:
        if order.environment_file is not None:
            os.environ.update(read_environment(order.environment_file))
        _check_name(workspace, order)
        return _summed_up(perform(workspace, stop), stop, code)
    except Exception as error:
        trouble = trouble_of(error)
        if trouble is None:
            return Ended(Ending.UNEXPECTED, _UNEXPECTED, _cut(describe(error)))
        if stop.is_set() and trouble in _CUT_SHORT:
            return Ended(Ending.STOPPED, code(trouble))
        ending = Ending.DATABASE_AWAY if isinstance(error, DatabaseAway) else _ENDINGS[trouble]
        with use(ENGLISH):  # it is kept
            return Ended(ending, code(trouble), _cut(in_words(error)))


def _check_name(workspace: Workspace, order: Order) -> None:
    """A configuration that was renamed since its job was queued is another pipeline."""
    found = workspace.settings.pipeline
    if found != order.name:
        message = f"names the pipeline {found!r}, not {order.name!r}"
        raise ProblemsError([Problem(message, str(order.config))])


def _summed_up(done: Performed, stop: threading.Event, code: CodeFor) -> Ended:
    trouble, last = done.trouble, done.results[-1]
    stopped = stop.is_set() and last.outcome is Outcome.STOPPED
    away = any(isinstance(result.stopped_by, DatabaseAway) for result in done.results)
    ending = Ending.DATABASE_AWAY if away else _ENDINGS[trouble]
    return Ended(
        Ending.STOPPED if stopped else ending,
        code(trouble),
        _cut(done.why),
        waiting=sum(issue.kind in PARTIAL for issue in last.issues),
        applied=sum(len(result.applied) for result in done.results),
        requests=sum(result.requests for result in done.results),
    )


def _cut(message: str) -> str:
    """Returns why a run went wrong, harmless, and no longer than what is kept of it."""
    text = safe(message)
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


def read_environment(path: Path) -> dict[str, str]:
    """Returns the variables in a file of ``NAME=value`` lines, as shells and systemd read it.

    :raises SecretError: the file cannot be read, or everyone may read it.
    :raises ProblemsError: lines that are none such; they are not repeated.
    """
    found: dict[str, str] = {}
    problems = []
    text = from_file("pipelines.environment_file", path).reveal()
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        words = line.strip().removeprefix("export ")
        if not words or words.startswith(("#", ";")):
            continue
        name, separator, value = words.partition("=")
        if separator and name.strip().isidentifier():
            found[name.strip()] = unquoted(value)
        else:
            problems.append(Problem("is not written NAME=value", str(path), number))
    if problems:
        raise ProblemsError(problems)
    return found
