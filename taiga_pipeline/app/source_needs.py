"""What use cases need of the place where deals are read, and what to say where it lacks that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.sources.port import DealSource, TellsHistory

if TYPE_CHECKING:
    from collections.abc import Iterator

_IMPORT: Final = 'import them into the built-in store (source.kind = "store")'
_NO_HISTORY: Final = (
    "{what} needs a record of how deals moved; deals are read from {title}, which keeps none: "
    + _IMPORT
)
_LITTLE_HISTORY: Final = (
    "Deals are read from {title}, which keeps no record of how they moved: only the days that each "
    "deal states count."
)
_NO_PEOPLE: Final = (
    "deals are read from {title}, which reports no people: " + _IMPORT + ", and people beside them"
)


class NoHistory(ProblemsError):
    """Deals are read where nothing is on record of how they moved."""


class SourceWithHistory(DealSource, TellsHistory, Protocol):
    """A source that tells how its deals came to be as they are."""


def source_with_history(workspace: Workspace, what: str) -> SourceWithHistory:
    """Returns where deals are read; ``what`` names what needs their history.

    :raises ProblemsError: there is none, or the source cannot be used.
    """
    source = workspace.make_deal_source()
    if not isinstance(source, TellsHistory):
        title = workspace.source_adapter.title
        raise NoHistory([Problem(_NO_HISTORY.format(what=what, title=title))])
    return source


def history_notices(workspace: Workspace) -> Iterator[str]:
    """Yields what to say of a forecast where nothing is on record of deals' past."""
    adapter = workspace.source_adapter
    if not adapter.capabilities.history:
        yield _LITTLE_HISTORY.format(title=adapter.title)


def people_notices(workspace: Workspace) -> Iterator[str]:
    """Yields how people become known, for planning where no one is."""
    adapter = workspace.source_adapter
    if not adapter.capabilities.people:
        yield _NO_PEOPLE.format(title=adapter.title)
    elif adapter.adds_people:
        yield adapter.adds_people
