"""The section ``[notify]`` of ``config.toml``: who is told what happened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from taiga_pipeline.credentials import Secret, from_environment, from_file
from taiga_pipeline.field_settings import Section
from taiga_pipeline.planning_settings import Number
from taiga_pipeline.setting_values import ConfigPath, Variable

_HOST_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*")


def _check_host(value: str) -> str:
    name = value.strip().rstrip(".").lower()
    if not _HOST_NAME.fullmatch(name):
        raise ValueError(
            f"{value!r} is not the name of a machine such as mail.example.com (without https://, "
            "port and path)"
        )
    return name


NotifiedEvent = Literal["won", "staffed", "short", "conflict", "run"]
HostName = Annotated[str, AfterValidator(_check_host)]


class NotifySettings(Section):
    """Where messages go, and about what; see `taiga_pipeline.notify`.

    ``urls_env`` and ``urls_file`` name where the addresses of channels are: they hold secrets.
    ``hosts`` are machines that messages may go to beyond those that the addresses name themselves.
    ``events`` are what is told; ``timeout_seconds`` is how long one channel may take.
    """

    urls_env: Variable = ""
    urls_file: ConfigPath | None = None
    hosts: Annotated[list[HostName], Field(max_length=50)] = Field(default_factory=list)
    events: list[NotifiedEvent] = Field(default_factory=lambda: list(get_args(NotifiedEvent)))
    timeout_seconds: Number = Field(30, ge=1, le=120)

    @model_validator(mode="after")
    def _check_places(self) -> NotifySettings:
        if self.urls_env and self.urls_file:
            raise ValueError("needs one of urls_env and urls_file; there are both")
        return self

    @property
    def is_wanted(self) -> bool:
        """Whether anybody is told anything."""
        return bool(self.urls_env or self.urls_file)

    @property
    def place(self) -> str:
        """The setting that says where the addresses are."""
        return "notify.urls_env" if self.urls_env else "notify.urls_file"

    def addresses(self, environment: Mapping[str, str]) -> Secret | None:
        """Looks up the addresses of the channels, None if the file names none.

        :raises SecretError: the variable is not set, or the file cannot be used.
        """
        if self.urls_env:
            return from_environment(self.place, self.urls_env, environment)
        return from_file(self.place, self.urls_file) if self.urls_file else None
