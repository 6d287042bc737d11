"""The ways in: a one-time link, the file of users, or what a named proxy says."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.requests import HTTPConnection

from taiga_pipeline.web.access.one_time import OneTimeToken
from taiga_pipeline.web.access.people import Person, Role, User, fits, read_users
from taiga_pipeline.web.access.session import Session, proof_of
from taiga_pipeline.web.access.throttle import Throttle

ONE_TIME: Final = "one-time link"


@dataclass
class Door:
    """Tells who is there.

    ``local`` is who comes by the one-time link, None where people log in. ``users`` is the file of
    those. ``header`` is what a proxy at one of the addresses ``proxies`` says who somebody is with.
    """

    local: Person | None = None
    users: Path | None = None
    header: str = ""
    header_role: Role | None = None
    proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    link: OneTimeToken = field(default_factory=OneTimeToken)
    throttle: Throttle = field(default_factory=Throttle)
    _read: tuple[tuple[int, int, int], Mapping[str, User]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def lets_nobody_in(self) -> bool:
        """Whether nobody at all can get in, as the file of users is now.

        :raises ProblemsError: the file has problems.
        """
        if self.local is not None:
            return False
        users = self.known().values()
        by_header = bool(self.header) and (self.header_role is not None or bool(users))
        return not by_header and not any(user.hash for user in users)

    def known(self) -> Mapping[str, User]:
        """Returns the users, read again where their file was changed.

        :raises ProblemsError: the file has problems.
        """
        if self.users is None:
            return {}
        with self._lock:
            try:
                found = self.users.stat()
            except OSError:
                return {}
            mark = (found.st_mtime_ns, found.st_size, found.st_ino)
            if self._read is None or self._read[0] != mark:
                self._read = (mark, read_users(self.users))
            return self._read[1]

    def who(self, session: Session, connection: HTTPConnection) -> Person | None:
        """Returns who is there, None for nobody.

        :raises ProblemsError: the file of users has problems.
        """
        if self.header and self.is_proxy(connection):
            named = connection.headers.getlist(self.header)
            return self._by_header(named[0].strip()) if len(named) == 1 else None
        if not session.name:
            return None
        if self.local is not None:
            is_local = session.proof == ONE_TIME and session.name == self.local.name
            return self.local if is_local else None
        user = self.known().get(session.name.casefold())
        if user is None or not user.hash or session.proof != proof_of(user.hash):
            return None
        return user.person

    def _by_header(self, said: str) -> Person | None:
        try:
            name = said.encode("latin-1").decode("utf-8")  # as which proxies write names
        except UnicodeError:
            name = said
        if not name or len(name) > 200 or not name.isprintable():
            return None
        user = self.known().get(name.casefold())
        if user is not None:
            return user.person
        return Person(name, self.header_role) if self.header_role else None

    def is_proxy(self, connection: HTTPConnection) -> bool:
        """Whether a request comes from a named proxy."""
        try:
            address = ipaddress.ip_address(connection.client.host if connection.client else "")
        except ValueError:
            return False
        return any(address in network for network in self.proxies)

    def address(self, connection: HTTPConnection) -> str:
        """Returns where a request comes from, as a named proxy says it."""
        peer = connection.client.host if connection.client else "unknown"
        addresses = connection.headers.get("x-forwarded-for", "")
        return (
            addresses.rpartition(",")[2].strip()[:100] or peer
            if self.is_proxy(connection)
            else peer
        )

    def is_secure(self, connection: HTTPConnection) -> bool:
        """Whether the browser speaks https, to this server or to a named proxy."""
        schemes = connection.headers.get("x-forwarded-proto", "")
        scheme = schemes.rpartition(",")[2].strip() if self.is_proxy(connection) else ""
        return (scheme or connection.url.scheme) == "https"

    def log_in(self, name: str, password: str) -> User | None:
        """Returns the user with a name and a password, None if they do not belong together.

        It takes as long for a name that nobody has.

        :raises ProblemsError: the file of users has problems.
        """
        user = self.known().get(name.casefold())
        return user if fits(password, user.hash if user else "") and user else None
