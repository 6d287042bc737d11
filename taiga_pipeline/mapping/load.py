"""Loads mapping files: all of them, or every problem in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sync.errors import SyncError
from taiga_pipeline.mapping.check import check_meaning, check_placeholders, check_together
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.model import MappingFile
from taiga_pipeline.mapping.rules import Rules, compile_rules
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.mapping.validate import validate
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.toml_places import Document, invisible, parse_document, read_document, read_text

SUFFIX = ".toml"
_ALMOST = re.compile(r"\.(toml[\W_]*te?xt|tml|tolm|tom)$", re.IGNORECASE)


class MappingErrors(ProblemsError, SyncError):
    """The mapping files cannot be used. ``problems`` holds everything that is wrong with them."""


def load_mappings(paths: Path | Iterable[Path], table: FieldTable = BUILT_IN) -> MappingSet:
    """Returns the mappings in ``paths``: files, and folders whose ``*.toml`` files all count.

    ``table`` holds the fields that deals have.

    :raises MappingErrors: every problem in every file, each with file, line and column.
    """
    paths = [paths] if isinstance(paths, Path) else list(paths)
    texts: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            found = mapping_files(path)
        except OSError as error:
            problems.append(Problem(f"cannot be read: {error.strerror}", str(path)))
            continue
        if not found:
            problems.append(Problem(_nothing(path), str(path)))
        for file in found:
            try:
                texts.append((read_text(file), str(file)))
            except ProblemsError as error:
                problems += error.problems
    return MappingSet(_parse(tuple(texts), tuple(problems), table))


def parse_mapping(
    text: str, file: str = "mapping.toml", table: FieldTable = BUILT_IN
) -> MappingSet:
    """Returns the mapping in ``text``; ``file`` is its name in messages.

    :raises MappingErrors: every problem.
    """
    return MappingSet(_parse(((text, file),), (), table))


@dataclass(frozen=True, slots=True)
class Replacement:
    """The files that are in force, and those that would be; ``replaced`` are those that would go,
    and ``why`` says by what they were found, "" if by their place."""

    old: list[Path]
    new: list[Path]
    replaced: list[Path]
    why: str = ""


def replacing(folder: Path, new: Path) -> Replacement:
    """Returns which files are in force once ``new`` takes its place in ``folder``.

    A folder takes the place of all files. A file takes that of the mapping of its name, whatever
    the files are called, or else that of the file of the same name, or of the mapping that matches
    the same deals. An edited copy that lies in the folder already does not count as in force
    beside its original.
    """
    files = mapping_files(folder)
    if new.is_dir():
        return Replacement(files, [new], files)
    itself = [file for file in files if _is_same(file, new)]
    others = [file for file in files if file not in itself]
    name, match = _identity_of(new)
    known = {file: _identity_of(file) for file in others}
    named = [file for file in others if name and known[file][0] == name]
    if named:
        kept = [file for file in others if file not in named]
        return Replacement(others, [*kept, new], named, f"because both are the mapping '{name}'")
    placed = itself or [file for file in others if file.name == new.name]
    alike = [file for file in others if match is not None and known[file][1] == match]
    replaced = placed or alike
    kept = [file for file in others if file not in replaced]
    why = "because both match the same deals" if alike and not placed else ""
    return Replacement(files, [*kept, new], replaced, why)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _identity_of(file: Path) -> tuple[str, object]:
    """Returns the name that a mapping file gives itself, and which deals it matches.

    ("", None) where the file cannot be read; that is reported where it is loaded.
    """
    try:
        table = read_document(file).data.get("mapping")
    except (ProblemsError, OSError):
        return "", None
    if not isinstance(table, dict):
        return "", None
    name = table.get("name")
    return (normalise(name) if isinstance(name, str) else ""), table.get("match", {})


def mapping_files(path: Path) -> list[Path]:
    """Returns the mapping files in a folder, in order; of a file, itself.

    :raises OSError: the folder cannot be read.
    """
    if path.is_dir():
        # What is not a file is reported where it is read; what begins with a dot is an editor's
        # own.
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


@lru_cache(maxsize=8)
def _parse(
    texts: tuple[tuple[str, str], ...], unread: tuple[Problem, ...], table: FieldTable
) -> tuple[Rules, ...]:
    """Returns what the files say, each given as its text and its name.

    A run asks several times; as long as the files say the same, they are parsed once.
    """
    documents: list[Document] = []
    problems = list(unread)
    for text, file in texts:
        try:
            documents.append(parse_document(text, file))
        except ProblemsError as error:
            problems += error.problems
    return _compile(documents, problems, table)


def _compile(
    documents: list[Document], problems: list[Problem], table: FieldTable
) -> tuple[Rules, ...]:
    good: list[tuple[MappingFile, Document]] = []
    for document in documents:
        model, mistakes = validate(document, table)
        problems += [*mistakes, *check_placeholders(document, table)]
        # Stages are compared with those of deals; other texts are only written.
        problems += invisible(document, document.data.get("stage", []), ("stage",))
        if model is not None:
            problems += check_meaning(model, document)
            good.append((model, document))
    problems += check_together(good)
    if problems:
        raise MappingErrors(sorted(problems, key=_order))
    return tuple(compile_rules(model, document) for model, document in good)


def _order(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column
