"""Bounds how often somebody tries to log in."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from typing import Final

TRIES: Final = 5
SECONDS: Final = 300.0
MOST: Final = 10_000
"""So many names, and so many addresses, are remembered, the latest ones."""
_SITE_BITS: Final = 64
"""Whoever has one IPv6 address has all of its network, so that this counts as one."""


class Throttle:
    """Counts tries by name and by address; after some within a while, the next has to wait.

    A try counts as soon as it begins, before its password is looked at: those that come at the same
    time count as well. Times are seconds that only ever grow.
    """

    def __init__(self, tries: int = TRIES, seconds: float = SECONDS) -> None:
        self._tries, self._seconds = tries, seconds
        # Apart, so that nobody has an address forgotten by trying names.
        self._names: OrderedDict[str, list[float]] = OrderedDict()
        self._addresses: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, now: float, name: str, address: str) -> float:
        """Counts a try, and returns 0; where it has to wait, returns for how many seconds, and
        counts nothing."""
        of = ((self._names, name), (self._addresses, network_of(address)))
        with self._lock:
            wait = max(self._wait(now, counted.get(each, [])) for counted, each in of)
            if not wait:
                for counted, each in of:
                    self._count(now, counted, each)
            return wait

    def _wait(self, now: float, tries: list[float]) -> float:
        recent = [at for at in tries if now - at < self._seconds]
        return recent[-self._tries] + self._seconds - now if len(recent) >= self._tries else 0.0

    def _count(self, now: float, counted: OrderedDict[str, list[float]], each: str) -> None:
        counted[each] = [*counted.pop(each, []), now][-self._tries :]
        while len(counted) > MOST:
            counted.popitem(last=False)

    def passed(self, began: float, name: str, address: str) -> None:
        """Forgets the tries of somebody who got in, and that one of their address."""
        with self._lock:
            self._names.pop(name, None)
            tries = self._addresses.get(network_of(address), [])
            if began in tries:
                tries.remove(began)


def network_of(address: str) -> str:
    """Returns what counts as one place: an address, of IPv6 the network that one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _SITE_BITS), strict=False))
    return address
