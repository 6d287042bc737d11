"""Commands that need packages beyond the usual ones say how to get them."""

from __future__ import annotations

from importlib.util import find_spec

from taiga_pipeline.installing import SANDBOX, how_to_get, how_to_get_the_sandbox
from taiga_pipeline.problems import Problem, ProblemsError


def need_extra(command: str, extra: str, *modules: str) -> None:
    """Makes sure that an extra's modules can be imported, without importing them.

    :raises ProblemsError: some cannot; says what to install.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise _missing(command, ", ".join(missing), how_to_get(extra))


def need_sandbox(command: str) -> None:
    """Makes sure that the practice server is installed.

    :raises ProblemsError: it is not; says what to install.
    """
    found = find_spec("taiga_pipeline.sandbox")
    if found is None or found.origin is None:  # without an origin, it is a folder that was left
        raise _missing(command, SANDBOX, how_to_get_the_sandbox())
    need_extra(command, "demo", "jinja2")  # a checkout has the server, and not what it needs


def _missing(command: str, what: str, how: str) -> ProblemsError:
    message = f"{command} needs packages that are not installed ({what}); install them with: {how}"
    return ProblemsError([Problem(message)])
