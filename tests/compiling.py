"""Has the tests compiled once, where several processes of a run need them.

The first run in a checkout rewrites and compiles hundreds of files. The processes do so at the same
time and in the same order, so that none finds what another one has compiled. So each begins with a
part of the files, and reads the others as they were compiled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    place, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    for name in sorted(modules(session.config))[place % count :: count]:
        with suppress(Exception, pytest.skip.Exception):  # the collection will say so
            import_module(name)


def modules(config: pytest.Config) -> Iterator[str]:
    """Yields the names of the test modules in the folders that are asked for."""
    for argument in config.args:
        folder = (config.invocation_params.dir / argument).resolve()
        if folder.is_dir() and folder.is_relative_to(config.rootpath):
            for path in folder.rglob("test_*.py"):
                yield ".".join(path.relative_to(config.rootpath).with_suffix("").parts)
