"""Rate limits, all off until one is set, with the buckets of a real server.

A rate is text such as "10/min" (s, sec, min, hour, day). Buckets: `anon-read`, `anon-write`,
`user-read`, `user-write` (one for all writes of an account), `login-fail` (per address, counts
refused log-ins), `create-memberships` (counts people, not requests). /auth, /users and
/memberships are outside the general ones.
"""

import math
from collections import deque
from datetime import datetime

from taiga_pipeline.sandbox.errors import throttled
from taiga_pipeline.sandbox.models import User
from taiga_pipeline.sandbox.serving.wire import Request

BUCKETS = frozenset(
    ["anon-read", "anon-write", "user-read", "user-write", "login-fail", "create-memberships"]
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OWN_BUCKETS = ("/auth", "/users", "/memberships")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def parse_rate(rate: str) -> tuple[int, int]:
    """Requests and seconds of a rate such as "5/min".

    Raises:
        ValueError: the text is no rate.
    """
    count, _, period = rate.partition("/")
    if not count.isdecimal() or period[:1] not in _SECONDS:
        raise ValueError(f"not a rate: {rate!r}; write a number, a slash and s, min, hour or day")
    return int(count), _SECONDS[period[:1]]


class Throttle:
    """The limits in force and what each bucket has seen lately; guarded by the store's lock."""

    def __init__(self) -> None:
        self._rates: dict[str, tuple[int, int]] = {}
        self._seen: dict[tuple[str, str], deque[datetime]] = {}

    def set_rates(self, rates: dict[str, str]) -> None:
        """Replace all limits and forget what was counted; an empty dict switches them off.

        Raises:
            ValueError: an unknown bucket or a text that is no rate.
        """
        unknown = sorted(set(rates) - BUCKETS)
        if unknown:
            raise ValueError(
                f"no such bucket: {', '.join(unknown)}; known: {', '.join(sorted(BUCKETS))}"
            )
        self._rates = {bucket: parse_rate(rate) for bucket, rate in rates.items()}
        self._seen = {}

    def general(self, path: str, request: Request, user: User | None, now: datetime) -> None:
        """Count an ordinary request.

        Raises:
            ApiError: 429 if its bucket is full.
        """
        if not self._rates or path.startswith(_OWN_BUCKETS):
            return
        whose = "user" if user else "anon"
        action = "read" if request.method in _READS else "write"
        self.count(f"{whose}-{action}", str(user.id) if user else request.remote, now)

    def count(self, bucket: str, key: str, now: datetime, weight: int = 1) -> None:
        """Count `weight` uses of a bucket; a refused use is not counted.

        Raises:
            ApiError: 429 if that is more than the rate allows.
        """
        self.check(bucket, key, now, weight)
        if bucket in self._rates:
            self._seen[bucket, key].extend([now] * weight)

    def check(self, bucket: str, key: str, now: datetime, weight: int = 1) -> None:
        """Refuse if a bucket has no room, without counting.

        Raises:
            ApiError: 429 with the wait in whole seconds, rounded up.
        """
        if bucket not in self._rates:
            return
        limit, period = self._rates[bucket]
        seen = self._seen.setdefault((bucket, key), deque())
        while seen and (now - seen[0]).total_seconds() >= period:
            seen.popleft()
        if len(seen) + weight > limit:
            raise throttled(_wait(seen, now, limit, period))


def _wait(seen: deque[datetime], now: datetime, limit: int, period: int) -> int:
    if not seen:
        return max(1, math.ceil(period / (limit + 1)))
    return max(1, math.ceil(period - (now - seen[0]).total_seconds()))
