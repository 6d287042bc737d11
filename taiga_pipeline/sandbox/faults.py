"""Faults that the sandbox can be told to have: what goes wrong, and at which request.

A fault is matched by method and path; the n-th request that matches meets it, once, or the n-th
and the `times - 1` after it. A plan is a list of faults, written by hand or drawn from a seed.
"""

import random
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What may go wrong with a request."""

    NO_ANSWER_BEFORE = "no-answer-before"
    NO_ANSWER_AFTER = "no-answer-after"
    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    SLOW_DRIP = "slow-drip"
    TRUNCATED_BODY = "truncated-body"
    NOT_JSON = "not-json"
    SERVER_ERROR_BEFORE = "server-error-before"
    SERVER_ERROR_AFTER = "server-error-after"
    THROTTLED = "throttled"
    TOKEN_EXPIRED = "token-expired"  # noqa: S105
    REFRESH_ANSWER_LOST = "refresh-answer-lost"
    ARCHIVED = "archived"
    BLOCKED = "blocked"
    HALF_MADE_PROJECT = "half-made-project"
    SHIFTED_PAGE = "shifted-page"
    WRONG_COUNT = "wrong-count"
    EMPTY_LIST = "empty-list"


# Kinds that mean something only for certain requests; the others fit any.
NATURAL_MATCH = {
    FaultKind.REFRESH_ANSWER_LOST: ("POST", r"/auth/refresh$"),
    FaultKind.HALF_MADE_PROJECT: ("POST", r"/projects$"),
    FaultKind.SHIFTED_PAGE: ("GET", r""),
    FaultKind.WRONG_COUNT: ("GET", r""),
    FaultKind.EMPTY_LIST: ("GET", r""),
}
PAGE_KINDS = frozenset({FaultKind.SHIFTED_PAGE, FaultKind.WRONG_COUNT, FaultKind.EMPTY_LIST})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    `method` ("" is any) and `path` (a regular expression searched in the path, without /api/v1)
    say for which requests, `occurrence` at which of them (1 is the first), `times` how many in a
    row. `status` and `html` shape a server error, `seconds` is a throttle's wait, a drip's
    length or how long a connection without answer is held, `amount` shifts a page or its count.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    occurrence: int = 1
    times: int = 1
    status: int = 500
    html: bool = False
    seconds: float = 0.0
    amount: int = 1

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is of the sort that this fault is about."""
        natural_method, natural_path = NATURAL_MATCH.get(self.kind, ("", ""))
        wanted = self.method or natural_method
        if wanted and wanted != method:
            return False
        return re.search(self.path or natural_path, path) is not None


@dataclass(frozen=True, slots=True)
class PageFault:
    """How a list lies: rows skipped (or, if negative, repeated) at a page's start, a wrong
    count, nothing.
    """

    shift: int = 0
    count_error: int = 0
    empty: bool = False

    @classmethod
    def of(cls, fault: Fault | None) -> "PageFault":
        """The part of a fault that concerns pages; no lie at all for the other kinds."""
        if fault is None or fault.kind not in PAGE_KINDS:
            return cls()
        if fault.kind is FaultKind.SHIFTED_PAGE:
            return cls(shift=fault.amount)
        if fault.kind is FaultKind.WRONG_COUNT:
            return cls(count_error=fault.amount)
        return cls(empty=True)


class FaultPlan:
    """Faults and how often each has been passed; safe to consult from several threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._seen: dict[int, int] = {}
        self.faults: list[Fault] = list(faults)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Start over with other faults."""
        with self._lock:
            self.faults = list(faults)
            self._seen = {}

    def add(self, *faults: Fault) -> None:
        """Plan further faults; their counting starts now."""
        with self._lock:
            self.faults.extend(faults)

    def take(self, method: str, path: str) -> Fault | None:
        """Count a request; the fault that it meets, or None. The first planned of several wins."""
        with self._lock:
            met = None
            for place, fault in enumerate(self.faults):
                if not fault.matches(method, path):
                    continue
                seen = self._seen[place] = self._seen.get(place, 0) + 1
                due = fault.occurrence <= seen < fault.occurrence + fault.times
                met = met or (fault if due else None)
            return met


def seeded_schedule(
    seed: int,
    count: int,
    requests: int,
    kinds: Sequence[FaultKind] = tuple(FaultKind),
) -> list[Fault]:
    """`count` faults spread over about `requests` requests, the same for the same seed.

    Waits are zero, so that a test that meets them need not wait.
    """
    source = random.Random(seed)  # noqa: S311
    return [_drawn(source, source.choice(kinds), requests) for _ in range(count)]


def _drawn(source: random.Random, kind: FaultKind, requests: int) -> Fault:
    special = kind in (FaultKind.REFRESH_ANSWER_LOST, FaultKind.HALF_MADE_PROJECT)
    reach = 3 if special else max(1, requests)
    return Fault(
        kind,
        occurrence=source.randint(1, reach),
        status=source.choice((500, 502, 503, 504)),
        html=source.random() < 0.5,
        amount=source.choice((-1, 1)),
    )
