"""What the browser keeps of a session: a signed cookie, and nothing secret in it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer

COOKIE: Final = "pipeline_sync"
MAX_SAID: Final = 1_000
"""How long the messages may be that are kept for the next page: a cookie holds 4 kB."""
_RENEWED_AFTER: Final = 0.1
"""A session of which this share is over begins anew with the next page."""

_AHEAD: Final = 60.0
"""Seconds by which the clock may have been put back since a session began."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message for the next page. ``kind`` is ``done`` or ``wrong``."""

    text: str
    kind: str = "done"


@dataclass(frozen=True, slots=True)
class Session:
    """Who a browser belongs to, "" for nobody yet.

    ``proof`` is what their log-in stood on: with another password it is another one. ``csrf`` is
    what a form has to bring. ``began`` counts in seconds (Unix time).
    """

    name: str = ""
    proof: str = ""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    began: int = 0
    said: tuple[Said, ...] = ()

    def saying(self, text: str, kind: str = "done") -> Session:
        """Returns the session with a message for the next page."""
        return replace(self, said=(*self.said, Said(text[:MAX_SAID], kind))[-3:])

    def is_brought(self, token: str) -> bool:
        """Whether a form brought the session's token."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.csrf.encode())


class Sessions:
    """Reads and writes the cookies of one server.

    ``key`` signs them: those of another key are nobody's. ``life`` is in seconds.
    """

    def __init__(self, key: bytes, life: float) -> None:
        how = {"digest_method": hashlib.sha256}
        self._key = key
        self._signer = URLSafeSerializer(key, salt="session", signer_kwargs=how)
        self.life = life
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def read(self, cookie: str, now: float) -> Session:
        """Returns the session of a cookie, a new one where it is none or over."""
        try:
            data = self._signer.loads(cookie) if cookie else None
        except BadData:
            data = None
        session = _session(data) if isinstance(data, dict) else None
        if session is None or not -_AHEAD <= now - session.began <= self.life:
            return Session(began=int(now))
        return session if session.csrf not in self._ended else Session(began=int(now))

    def end(self, session: Session, now: float) -> None:
        """Ends a session for good: a copy of its cookie is nobody's from now on."""
        with self._lock:
            over = [each for each, until in self._ended.items() if until < now]
            for each in over:
                del self._ended[each]
            self._ended[session.csrf] = now + self.life + _AHEAD

    def write(self, session: Session) -> str:
        """Returns the cookie of a session."""
        said = [[each.kind, each.text] for each in session.said]
        kept = (session.name, session.proof, session.csrf, session.began, said)
        cookie: str = self._signer.dumps(dict(zip("npcts", kept, strict=True)))
        return cookie

    def token_of(self, *what: str) -> str:
        """Returns what only this server can make of something: who brings it was given it."""
        said = "\0".join(what).encode()
        return hmac.new(self._key, b"token\0" + said, hashlib.sha256).hexdigest()[:40]

    def renewed(self, session: Session, now: float) -> Session:
        """Returns a session that goes on for its whole life, where a part of that is over."""
        is_due = now - session.began > self.life * _RENEWED_AFTER
        return replace(session, began=int(now)) if is_due else session


def _session(data: Mapping[str, Any]) -> Session | None:
    try:
        said = tuple(Said(str(text), str(kind)) for kind, text in data["s"])
        return Session(str(data["n"]), str(data["p"]), str(data["c"]), int(data["t"]), said)
    except (KeyError, TypeError, ValueError):  # of another version of the program
        return None


def proof_of(stored_hash: str) -> str:
    """Returns what a session proves: a digest of the hash that the password was held against."""
    return hashlib.sha256(f"proof {stored_hash}".encode()).hexdigest()[:16]
