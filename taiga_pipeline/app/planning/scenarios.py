"""What if: supposed changes, saved under a name and compared with today. Nothing real changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.planning.inputs import STATED, options_for, plan_input
from taiga_pipeline.app.planning.places import scenario_path
from taiga_pipeline.app.store_access import people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import AlreadyThere, InvalidValue
from taiga_pipeline.pipeline.model import PlanningChange, PlanningKind

if TYPE_CHECKING:
    from taiga_pipeline.planning.scenario.compare import Column
    from taiga_pipeline.planning.scenario.file import ScenarioFile
    from taiga_pipeline.planning.scenario.model import Scenario


class NothingSupposed(InvalidValue):
    """A scenario that changes nothing."""

    def __init__(self) -> None:
        super().__init__("the scenario is empty")


class ScenarioThere(AlreadyThere):
    """A scenario of this name is saved already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a scenario {name!r} already")
        self.name = name


@dataclass(frozen=True, slots=True)
class Compared:
    """Today and scenarios, side by side. The first column is today."""

    columns: tuple[Column, ...]
    notices: tuple[str, ...]


def save_scenario(
    workspace: Workspace,
    name: str,
    supposed: Mapping[str, Sequence[str]],
    *,
    replace_same: bool = False,
    by: str = "",
) -> Scenario:
    """Saves a scenario. ``supposed`` has texts by change, such as ``{"delay": ["D-2=4w"]}``.

    :raises NothingSupposed: no change is named.
    :raises ScenarioThere: one of this name is saved, and ``replace_same`` is not given.
    :raises ProblemsError: changes that cannot be read, or of deals and people that are not there.
    """
    from taiga_pipeline.planning.scenario.file import scenario_of
    from taiga_pipeline.planning.scenario.model import TODAY, apply_scenario

    need_extra("scenario add", "planning", "tomlkit")
    from taiga_pipeline.planning.scenario.writing import put_scenario

    new = scenario_of(name, supposed)
    if new.is_empty:
        raise NothingSupposed
    if new.name == TODAY:
        raise InvalidValue(f"{TODAY!r} is what scenarios are compared with; choose another name")
    file = _file(workspace)
    before = file.all().get(new.name)
    if before and not replace_same:
        raise ScenarioThere(new.name)
    apply_scenario(plan_input(workspace, STATED).situation, new)
    put_scenario(file.path, new)
    _note(workspace, new.name, before, new, by)
    return new


def saved_scenarios(workspace: Workspace) -> dict[str, Scenario]:
    """Returns the scenarios by name, in the order of the file."""
    return dict(_file(workspace).all())


def saved_scenario(workspace: Workspace, name: str) -> Scenario:
    """Returns a scenario.

    :raises UnknownName: there is none of this name; names the nearest.
    """
    return _file(workspace).get(name)


def delete_scenario(workspace: Workspace, name: str, *, by: str = "") -> Scenario:
    """Deletes a scenario, and returns it.

    :raises UnknownName: there is none of this name; names the nearest.
    """
    need_extra("scenario delete", "planning", "tomlkit")
    from taiga_pipeline.planning.scenario.writing import delete_scenario as delete

    gone = delete(_file(workspace).path, name)
    _note(workspace, gone.name, gone, None, by)
    return gone


def _note(
    workspace: Workspace, name: str, before: Scenario | None, after: Scenario | None, by: str
) -> None:
    """Keeps a change in the history, where the built-in store is used."""
    from taiga_pipeline.planning.scenario.model import written_changes

    old, new = (written_changes(each) if each else {} for each in (before, after))
    if before and after:
        names = [each for each in (*old, *new) if old.get(each) != new.get(each)]
        old, new = ({each: texts.get(each, "") for each in names} for texts in (old, new))
    if not workspace.has_store or not (old or new):
        return
    at = workspace.clock.now()
    with people_store(workspace) as store:
        store.note([PlanningChange(PlanningKind.SCENARIO, "", "", name, old, new, at, by)])


def compare(
    workspace: Workspace,
    names: Sequence[str] = (),
    *,
    chances: str | None = None,
    **asked: Any,
) -> Compared:
    """Compares scenarios (all, if none is named) with today. ``asked``: see `options_for`.

    :raises UnknownName: there is no such scenario.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the packages.
    :raises Unreachable: the source does not answer.
    """
    from taiga_pipeline.planning.scenario.compare import compare_scenarios, in_common_currency

    given = plan_input(workspace, chances)
    file = _file(workspace)
    chosen = [file.get(name) for name in names] if names else list(file.all().values())
    options = replace(options_for(workspace, **asked), with_drivers=False)
    columns = compare_scenarios(given.situation, given.mappings, given.outlooks, options, chosen)
    columns = in_common_currency(columns, workspace.rates)
    return Compared(columns, (*given.notices, *columns[0].report.notices))


def _file(workspace: Workspace) -> ScenarioFile:
    from taiga_pipeline.planning.scenario.file import ScenarioFile

    _ = workspace.settings  # the configuration says where; a wrong one is reported first
    return ScenarioFile(scenario_path(workspace))
