"""What the adapters say about ``[source]`` and ``[target]``: asked only where a file leaves open
what another adapter would need, or holds what none but its own can know."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.adapters import Setting
from taiga_pipeline.config_problems import misplaced
from taiga_pipeline.problems import ProblemsError, did_you_mean
from taiga_pipeline.toml_places import KeyPath

if TYPE_CHECKING:
    from sync.target import Target
    from taiga_pipeline.targets.port import TargetAdapter

Found = tuple[KeyPath, str]

WAYS_IN: Final = (
    "password_env",
    "password_file",
    "token_env",
    "token_file",
    "application_token_env",
)
"""Settings that lead to what the account logs in with."""
_PASSWORD: Final = "password"  # noqa: S105 - a way to log in, as `targets.port` has it
DEFAULT_SOURCE: Final = "store"
DEFAULT_TARGET: Final = "taiga"
"""Kinds of adapters that are meant where a configuration names none."""


def default_url(source: Mapping[str, Any]) -> str:
    """Returns the URL that a source has where its section names none, "" for none."""
    from taiga_pipeline.sources.registry import find  # noqa: PLC0415

    try:
        return find(str(source.get("kind", DEFAULT_SOURCE))).default_url
    except ProblemsError:  # which is reported where deals are read
        return ""


def target_problems(
    target: Mapping[str, Any], known: Collection[str], sections: Mapping[str, Collection[str]]
) -> Iterator[Found]:
    """Yields what a ``[target]`` section lacks, and unknown keys in it.

    ``known`` are the keys that every target may have, ``sections`` those of all sections.
    Adapters are looked up only where there is something to ask.
    """
    strange = [key for key in target if key not in known]
    has_way = any(target.get(way) for way in WAYS_IN)
    lacks_name = _has_password(target) and target.get("username", "") == ""
    if target.get("url") and has_way and not (strange or lacks_name):
        return
    found = _target_adapter(target)
    if isinstance(found, str) and strange:  # whose they are is unknown as long as the kind is
        yield ("target", "kind"), found
        return
    adapter = None if isinstance(found, str) else found
    if lacks_name and (adapter is None or _PASSWORD in adapter.ways_in):
        yield ("target",), "target: needs a username with the password"
    if not target.get("url") and (adapter is None or adapter.needs_url):
        yield ("target",), "'target.url' is missing"
    elif not has_way and (adapter is None or adapter.ways_in):
        ways = ", ".join(ways_of(adapter))
        yield ("target",), f"target: needs exactly one of {ways}; none is set"
    yield from _own(target, strange, known, sections, adapter)


def _has_password(target: Mapping[str, Any]) -> bool:
    return bool(target.get("password_env") or target.get("password_file"))


def ways_of(adapter: TargetAdapter[Target] | None) -> list[str]:
    """Returns the settings that lead to a secret which an adapter takes."""
    return [way for way in WAYS_IN if adapter is None or way.rsplit("_", 1)[0] in adapter.ways_in]


def _own(
    target: Mapping[str, Any],
    strange: Collection[str],
    known: Collection[str],
    sections: Mapping[str, Collection[str]],
    adapter: TargetAdapter[Target] | None,
) -> Iterator[Found]:
    own = {setting.name: setting for setting in adapter.own_settings} if adapter else {}
    for key in strange:
        if key not in own:
            hint = did_you_mean(key, (*known, *own)) or misplaced(key, sections)
            yield ("target", key), f"unknown key 'target.{key}'{hint}"
        elif not _is_like(target[key], own[key]):
            needed = "text" if isinstance(own[key].example, str) else "a whole number"
            yield ("target", key), f"target.{key}: must be {needed}"


def _is_like(value: object, setting: Setting) -> bool:
    return isinstance(value, type(setting.example)) and not isinstance(value, bool)


def _target_adapter(target: Mapping[str, Any]) -> TargetAdapter[Target] | str:
    """Returns the adapter, or why there is none."""
    from taiga_pipeline.targets.registry import UnknownTargetError, find  # noqa: PLC0415

    try:
        return find(str(target.get("kind", DEFAULT_TARGET)))
    except UnknownTargetError as error:
        return "; ".join(str(problem) for problem in error.problems)


def no_secrets(section: str, key: str, kind: str) -> str:
    """Returns what to say about a secret that is in the file, and where it belongs."""
    begin = f"{section}.{key}: a secret does not belong in this file; put "
    end = "; and change the secret if this file was shared"
    kind = kind or (DEFAULT_SOURCE if section == "source" else DEFAULT_TARGET)
    names = [setting.name for setting in _settings(section, kind)]
    way = next((name for name in (f"{key}_env", *names) if name in names and _leads(name)), "")
    name = way.removesuffix("_env") or key
    variable = f"{re.sub(r'[^A-Za-z0-9]', '_', kind)}_{name}".upper()
    if name == "url":
        what = "the whole URL in an environment variable"
        return f'{begin}{what} and write url_env = "{variable}"{end}'
    return (
        f'{begin}it in an environment variable and write {name}_env = "{variable}", or in '
        f'a file of mode 0600 and write {name}_file = "{name}.txt"{end}'
    )


def _leads(name: str) -> bool:
    return name.endswith("_env")


def _settings(section: str, kind: str) -> tuple[Setting, ...]:
    """Returns the settings that the adapter of a section shows, none where it is not installed."""
    from taiga_pipeline.sources import registry as sources  # noqa: PLC0415
    from taiga_pipeline.targets import registry as targets  # noqa: PLC0415

    try:
        if section == "source":
            return sources.find(kind or DEFAULT_SOURCE).settings
        return targets.find(kind or DEFAULT_TARGET).settings
    except ProblemsError:
        return ()
