"""A filter that matches nothing because of an unknown name is a mistake, and says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidFields, InvalidValue
from taiga_pipeline.pipeline.fields.field import FieldTable, Kind, held
from taiga_pipeline.pipeline.model import Note
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.problems import ProblemsError, did_you_mean

if TYPE_CHECKING:
    from taiga_pipeline.mapping.rules import StageRule
    from taiga_pipeline.pipeline.model import Deal

_SHOWN: Final = 20
"""How many names a message lists."""


@dataclass(frozen=True, slots=True)
class UnknownFilter:
    """A name that was filtered by, and the ones that deals and mappings have for its field."""

    field: str
    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        """Says so, with the nearest name and some others."""
        more = ", ..." if len(self.known) > _SHOWN else ""
        return (
            f"no deal has the {self.field} {self.name!r}{did_you_mean(self.name, self.known)} "
            f"({self.field}s: {', '.join(self.known[:_SHOWN]) or 'none'}{more})"
        )


class UnknownFilters(InvalidValue):
    """Unknown names in a filter."""

    def __init__(self, unknown: Sequence[UnknownFilter]) -> None:
        super().__init__(*map(str, unknown))
        self.unknown = tuple(unknown)


class UnreadableFilters(InvalidFields):
    """Texts in a filter that their fields cannot hold."""


def stages_meant(workspace: Workspace, names: Iterable[str]) -> list[str]:
    """Returns the names of stages with all other names that mappings know for the same ones."""
    found = dict.fromkeys(names)
    for known in _stages(workspace):
        if {folded(name) for name in known} & {folded(line(name)) for name in names}:
            found |= dict.fromkeys(known)
    return list(found)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What deals have to hold: field -> value, as it is compared."""

    values: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The texts among them: an unknown one is probably mistyped."""

    @classmethod
    def of(cls, texts: Mapping[str, str], table: FieldTable) -> Conditions:
        """Reads what fields have to hold.

        :raises UnreadableFilters: all that cannot be read.
        """
        try:
            values = read_fields(texts, table=table)
        except InvalidFields as error:
            raise UnreadableFilters(error.fields) from None
        words = {name: (text,) for name, text in texts.items() if table[name].kind is Kind.TEXT}
        return cls({name: _comparable(values[name]) for name in texts}, words)

    def are_met_by(self, deal: Deal) -> bool:
        """Tells whether a deal holds all of that; letter case does not matter."""
        return all(
            _meets(_comparable(held(deal, name)), value) for name, value in self.values.items()
        )


def _meets(holds: Any, asked: Any) -> bool:
    """Whether a field holds what was asked for; of a log, whether one of its notes says that."""
    return holds == asked or (isinstance(asked, _Texts) and bool(asked) and asked <= holds)


class _Texts(frozenset[str]):
    """What the notes of a log say."""


def _comparable(value: Any) -> Any:
    if isinstance(value, tuple) and any(isinstance(each, Note) for each in value):
        return _Texts(folded(each.text) for each in value)
    return folded(line(value)) if isinstance(value, str) else value


def refuse_unknown(
    workspace: Workspace, deals: Callable[[], Iterable[Deal]], asked: Mapping[str, Sequence[str]]
) -> None:
    """Returns if each name that was filtered by is one that deals or mappings have.

    ``asked``: field -> names. Of an owner, a part of the name is enough.

    :raises UnknownFilters: some are not; each with the nearest one.
    """
    known: dict[str, set[str]] = {name: set() for name in asked}
    for deal in deals():
        for name, names in known.items():
            names.add(str(held(deal, name)))
    if "stage" in known:
        known["stage"].update(name for names in _stages(workspace) for name in names)
    unknown = [
        UnknownFilter(field, name, tuple(sorted(known[field] - {""}, key=folded)))
        for field, names in asked.items()
        for name in names
        if name and not _is_known(field, folded(line(name)), map(folded, known[field]))
    ]
    if unknown:
        raise UnknownFilters(unknown)


def _is_known(field: str, name: str, known: Iterable[str]) -> bool:
    return any(name in each if field == "owner" else name == each for each in known)


def refuse_unknown_stages(
    workspace: Workspace, deals: Callable[[], Iterable[Deal]], stages: Sequence[str]
) -> None:
    """Returns if each stage is one of the mappings, by any of its names, or one of a deal.

    :raises UnknownFilters: some are not; each with the nearest one.
    """
    known = {folded(name) for names in _stages(workspace) for name in names}
    if any(folded(line(name)) not in known for name in stages):
        refuse_unknown(workspace, deals, {"stage": stages})


def known_stages(workspace: Workspace) -> list[str]:
    """Returns the names of the stages of all mappings, in the order of the funnel."""
    return list(dict.fromkeys(names[0] for names in _stages(workspace)))


def known_rules(workspace: Workspace) -> dict[str, StageRule]:
    """Returns the stages of all mappings by their names, in the order of the funnel.

    Where several mappings have a stage of one name, it is the first one's.
    """
    try:
        rules = workspace.load_mappings().rules
    except ProblemsError:
        return {}
    found: dict[str, StageRule] = {}
    for stage in (stage for each in rules for stage in each.stages):
        found.setdefault(stage.name, stage)
    return found


def _stages(workspace: Workspace) -> list[tuple[str, ...]]:
    """Returns the names of each stage of each mapping; none where mappings cannot be read."""
    try:
        rules = workspace.load_mappings().rules
    except ProblemsError:
        return []
    return [(stage.name, *stage.aliases) for each in rules for stage in each.stages]
