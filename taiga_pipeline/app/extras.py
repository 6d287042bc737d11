"""Commands that need packages beyond the usual ones say how to get them."""

from __future__ import annotations

from importlib.util import find_spec

from taiga_pipeline.installing import how_to_get
from taiga_pipeline.problems import Problem, ProblemsError


def need_extra(command: str, extra: str, *modules: str) -> None:
    """Makes sure that an extra's modules can be imported, without importing them.

    :raises ProblemsError: some cannot; says what to install.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ProblemsError(
            [
                Problem(
                    f"{command} needs packages that are not installed ({', '.join(missing)}); "
                    f"install them with: {how_to_get(extra)}"
                )
            ]
        )
