"""Requests side by side: as many as allowed, and their answers in order."""

from __future__ import annotations

import threading

import pytest

from taiga_pipeline.targets.parallel import in_parallel


@pytest.mark.parametrize("concurrency", [1, 2, 3])
def test_so_many_are_under_way_at_once(concurrency: int) -> None:
    meeting = threading.Barrier(concurrency, timeout=120)

    def work(item: int) -> int:
        meeting.wait()  # goes on only once that many are here
        return item * 10

    assert in_parallel(work, range(6), concurrency) == [0, 10, 20, 30, 40, 50]


def test_one_at_a_time_stays_in_its_thread() -> None:
    threads = in_parallel(lambda _: threading.get_ident(), range(3), 1)
    assert set(threads) == {threading.get_ident()}


def test_an_error_comes_through() -> None:
    def work(item: int) -> int:
        return 1 // item

    with pytest.raises(ZeroDivisionError):
        in_parallel(work, [1, 0], 2)
