"""The section ``[web]`` of ``config.toml``: where the pages are served, and to whom."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from taiga_pipeline.credentials import Secret, from_environment, from_file
from taiga_pipeline.field_settings import Section
from taiga_pipeline.planning_settings import Number
from taiga_pipeline.setting_values import ConfigPath, Variable

_LISTEN: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})"
)
_BASE: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")

ROLES: Final = ("read", "sell", "plan", "admin")
"""What people may do: each role may do what those before it may."""


def split_listen(value: str) -> tuple[str, int]:
    """Returns host and port of an address to listen at (``127.0.0.1:8085``, ``[::1]:8085``).

    :raises ValueError: it is none.
    """
    match = _LISTEN.fullmatch(value.strip())
    port = int(match["port"]) if match else -1
    if not match or not 0 <= port <= 65535:
        raise ValueError(
            f"{value!r} is not an address to listen at; write host and port, as in 127.0.0.1:8085"
        )
    return match["v6"] or match["name"], port


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _check_listen(value: str) -> str:
    split_listen(value)
    return value.strip()


def _check_base(value: str) -> str:
    path = value.rstrip("/")
    if not _BASE.fullmatch(path):
        raise ValueError(f"{value!r} is not a path such as /pipeline")
    return path


def _check_host(value: str) -> str:
    name = value.strip().rstrip(".").lower()
    if not _HOST.fullmatch(name):
        raise ValueError(
            f"{value!r} is not the name of a machine such as pipeline.example.com (without "
            "https://, port and path)"
        )
    return name


def _check_network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value.strip()))
    except ValueError:
        raise ValueError(
            f"{value!r} is not the address of a proxy such as 127.0.0.1 or 10.0.0.0/24"
        ) from None


def _check_header(value: str) -> str:
    if value and not _HEADER.fullmatch(value):
        raise ValueError(f"{value!r} is not the name of a header such as X-Remote-User")
    return value


Proxy = Annotated[str, AfterValidator(_check_network)]
Host = Annotated[str, AfterValidator(_check_host)]


class WebSettings(Section):
    """Where the pages are served, and who gets in.

    ``base_path`` is the path below which they are, "" for the root. ``hosts`` are the names by
    which browsers reach them; without any, all are answered, but at a loopback address only those
    of the machine itself. ``users`` is the file of the people who log in. ``user_header`` is what a
    proxy says who somebody is with, believed from the addresses ``proxies`` alone; ``header_role``
    is the role of those whom the file of users does not know, "" for none. ``pipelines`` are the
    configurations of others that are served beside this one. ``webhook_key_env`` and
    ``webhook_key_file`` name where the key is with which Taiga signs its webhooks; without one,
    none are received.
    """

    listen: Annotated[str, AfterValidator(_check_listen)] = "127.0.0.1:8085"
    base_path: Annotated[str, AfterValidator(_check_base)] = ""
    hosts: Annotated[list[Host], Field(max_length=50)] = Field(default_factory=list)
    users: ConfigPath | None = None
    proxies: Annotated[list[Proxy], Field(max_length=50)] = Field(default_factory=list)
    user_header: Annotated[str, AfterValidator(_check_header)] = ""
    header_role: Literal["", "read", "sell", "plan", "admin"] = ""
    pipelines: Annotated[list[ConfigPath], Field(max_length=100)] = Field(default_factory=list)
    webhook_key_env: Variable = ""
    webhook_key_file: ConfigPath | None = None
    session_hours: Number = Field(12, gt=0, le=24 * 90)

    @model_validator(mode="after")
    def _check_header_has_proxy(self) -> WebSettings:
        if self.user_header and not self.proxies:
            raise ValueError(
                "user_header is believed from a named proxy alone; name its address in proxies"
            )
        if self.header_role and not self.user_header:
            raise ValueError("header_role needs user_header")
        return self

    @model_validator(mode="after")
    def _check_one_key(self) -> WebSettings:
        if self.webhook_key_env and self.webhook_key_file:
            raise ValueError("needs one of webhook_key_env and webhook_key_file; there are both")
        return self

    def webhook_key(self, environment: Mapping[str, str]) -> Secret | None:
        """Looks up the key of webhooks, None where none is named.

        :raises SecretError: the variable is not set, or the file cannot be used.
        """
        if self.webhook_key_env:
            return from_environment("web.webhook_key_env", self.webhook_key_env, environment)
        if self.webhook_key_file:
            return from_file("web.webhook_key_file", self.webhook_key_file)
        return None

    @property
    def has_accounts(self) -> bool:
        """Whether people are told apart, by a file of users or by a proxy."""
        return bool(self.users or self.user_header)
