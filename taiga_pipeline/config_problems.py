"""What is wrong with a value of ``config.toml``, in the words of the file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.look_alikes import explain_look_alike
from taiga_pipeline.problems import did_you_mean, nearest
from taiga_pipeline.toml_places import KeyPath
from taiga_pipeline.validation_words import choices_in, in_toml, must

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_A_LIST: Final = 'must be a list such as ["a", "b"]'


def explain(
    details: ErrorDetails,
    data: Mapping[str, Any],
    known: Iterable[str],
    lists: Iterable[str],
    sections: Mapping[str, Collection[str]],
) -> tuple[KeyPath, str]:
    """Returns the path and the message for one of pydantic's errors.

    ``data`` is the content of the file, ``known`` the keys that the section at fault may have,
    ``lists`` the sections of which there may be several, ``sections`` the keys of all others, with
    those before the first one under "".
    """
    path, kind = details["loc"], details["type"]
    name = path_in_words(path, data)
    if kind == "extra_forbidden":
        hint = did_you_mean(str(path[-1]), known) or misplaced(str(path[-1]), sections)
        return path, f"unknown key {_key_in(path, data)}{hint}"
    if kind == "missing":
        return path[:-1], f"{_key_in(path, data)} is missing"
    if name == "pipeline" and kind == "string_pattern_mismatch":
        return path, "pipeline: 1 to 40 of the characters A-Z a-z 0-9 . _ - are allowed"
    if len(path) == 1 and name in lists:
        return path, _about_sections(name, details)
    if kind == "model_type":
        return path, f"{name}: must be a section, written [{name}]"
    return path, f"{name}: {_wrong(details, str(path[-1]))}"


def misplaced(key: str, sections: Mapping[str, Collection[str]]) -> str:
    """Returns where a key belongs that its own section does not know, "" if nowhere.

    In TOML, a key belongs to the last section above it.
    """
    if key in sections:
        return f"; it is a section of its own, written [{key}]"
    for section, known in sections.items():
        if found := key if key in known else nearest(key, known):
            if section:
                return f"; {found!r} belongs under [{section}]"
            return f"; {found!r} belongs before the first section"
    return ""


def _about_sections(name: str, details: ErrorDetails) -> str:
    """Says what is wrong with sections of which there may be several, taken together."""
    if details["type"] == "list_type":
        return f"{name}: must be sections, each written [[{name}]]"
    if details["type"] == "too_long":
        found, most = len(details["input"]), details["ctx"]["max_length"]
        return f"{name}: there are {found} sections [[{name}]]; there may be at most {most}"
    return f"{name}: {details['msg'].removeprefix('Value error, ')}"


def _wrong(details: ErrorDetails, key: str) -> str:
    """Says what a value must be, and what it is.

    What stands where a secret's place is named is often the secret itself: it is not repeated.
    """
    if details["type"] == "value_error":
        return details["msg"].removeprefix("Value error, ")
    found, names_secret = details["input"], key.endswith(("_env", "_file", "url", "state"))
    if names_secret:
        return must(details, lambda _: "something else", _A_LIST)
    words = choices_in(details)
    near = did_you_mean(str(found), words).replace("'", '"')
    said = (
        f"must be one of {', '.join(words)}, not {in_toml(found)}{near}"
        if words
        else must(details, in_toml, _A_LIST)
    )
    reason = explain_look_alike(found) if isinstance(found, str) else ""
    return f"{said}; {reason}" if reason else said


def path_in_words(path: KeyPath, data: Mapping[str, Any]) -> str:
    """Returns ``source.url``; of several sections, which one: ``field "region", kind``.

    A section without a name that can be read is called by its place: ``field 2, kind``.
    """
    if len(path) < 2 or not isinstance(path[1], int):
        return _dotted(path)
    section = _section(path, data)
    return f"{section}, {_dotted(path[2:])}" if path[2:] else section


def _key_in(path: KeyPath, data: Mapping[str, Any]) -> str:
    """Returns a key that is missing or unknown, with the section that it belongs to."""
    if len(path) < 3 or not isinstance(path[1], int):
        return repr(_dotted(path))
    return f"{_dotted(path[2:])!r} in {_section(path, data)}"


def _section(path: KeyPath, data: Mapping[str, Any]) -> str:
    name, place = path[0], path[1]
    try:
        own = data[str(name)][place]["name"]
    except (KeyError, TypeError, IndexError):
        own = None
    is_name = isinstance(own, str) and own and path[2:] != ("name",)
    return f'{name} "{own}"' if is_name else f"{name} {int(place) + 1}"


def _dotted(path: KeyPath) -> str:
    parts = [f" {part + 1}" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")
