"""The lease: at most one holder in every order of steps, whatever the clocks say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.errors import Locked, OutcomeUnknown, Unavailable, Unreachable, Vanished
from sync.run.lease import Lease, Terms, Turn, acquire
from tests.reliability.interleaving import Gate, every_order

SECONDS = 600.0
DAY = 86_400.0
DEAD = Terms("dead", "old machine", SECONDS)


class OwnClock:
    """A machine's clock: wrong by some hours, and stopped while the machine is suspended."""

    def __init__(self, hours_off: float = 0.0) -> None:
        self.wall = datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(hours=hours_off)
        self.ticks = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, seconds: float) -> None:
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds

    def be_suspended(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)

    def be_set_back(self, seconds: float) -> None:
        self.wall -= timedelta(seconds=seconds)


class ClockBeside(OwnClock):
    """A clock that goes on together with the board's; ``meanwhile`` is done in the middle."""

    def __init__(
        self, board: Board, meanwhile: Callable[[float], None] = lambda seconds: None
    ) -> None:
        super().__init__()
        self._board = board
        self._meanwhile = meanwhile

    def sleep(self, seconds: float) -> None:
        for _ in range(2):
            self.pass_time(seconds / 2)
            self._board.time += seconds / 2
            self._meanwhile(seconds / 2)


@dataclass
class Board:
    """Turns in memory, by a clock of its own; ``before`` and ``after`` are called around calls."""

    rows: dict[int, tuple[Terms, float]] = field(default_factory=dict)
    time: float = 0.0
    before: Callable[[str], None] = lambda operation: None
    after: Callable[[str], None] = lambda operation: None
    calls: list[str] = field(default_factory=list)

    def turns(self, name: str) -> Sequence[Turn]:
        self._begin("turns")
        found = [Turn(n, terms, self.time - at) for n, (terms, at) in self.rows.items()]
        self.after("turns")
        return found

    def add(self, name: str, number: int, terms: Terms) -> bool:
        self._begin("add")
        added = number not in self.rows
        if added:
            self.rows[number] = (terms, self.time)
        self.after("add")
        return added

    def put(self, name: str, number: int, terms: Terms) -> None:
        self._begin("put")
        if number not in self.rows:
            raise Vanished(f"turn {number} is not there")
        self.rows[number] = (terms, self.time)
        self.after("put")

    def remove(self, name: str, number: int) -> None:
        self._begin("remove")
        self.rows.pop(number, None)
        self.after("remove")

    def _begin(self, operation: str) -> None:
        self.calls.append(operation)
        self.before(operation)


def terms(name: str) -> Terms:
    return Terms(name, f"machine {name}", SECONDS)


@pytest.fixture
def board() -> Board:
    return Board()


def take(board: Board, name: str, clock: OwnClock | None = None) -> Lease:
    return acquire(board, "acme", terms(name), clock or OwnClock())


class TestOneAfterTheOther:
    def test_the_first_has_it_and_the_second_learns_who_and_for_how_long(
        self, board: Board
    ) -> None:
        take(board, "A")
        board.time += 100
        with pytest.raises(
            Locked, match=r"machine A, turn 1, renewed 100 s ago; it ends by itself in 500 s"
        ):
            take(board, "B")

    def test_what_was_released_can_be_had_at_once(self, board: Board) -> None:
        take(board, "A").release()
        lease = take(board, "B")
        assert lease.others_were_here
        assert list(board.rows) == [2]

    def test_nobody_else_was_here_between_two_turns_of_ones_own(self, board: Board) -> None:
        assert not take(board, "A").others_were_here
        take(board, "A").release()
        assert not take(board, "A").others_were_here

    def test_a_dead_machines_turn_ends_by_the_boards_clock(self, board: Board) -> None:
        take(board, "A")
        board.time += SECONDS
        with pytest.raises(Locked):
            take(board, "B")
        board.time += 1
        assert take(board, "B").number == 2

    def test_ones_own_turn_from_before_a_crash_is_taken_over_at_once(self, board: Board) -> None:
        take(board, "A")
        assert take(board, "A").number == 2

    def test_a_copy_of_the_state_store_on_another_machine_is_somebody_else(
        self, board: Board
    ) -> None:
        take(board, "A")
        copied = replace(terms("A"), holder="new machine")
        with pytest.raises(Locked, match="machine A"):
            acquire(board, "acme", copied, OwnClock())

    def test_a_server_that_does_not_tell_its_time_keeps_the_turn_and_says_why(
        self, board: Board, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        take(board, "A")
        timeless = [replace(turn, age_seconds=None) for turn in board.turns("acme")]
        monkeypatch.setattr(board, "turns", lambda name: timeless)
        with pytest.raises(Locked, match="no Date header"):
            take(board, "B")


class TestClocks:
    @pytest.mark.parametrize("hours", [-5, 5, 1000])
    def test_a_clock_that_is_off_by_hours_neither_opens_nor_keeps_a_turn(
        self, board: Board, hours: float
    ) -> None:
        lease = take(board, "A", OwnClock())
        with pytest.raises(Locked):
            take(board, "B", OwnClock(hours))
        lease.release()
        take(board, "B", OwnClock(hours)).keep()

    def test_it_is_renewed_while_its_holder_works(self, board: Board) -> None:
        clock = OwnClock()
        lease = take(board, "A", clock)
        for _ in range(20):
            clock.pass_time(150)
            board.time += 150
            lease.keep()
            with pytest.raises(Locked):
                take(board, "B")
        assert board.calls.count("put") == 10  # not at every action

    @pytest.mark.parametrize("stop", ["pass_time", "be_suspended"])
    def test_a_machine_that_stood_still_for_too_long_writes_nothing_more(
        self, board: Board, stop: str
    ) -> None:
        clock = OwnClock()
        lease = take(board, "A", clock)
        getattr(clock, stop)(SECONDS + 1)
        board.time += SECONDS + 1
        other = take(board, "B")
        with pytest.raises(Locked, match="may have passed to another machine"):
            lease.keep()
        lease.release()
        assert board.rows[2][0] == terms("B")
        other.keep()

    @pytest.mark.parametrize("days", [400, -400, 0.5])
    def test_a_machines_clock_that_is_set_in_mid_run_ends_nothing(
        self, board: Board, days: float
    ) -> None:
        clock = OwnClock()
        lease = take(board, "A", clock)
        clock.be_set_back(-days * DAY)
        lease.keep()
        lease.check()
        with pytest.raises(Locked):
            take(board, "B")
        clock.pass_time(SECONDS)
        board.time += SECONDS + 1
        take(board, "B")
        with pytest.raises(Locked):
            lease.keep()

    @pytest.mark.parametrize("days", [400, -400])
    def test_a_dead_machines_turn_ends_also_if_the_servers_clock_was_set(
        self, board: Board, days: float
    ) -> None:
        take(board, "A")
        board.time += days * DAY
        clock = ClockBeside(board)
        assert take(board, "B", clock).number == 2
        assert clock.ticks == 1000 + SECONDS, "it is watched for as long as it lasts"

    @pytest.mark.parametrize("days", [400, -400])
    def test_a_run_under_way_keeps_its_turn_also_if_the_servers_clock_was_set(
        self, board: Board, days: float
    ) -> None:
        holder = OwnClock()
        lease = take(board, "A", holder)
        board.time += days * DAY

        def goes_on(seconds: float) -> None:
            holder.pass_time(seconds)
            lease.keep()

        with pytest.raises(Locked, match="machine A"):
            take(board, "B", ClockBeside(board, goes_on))
        lease.keep()

    def test_a_clock_that_is_set_back_does_not_make_a_turn_longer(self, board: Board) -> None:
        clock = OwnClock()
        lease = take(board, "A", clock)
        clock.pass_time(SECONDS)
        clock.be_set_back(5 * 3600)
        with pytest.raises(Locked):
            lease.keep()

    def test_once_lost_it_stays_lost(self, board: Board) -> None:
        clock = OwnClock()
        lease = take(board, "A", clock)
        clock.pass_time(SECONDS)
        for _ in range(2):
            with pytest.raises(Locked):
                lease.keep()

    def test_a_renewal_that_was_answered_too_late_does_not_count(self, board: Board) -> None:
        clock = OwnClock()
        lease = take(board, "A", clock)
        clock.pass_time(300)
        board.after = lambda operation: clock.pass_time(300) if operation == "put" else None
        with pytest.raises(Locked):
            lease.keep()

    def test_a_renewal_that_fails_is_tried_again_while_there_is_time(self, board: Board) -> None:
        clock = OwnClock()
        lease = take(board, "A", clock)
        board.before = lambda operation: _raise(Unavailable("503"))
        clock.pass_time(300)
        lease.keep()
        clock.pass_time(180)
        with pytest.raises(Locked):
            lease.keep()

    def test_a_turn_that_somebody_removed_by_hand_is_lost(self, board: Board) -> None:
        clock = OwnClock()
        lease = take(board, "A", clock)
        board.rows.clear()
        clock.pass_time(300)
        with pytest.raises(Locked):
            lease.keep()


def _raise(error: Exception) -> None:
    raise error


def lost(board: Board, operation: str, when: str) -> None:
    """Loses the answer to one call: it had its effect ("after") or not ("before")."""

    def fault(name: str) -> None:
        if name == operation:
            setattr(board, when, lambda name: None)
            raise OutcomeUnknown("no answer")

    setattr(board, when, fault)


class TestLostAnswers:
    def test_a_turn_that_was_added_without_an_answer_is_had(self, board: Board) -> None:
        lost(board, "add", "after")
        assert take(board, "A").number == 1

    def test_a_turn_that_was_not_added_is_not_had_and_the_next_run_gets_it(
        self, board: Board
    ) -> None:
        lost(board, "add", "before")
        with pytest.raises(Unreachable, match=r"could not be written.*no answer"):
            take(board, "A")
        take(board, "A")

    def test_a_server_that_takes_no_turn_is_not_said_to_be_another_machine(
        self, board: Board
    ) -> None:
        take(board, "A").release()
        lost(board, "add", "before")
        with pytest.raises(Unreachable, match="could not be written"):
            take(board, "A")

    def test_a_request_that_takes_effect_late_harms_only_until_the_next_run(
        self, board: Board
    ) -> None:
        lost(board, "add", "before")
        with pytest.raises(Unreachable):
            take(board, "A")
        board.add("acme", 1, terms("A"))
        with pytest.raises(Locked):
            take(board, "B")
        assert take(board, "A").number == 2

    def test_a_release_without_an_answer_is_no_error(self, board: Board) -> None:
        lease = take(board, "A")
        lost(board, "put", "before")
        lease.release()
        board.time += SECONDS + 1
        take(board, "B")


@dataclass
class Race:
    """Several machines that take the lease, work, and release it, step by step."""

    board: Board
    gate: Gate = field(default_factory=Gate)
    holding: set[str] = field(default_factory=set)
    worked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.board.before = lambda operation: self.gate.step()

    def machine(self, name: str, hours_off: float = 0.0, times: int = 1) -> Callable[[], None]:
        clock = OwnClock(hours_off)

        def play() -> None:
            for _ in range(times):
                try:
                    lease = acquire(self.board, "acme", terms(name), clock)
                except (Locked, Unreachable):
                    continue
                self.work(name)
                lease.release()

        return play

    def work(self, name: str) -> None:
        self.holding.add(name)
        assert self.holding == {name}, "two machines hold the lease"
        self.gate.step()
        assert self.holding == {name}, "two machines hold the lease"
        self.holding.discard(name)
        self.worked.append(name)


def starts() -> Iterator[tuple[str, dict[int, tuple[Terms, float]]]]:
    yield "nobody was ever here", {}
    yield "released by another", {7: (replace(DEAD, released=True), 0.0)}
    yield "left by a dead machine", {7: (DEAD, -SECONDS - 1)}
    yield (
        "left by a dead machine that was taking over",
        {
            7: (DEAD, -SECONDS - 9),
            8: (DEAD, -SECONDS - 1),
        },
    )
    yield "left by a crash of A", {7: (terms("A"), -5.0)}


class TestEveryOrder:
    @pytest.mark.parametrize("rows", [rows for _, rows in starts()], ids=[n for n, _ in starts()])
    def test_two_machines_never_hold_it_at_once_and_one_of_them_does(
        self, rows: dict[int, tuple[Terms, float]]
    ) -> None:
        orders = 0
        for choose in every_order():
            race = Race(Board(dict(rows)))
            machines = [race.machine("A", hours_off=-5), race.machine("B", hours_off=5)]
            race.gate.run(machines, choose)
            assert race.worked, "both went away"
            orders += 1
        assert orders > 30

    def test_one_that_comes_back_with_outdated_knowledge_is_turned_away(self) -> None:
        for choose in every_order():
            race = Race(Board({7: (DEAD, -SECONDS - 1)}))
            race.gate.run([race.machine("A"), race.machine("B", times=2)], choose)
            assert race.worked

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_an_answer_that_is_lost_makes_no_second_holder(self, when: str) -> None:
        for choose in every_order():
            race = Race(Board())
            _lose_first_add(race, when)
            race.gate.run([race.machine("A"), race.machine("B")], choose)


def _lose_first_add(race: Race, when: str) -> None:
    pending = ["add"]

    def fault(operation: str) -> None:
        if when == "before":
            race.gate.step()
        if operation in pending:
            pending.remove(operation)
            raise OutcomeUnknown("no answer")

    setattr(race.board, when, fault)
