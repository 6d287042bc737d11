"""An event is noted once, and a message is sent at most once, whoever finds it and dies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.clock import SystemClock
from sync.state.outbox import (
    CLAIM_HOLDS,
    Event,
    MessageStatus,
    Outbox,
    Seen,
    Sighting,
)

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
WON = Sighting("deal:D-1", "won")
EVENT = Event("won:deal:D-1:1", "Won: D-1", "It starts soon.", WON)


class Clock(SystemClock):
    """Stands still until it is moved."""

    time = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    made = Outbox(f"sqlite:///{tmp_path / 'state.db'}", "acme", clock)
    yield made
    made.close()


def test_an_event_that_two_processes_find_is_noted_once(outbox: Outbox) -> None:
    assert outbox.note([WON], [EVENT], ["mail"]) == [EVENT]
    assert outbox.note([WON], [EVENT], ["mail"]) == []
    assert outbox.seen("deal:") == {"deal:D-1": Seen("won", 1)}
    assert len(outbox.claim("mail")) == 1


def test_a_look_that_somebody_stored_meanwhile_is_left_to_them(outbox: Outbox) -> None:
    outbox.note([Sighting("deal:D-1", "proposal")], [], [])
    before = outbox.seen("deal:")["deal:D-1"]
    first, second = (Sighting("deal:D-1", value, before) for value in ("won", "lost"))
    outbox.note([first], [], [])
    event = Event("lost:deal:D-1:2", "Lost", "", second)
    assert outbox.note([second], [event], ["mail"]) == []
    assert outbox.seen("deal:")["deal:D-1"].value == "won"


def test_a_claimed_message_is_not_claimed_again(outbox: Outbox) -> None:
    outbox.note([WON], [EVENT], ["mail", "chat"])
    assert [message.title for message in outbox.claim("mail")] == ["Won: D-1"]
    assert outbox.claim("mail") == []
    assert len(outbox.claim("chat")) == 1


def test_what_was_not_settled_is_lost_after_a_while_and_never_due_again(
    outbox: Outbox, clock: Clock
) -> None:
    outbox.note([WON], [EVENT], ["mail"])
    outbox.claim("mail")
    assert outbox.give_up(NOW, clock.now() - CLAIM_HOLDS) == []
    clock.time = NOW + CLAIM_HOLDS + timedelta(seconds=1)
    lost = outbox.give_up(NOW, clock.now() - CLAIM_HOLDS)
    assert [message.event for message in lost] == [EVENT.name]
    assert outbox.claim("mail") == []
    assert outbox.give_up(NOW, clock.now() - CLAIM_HOLDS) == []
    assert [m.status for m in outbox.messages([MessageStatus.LOST])] == [MessageStatus.LOST]


def test_what_certainly_did_not_leave_is_due_again(outbox: Outbox) -> None:
    outbox.note([WON], [EVENT], ["mail"])
    outbox.settle(outbox.claim("mail"), MessageStatus.DUE, "cannot be reached")
    assert [message.detail for message in outbox.claim("mail")] == ["cannot be reached"]


def test_old_messages_are_forgotten_and_due_ones_are_not(outbox: Outbox) -> None:
    outbox.note([WON], [EVENT], ["mail", "chat"])
    outbox.settle(outbox.claim("mail"), MessageStatus.SENT, "")
    outbox.forget_before(NOW + timedelta(days=1))
    assert [each.channel for each in outbox.messages(tuple(MessageStatus))] == ["chat"]
