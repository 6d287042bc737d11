"""Reading a source's settings from the config, with all problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

COMMON = ("kind", "folder")
"""Given to every source: its kind, and the folder against which it resolves relative paths."""


def check_settings(
    kind: str, settings: Mapping[str, object], known: Iterable[str], required: Iterable[str]
) -> None:
    """Checks the names in a source's settings.

    :raises ProblemsError: unknown and missing names, with the nearest known one.
    """
    names = (*COMMON, *known)
    problems = [
        f"[source] {name} is no setting of a {kind} source{did_you_mean(name, names)}"
        for name in settings
        if name not in names
    ]
    problems += [
        f"[source] {name} is missing; a {kind} source needs it"
        for name in required
        if not settings.get(name)
    ]
    if problems:
        raise ProblemsError([Problem(message) for message in problems])


def text_setting(settings: Mapping[str, object], name: str, default: str = "") -> str:
    """Returns a setting that is text.

    :raises ProblemsError: it is something else.
    """
    value = settings.get(name, default)
    if not isinstance(value, str):
        raise ProblemsError([Problem(f"[source] {name} must be text, not {value!r}")])
    return value


def table_setting(settings: Mapping[str, object], name: str) -> dict[str, str]:
    """Returns a setting that is a table of text.

    :raises ProblemsError: it is something else.
    """
    value = settings.get(name, {})
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise ProblemsError([Problem(f'[source.{name}] must be a table of names = "text"')])
    return {str(key): str(text) for key, text in value.items()}
