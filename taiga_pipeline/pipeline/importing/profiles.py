"""How a list was read, kept by its origin: the next import needs no options.

Kept is how the list is read: its columns, stages, formats. Not kept is what is decided each time:
whose side wins, whether blank cells clear, whether gates are forced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from taiga_pipeline.hints import word
from taiga_pipeline.pipeline.importing.options import ImportOptions

_PAIRS: Final = {"columns": "--column", "stages": "--stage", "defaults": "--default"}
_TEXTS: Final = {
    "name": "--name",
    "key": "--key",
    "currency": "--currency",
    "date_format": "--date-format",
    "decimal": "--decimal",
    "probability_scale": "--probability-scale",
    "time_zone": "--time-zone",
    "delimiter": "--delimiter",
    "encoding": "--encoding",
    "sheet": "--sheet",
}
_IGNORE: Final = "--ignore"
FORGET: Final = "--forget-columns"
Profile = Mapping[str, Any]
"""The options that are kept, as JSON holds them; what was not given is not in it."""


@dataclass(frozen=True, slots=True)
class EffectiveOptions:
    """The options of an import with those that were kept; ``kept`` lists these as they are typed,
    as far as they count."""

    options: ImportOptions
    kept: tuple[str, ...] = ()


def profile_of(options: ImportOptions) -> Profile:
    """Returns what is to be kept of the options of an import."""
    kept: dict[str, Any] = {name: dict(getattr(options, name)) for name in _PAIRS}
    kept |= {name: getattr(options, name) for name in _TEXTS}
    kept["ignored"] = sorted(options.ignored)
    kept["values"] = [[field, theirs, ours] for (field, theirs), ours in options.values.items()]
    return {name: value for name, value in kept.items() if value}


def with_profile(options: ImportOptions, profile: Profile) -> EffectiveOptions:
    """Returns options with those that were kept, where none were given: each by itself."""
    if not profile:
        return EffectiveOptions(options)
    kept = _without_other_uses(options, _without_other_keys(options, profile))
    changed: dict[str, Any] = {
        name: {**kept.get(name, {}), **getattr(options, name)} for name in _PAIRS
    }
    values = {(field, theirs): ours for field, theirs, ours in kept.get("values", ())}
    changed["values"] = {**values, **options.values}
    changed["ignored"] = frozenset(options.ignored) | frozenset(kept.get("ignored", ()))
    changed |= {name: getattr(options, name) or kept.get(name, "") for name in _TEXTS}
    return EffectiveOptions(replace(options, **changed), tuple(_typed(options, kept)))


def _without_other_keys(options: ImportOptions, profile: Profile) -> dict[str, Any]:
    """Returns the profile without its way to find keys, where another one is given."""
    kept = dict(profile)
    if "key" in options.columns:
        kept.pop("key", None)
    if options.key and "columns" in kept:
        kept["columns"] = {
            ours: theirs for ours, theirs in kept["columns"].items() if ours.strip() != "key"
        }
    return kept


def _without_other_uses(options: ImportOptions, profile: dict[str, Any]) -> dict[str, Any]:
    """Returns the profile without what it says of columns of which the options say something."""
    columns, named = profile.get("columns", {}), set(options.columns.values())
    used = {ours: theirs for ours, theirs in columns.items() if theirs not in options.ignored}
    ignored = [each for each in profile.get("ignored", ()) if each not in named]
    return profile | {"columns": used, "ignored": ignored}


def _typed(options: ImportOptions, kept: Profile) -> Iterator[str]:
    for name, option in _PAIRS.items():
        for left, right in kept.get(name, {}).items():
            if left not in getattr(options, name):
                yield f"{option} {word(f'{left}={right}')}"
    for header in kept.get("ignored", ()):
        if header not in options.ignored:
            yield f"{_IGNORE} {word(header)}"
    for field, theirs, ours in kept.get("values", ()):
        if (field, theirs) not in options.values:
            yield f"--value {word(f'{field}:{theirs}={ours}')}"
    for name, option in _TEXTS.items():
        if kept.get(name) and not getattr(options, name):
            yield f"{option} {word(kept[name])}"
