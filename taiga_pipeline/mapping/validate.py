"""From a TOML document to the model of a mapping file: every mistake in form, with its place."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError

from taiga_pipeline.look_alikes import explain_look_alike
from taiga_pipeline.mapping.model import MappingFile, mapping_model
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.problems import Problem, did_you_mean
from taiga_pipeline.toml_places import Document, KeyPath
from taiga_pipeline.validation_words import choices_in, in_toml, must

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_AS_TABLES: Final = "must be written as tables, each below its own [[{table}]]"
A_LIST: Final = 'must be text or a list of texts such as ["a", "b"]'
NAMES: Final = frozenset({"id", "name", "milestone", "after", "keeps_project"})
"""Keys that others refer to: without them, what is reported about references would mislead."""


def validate(
    document: Document, table: FieldTable = BUILT_IN
) -> tuple[MappingFile | None, list[Problem]]:
    """Returns the model of a file and all mistakes in its form.

    With mistakes, the model holds what is left without the keys at fault, so that the rest can be
    checked at the same time; it is None where nothing sensible is left.
    """
    model = mapping_model(table)
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    problems = [_problem(document, detail, model) for detail in details]
    return _model_of_the_rest(document.data, details, model), problems


def _model_of_the_rest(
    data: dict[str, Any], details: list[ErrorDetails], model: type[MappingFile]
) -> MappingFile | None:
    """Validates a copy of ``data`` without the keys at fault."""
    rest = copy.deepcopy(data)
    for detail in details:
        path = detail["loc"]
        if detail["type"] == "missing" or path[-1] in NAMES or not _remove(rest, path):
            return None
    try:
        return model.model_validate(rest)
    except ValidationError:
        return None


def _remove(data: Any, path: KeyPath) -> bool:
    """Removes the innermost key on ``path``; whole tables that others refer to are not removed."""
    keys = [index for index, part in enumerate(path) if isinstance(part, str)]
    *outer, last = path[: keys[-1] + 1]
    if last in ("milestone", "stage", "phase"):
        return False
    for part in outer:
        data = data[part]
    data.pop(last, None)
    return True


def _problem(document: Document, detail: ErrorDetails, model: type[MappingFile]) -> Problem:
    """Says one of pydantic's errors in the words of the file."""
    path, kind = detail["loc"], detail["type"]
    name = str(path[-1])
    if kind == "extra_forbidden":
        near = _suggest(name, _known_keys(path, model))
        return document.at_key(path, f'unknown key "{name}"{near}')
    if kind == "missing":
        return document.at_value(path[:-1], _missing(path))
    found = detail["input"]
    reason = explain_look_alike(found) if isinstance(found, str) else ""
    if kind == "list_type" and (table := _table_in(path, model)):
        return document.at_value(path, f"{_written(path)} {_AS_TABLES.format(table=table)}")
    words = f"{_written(path)} {_must(detail)}{'; ' if reason else ''}{reason}"
    return document.at_value(path, words)


def _missing(path: KeyPath) -> str:
    name = str(path[-1])
    if name in ("mapping", "stage"):
        return f"there is no {'[mapping]' if name == 'mapping' else '[[stage]]'} in this file"
    return f'"{name}" is missing'


def _table_in(path: KeyPath, of_file: type[MappingFile]) -> str:
    """Returns how the tables are headed that a key holds a list of, "" if it holds none."""
    model: Any = of_file
    names = [part for part in path if isinstance(part, str)]
    for name in names:
        annotation = model.model_fields[name].annotation
        model = _innermost(annotation)
    return ".".join(names) if isinstance(model, type) and issubclass(model, BaseModel) else ""


def _innermost(annotation: Any) -> Any:
    while get_origin(annotation) is list:
        annotation = get_args(annotation)[0]
    return annotation


def _must(detail: ErrorDetails) -> str:
    """Says what a value must be, and what it is."""
    found, words = detail["input"], choices_in(detail)
    if words:
        near = did_you_mean(str(found), words).replace("'", '"')
        return f"must be one of {', '.join(words)}, not {in_toml(found)}{near}"
    if detail["type"] == "value_error":
        return f"{detail['ctx']['error']}; it is {in_toml(found)}"
    return must(detail, in_toml, A_LIST)


def _written(path: KeyPath) -> str:
    """Names a value: the innermost key, and which element of it."""
    keys = [index for index, part in enumerate(path) if isinstance(part, str)]
    name, *rest = path[keys[-1] :]
    return f'"{name}"' + "".join(f" (number {int(part) + 1})" for part in rest)


def _suggest(name: object, known: Iterable[str]) -> str:
    """Returns the nearest name, or else the list of them."""
    known = list(known)
    near = did_you_mean(str(name), known).replace("'", '"')
    return near if near or not known else f"; known here: {', '.join(known)}"


def _known_keys(path: KeyPath, of_file: type[MappingFile]) -> list[str]:
    """Returns the keys that the table around the last key of ``path`` may have."""
    model: Any = of_file
    for part in path[:-1]:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> Any:
    """Returns the model that a field holds, alone or in a list."""
    if get_origin(annotation) is None:
        assert issubclass(annotation, BaseModel)
        return annotation
    return _model_in(get_args(annotation)[0])
