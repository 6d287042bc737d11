"""``workers.toml``: which pipelines there are, how often they run, and who may run how many.

A pipeline is a configuration file. The fleet names them by patterns, so that a new pipeline is a
new folder and nothing else. A worker takes the place of a configuration, and of its secrets, from
here alone: the queue knows names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from taiga_pipeline.config import DatabaseUrl, Settings, load
from taiga_pipeline.credentials import from_environment
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.setting_values import Variable
from taiga_pipeline.toml_places import Document, KeyPath, read_document
from taiga_pipeline.workers.fairness import MOST_PLACES, places
from taiga_pipeline.workers.schedule import Cron, Every, Schedule, parse_cron, parse_span

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NO_FLEET: Final = (
    "there is no fleet '{path}': a file that says which pipelines the workers run; see "
    "docs/workers.md, or name another with --fleet"
)
_LEAST_PERIOD: Final = timedelta(seconds=10)
_LEAST_SILENCE: Final = timedelta(seconds=2)
_USUAL_PERIOD: Final = timedelta(minutes=15)


_LONGEST_PERIOD: Final = timedelta(days=31)
_LONGEST_RUN: Final = timedelta(days=7)
_LONGEST_SILENCE: Final = timedelta(hours=1)
_LONGEST_SPREAD: Final = timedelta(days=1)


def _span(value: object) -> object:
    if isinstance(value, str):
        return parse_span(value)
    raise ValueError(f'{value!r} is not a length of time; write "90s", "15m", "2h" or "1d"')


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{value!r} is not a time zone such as Europe/Stockholm") from error


def _not_too_often(value: timedelta) -> timedelta:
    if value < _LEAST_PERIOD:
        raise ValueError("less than 10s; pipelines do not change that fast")
    if value > _LONGEST_PERIOD:
        raise ValueError(
            "more than 31d; for one that runs only on request, write enabled = false in its own "
            "[[pipeline]]"
        )
    return value


def _not_for_ever(value: timedelta) -> timedelta:
    if value < _LEAST_PERIOD:
        raise ValueError("less than 10s; runs would not finish")
    if value > _LONGEST_RUN:
        raise ValueError("more than 7d; a run that hangs would hold its place for as long")
    return value


def _not_too_far(value: timedelta) -> timedelta:
    if value > _LONGEST_SPREAD:
        raise ValueError("more than 1d; runs of one slot would fall behind the next one")
    return value


def _not_at_once(value: timedelta) -> timedelta:
    if value < _LEAST_SILENCE:
        raise ValueError("less than 2s; a worker that is only busy would count as dead")
    if value > _LONGEST_SILENCE:
        raise ValueError("more than 1h; runs of a dead worker would wait for as long")
    return value


Span = Annotated[timedelta, BeforeValidator(_span)]
Period = Annotated[Span, AfterValidator(_not_too_often)]
Expression = Annotated[str, AfterValidator(parse_cron)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )


class QueueTable(_Table):
    """The database of the queue. ``name`` tells several fleets in one database apart."""

    url: DatabaseUrl = ""
    url_env: Variable | None = None
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,29}$")] = "pipelines"

    @model_validator(mode="after")
    def _check_url(self) -> QueueTable:
        if bool(self.url) == bool(self.url_env):
            raise ValueError("needs exactly one of url and url_env")
        if self.url and not self.url.startswith("postgresql"):
            raise ValueError("url: the queue needs PostgreSQL (postgresql+psycopg://host/database)")
        return self

    def address(self, environment: Mapping[str, str]) -> str:
        """Returns the database's URL, from the environment if the file says so.

        :raises SecretError: the variable is not set.
        :raises ProblemsError: it holds no PostgreSQL URL.
        """
        if not self.url_env:
            return self.url
        url = from_environment("queue.url_env", self.url_env, environment).reveal()
        if not url.startswith("postgresql"):
            where = f"queue.url_env: {self.url_env} holds no URL of a PostgreSQL database"
            raise ProblemsError([Problem(where)])
        return url


class _Timing(_Table):
    """How often: a period, or a cron expression with a time zone and a spread."""

    every: Period | None = None
    cron: Expression | None = None
    time_zone: Zone = ZoneInfo("UTC")
    spread: Annotated[Span, AfterValidator(_not_too_far)] = timedelta(minutes=5)

    @model_validator(mode="after")
    def _check_ways(self) -> _Timing:
        if self.every and self.cron:
            raise ValueError("needs one of every and cron, not both")
        if not self.cron and self.model_fields_set & {"time_zone", "spread"}:
            raise ValueError("time_zone and spread belong to cron")
        return self

    @property
    def schedule(self) -> Schedule | None:
        """The schedule, None if the file does not say."""
        if self.cron:
            return Cron(self.cron, self.time_zone, self.spread)
        return Every(self.every) if self.every else None


class PipelinesTable(_Timing):
    """Which configurations belong to the fleet, and what holds for all of them.

    ``configs`` are patterns, relative to the fleet's file. ``environment_file`` is the name of a
    file beside a configuration with variables for its runs alone, where there is one.
    """

    configs: Annotated[list[str], Field(min_length=1)] = ["*/config.toml"]
    environment_file: str = "secrets.env"

    @property
    def usual(self) -> Schedule:
        """The schedule of pipelines that have none of their own."""
        return self.schedule or Every(_USUAL_PERIOD)


class WorkersTable(_Table):
    """How workers work. ``per_host`` is how many runs ask one host at a time, over all workers."""

    concurrency: int = Field(4, ge=1, le=64)
    per_host: int = Field(2, ge=1, le=MOST_PLACES)
    dead_after: Annotated[Span, AfterValidator(_not_at_once)] = timedelta(seconds=30)
    longest_run: Annotated[Span, AfterValidator(_not_for_ever)] = timedelta(hours=2)


class PipelineTable(_Timing):
    """What is different for one pipeline."""

    name: str
    enabled: bool = True


class HostTable(_Table):
    """What is different for one host, written as in its pipelines' ``target.url``."""

    name: str
    per_host: int = Field(ge=1, le=MOST_PLACES)


class FleetFile(_Table):
    """All of ``workers.toml``."""

    queue: QueueTable
    pipelines: PipelinesTable = PipelinesTable()
    workers: WorkersTable = WorkersTable()
    pipeline: list[PipelineTable] = []
    host: list[HostTable] = []


@dataclass(frozen=True, slots=True)
class Member:
    """A pipeline of the fleet. ``place`` is its place at its host (see `fairness`).

    ``schedule`` is None for one that runs only when it is asked to.
    """

    name: str
    config: Path
    host: str
    place: int
    schedule: Schedule | None
    environment_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All pipelines, and how workers treat them.

    ``problems`` are what is wrong with single configurations, which are left out; ``broken`` names
    their files.
    """

    path: Path
    queue: QueueTable
    workers: WorkersTable
    members: Mapping[str, Member]
    problems: tuple[Problem, ...] = ()
    broken: tuple[Path, ...] = ()

    def find(self, names: Iterable[str]) -> list[Member]:
        """Returns the members of these names.

        :raises ProblemsError: every name that is none.
        """
        names = list(dict.fromkeys(names))
        unknown = [name for name in names if name not in self.members]
        if unknown:
            message = "{!r} is not a pipeline of the fleet {}{}"
            raise ProblemsError(
                [
                    Problem(message.format(name, self.path, did_you_mean(name, self.members)))
                    for name in unknown
                ]
            )
        return [self.members[name] for name in names]


@dataclass(slots=True)
class FleetReader:
    """Reads a fleet again and again; configurations that did not change are read once."""

    path: Path
    _known: dict[Path, tuple[tuple[int, int], Settings | ProblemsError]] = field(
        default_factory=dict
    )

    def read(self) -> Fleet:
        """Returns the fleet as it is now.

        :raises ProblemsError: every problem in the fleet's own file.
        """
        file, document = _read_file(self.path)
        paths = _configs(self.path, file.pipelines.configs)
        there = set(paths)
        self._known = {path: known for path, known in self._known.items() if path in there}
        loaded = {path: self._load(path) for path in paths}
        return _assemble(self.path, file, document, loaded)

    def _load(self, path: Path) -> Settings | ProblemsError:
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size)
            if path not in self._known or self._known[path][0] != version:
                self._known[path] = (version, _settings(path))
            return self._known[path][1]
        except OSError as error:
            return ProblemsError([Problem(f"cannot be read: {error.strerror}", str(path))])


def read_fleet(path: Path) -> Fleet:
    """Returns the fleet in the file ``path``.

    :raises ProblemsError: every problem in that file; those of single pipelines are in the fleet.
    """
    return FleetReader(path).read()


def _settings(path: Path) -> Settings | ProblemsError:
    try:
        return load(path)
    except ProblemsError as error:
        return error


def _read_file(path: Path) -> tuple[FleetFile, Document]:
    if not path.exists():
        raise ProblemsError([Problem(NO_FLEET.format(path=path))])
    document = read_document(path)
    folder = path.absolute().parent
    try:
        file = FleetFile.model_validate(document.data, context={"folder": folder})
    except ValidationError as error:
        found = [_explain(details) for details in error.errors(include_url=False)]
        placed = [document.at_key(where, message) for where, message in found]
        order = sorted(placed, key=lambda problem: (problem.line, problem.column))
        raise ProblemsError(order) from None
    return file, document


def _explain(details: ErrorDetails) -> tuple[KeyPath, str]:
    """Returns the path and the message for one of pydantic's errors."""
    path, kind = details["loc"], details["type"]
    name = ".".join(str(part) for part in path if isinstance(part, str))
    if kind == "extra_forbidden":
        return path, f"unknown key {name!r}{did_you_mean(str(path[-1]), _known_keys(path[:-1]))}"
    if kind == "missing":
        return path[:-1], f"{name!r} is missing"
    message = details["msg"].removeprefix("Value error, ")
    # What stands where the queue's address belongs may hold a password.
    plain = kind == "value_error" or name.startswith("queue")
    return path, f"{name}: {message}" + ("" if plain else f", not {details['input']!r}")


_TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "queue": QueueTable,
    "pipelines": PipelinesTable,
    "workers": WorkersTable,
    "pipeline": PipelineTable,
    "host": HostTable,
}


def _known_keys(path: KeyPath) -> Iterable[str]:
    return (_TABLES[str(path[0])] if path else FleetFile).model_fields


def _configs(fleet: Path, patterns: Sequence[str]) -> list[Path]:
    """Returns the files that the patterns name, each once, sorted."""
    folder = fleet.absolute().parent
    found: set[Path] = set()
    for pattern in patterns:
        start = Path(os.path.expanduser(pattern))  # noqa: PTH111 - a pattern is not a path yet
        if start.is_absolute():
            found |= set(Path(start.anchor).glob(str(start.relative_to(start.anchor))))
        else:
            found |= set(folder.glob(str(start)))
    return sorted(path for path in found if path.is_file())


def _assemble(
    path: Path,
    file: FleetFile,
    document: Document,
    loaded: Mapping[Path, Settings | ProblemsError],
) -> Fleet:
    good = {path: found for path, found in loaded.items() if isinstance(found, Settings)}
    problems = [
        p for found in loaded.values() if isinstance(found, ProblemsError) for p in found.problems
    ]
    twins = _twins(good)
    problems += [_twin_problem(name, paths) for name, paths in twins.items()]
    usable = {at: settings for at, settings in good.items() if settings.pipeline not in twins}
    problems += _strangers(file, document, usable.values())
    return Fleet(
        path=path,
        queue=file.queue,
        workers=file.workers,
        members=_members(file, usable),
        problems=tuple(problems),
        broken=tuple(at for at in loaded if at not in usable),
    )


def _twins(good: Mapping[Path, Settings]) -> dict[str, list[Path]]:
    by_name: dict[str, list[Path]] = {}
    for path, settings in good.items():
        by_name.setdefault(settings.pipeline, []).append(path)
    return {name: paths for name, paths in by_name.items() if len(paths) > 1}


def _twin_problem(name: str, paths: Sequence[Path]) -> Problem:
    others = ", ".join(str(path) for path in paths[1:])
    return Problem(
        f"the pipeline {name!r} is in {others}, too; none of them is run; give each its own name",
        str(paths[0]),
    )


def _strangers(
    file: FleetFile, document: Document, settings: Iterable[Settings]
) -> Iterable[Problem]:
    """Yields exceptions for pipelines and hosts that are not there."""
    known = [(each.pipeline, host_of(each)) for each in settings]
    names, hosts = {name for name, _ in known}, {host for _, host in known}
    for number, table in enumerate(file.pipeline):
        if table.name not in names:
            hint = did_you_mean(table.name, names)
            yield document.at_key(
                ("pipeline", number, "name"), f"there is no pipeline {table.name!r}{hint}"
            )
    for number, host in enumerate(file.host):
        if host.name not in hosts:
            hint = did_you_mean(host.name, hosts)
            yield document.at_key(
                ("host", number, "name"), f"no pipeline uses the host {host.name!r}{hint}"
            )


def _members(file: FleetFile, good: Mapping[Path, Settings]) -> dict[str, Member]:
    special = {table.name: table for table in file.pipeline}
    by_host: dict[str, list[str]] = {}
    for settings in good.values():
        by_host.setdefault(host_of(settings), []).append(settings.pipeline)
    limits = {table.name: table.per_host for table in file.host}
    place = {
        name: number
        for host, names in by_host.items()
        for name, number in places(names, limits.get(host, file.workers.per_host)).items()
    }
    found = {
        settings.pipeline: Member(
            name=settings.pipeline,
            config=path,
            host=host_of(settings),
            place=place[settings.pipeline],
            schedule=_schedule(file.pipelines, special.get(settings.pipeline)),
            environment_file=_environment_file(path, file.pipelines.environment_file),
        )
        for path, settings in good.items()
    }
    return dict(sorted(found.items()))


def _schedule(general: PipelinesTable, special: PipelineTable | None) -> Schedule | None:
    if special is None:
        return general.usual
    return (special.schedule or general.usual) if special.enabled else None


def _environment_file(config: Path, name: str) -> Path | None:
    path = config.parent / name
    return path if name and path.is_file() else None


def host_of(settings: Settings) -> str:
    """Returns the host of a pipeline's target, with its port where the address names one."""
    return urlsplit(settings.target.url).netloc.lower()
