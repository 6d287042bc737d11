"""A link that lets one browser in, once."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable


class OneTimeToken:
    """The token of the link that is valid now. Once used, there is the next one, which ``tell`` is
    told."""

    def __init__(self, tell: Callable[[str], None] = lambda _: None) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._token = secrets.token_urlsafe(24)

    @property
    def token(self) -> str:
        """The one that is valid now."""
        return self._token

    def use(self, token: str) -> bool:
        """Whether a token is the valid one; it is used up then."""
        with self._lock:
            given, wanted = token.encode("utf-8", "replace"), self._token.encode()
            if not hmac.compare_digest(given, wanted):
                return False
            self._token = secrets.token_urlsafe(24)
        self._tell(self._token)
        return True
