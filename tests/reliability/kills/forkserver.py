"""Makes child processes cheap: imports the program once, and forks for each run.

A process of its own, with a single thread: a fork of the test process would copy the locks that
the sandbox's threads hold. Each line on stdin is a job (JSON: ``folder``, ``kill_at``,
``arguments``), each line on stdout the exit code of a child that did it, in the same order.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Final

from tests.reliability.kills import child

_USED_BY_A_RUN: Final = (
    "sqlalchemy.dialects.sqlite",
    "taiga_pipeline.cli.sync.plan_and_run",
    "taiga_pipeline.app.engine",
    "taiga_pipeline.cli.log",
    "taiga_pipeline.config",
    "taiga_pipeline.mapping.load",
    "taiga_pipeline.sources.registry",
    "taiga_pipeline.sources.store",
    "taiga_pipeline.sources.mapped",
    "taiga_pipeline.targets.registry",
    "taiga_pipeline.targets.taiga.adapter",
)


def serve() -> None:
    """Does the jobs on stdin one after the other, until it is closed."""
    for module in _USED_BY_A_RUN:
        importlib.import_module(module)
    for line in sys.stdin:
        print(_exit_code(json.loads(line)), flush=True)


def _exit_code(job: dict[str, object]) -> int:
    process = os.fork()
    if process == 0:
        _become_child(job)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


def _become_child(job: dict[str, object]) -> None:
    """Does the job; never returns."""
    folder = Path(str(job["folder"]))
    for stream, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, stream)
    code = 1
    try:
        child.run(folder, int(str(job["kill_at"])), list(job["arguments"]))  # type: ignore[call-overload]
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
