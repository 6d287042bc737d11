"""The mapping files that come with the program, for `init` and as examples.

They are in ``mappings/`` of the source tree; the package holds a link to that folder, which a
wheel contains as a folder of its own.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

DEFAULT: Final = "default"
SUFFIX: Final = ".toml"


def _folder() -> Traversable:
    return files("taiga_pipeline") / "shipped_mappings"


def shipped_names() -> tuple[str, ...]:
    """Returns the names of the mappings that come along, sorted."""
    names = [file.name for file in _folder().iterdir() if file.name.endswith(SUFFIX)]
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names))


def shipped_text(name: str) -> str:
    """Returns the text of a mapping that comes along.

    :raises ProblemsError: there is none of that name; says which there are.
    """
    names = shipped_names()
    if name not in names:
        near = did_you_mean(name, names)
        message = f"there is no mapping {name!r}{near}; there are {', '.join(names)}"
        raise ProblemsError([Problem(message)])
    return (_folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8")
