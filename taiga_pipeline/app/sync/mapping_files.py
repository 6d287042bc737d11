"""Mapping files, edited in a page: tried before they are saved, and every former version kept."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.mappings import Compared, compare_mappings
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.files import PUBLIC, CannotWrite, write_text
from taiga_pipeline.mapping.load import load_mappings, mapping_files
from taiga_pipeline.pipeline.errors import AlreadyThere, UnknownName
from taiga_pipeline.problems import Problem, ProblemsError

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSIONS: Final = ".versions"
"""The folder of former versions, in the folder of the mappings."""
MOST_VERSIONS: Final = 50
"""So many former versions of a file are kept."""
MOST_BYTES: Final = 200_000
MOST_DIFFERENCES: Final = 50
_STAMP: Final = "%Y%m%dT%H%M%S%fZ"
_VERSION: Final = re.compile(r"(?P<at>\d{8}T\d{12}Z)\.(?P<by>.*)")


class ChangedMeanwhile(AlreadyThere):
    """Somebody else saved the file since it was read."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was changed by another person since you opened it")
        self.name = name


@dataclass(frozen=True, slots=True)
class MappingText:
    """A mapping file. ``seen`` is handed back when it is saved."""

    name: str
    text: str
    seen: str


@dataclass(frozen=True, slots=True)
class FormerVersion:
    """A version that was saved over: when (UTC), and by whom."""

    id: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What an edited mapping would do: its ``problems``, or what it changes."""

    problems: tuple[Problem, ...] = ()
    compared: Compared | None = None


def list_mappings(workspace: Workspace) -> tuple[str, ...]:
    """Returns the names of the mapping files.

    :raises ProblemsError: there are none.
    """
    return tuple(path.name for path in mapping_files(workspace.settings.sync.mappings))


def read_mapping(workspace: Workspace, name: str) -> MappingText:
    """Returns a mapping file.

    :raises UnknownName: there is none of this name.
    :raises ProblemsError: it cannot be read.
    """
    path = _path(workspace, name)
    try:
        held = path.read_bytes()
        text = held.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ProblemsError([Problem(f"cannot be read: {why}", name)]) from None
    return MappingText(name, text, _seen(held))


def former_versions(workspace: Workspace, name: str) -> tuple[FormerVersion, ...]:
    """Returns the versions that were saved over, the newest first."""
    found = (_version(path) for path in _versions(_path(workspace, name)))
    return tuple(each for each in found if each is not None)


def former_text(workspace: Workspace, name: str, version: str) -> str:
    """Returns the text of a former version.

    :raises UnknownName: there is none.
    """
    for path in _versions(_path(workspace, name)):
        if path.name == version:
            return path.read_text(encoding="utf-8")
    raise UnknownName(f"there is no version {version!r} of {name}")


def try_mapping(workspace: Workspace, name: str, text: str) -> Tried:
    """Returns what a text would change if it were saved as a mapping file; writes nothing there.

    :raises UnknownName: there is no file of this name.
    :raises Unreachable: deals cannot be read.
    """
    path = _path(workspace, name)
    with _aside(path, text) as aside:
        try:
            return Tried(compared=compare_mappings(workspace, aside, MOST_DIFFERENCES))
        except ProblemsError as error:
            return Tried(problems=_here(error.problems, aside, name))


def save_mapping(workspace: Workspace, name: str, text: str, *, seen: str, by: str) -> None:
    """Saves a mapping file; what it held before is kept as a version.

    ``seen`` is what `read_mapping` returned with the text that was edited.

    :raises UnknownName: there is no file of this name.
    :raises ChangedMeanwhile: somebody else saved it since.
    :raises ProblemsError: the mappings would not be valid with it.
    :raises CannotWrite: the folder cannot be written.
    """
    path = _path(workspace, name)
    with _aside(path, text) as aside:
        others = [each for each in mapping_files(path.parent) if each != path]
        try:
            load_mappings([*others, aside], workspace.fields)
        except ProblemsError as error:
            raise ProblemsError(_here(error.problems, aside, name)) from None
    held = path.read_bytes()
    if _seen(held) != seen:
        raise ChangedMeanwhile(name)
    if held.decode("utf-8-sig", "replace") == text:
        return
    _keep(path, held, workspace.clock.now(), by)
    write_text(path, text, path.stat().st_mode & 0o777)


def _path(workspace: Workspace, name: str) -> Path:
    """Returns where a file is; only what lies among the mappings has a name."""
    files = {path.name: path for path in mapping_files(workspace.settings.sync.mappings)}
    if name not in files:
        raise UnknownName(f"there is no mapping file {name!r}")
    return files[name]


@contextmanager
def _aside(path: Path, text: str) -> Iterator[Path]:
    """Puts a text aside under the name of a file, for as long as it is looked at.

    :raises ProblemsError: it is too long.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        message = f"is too long: at most {MOST_BYTES:,} bytes"
        raise ProblemsError([Problem(message, path.name)])
    with tempfile.TemporaryDirectory(prefix="pipeline-sync-") as folder:
        aside = Path(folder) / path.name
        aside.write_text(text, encoding="utf-8", errors="replace", newline="")
        yield aside


def _here(problems: Sequence[Problem], aside: Path, name: str) -> tuple[Problem, ...]:
    """Returns problems with the file's own name, wherever it was put aside."""
    return tuple(
        replace(
            each,
            file=name if each.file == str(aside) else each.file,
            message=each.message.replace(str(aside), name),
        )
        for each in problems
    )


def _seen(held: bytes) -> str:
    return hashlib.sha256(held).hexdigest()


def _versions(path: Path) -> list[Path]:
    folder = path.parent / VERSIONS / path.name
    return sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []


def _version(path: Path) -> FormerVersion | None:
    match = _VERSION.fullmatch(path.name)
    if match is None:
        return None
    at = datetime.strptime(match["at"], _STAMP).replace(tzinfo=UTC)
    return FormerVersion(path.name, at, match["by"])


def _keep(path: Path, held: bytes, now: datetime, by: str) -> None:
    folder = path.parent / VERSIONS / path.name
    who = re.sub(r"[^\w@.+ -]", "_", by).strip(". ")[:100] or "web"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in _versions(path)[MOST_VERSIONS - 1 :]:
            old.unlink()
    except OSError as error:
        raise CannotWrite(folder, error) from None
    text = held.decode("utf-8-sig", "replace")
    write_text(folder / f"{now.astimezone(UTC).strftime(_STAMP)}.{who}", text, PUBLIC)
