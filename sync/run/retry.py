"""The decision whether to try again, and when: pure, so that it can be tested without waiting.

policy = RetryPolicy(attempts=5, budget_seconds=120)
wait = policy.wait(failed=1, elapsed_seconds=0.3, asked_seconds=None, random=random.random)
if wait is None: give up
else: clock.sleep(wait), then try again
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to try.

    :param attempts: how many attempts there are in all, at least 1.
    :param base_seconds: the wait after the first failure; it doubles with each further one.
    :param cap_seconds: the longest wait that is chosen without the server asking for one.
    :param budget_seconds: no attempt begins later than this after the first one began.
    :param jitter: the share of a chosen wait that is left to chance (0 none, 1 all), so that
        several clients that failed together do not come back together.
    """

    attempts: int = 5
    base_seconds: float = 0.5
    cap_seconds: float = 20.0
    budget_seconds: float = 120.0
    jitter: float = 0.5

    def wait(
        self,
        failed: int,
        elapsed_seconds: float,
        asked_seconds: float | None,
        random: Callable[[], float],
    ) -> float | None:
        """Returns the seconds to wait before the next attempt, None to give up.

        :param failed: how many attempts failed so far, at least 1.
        :param elapsed_seconds: time since the first attempt began.
        :param asked_seconds: how long the server asked to be left alone; never undercut, and
            never cut short: if it does not fit into the budget, there is no further attempt.
        :param random: returns a number in [0, 1).
        """
        if failed >= self.attempts:
            return None
        wait = max(self._backoff(failed, random()), asked_seconds or 0.0)
        return wait if elapsed_seconds + wait <= self.budget_seconds else None

    def _backoff(self, failed: int, chance: float) -> float:
        """``base * 2 ** (failed - 1)`` up to the cap, shortened by up to ``jitter`` of it."""
        doublings = min(failed - 1, 60)
        longest = min(self.cap_seconds, self.base_seconds * 2.0**doublings)
        return longest * (1.0 - self.jitter * chance)


NEVER = RetryPolicy(attempts=1)
"""For what must not be repeated."""
