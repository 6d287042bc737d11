"""Puts scenarios into their file, and takes them out; what people wrote there stays as it is.

Needs tomlkit (the extra ``planning``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tomlkit

from taiga_pipeline.files import write_text
from taiga_pipeline.planning.scenario.file import KEYS, ScenarioFile
from taiga_pipeline.planning.scenario.model import Scenario, written_hire, written_leave


def put_scenario(path: Path, scenario: Scenario) -> None:
    """Stores a scenario, in the place of one of the same name; comments elsewhere stay.

    :raises ProblemsError: what is wrong in the file, which is then left alone.
    """
    ScenarioFile(path).all()
    document = _document(path)
    tables = document.setdefault("scenario", tomlkit.table(is_super_table=True))
    tables[scenario.name] = _written(scenario)
    _write(path, tomlkit.dumps(document))


def delete_scenario(path: Path, name: str) -> Scenario:
    """Takes a scenario out and returns it.

    :raises UnknownName: there is none of this name.
    :raises ProblemsError: what is wrong in the file, which is then left alone.
    """
    scenario = ScenarioFile(path).get(name)
    document = _document(path)
    del document["scenario"][name]
    _write(path, tomlkit.dumps(document))
    return scenario


def _document(path: Path) -> tomlkit.TOMLDocument:
    return tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")


def _write(path: Path, text: str) -> None:
    """Writes the file whole or not at all."""
    write_text(path, text)


def _written(scenario: Scenario) -> Any:
    table = tomlkit.table()
    values: dict[str, Any] = {
        "win": list(scenario.win),
        "lose": list(scenario.lose),
        "delay": _inline((key, f"{weeks}w") for key, weeks in scenario.delay.items()),
        "resize": _inline((key, f"{100 * size:g}%") for key, size in scenario.resize.items()),
        "hire": [written_hire(each) for each in scenario.hire],
        "leave": [written_leave(each) for each in scenario.leave],
    }
    for key in KEYS:
        if values[key]:
            table.add(key, values[key])
    return table


def _inline(pairs: Iterable[tuple[str, str]]) -> Any:
    table = tomlkit.inline_table()
    table.update(dict(pairs))
    return table
