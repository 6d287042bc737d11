"""Connections on which a whole answer comes in time, or none.

The time-out of a socket begins again with every byte that arrives: a server that sends one now and
then, of a body or already of the status line, would hold a run forever.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from taiga_pipeline.http.bounds import WHOLE_ANSWER


class DeadlineAdapter(HTTPAdapter):
    """Sends requests whose whole answers have `WHOLE_ANSWER` times the time-out of a silence."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Makes the connections to servers."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Makes the connections to a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _TimedFile(io.RawIOBase):
    """What a socket receives, until it has taken too long."""

    def __init__(self, raw: io.RawIOBase, seconds: float) -> None:
        self._raw = raw
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._until:
            raise TimeoutError("the answer was not complete")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """An answer whose time began when its request was sent."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        silence = sock.gettimeout()
        if silence is not None:
            self.fp = io.BufferedReader(_TimedFile(self.fp.detach(), WHOLE_ANSWER * silence))


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _TlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS: Final = {"http": _Pool, "https": _TlsPool}
