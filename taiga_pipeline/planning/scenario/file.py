"""Scenarios kept in a TOML file, in the notation of the command line, so that people may edit it.

[scenario."big spring"]
win = ["D-1"]
delay = { "D-2" = "4w" }
resize = { "D-3" = "150%" }
hire = ["Back:40h@2027-01-04"]
leave = ["ana@example.org=2027-01-31"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.planning.scenario.model import (
    Scenario,
    check_scenario,
    parse_delay,
    parse_hire,
    parse_leave,
    parse_resize,
    parse_size,
)
from taiga_pipeline.planning.weeks import parse_weeks
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.toml_places import Document, read_document

KEYS: Final = ("win", "lose", "delay", "resize", "hire", "leave")


class ScenarioFile:
    """The scenarios in a file. One that is not there holds none."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> dict[str, Scenario]:
        """Returns the scenarios by name, in the order of the file.

        :raises ProblemsError: everything that is wrong in the file, with its place.
        """
        if not self.path.exists():
            return {}
        document = read_document(self.path)
        problems: list[Problem] = []
        tables = document.data.get("scenario", {})
        for key in document.data:
            if key != "scenario":
                problems.append(document.at_key((key,), f"unknown key {key!r}; write [scenario.x]"))
        if not isinstance(tables, dict):
            problems.append(document.at_key(("scenario",), "write [scenario.NAME]"))
            tables = {}
        found = {name: _read(document, name, table, problems) for name, table in tables.items()}
        if problems:
            raise ProblemsError(problems)
        return found

    def get(self, name: str) -> Scenario:
        """Returns a scenario.

        :raises UnknownName: there is none of this name; names the nearest.
        """
        found = self.all()
        if name not in found:
            listed = ", ".join(found) or "none"
            raise UnknownName(
                f"there is no scenario {name!r}{did_you_mean(name, found)} (scenarios: {listed})"
            )
        return found[name]


def _read(document: Document, name: str, table: object, problems: list[Problem]) -> Scenario:
    """Returns a scenario; what is wrong in it is added to ``problems``."""
    path = ("scenario", name)
    if not isinstance(table, dict):
        problems.append(document.at_key(path, f"{name!r} must be a table: [scenario.{name}]"))
        return Scenario(name)
    for key in table:
        if key not in KEYS:
            message = f"unknown key {key!r}{did_you_mean(key, KEYS)}"
            problems.append(document.at_key((*path, key), message))

    def each(key: str, parse: Callable[[str], Any]) -> Any:
        try:
            return _parsed(table.get(key), key, parse)
        except InvalidValue as error:
            problems.append(document.at_key((*path, key), str(error)))
            return None

    scenario = Scenario(
        name,
        win=tuple(each("win", str) or ()),
        lose=tuple(each("lose", str) or ()),
        delay=each("delay", parse_weeks) or {},
        resize=each("resize", parse_size) or {},
        hire=tuple(each("hire", parse_hire) or ()),
        leave=tuple(each("leave", parse_leave) or ()),
    )
    try:
        check_scenario(scenario)
    except InvalidValue as error:
        problems.append(document.at_key(path, str(error)))
    return scenario


def _parsed(value: object, key: str, parse: Callable[[str], Any]) -> Any:
    """Returns a list or a table of texts with each text parsed."""
    if key in ("delay", "resize"):
        wanted: type = dict
        example = '{ "D-2" = "4w" }'
        items = list(value.values()) if isinstance(value, dict) else []
    else:
        wanted = list
        example = '["D-1"]'
        items = value if isinstance(value, list) else []
    if value is None:
        return None
    if not isinstance(value, wanted) or not all(isinstance(each, str) for each in items):
        raise InvalidValue(f"{key} must be written like {example}")
    parsed = [parse(each) for each in items]
    return dict(zip(value, parsed, strict=True)) if isinstance(value, dict) else parsed


def scenario_of(name: str, texts: Mapping[str, Iterable[str]]) -> Scenario:
    """Returns a scenario from texts as written on the command line, by the kind of change.

    :raises InvalidValue: everything that is invalid in them.
    """
    problems: list[str] = []

    def parsed(texts: Iterable[str], parse: Callable[[str], Any]) -> list[Any]:
        found = []
        for text in texts:
            try:
                found.append(parse(text))
            except InvalidValue as error:
                problems.append(str(error))
        return found

    scenario = Scenario(
        name.strip(),
        win=tuple(dict.fromkeys(texts.get("win", ()))),
        lose=tuple(dict.fromkeys(texts.get("lose", ()))),
        delay=_unique(parsed(texts.get("delay", ()), parse_delay), "delay", problems),
        resize=_unique(parsed(texts.get("resize", ()), parse_resize), "resize", problems),
        hire=tuple(parsed(texts.get("hire", ()), parse_hire)),
        leave=tuple(parsed(texts.get("leave", ()), parse_leave)),
    )
    if not scenario.name:
        problems.append("a scenario needs a name")
    if problems:
        raise InvalidValue(*problems)
    check_scenario(scenario)
    return scenario


def _unique(pairs: list[tuple[str, Any]], what: str, problems: list[str]) -> Mapping[str, Any]:
    keys = [key for key, _ in pairs]
    problems += [
        f"--{what} names {key} twice" for key in dict.fromkeys(keys) if keys.count(key) > 1
    ]
    return dict(pairs)
