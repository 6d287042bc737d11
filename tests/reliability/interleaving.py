"""Runs actors step by step, in every order in which their steps can fall.

An actor is a function that calls `Gate.step` before each thing that others can notice. One actor
runs at a time, until its next step; who goes on then is what the orders differ in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_PATIENCE_SECONDS = 120.0
"""After so long an actor is taken to be stuck, and the test fails."""

Actor = Callable[[], None]
Choose = Callable[[Sequence[int]], int]
"""Chooses who goes on, from the numbers of the actors that wait."""


@dataclass
class Gate:
    """Lets one actor go on at a time."""

    _turns: threading.Condition = field(default_factory=threading.Condition)
    _waiting: set[int] = field(default_factory=set)
    _finished: set[int] = field(default_factory=set)
    _running: int | None = None
    _numbers: dict[int, int] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)
    before: dict[int, str] = field(default_factory=dict)
    """What each actor that waits is about to do."""

    def step(self, before: str = "") -> None:
        """Waits until it is this actor's turn. Other threads pass freely."""
        number = self._numbers.get(threading.get_ident())
        if number is None:
            return
        with self._turns:
            self._running = None
            self.before[number] = before
            self._waiting.add(number)
            self._turns.notify_all()
            self._wait(lambda: self._running == number)
            self._waiting.discard(number)

    def run(self, actors: Sequence[Actor], choose: Choose) -> None:
        """Runs the actors to their ends; raises what one of them raised."""
        threads = [
            threading.Thread(target=self._play, args=(number, actor), daemon=True)
            for number, actor in enumerate(actors)
        ]
        for thread in threads:
            thread.start()
        everybody = set(range(len(actors)))
        while True:
            with self._turns:
                self._wait(
                    lambda: self._running is None and self._waiting | self._finished == everybody
                )
                if not self._waiting:
                    break
                self._running = choose(sorted(self._waiting))
                self._turns.notify_all()
        for thread in threads:
            thread.join(_PATIENCE_SECONDS)
        if self.errors:
            raise self.errors[0]

    def _play(self, number: int, actor: Actor) -> None:
        self._numbers[threading.get_ident()] = number
        try:
            self.step()
            actor()
        except BaseException as error:  # told to the test by `run`
            self.errors.append(error)
        with self._turns:
            del self._numbers[threading.get_ident()]  # the system may give it out again
            self._running = None
            self._finished.add(number)
            self._turns.notify_all()

    def _wait(self, condition: Callable[[], bool]) -> None:
        if not self._turns.wait_for(condition, _PATIENCE_SECONDS):
            raise TimeoutError("an actor is stuck")


def every_order(most: int = 100_000) -> Iterator[Choose]:
    """Yields a chooser for each order there is, until all were tried (or ``most``)."""
    prefix: list[int] = []
    for _ in range(most):
        taken: list[tuple[int, int]] = []  # which of how many was chosen
        yield _follow(list(prefix), taken)
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return
        prefix = [choice for choice, _ in taken[:-1]] + [taken[-1][0] + 1]


def _follow(prefix: list[int], taken: list[tuple[int, int]]) -> Choose:
    def choose(waiting: Sequence[int]) -> int:
        position = len(taken)
        choice = prefix[position] if position < len(prefix) else 0
        taken.append((choice, len(waiting)))
        return waiting[choice]

    return choose


def two_switches(first: int, second: int) -> Choose:
    """Returns the order in which actor 0 makes ``first`` steps, then actor 1 ``second`` steps, then
    0 goes on to its end, and 1 after it."""
    made = {0: 0, 1: 0}

    def choose(waiting: Sequence[int]) -> int:
        wanted = 1 if made[0] >= first and made[1] < second else 0
        number = wanted if wanted in waiting else waiting[0]
        made[number] += 1
        return number

    return choose


def in_phases(gate: Gate, *phases: tuple[int, str]) -> Choose:
    """Returns the order in which, phase by phase, an actor makes a step, and goes on until it is
    about to do what begins with the phase's words; after the last one, each goes on to its end."""
    left = list(phases)
    made = [0]

    def choose(waiting: Sequence[int]) -> int:
        while left:
            actor, words = left[0]
            assert actor in waiting, f"actor {actor} came to its end before {words!r}"
            if not made[0] or not gate.before[actor].startswith(words):
                made[0] += 1
                return actor
            left.pop(0)
            made[0] = 0
        return waiting[0]

    return choose
