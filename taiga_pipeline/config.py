"""``config.toml`` as typed, frozen settings.

Every problem in the file is reported at once, with its line and column. Relative paths (and those
in SQLite URLs) are resolved against the folder of the file. A secret is never a value in the
file: the file names the environment variable or the file that holds it, and that is looked up
only when the secret is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from sync.plan.limit_settings import DEFAULTS, Limit
from sync.records.model import WhenGone
from taiga_pipeline.adapter_settings import (
    DEFAULT_SOURCE,
    DEFAULT_TARGET,
    WAYS_IN,
    default_url,
    no_secrets,
    target_problems,
)
from taiga_pipeline.calendar_settings import CalendarSettings
from taiga_pipeline.config_problems import explain
from taiga_pipeline.credentials import Secret, for_header, from_environment, from_file
from taiga_pipeline.days import local_zone, zone_named
from taiga_pipeline.field_settings import DealsSettings, FieldSettings, Section, check_fields
from taiga_pipeline.intake_settings import IntakeSettings
from taiga_pipeline.language import LANGUAGES
from taiga_pipeline.look_alikes import explain_look_alike
from taiga_pipeline.notify_settings import NotifySettings
from taiga_pipeline.pipeline.fields.declared import MAX_FIELDS, table_with
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.planning_settings import Number, PlanningSettings
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.setting_values import ConfigPath, Variable, resolved
from taiga_pipeline.toml_places import Document, KeyPath, invisible, parse_document, read_document
from taiga_pipeline.web_settings import WebSettings

_SECRET_KEYS: Final = ("password", "token", "application_token", "secret", "api_key")
_SQLITE: Final = re.compile(r"(sqlite(?:\+\w+)?:///)([^/?][^?]*)(.*)", re.DOTALL)
_HOST: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?(/[^\s?#]*)?")
_MISSPELLED: Final = re.compile(r"^(https?)(?::/{0,3}|;//|//|:\\\\)(?=\w)", re.IGNORECASE)
NO_CONFIG: Final = (
    "there is no configuration '{path}'; make one with 'pipeline-sync init', "
    "or name another with --config"
)


def _resolve_url(value: str, info: ValidationInfo) -> str:
    """Makes the path in a SQLite URL absolute; refuses a password inside a URL."""
    parts = urlsplit(value)
    if parts.password or "password" in parse_qs(parts.query):
        raise ValueError("holds a password; put the whole URL in an environment variable instead")
    match = _SQLITE.fullmatch(value)
    if not match or match[2] == ":memory:" or match[2].startswith("file:"):
        return value
    path = resolved(info, Path(match[2]))
    return f"{match[1]}{path}{match[3]}"


def _check_web_address(value: str) -> str:
    parts = urlsplit(value)
    if "@" in parts.netloc or "@" in value.partition("?")[0]:
        raise ValueError("holds credentials; use username and password_env instead")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"{value!r} is not a web address (https://taiga.example.com){_meant(value)}"
        )
    if parts.query or parts.fragment or "?" in value:
        raise ValueError(
            f"{value!r} is the address of one page; write what stands before the "
            f"{'?' if '?' in value else '#'}"
        )
    reason = explain_look_alike(value)
    if reason or any(map(str.isspace, value)):
        raise ValueError(f"{value!r}: {reason or 'an address cannot contain a blank'}")
    _check_port(value)
    return value.rstrip("/")


def _check_port(value: str) -> None:
    try:
        port = urlsplit(value).port
    except ValueError:
        port = 0
    if port == 0 or urlsplit(value).netloc.endswith(":"):
        raise ValueError(f"{value!r} has an invalid port (use 1 to 65535, or leave it out)")


def _meant(value: str) -> str:
    """Returns the address that was probably meant."""
    if _HOST.fullmatch(value) and not value.startswith("http"):
        return f"; did you mean 'https://{value}'?"
    repaired = re.sub(
        r"^(https?)(?::/{0,3}|;//|//|:\\\\)(?=\w)", r"\1://", value.strip(), flags=re.I
    )
    return f"; did you mean {repaired!r}?" if repaired != value else ""


def _check_language(value: str) -> str:
    if value and value not in LANGUAGES:
        hint = did_you_mean(value, LANGUAGES)
        raise ValueError(f"unknown language {value!r}{hint}; known are {', '.join(LANGUAGES)}")
    return value


def _check_zone(value: str) -> str:
    if value:
        zone_named(value)
    return value


DatabaseUrl = Annotated[str, AfterValidator(_resolve_url)]
WebAddress = Annotated[str, AfterValidator(_check_web_address)]
LimitValue = Annotated[Limit, BeforeValidator(Limit.parse)]
Language = Annotated[str, AfterValidator(_check_language)]
TimeZone = Annotated[str, AfterValidator(_check_zone)]
PipelineName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


def _address(setting: str, variable: str, url: str, environment: Mapping[str, str]) -> str:
    return from_environment(setting, variable, environment).reveal() if variable else url


class SourceSettings(Section):
    """Where deals are read. Keys beyond these are the adapter's own, in `options`."""

    model_config = ConfigDict(extra="allow")

    kind: str = DEFAULT_SOURCE
    url: DatabaseUrl | None = None
    url_env: Variable = ""
    expires_on: date | None = None

    @property
    def options(self) -> Mapping[str, object]:
        """The keys that the adapter itself understands and validates."""
        return dict(self.model_extra or {})

    def address(self, environment: Mapping[str, str]) -> str:
        """Returns the URL, from the environment if the file says so; "" if it names none.

        :raises SecretError: the variable is not set.
        """
        return _address("source.url_env", self.url_env, self.url or "", environment)


class Credentials(Section):
    """How the account logs in. Either a password or one of the tokens is there."""

    username: str
    password: Secret | None = None
    token: Secret | None = None
    application_token: Secret | None = None


class TargetSettings(Section):
    """The project-management tool and the account in it. Keys beyond these are the adapter's own.

    A tool without an address or without accounts does without them; its adapter says so.
    """

    model_config = ConfigDict(extra="allow")

    kind: str = DEFAULT_TARGET
    url: WebAddress = ""
    web_url: WebAddress = ""
    username: str = ""
    password_env: Variable = ""
    password_file: ConfigPath | None = None
    token_env: Variable = ""
    token_file: ConfigPath | None = None
    application_token_env: Variable = ""
    ca_file: ConfigPath | None = None
    expires_on: date | None = None
    concurrency: int = Field(2, ge=1, le=32)
    timeout_seconds: Number = Field(30, gt=0, le=600)
    answer_megabytes: int = Field(64, ge=1, le=4096)

    @model_validator(mode="after")
    def _check_ways_in(self) -> TargetSettings:
        ways = [name for name in WAYS_IN if getattr(self, name)]
        if len(ways) > 1:
            found = " and ".join(ways)
            raise ValueError(f"needs exactly one of {', '.join(WAYS_IN)}; there is {found}")
        return self

    @property
    def options(self) -> Mapping[str, object]:
        """The keys that are the adapter's own."""
        return dict(self.model_extra or {})

    def credentials(self, environment: Mapping[str, str]) -> Credentials:
        """Looks the secret up.

        :raises SecretError: the variable is not set, or the file cannot be used.
        """
        way = next((name for name in WAYS_IN if getattr(self, name)), "")
        if not way:
            return Credentials(username=self.username)
        name, kind = way.rsplit("_", 1)
        place = getattr(self, way)
        secret = (
            from_environment(f"target.{way}", place, environment)
            if kind == "env"
            else from_file(f"target.{way}", place)
        )
        if name != "password":
            secret = for_header(f"target.{way}", secret)
        return Credentials.model_validate({"username": self.username, name: secret})


class SyncSettings(Section):
    """How the two sides are kept in step.

    ``settle_seconds`` is how long a create that was cut off may still take effect in the target.
    ``lease_seconds`` is how long a machine that died keeps another one from writing (0: no lease).
    ``history_days`` is how long the history tells what was written.
    """

    state: DatabaseUrl = Field("sqlite:///state.db", validate_default=True)
    state_env: Variable = ""
    mappings: ConfigPath = Field(Path("mappings"), validate_default=True)
    full_compare_hours: Number = Field(24, ge=0, le=87_600)
    when_gone: Annotated[WhenGone, Field(strict=False)] = WhenGone.REPORT
    settle_seconds: Number = Field(30, ge=0, le=3600)
    lease_seconds: Number = Field(600, ge=0, le=86_400)
    history_days: Number = Field(730, ge=1, le=36_500)

    def state_address(self, environment: Mapping[str, str]) -> str:
        """Returns the URL of the state store, from the environment if the file says so.

        :raises SecretError: the variable is not set.
        """
        return _address("sync.state_env", self.state_env, self.state, environment)


class LimitSettings(Section):
    """How much one run may change; see `sync.plan.limits`."""

    create: LimitValue = DEFAULTS["create"]
    staff: LimitValue = DEFAULTS["staff"]
    children: LimitValue = DEFAULTS["children"]
    retire: LimitValue = DEFAULTS["retire"]
    remove_member: LimitValue = DEFAULTS["remove_member"]
    rename: LimitValue = DEFAULTS["rename"]
    cleared: LimitValue = DEFAULTS["cleared"]
    mails: LimitValue = DEFAULTS["mails"]
    source_shrink: LimitValue = DEFAULTS["source_shrink"]
    other_pipeline: LimitValue = DEFAULTS["other_pipeline"]
    other_account: LimitValue = DEFAULTS["other_account"]
    swapped: LimitValue = DEFAULTS["swapped"]
    unmarked: LimitValue = DEFAULTS["unmarked"]
    missing: LimitValue = DEFAULTS["missing"]

    def by_name(self) -> dict[str, Limit]:
        """Returns the limits by the names that `sync.plan.limits.check_limits` uses."""
        return {name: getattr(self, name) for name in DEFAULTS}


def _check_addresses(value: list[str]) -> list[str]:
    addresses = [address.strip().lower() for address in value]
    for address in addresses:
        name, _, domain = address.partition("@")
        if not name or not domain or any(letter.isspace() for letter in address):
            raise ValueError(f"{address!r} is not an e-mail address such as petra@example.com")
    return list(dict.fromkeys(addresses))


class PortfolioSettings(Section):
    """A project with all deals as cards on a board, and the resource plan on a wiki page.

    ``members`` get into it with ``role``; ``text`` begins its description. ``plan_weeks`` is how
    many weeks the resource plan shows (0: no such page). With ``editable`` "sales", the board is
    where sales works: cards that people make, edit, comment or check off change deals.
    """

    enabled: bool = False
    title: Annotated[str, Field(min_length=1, max_length=200)] = "Portfolio"
    label: Annotated[str, Field(max_length=40)] = ""
    members: Annotated[list[str], AfterValidator(_check_addresses)] = Field(default_factory=list)
    role: Annotated[str, Field(min_length=1, max_length=200)] = "Product Owner"
    text: str = "The deals of the sales pipeline, kept current by pipeline-sync."
    plan_weeks: int = Field(13, ge=0, le=52)
    editable: Literal["", "sales"] = ""


def _check_heartbeat(value: str) -> str:
    # The value is not shown: its path is a secret.
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("is not a web address (https://hc.example.com/...)")
    return value


class MonitoringSettings(Section):
    """What runs tell monitors.

    ``heartbeat_url`` is asked for after each run that finished; ``prometheus_file`` is
    written after each run; ``log_format`` is how the log on stderr looks.
    """

    heartbeat_url: Annotated[str, AfterValidator(_check_heartbeat)] = ""
    heartbeat_url_env: Variable = ""
    prometheus_file: ConfigPath | None = None
    log_format: Literal["text", "json"] = "text"

    def heartbeat_address(self, environment: Mapping[str, str]) -> str:
        """Returns the heartbeat's URL, from the environment if the file says so; "" if none.

        :raises SecretError: the variable is not set.
        :raises ValueError: it holds something else than a web address.
        """
        return _check_heartbeat(
            _address(
                "monitoring.heartbeat_url_env",
                self.heartbeat_url_env,
                self.heartbeat_url,
                environment,
            )
        )


class Settings(Section):
    """All of ``config.toml``. ``path`` is the file itself.

    ``time_zone`` decides which day a moment is; "" for that of the machine. ``language`` is that of
    what many people read, and of a terminal whose environment asks for none; "" if it is not said.
    """

    pipeline: PipelineName
    time_zone: TimeZone = ""
    language: Language = ""
    source: SourceSettings
    target: TargetSettings
    sync: SyncSettings
    limits: LimitSettings
    planning: PlanningSettings
    monitoring: MonitoringSettings
    portfolio: PortfolioSettings
    calendar: CalendarSettings
    notify: NotifySettings
    web: WebSettings
    intake: IntakeSettings
    deals: DealsSettings
    field: Annotated[
        list[FieldSettings], Field(max_length=MAX_FIELDS), AfterValidator(check_fields)
    ] = Field(default_factory=list)
    path: Annotated[Path, Field(strict=False)]

    @cached_property
    def zone(self) -> tzinfo:
        """The time zone in which days are counted."""
        return zone_named(self.time_zone) if self.time_zone else local_zone()

    @cached_property
    def fields(self) -> FieldTable:
        """The fields of a deal, those of the user's own among them."""
        return table_with(each.declaration for each in self.field) if self.field else BUILT_IN


_SECTIONS: Final[Mapping[str, type[BaseModel]]] = {
    "source": SourceSettings,
    "target": TargetSettings,
    "sync": SyncSettings,
    "limits": LimitSettings,
    "planning": PlanningSettings,
    "monitoring": MonitoringSettings,
    "portfolio": PortfolioSettings,
    "calendar": CalendarSettings,
    "notify": NotifySettings,
    "web": WebSettings,
    "intake": IntakeSettings,
    "deals": DealsSettings,
}
_LISTS: Final[Mapping[str, type[BaseModel]]] = {"field": FieldSettings}
"""Sections of which there may be several, written ``[[field]]``."""


def load(path: Path) -> Settings:
    """Returns the settings in the file ``path``.

    :raises ProblemsError: every problem, with line and column; or that there is no such file.
    """
    if not path.exists():
        raise ProblemsError([Problem(NO_CONFIG.format(path=path) + _named_alike(path))])
    return _validate(read_document(path), path)


def _named_alike(path: Path) -> str:
    """Says which file beside ``path`` was perhaps meant: its name is the same but for its end."""
    try:
        names = sorted(each.name for each in path.absolute().parent.iterdir())
    except OSError:
        return ""
    wanted = path.stem.casefold()
    near = [name for name in names if name.partition(".")[0].casefold() == wanted and "." in name]
    return f" (there is {', '.join(map(repr, near[:3]))})" if near else ""


def parse(text: str, path: Path) -> Settings:
    """Returns the settings in ``text``, the content of ``path``.

    :raises ProblemsError: every problem, with line and column.
    """
    return _validate(parse_document(text, str(path)), path)


def _validate(document: Document, path: Path) -> Settings:
    data = document.data
    unseen = list(invisible(document, data))
    problems = list(_take_out_secrets(data))
    for name in _SECTIONS:
        data.setdefault(name, {})
    _add_default_url(data["source"])
    if isinstance(data["target"], dict):
        problems += target_problems(data["target"], TargetSettings.model_fields, _keys())
    try:
        settings = Settings.model_validate(
            {**data, "path": path}, context={"folder": path.absolute().parent}
        )
    except ValidationError as error:
        problems += [
            explain(details, data, _known(details["loc"][:-1]), _LISTS, _keys())
            for details in error.errors(include_url=False)
        ]
    else:
        problems += settings.calendar.problems(settings.fields)
    if problems or unseen:
        placed = [document.at_key(where, message) for where, message in problems]
        placed.sort(key=lambda problem: (problem.line, problem.column))
        raise ProblemsError([*unseen, *placed])
    return settings


def _add_default_url(source: object) -> None:
    if isinstance(source, dict) and not (source.keys() & {"url", "url_env"}):
        url = default_url(source)
        if url:
            source["url"] = url


_Found = tuple[KeyPath, str]


def _take_out_secrets(data: dict[str, Any]) -> Iterator[_Found]:
    """Yields a problem for each secret that is in the file, and removes it from ``data``."""
    for section in ("source", "target"):
        table = data.get(section)
        if not isinstance(table, dict):
            continue
        for key in [key for key in table if key in _SECRET_KEYS]:
            del table[key]
            yield (section, key), no_secrets(section, key, str(table.get("kind", "")))


def _keys() -> dict[str, list[str]]:
    """Returns the keys of each section, and of what stands before the first one."""
    top = [name for name in Settings.model_fields if name not in {*_SECTIONS, *_LISTS, "path"}]
    return {"": top, **{name: list(model.model_fields) for name, model in _SECTIONS.items()}}


def _known(path: KeyPath) -> Iterable[str]:
    model = {**_SECTIONS, **_LISTS}.get(str(path[0])) if path else Settings
    if model is None:
        return ()
    return (name for name in model.model_fields if name != "path")
