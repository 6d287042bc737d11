"""Two machines on one pipeline, in any target that keeps a second one out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sync.clock import SystemClock
from sync.errors import Locked, OutcomeUnknown, SyncError, Vanished
from sync.run.lease import LeaseBoard, Terms, acquire
from tests.contract.targets.account import Account, keeps_leases

pytestmark = keeps_leases

OURS = Terms("a" * 32, "desk (/srv/acme/state.db)", 600)
THEIRS = Terms("b" * 32, "spare (/srv/acme/state.db)", 600)
AT_ONCE = 6


@pytest.fixture
def board(account: Account) -> Iterator[LeaseBoard]:
    made: LeaseBoard = account.target.leases  # type: ignore[attr-defined]
    yield made
    for turn in made.turns(account.pipeline):
        made.remove(account.pipeline, turn.number)


def test_of_two_machines_one_is_at_work(account: Account, board: LeaseBoard) -> None:
    lease = acquire(board, account.pipeline, OURS, account.clock)
    with pytest.raises(Locked, match=r"desk \(/srv/acme/state.db\), turn 1, renewed"):
        acquire(board, account.pipeline, THEIRS, account.clock)
    lease.release()
    after = acquire(board, account.pipeline, THEIRS, account.clock)
    assert (after.number, after.others_were_here) == (2, True)
    assert [turn.number for turn in board.turns(account.pipeline)] == [2]


def test_a_machine_takes_over_what_it_left_behind(account: Account, board: LeaseBoard) -> None:
    acquire(board, account.pipeline, OURS, account.clock)
    again = acquire(board, account.pipeline, OURS, account.clock)
    assert (again.number, again.others_were_here) == (2, False)


def test_a_turn_is_as_old_as_the_server_says(account: Account, board: LeaseBoard) -> None:
    acquire(board, account.pipeline, OURS, account.clock)
    (turn,) = board.turns(account.pipeline)
    assert turn.terms == OURS
    assert turn.age_seconds is not None
    assert -2 <= turn.age_seconds <= 60
    if isinstance(account.clock, SystemClock) or account.target.name == "Taiga":
        return  # their clocks are no test's to move
    account.clock.sleep(601)
    assert not board.turns(account.pipeline)[0].is_held
    board.put(account.pipeline, 1, OURS)
    assert board.turns(account.pipeline)[0].is_held
    account.clock.sleep(601)
    assert acquire(board, account.pipeline, THEIRS, account.clock).number == 2


def test_of_several_that_add_a_turn_at_once_one_succeeds(
    account: Account, board: LeaseBoard
) -> None:
    acquire(board, account.pipeline, OURS, account.clock)
    outcomes: list[Any] = []
    barrier = threading.Barrier(AT_ONCE)

    def add(number: int) -> None:
        barrier.wait(120)
        try:
            terms = Terms(f"{number}" * 32, f"machine {number}", 600)
            outcomes.append(board.add(account.pipeline, 2, terms))
        except SyncError as error:  # a lost answer, or a server that is too busy: settled by a look
            outcomes.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    (held,) = [turn for turn in board.turns(account.pipeline) if turn.number == 2]
    assert outcomes.count(True) <= 1, outcomes
    assert held.terms.holder.startswith("machine")
    assert all(each in (True, False) or isinstance(each, OutcomeUnknown) for each in outcomes)


def test_a_turn_that_is_gone_is_not_put_again_and_removing_it_is_fine(
    account: Account, board: LeaseBoard
) -> None:
    acquire(board, account.pipeline, OURS, account.clock)
    with pytest.raises(Vanished):
        board.put(account.pipeline, 7, OURS)
    for _ in range(2):
        board.remove(account.pipeline, 7)
    assert [turn.number for turn in board.turns(account.pipeline)] == [1]


def test_a_lost_answer_is_settled_by_looking(account: Account, board: LeaseBoard) -> None:
    acquire(board, account.pipeline, OURS, account.clock).release()
    account.lose_next_answer()
    lease = acquire(board, account.pipeline, OURS, account.clock)
    assert lease.number == 2
    with pytest.raises(Locked):
        acquire(board, account.pipeline, THEIRS, account.clock)
