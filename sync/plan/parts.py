"""Groups that are parts of another one, such as a phase of a whole: what becomes of them. Pure.

A part is there for as long as its whole is, asked for or not; and it follows where its whole goes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sync.source import ChangesKeys, Source, TellsParts, wholes_of
from sync.state.rows import GroupRow


def dropped_parts(
    source: Source, index: Mapping[str, GroupRow], asked: Collection[str]
) -> dict[str, str]:
    """Returns the parts that are followed and not asked for, each with its whole, which is."""
    whole_of = wholes_of(source)
    return {
        key: whole
        for key, row in index.items()
        if row.is_followed and key not in asked and (whole := whole_of(key)) in asked
    }


def parts_of(
    source: Source, index: Mapping[str, GroupRow], wholes: Collection[str]
) -> frozenset[str]:
    """Returns the parts of some wholes that are followed."""
    whole_of = wholes_of(source)
    return frozenset(
        key
        for key, row in index.items()
        if row.is_followed and (whole := whole_of(key)) and whole in wholes
    )


def renamed_groups(source: Source, index: Mapping[str, GroupRow]) -> list[tuple[str, str]]:
    """Returns former keys of groups with what they became; parts follow their wholes."""
    renamed = list(source.key_changes().renamed) if isinstance(source, ChangesKeys) else []
    if not renamed or not isinstance(source, TellsParts):
        return renamed
    became = dict(renamed)
    for key in index:
        whole, seen = source.whole_of(key), set[str]()
        while whole in became and whole not in seen:
            seen.add(whole)
            after = became[whole]
            renamed.append((source.part_of(whole, key), source.part_of(after, key)))
            whole = after
    return renamed
