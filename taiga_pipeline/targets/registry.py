"""Finds the adapter for a kind of target among the installed ones; imports it only when used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from sync.clock import Clock
from sync.target import Target
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

GROUP: Final = "taiga_pipeline.targets"
"""The group of entry points that adapters are published in; each names a `TargetFactory`."""

TargetFactory = Callable[[Connection, Clock], Target]


class UnknownTargetError(ProblemsError):
    """No installed adapter goes by this name."""


def kinds() -> list[str]:
    """Returns the names of all installed target adapters, sorted."""
    return sorted({entry.name for entry in _entries()})


def create(kind: str, connection: Connection, clock: Clock) -> Target:
    """Returns a target of ``kind``, not connected yet.

    :raises UnknownTargetError: no such adapter is installed.
    :raises Unreachable: the connection's address cannot be one of such a tool.
    """
    try:
        factory: TargetFactory = _find(kind).load()
    except (ImportError, AttributeError) as error:
        message = f"target.kind: {kind!r}: its adapter cannot be imported: {error}"
        raise UnknownTargetError([Problem(message)]) from error
    return factory(connection, clock)


def _find(kind: str) -> EntryPoint:
    for entry in _entries():
        if entry.name == kind:
            return entry
    known = kinds()
    message = (
        f"target.kind: {kind!r} is not installed{did_you_mean(kind, known)}; "
        f"installed are {', '.join(known) or 'none'}"
    )
    raise UnknownTargetError([Problem(message)])


def _entries() -> Sequence[EntryPoint]:
    return tuple(entry_points(group=GROUP))
