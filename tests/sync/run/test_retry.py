"""When to try again: a decision without waiting."""

from hypothesis import given
from hypothesis import strategies as st

from sync.run.retry import NEVER, RetryPolicy


def no_jitter() -> float:
    return 0.0


def test_waits_double_up_to_the_cap() -> None:
    policy = RetryPolicy(attempts=9, base_seconds=1, cap_seconds=5, budget_seconds=1000)
    waits = [policy.wait(failed, 0, None, no_jitter) for failed in range(1, 6)]
    assert waits == [1, 2, 4, 5, 5]


def test_gives_up_after_the_last_attempt() -> None:
    policy = RetryPolicy(attempts=3)
    assert policy.wait(2, 0, None, no_jitter) is not None
    assert policy.wait(3, 0, None, no_jitter) is None


def test_the_server_wait_is_never_undercut() -> None:
    policy = RetryPolicy(base_seconds=1, budget_seconds=120)
    assert policy.wait(1, 0, 60, lambda: 0.99) == 60


def test_a_server_wait_beyond_the_budget_is_not_waited_for() -> None:
    policy = RetryPolicy(budget_seconds=59)
    assert policy.wait(1, 0, 60, no_jitter) is None


def test_no_attempt_begins_after_the_budget() -> None:
    policy = RetryPolicy(attempts=99, base_seconds=10, cap_seconds=10, budget_seconds=30, jitter=0)
    assert policy.wait(3, 20, None, no_jitter) == 10
    assert policy.wait(3, 20.1, None, no_jitter) is None


def test_jitter_only_shortens_the_wait() -> None:
    policy = RetryPolicy(base_seconds=4, jitter=0.5)
    assert policy.wait(1, 0, None, lambda: 0.5) == 3


def test_never_is_one_attempt() -> None:
    assert NEVER.wait(1, 0, None, no_jitter) is None


@given(
    failed=st.integers(1, 10_000),
    elapsed=st.floats(0, 1e6),
    asked=st.none() | st.floats(0, 1e6),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_always_fits_the_budget(
    failed: int, elapsed: float, asked: float | None, chance: float
) -> None:
    policy = RetryPolicy(attempts=20_000, budget_seconds=500)
    wait = policy.wait(failed, elapsed, asked, lambda: chance)
    if wait is not None:
        assert wait >= (asked or 0)
        assert elapsed + wait <= 500
