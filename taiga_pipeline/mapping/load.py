"""Loads mapping files: all of them, or every problem in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sync.errors import SyncError
from taiga_pipeline.mapping.check import check_meaning, check_placeholders, check_together
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.model import MappingFile
from taiga_pipeline.mapping.rules import compile_rules
from taiga_pipeline.mapping.validate import validate
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.toml_places import Document, invisible, parse_document, read_document

SUFFIX = ".toml"
_ALMOST = re.compile(r"\.(toml[\W_]*te?xt|tml|tolm|tom)$", re.IGNORECASE)


class MappingErrors(ProblemsError, SyncError):
    """The mapping files cannot be used. ``problems`` holds everything that is wrong with them."""


def load_mappings(paths: Path | Iterable[Path]) -> MappingSet:
    """Returns the mappings in ``paths``: files, and folders whose ``*.toml`` files all count.

    :raises MappingErrors: every problem in every file, each with file, line and column.
    """
    paths = [paths] if isinstance(paths, Path) else list(paths)
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            found = _files(path)
        except OSError as error:
            problems.append(Problem(f"cannot be read: {error.strerror}", str(path)))
            continue
        if not found:
            problems.append(Problem(_nothing(path), str(path)))
        for file in found:
            try:
                documents.append(read_document(file))
            except ProblemsError as error:
                problems += error.problems
    return _build(documents, problems)


def parse_mapping(text: str, file: str = "mapping.toml") -> MappingSet:
    """Returns the mapping in ``text``; ``file`` is its name in messages.

    :raises MappingErrors: every problem.
    """
    try:
        document = parse_document(text, file)
    except ProblemsError as error:
        raise MappingErrors(error.problems) from error
    return _build([document], [])


def replacing(folder: Path, new: Path) -> list[Path]:
    """Returns the files that are in force once ``new`` takes its place in ``folder``.

    A folder takes the place of all files, a file that of the one of the same name.
    """
    if new.is_dir():
        return [new]
    return [*(file for file in _files(folder) if file.name != new.name), new]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        # What is no file is reported where it is read; what begins with a dot is an editor's own.
        return sorted(
            file
            for file in path.iterdir()
            if file.suffix.casefold() == SUFFIX
            and (file.is_file() or not file.name.startswith("."))
        )
    return [path]


def overlooked(path: Path) -> list[Path]:
    """Returns the files in a folder that were probably meant to be mappings, and are not read.

    Their names end almost as a mapping's does: ``default.toml.txt``, ``default.tml``.
    """
    try:
        names = sorted(path.iterdir()) if path.is_dir() else []
    except OSError:  # which is reported where the mappings are loaded
        return []
    return [file for file in names if _ALMOST.search(file.name) and file.suffix.lower() != SUFFIX]


def _nothing(path: Path) -> str:
    near = ", ".join(file.name for file in overlooked(path)[:3])
    if near:
        return f"there is no mapping (*{SUFFIX}) in this folder; let {near} end in {SUFFIX}"
    return (
        f"there is no mapping (*{SUFFIX}) in this folder; 'pipeline-sync init' writes a first one"
    )


def _build(documents: list[Document], problems: list[Problem]) -> MappingSet:
    problems = list(problems)
    good: list[tuple[MappingFile, Document]] = []
    for document in documents:
        model, mistakes = validate(document)
        problems += [*mistakes, *check_placeholders(document)]
        # Stages are compared with those of deals; other texts are only written.
        problems += invisible(document, document.data.get("stage", []), ("stage",))
        if model is not None:
            problems += check_meaning(model, document)
            good.append((model, document))
    problems += check_together(good)
    if problems:
        raise MappingErrors(sorted(problems, key=_order))
    return MappingSet(tuple(compile_rules(model, document) for model, document in good))


def _order(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column
