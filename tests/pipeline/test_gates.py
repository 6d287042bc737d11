"""The one rule of gates: what a way through the funnel asks for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.pipeline.gates import asked_on_the_way
from taiga_pipeline.pipeline.model import Category


@dataclass(frozen=True)
class Stage:
    category: Category
    requires: tuple[str, ...] = ()
    sets_aside: bool = False


LEAD = Stage(Category.LEAD, ("called",))
QUALIFIED = Stage(Category.QUALIFIED, ("budget", "decider"))
NEEDS = Stage(Category.NEEDS, ("needs", "budget"))
PROPOSAL = Stage(Category.PROPOSAL, ("presented",))
WON = Stage(Category.WON)
LOST = Stage(Category.LOST)
HOLD = Stage(Category.NEEDS, ("nothing",), sets_aside=True)
STAGES = (LEAD, QUALIFIED, NEEDS, HOLD, PROPOSAL, WON, LOST)
PATH = (LEAD, QUALIFIED, NEEDS, PROPOSAL, WON)


@pytest.mark.parametrize(("start", "to"), list(pairwise(PATH)))
def test_a_step_asks_for_the_actions_of_the_stage_that_it_leaves(start: Stage, to: Stage) -> None:
    assert asked_on_the_way(STAGES, start, to) == start.requires


def test_a_jump_asks_for_every_action_on_its_way_once() -> None:
    assert asked_on_the_way(STAGES, QUALIFIED, WON) == ("budget", "decider", "needs", "presented")


@pytest.mark.parametrize("start", STAGES)
@pytest.mark.parametrize("to", [LOST, HOLD])
def test_a_loss_and_a_hold_are_always_open(start: Stage, to: Stage) -> None:
    assert asked_on_the_way(STAGES, start, to) == ()


@given(st.integers(0, 4), st.integers(0, 4))
def test_the_way_back_is_always_open(start: int, to: int) -> None:
    asked = asked_on_the_way(STAGES, PATH[start], PATH[to])
    assert bool(asked) == (to > start)


@pytest.mark.parametrize("start", [None, LOST, HOLD])
def test_whoever_comes_from_elsewhere_passes_every_stage_before(start: Stage | None) -> None:
    assert asked_on_the_way(STAGES, start, NEEDS) == ("called", "budget", "decider")


def test_categories_order_stages_that_a_file_has_otherwise() -> None:
    assert asked_on_the_way(STAGES[::-1], LEAD, NEEDS) == ("called", "budget", "decider")
