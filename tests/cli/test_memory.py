"""How often unused objects are looked for: seldom in a command that ends soon."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from taiga_pipeline.cli.memory import look_often, look_seldom


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_command_that_serves_for_long_looks_more_often_than_one_that_ends_soon() -> None:
    look_seldom()
    seldom, *_ = gc.get_threshold()
    look_often()
    often, *_ = gc.get_threshold()
    assert 0 < often < seldom


def test_whoever_looks_more_often_anyway_goes_on_so() -> None:
    gc.set_threshold(700, 10, 10)
    look_often()
    assert gc.get_threshold() == (700, 10, 10)
