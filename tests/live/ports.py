"""A port for a server that is started later, or again: run as a program, prints one.

Ports that the system gives out by itself are none for that: by the time the server starts, somebody
may have it for a connection.
"""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

_FIRST: Final = 10_000
_GIVEN_OUT: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Returns a port of 127.0.0.1 that nobody has and that the system gives out to nobody."""
    candidates = range(_FIRST, _first_given_out())
    for port in random.SystemRandom().sample(candidates, min(100, len(candidates))):
        with suppress(OSError), socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
            return port
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _first_given_out() -> int:
    try:
        return max(_FIRST, int(_GIVEN_OUT.read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return 32_768


if __name__ == "__main__":
    print(free_port())
