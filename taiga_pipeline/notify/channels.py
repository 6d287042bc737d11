"""The channels that messages go to: one for each address, and the machines that it may reach.

An address is Apprise's (``mailtos://user:password@example.com?smtp=mail.example.com``). It holds
secrets, so a channel is named by its kind and its machine alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from taiga_pipeline.credentials import Secret
from taiga_pipeline.problems import Problem, ProblemsError

MOST_CHANNELS: Final = 20
_LONGEST: Final = 2000

PLAIN: Final = frozenset(
    "mailto mailtos ntfy ntfys json jsons xml xmls form forms gotify gotifys".split()
)
"""Kinds of channels that show text as it is; others read Markdown in it."""
SELF_HOSTED: Final = PLAIN | frozenset(
    "mmost mmosts rocket rockets matrix matrixs nctalk nctalks synology synologys".split()
)
"""Kinds whose addresses name the machine that messages go to. In the addresses of other kinds, a
token may stand there."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go. ``name`` holds no secret; ``hosts`` are machines that it may reach."""

    name: str
    address: Secret
    hosts: frozenset[str]
    is_plain: bool


def channels_of(addresses: Secret, hosts: Collection[str], setting: str) -> tuple[Channel, ...]:
    """Returns the channels of addresses that blanks or ends of lines part.

    ``hosts`` are machines that all of them may reach; ``setting`` is named in problems.

    :raises ProblemsError: something is no address; what it is, is not shown.
    """
    found = addresses.reveal().split()
    if len(found) > MOST_CHANNELS:
        message = f"{setting}: holds {len(found)} addresses; there may be {MOST_CHANNELS}"
        raise ProblemsError([Problem(message)])
    problems = [
        Problem(f"{setting}: address {number} is none such as mailtos://... or mmosts://...")
        for number, each in enumerate(found, 1)
        if not _is_address(each)
    ]
    if problems:
        raise ProblemsError(problems)
    return tuple(_named([_channel(each, hosts) for each in found]))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.scheme and "://" in text) and len(text) <= _LONGEST
    except ValueError:
        return False


def _channel(address: str, hosts: Collection[str]) -> Channel:
    kind = address.partition("://")[0].lower()
    own = _own_hosts(kind, address)
    shown = own[0] if own else ""
    return Channel(f"{kind}://{shown}", Secret(address), frozenset((*own, *hosts)), kind in PLAIN)


def _own_hosts(kind: str, address: str) -> list[str]:
    """Returns the machines that an address names, the one that it is shown with first."""
    if kind not in SELF_HOSTED:
        return []
    parts = urlsplit(address)
    host = (parts.hostname or "").rstrip(".")
    if kind in ("ntfy", "ntfys") and not parts.path.strip("/"):
        return []  # a topic stands there, and the machine is one of the vendor's
    servers = parse_qs(parts.query).get("smtp", []) if kind.startswith("mailto") else []
    return [name for name in (*(each.lower() for each in servers), host.lower()) if name]


def _named(channels: list[Channel]) -> Iterator[Channel]:
    """Numbers channels that would have the same name, in the order of their addresses."""
    count: Counter[str] = Counter()
    for each in channels:
        count[each.name] += 1
        number = count[each.name]
        name = each.name if number == 1 else f"{each.name} ({number})"
        yield Channel(name, each.address, each.hosts, each.is_plain)
