"""The rules that turn deals into projects: checked, explained, and compared with an edited copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync.errors import Stop
from taiga_pipeline.app.engine import holding_of, phases_there
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.workspace import Workspace, shortest
from taiga_pipeline.mapping.check import shortcomings
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.diff import Tally, compare_all
from taiga_pipeline.mapping.explain import explain
from taiga_pipeline.mapping.load import load_mappings, overlooked, replacing
from taiga_pipeline.mapping.several.renames import renamed_phases, renamed_since
from taiga_pipeline.pipeline.errors import UnknownDeal
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.records import phase_of
from taiga_pipeline.sources.mapped import PhasesThere
from taiga_pipeline.sources.port import going_through

if TYPE_CHECKING:
    from sync.plan.limits import Breach
    from taiga_pipeline.mapping.diff import DealDifference
    from taiga_pipeline.mapping.explain import Explanation
    from taiga_pipeline.mapping.load import Replacement
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.pipeline.fields.field import FieldTable
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.sources.port import DealReading


@dataclass(frozen=True, slots=True)
class Checked:
    """Mappings without a problem, and files beside them that were probably meant to be some.

    ``renamed`` are phases that look like others, which have projects, under another name.
    """

    mappings: MappingSet
    overlooked: tuple[Path, ...]
    renamed: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """What an edited mapping would change.

    ``differences`` are those that were asked for, ``rest`` counts the others, ``tally`` counts all.
    ``breaches`` are the limits of a run that they exceed. ``place`` says which files the edited
    ones take the place of. ``renamed`` are phases that look like others under another name.
    """

    place: Replacement
    differences: tuple[DealDifference, ...]
    rest: int
    tally: Tally
    breaches: tuple[Breach, ...]
    renamed: tuple[Problem, ...] = ()


def check_mappings(workspace: Workspace, places: Sequence[Path] = ()) -> Checked:
    """Looks for every problem in mapping files; ``places`` are files or folders.

    Where none is named, those of the configuration are meant.

    :raises ProblemsError: every problem, each with file, line and column.
    """
    places = list(places) or [shortest(workspace.settings.sync.mappings)]
    mappings = load_mappings(places, known_fields(workspace))
    lacking = [problem for rules in mappings.rules for problem in shortcomings(rules)]
    if lacking:
        raise ProblemsError(lacking)
    files = tuple(file for place in places for file in overlooked(place))
    return Checked(mappings, files, tuple(renamed_since(mappings, _phases_followed(workspace))))


def _phases_followed(workspace: Workspace) -> frozenset[str]:
    """Returns the ids of phases whose projects are kept in step; none where that is unknown."""
    if not workspace.config_path.exists():
        return frozenset()
    try:
        there = phases_there(workspace) if workspace.has_state() else PhasesThere()
        return frozenset(phase_of(key) for key in there.keys)
    except (ProblemsError, Stop):  # which is reported where the store is needed
        return frozenset()


def known_fields(workspace: Workspace) -> FieldTable:
    """Returns the fields that deals have; without a configuration, the built-in ones."""
    return workspace.fields if workspace.config_path.exists() else BUILT_IN


def explain_project(workspace: Workspace, key: str) -> Explanation:
    """Says why the project of a deal looks as it does: file, rule and values of every field.

    :raises UnknownDeal: there is no such deal.
    :raises ProblemsError: the deal cannot be read, or a mapping has problems.
    :raises Unreachable: the source does not answer.
    """
    mappings = workspace.load_mappings()
    reading = workspace.make_deal_source().read()
    deal = _find(reading, key)
    staffing = Staffing(reading.allocations.get(deal.key, ()), reading.people)
    dates = phases_there(workspace).dates if mappings.has_phases else {}
    return explain(mappings, deal, staffing, workspace.today, holding_of(workspace), dates)


def _find(reading: DealReading, key: str) -> Deal:
    key, alike = key.strip(), ""
    with going_through(reading.deals) as deals:
        for deal in deals:
            if deal.key == key:
                return deal
            if deal.key.casefold() == key.casefold():
                alike = deal.key
    for row in reading.quarantined:
        if row.key == key:
            raise ProblemsError([Problem(f"{row.place}: {row.reason}")])
    raise UnknownDeal(key, alike)


def compare_mappings(workspace: Workspace, new: Path, limit: int | None = None) -> Compared:
    """Returns what an edited mapping would change, before it is in force.

    ``new`` is a folder that would take the place of all mapping files, or one file (see
    `mapping.load.replacing`). At most ``limit`` differences are kept, None keeps all. The target is
    not asked.

    :raises ProblemsError: what is wrong with either of the mappings.
    :raises Unreachable: the source does not answer.
    """
    place = replacing(shortest(workspace.settings.sync.mappings), new)
    old_rules = load_mappings(place.old, workspace.fields).with_rates(workspace.rates)
    new_rules = load_mappings(place.new, workspace.fields).with_rates(workspace.rates)
    reading = workspace.make_deal_source().read()
    there = _keys_with_project(workspace)
    deals = _with_staffing(reading)
    found: Iterable[Any] = compare_all(
        deals, old_rules, new_rules, workspace.today, there, part=holding_of(workspace).part
    )
    tally, rest = Tally(), 0
    kept: list[DealDifference] = []
    for difference in found:
        tally.count(difference)
        if difference is None:
            continue
        if limit is None or len(kept) < limit:
            kept.append(difference)
        else:
            rest += 1
    breaches = tally.size.breaches(len(there), workspace.settings.limits.by_name())
    renamed = tuple(renamed_phases(old_rules, new_rules))
    return Compared(place, tuple(kept), rest, tally, tuple(breaches), renamed)


def _with_staffing(reading: DealReading) -> Iterator[tuple[Deal, Staffing]]:
    for deal in reading.deals:
        yield deal, Staffing(reading.allocations.get(deal.key, ()), reading.people)


def _keys_with_project(workspace: Workspace) -> frozenset[str]:
    """Returns the keys of deals whose project is kept in step, as far as any run was made."""
    with state_to_read(workspace) as state:
        return frozenset(key for key, row in state.index().items() if row.is_followed)
