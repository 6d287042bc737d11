"""Finds the adapter for a kind of target among the installed ones; imports it only when used."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from sync.clock import Clock
from sync.errors import SyncError, in_words
from sync.target import Capabilities, Target
from taiga_pipeline.adapters import SEVERAL, installed, rivals
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.targets.port import APPLICATION_TOKEN, PASSWORD, TOKEN, TargetAdapter

log = logging.getLogger(__name__)

GROUP: Final = "taiga_pipeline.targets"
"""The group of entry points that adapters are published in; each names a `TargetAdapter`, or a
function that makes a target."""


class UnknownTargetError(ProblemsError):
    """No installed adapter goes by this name, or it cannot be used."""


def kinds() -> list[str]:
    """Returns the names of all installed target adapters, sorted."""
    return sorted(installed(GROUP))


def find(kind: str) -> TargetAdapter[Target]:
    """Returns the adapter for ``kind``.

    :raises UnknownTargetError: no such adapter is installed, or it cannot be imported.
    """
    known = installed(GROUP)
    if kind not in known:
        message = (
            f"target.kind: {kind!r} is not installed{did_you_mean(kind, known)}; "
            f"installed are {', '.join(known) or 'none'}"
        )
        raise UnknownTargetError([Problem(message)])
    several = rivals(GROUP, kind)
    if several:
        message = f"target.kind: {kind!r}: {SEVERAL.format(places=' and '.join(several))}"
        raise UnknownTargetError([Problem(message)])
    try:
        found: Any = known[kind].load()
    except Exception as error:  # whatever another person's module does when it is imported
        message = f"target.kind: {kind!r}: its adapter cannot be imported: {error}"
        raise UnknownTargetError([Problem(message)]) from error
    if isinstance(found, TargetAdapter):
        return found
    if not callable(found):
        message = f"target.kind: {kind!r}: its entry point is not an adapter"
        raise UnknownTargetError([Problem(message)])
    return TargetAdapter(kind, found)


def having(can: Callable[[Capabilities], bool]) -> list[str]:
    """Returns the titles of the installed adapters of whose capabilities ``can`` is true."""
    titles = []
    for kind in kinds():
        try:
            adapter = find(kind)
        except UnknownTargetError:
            continue
        if can(adapter.capabilities):
            titles.append(adapter.title)
    return titles


def create(kind: str, connection: Connection, clock: Clock) -> Target:
    """Returns a target of ``kind``, not connected yet.

    :raises UnknownTargetError: no such adapter is installed.
    :raises ProblemsError: settings are missing that it needs, or the account logs in by a way that
        it does not know.
    :raises Unreachable: the connection's address cannot be one of such a tool.
    """
    return make(find(kind), connection, clock)


def make(adapter: TargetAdapter[Target], connection: Connection, clock: Clock) -> Target:
    """Returns what an adapter makes, not connected yet.

    :raises ProblemsError: as `create`.
    :raises Unreachable: as `create`.
    """
    wrong = [Problem(message) for message in _wrong(adapter, connection)]
    if wrong:
        raise ProblemsError(wrong)
    try:
        return adapter(connection, clock)
    except (ProblemsError, SyncError):
        raise
    except Exception as error:  # whatever another person's program does
        log.exception("the adapter for %s failed when it was made", adapter.title)
        message = f"target.kind: the adapter for {adapter.title} is at fault: it could not be made"
        raise UnknownTargetError([Problem(f"{message} ({in_words(error)})")]) from error


def _wrong(adapter: TargetAdapter[Target], connection: Connection) -> Iterator[str]:
    given = {
        PASSWORD: connection.password,
        TOKEN: connection.token,
        APPLICATION_TOKEN: connection.application_token,
    }
    for way, secret in given.items():
        if secret is not None and way not in adapter.ways_in:
            taken = " or ".join(f"target.{each}_env" for each in adapter.ways_in)
            instead = f"write {taken}" if taken else "leave it out"
            yield f"target.{way}_env: {adapter.title} takes no such secret; {instead}"
    for setting in adapter.own_settings:
        if not setting.optional and not connection.options.get(setting.name):
            what = f" ({setting.remark})" if setting.remark else ""
            yield f"target.{setting.name} is missing; {adapter.title} needs it{what}"
