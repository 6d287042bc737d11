"""The files of a new pipeline. Nothing that is there already is ever touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from taiga_pipeline.app.project_files import Ends, config_text, member_table, pipeline_name
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.files import PUBLIC, CannotWrite, write_text
from taiga_pipeline.problems import Problem, ProblemsError

CONFIG: Final = "config.toml"
STORE: Final = "pipeline.db"


class SampleNeedsStore(ProblemsError):
    """A sample fills the built-in store alone. ``title`` is the source that was asked for."""

    def __init__(self, title: str) -> None:
        super().__init__([Problem(f"a sample fills the built-in store, not {title}")])
        self.title = title


class StoreThere(ProblemsError):
    """A sample is for a new store, and there is one already."""

    def __init__(self, path: Path) -> None:
        super().__init__([Problem(f"{path} is there already: a sample is for a new one")])
        self.path = path


@dataclass(frozen=True, slots=True)
class Started:
    """Names of files (relative to the folder): written now, and there before."""

    folder: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(slots=True)
class _Begun:
    folder: Path
    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def start_pipeline(
    workspace: Workspace,
    folder: Path,
    ends: Ends,
    *,
    mappings: Sequence[str] = (),
    managers: Sequence[str] = (),
    sample: bool = False,
) -> Started:
    """Writes a first configuration, mappings and a store into a folder.

    ``mappings`` are names of those that are shipped (none: the default one), ``managers`` addresses
    of people who are in every project. ``sample`` adds a made-up firm. The workspace uses the
    folder's configuration afterwards.

    :raises SampleNeedsStore: deals are to be read from elsewhere.
    :raises StoreThere: the store is there already.
    :raises ProblemsError: an adapter or a mapping that is not known.
    :raises CannotWrite: a file cannot be made.
    """
    texts = _texts(folder, tuple(mappings) or ("default",), ends)
    for name in texts.keys() - {CONFIG}:
        texts[name] += "".join(member_table(email) for email in managers)
    if sample and not ends.source_adapter().capabilities.edits:
        raise SampleNeedsStore(ends.source_adapter().title)
    if sample and (folder / STORE).exists():
        raise StoreThere(folder / STORE)
    begun = _Begun(folder)
    for name, text in texts.items():
        _write(begun, name, text)
    _make_store(workspace, begun, sample=sample)
    return Started(folder, tuple(begun.written), tuple(begun.kept))


def _texts(folder: Path, mappings: tuple[str, ...], ends: Ends) -> dict[str, str]:
    from taiga_pipeline.mapping.shipped import shipped_text

    name = pipeline_name(Path(os.path.realpath(folder)).name)  # as far as links lead somewhere
    texts = {CONFIG: config_text(name, ends)}
    for mapping in mappings:
        texts[f"mappings/{mapping}.toml"] = shipped_text(mapping)
    return texts


def _write(begun: _Begun, name: str, text: str) -> None:
    path = begun.folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(path.parent, error) from error
    try:
        write_text(path, text, PUBLIC, overwrite=False)
    except FileExistsError:
        begun.kept.append(name)
    else:
        begun.written.append(name)


def _make_store(workspace: Workspace, begun: _Begun, *, sample: bool) -> None:
    """Makes the built-in store where the configuration says it is."""
    config = begun.folder / CONFIG
    workspace.use_config(str(config))
    if not workspace.has_store:
        return
    there_before = (begun.folder / STORE).exists()
    workspace.open_deal_store(create=True).close()
    if (begun.folder / STORE).exists():
        (begun.kept if there_before else begun.written).append(STORE)
    if sample:
        add_sample(workspace)


def add_sample(workspace: Workspace) -> None:
    """Fills the built-in store with the sample pipeline."""
    from taiga_pipeline.app.sample import SAMPLE, make_sample

    rules = workspace.load_mappings().rules[0]
    stages = {stage.category: stage.name for stage in reversed(rules.stages)}
    teams = [condition.accepted for condition in rules.conditions if condition.field == "team"]
    team = min(teams[0]).title() if teams else ""
    deals = workspace.open_deal_store()
    people = workspace.open_people_store(by=SAMPLE, create=True)
    rates = workspace.open_rate_store()
    sample = make_sample(workspace.today, stages, team)
    sample.store(deals, people, rates, workspace.clock.now())
    deals.close()
    people.close()
    rates.close()
