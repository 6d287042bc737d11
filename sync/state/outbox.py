"""Messages to people: each event is noted once, and sent at most once to each channel.

An event is found by comparing how something is with how it was when it was last looked at
(`Sighting`). Both the new look and the messages are stored in one transaction, so that neither is
there without the other. A message is claimed before it is sent: a process that is killed between
claiming and noting what became of it leaves a message of which nobody knows whether it arrived. It
is not sent again; the next delivery reports it as lost.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from sync.state.rows import dump
from sync.state.schema import MESSAGES, SEEN
from sync.state.tables import StateTables

CLAIM_HOLDS: Final = timedelta(minutes=15)
"""How long a claimed message may be under way; sending is given up long before that."""
_CHUNK: Final = 400


class MessageStatus(StrEnum):
    """What became of a message to one channel."""

    DUE = "due"
    """It was never given to the channel."""
    SENDING = "sending"
    """It was claimed, and is under way; or the process ended before it could note the outcome."""
    SENT = "sent"
    REFUSED = "refused"
    """The channel, or a rule of ours, did not take it. It is not sent again."""
    LOST = "lost"
    """Nobody knows whether it arrived. It is not sent again."""


FINAL: Final = (MessageStatus.SENT, MessageStatus.REFUSED, MessageStatus.LOST)
UNDELIVERED: Final = (MessageStatus.REFUSED, MessageStatus.LOST)


@dataclass(frozen=True, slots=True)
class Seen:
    """How something was when it was last looked at, and how often that had changed by then."""

    value: str
    version: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something as it is now. ``before`` is how it was, None if it was never looked at."""

    subject: str
    value: str
    before: Seen | None = None

    @property
    def version(self) -> int:
        """The number of the change that this is."""
        return self.before.version + 1 if self.before else 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that people are told. ``name`` is the same whoever finds it, and whenever.

    ``sighting`` is the look that showed it, None if the name says all.
    """

    name: str
    title: str
    text: str
    sighting: Sighting | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way to one channel. Times are UTC; ``place`` is its own among those that were
    noted together."""

    event: str
    channel: str
    title: str
    text: str
    status: MessageStatus
    detail: str
    noted_at: datetime
    changed_at: datetime
    place: int = 0


class Outbox(StateTables):
    """The messages of one pipeline.

    :raises StateUnusable: (any method) as `sync.state.store.StateStore`.
    """

    def seen(self, prefix: str) -> dict[str, Seen]:
        """Returns how everything was whose subject begins with ``prefix``."""
        query = select(SEEN.c.subject, SEEN.c.value, SEEN.c.version).where(
            SEEN.c.pipeline == self.pipeline,
            func.substr(SEEN.c.subject, 1, len(prefix)) == prefix,
        )
        with self._read() as connection:
            return {row[0]: Seen(row[1], row[2]) for row in connection.execute(query)}

    def note(
        self,
        sightings: Iterable[Sighting],
        events: Collection[Event],
        channels: Collection[str],
    ) -> list[Event]:
        """Stores looks, and the messages of events; returns the events that nobody noted before.

        A look that somebody else stored meanwhile is left to them, with its events.
        """
        with self._write("messages") as connection:
            stored = {each.subject: self._look(connection, each) for each in sightings}
            known = self._known(connection, {event.name for event in events})
            fresh = [
                event
                for event in events
                if event.name not in known
                and (event.sighting is None or stored.get(event.sighting.subject, True))
            ]
            for place, event in enumerate(fresh):
                for channel in channels:
                    self._add(connection, event, channel, place)
        return fresh

    def _look(self, connection: Connection, sighting: Sighting) -> bool:
        """Stores a look; returns whether it still follows the one before."""
        values: dict[str, Any] = {"value": sighting.value, "version": sighting.version}
        mine = and_(SEEN.c.pipeline == self.pipeline, SEEN.c.subject == sighting.subject)
        if sighting.before is not None:
            same = and_(mine, SEEN.c.version == sighting.before.version)
            changed = connection.execute(update(SEEN).where(same).values(values))
            return bool(changed.rowcount)
        if connection.execute(select(SEEN.c.version).where(mine)).first() is not None:
            return False
        row = {"pipeline": self.pipeline, "subject": sighting.subject, **values}
        connection.execute(insert(SEEN).values(row))
        return True

    def _known(self, connection: Connection, names: Collection[str]) -> set[str]:
        ordered, known = sorted(names), set[str]()
        for start in range(0, len(ordered), _CHUNK):
            some = MESSAGES.c.event.in_(ordered[start : start + _CHUNK])
            query = select(MESSAGES.c.event).where(self._mine, some)
            known.update(connection.execute(query).scalars())
        return known

    def _add(self, connection: Connection, event: Event, channel: str, place: int) -> None:
        connection.execute(
            insert(MESSAGES).values(
                pipeline=self.pipeline,
                event=event.name,
                channel=channel,
                text_json=dump({"title": event.title, "text": event.text, "place": place}),
                status=MessageStatus.DUE.value,
                detail="",
                noted_at=self._moment,
                changed_at=self._moment,
            )
        )

    def claim(self, channel: str) -> list[Message]:
        """Takes all messages that are due for a channel, so that nobody else sends them."""
        with self._write("claim") as connection:
            due = self._messages(
                connection,
                and_(MESSAGES.c.channel == channel, MESSAGES.c.status == MessageStatus.DUE.value),
            )
            return [each for each in due if self._take(connection, each)]

    def _take(self, connection: Connection, message: Message) -> bool:
        free = and_(self._one(message), MESSAGES.c.status == MessageStatus.DUE.value)
        taken = {"status": MessageStatus.SENDING.value, "changed_at": self._moment}
        return bool(connection.execute(update(MESSAGES).where(free).values(taken)).rowcount)

    def settle(self, messages: Iterable[Message], status: MessageStatus, detail: str) -> None:
        """Notes what became of messages that were claimed."""
        values = {"status": status.value, "detail": detail}
        with self._write("sent") as connection:
            for message in messages:
                connection.execute(
                    update(MESSAGES)
                    .where(self._one(message))
                    .values(**values, changed_at=self._moment)
                )

    def give_up(self, due_before: datetime, claimed_before: datetime) -> list[Message]:
        """Returns messages that are lost as of now, and notes that.

        Those are messages that were claimed before one time and whose outcome was never noted, and
        those that have been due since before the other one.
        """
        cut_off = and_(
            MESSAGES.c.status == MessageStatus.SENDING.value,
            MESSAGES.c.changed_at < claimed_before,
        )
        too_old = and_(
            MESSAGES.c.status == MessageStatus.DUE.value, MESSAGES.c.noted_at < due_before
        )
        with self._write("lost") as connection:
            lost = self._messages(connection, or_(cut_off, too_old))
            for message in lost:
                connection.execute(
                    update(MESSAGES)
                    .where(self._one(message))
                    .values(status=MessageStatus.LOST.value, changed_at=self._moment)
                )
        return lost

    def messages(
        self, statuses: Collection[MessageStatus], since: datetime | None = None
    ) -> list[Message]:
        """Returns messages of some statuses, the oldest first; only those changed ``since``."""
        some = MESSAGES.c.status.in_([status.value for status in statuses])
        wanted = some if since is None else and_(some, MESSAGES.c.changed_at >= since)
        with self._read() as connection:
            return self._messages(connection, wanted)

    def has_note(self, event: str, channel: str) -> bool:
        """Tells whether an event was noted for a channel."""
        query = select(MESSAGES.c.status).where(
            self._mine, MESSAGES.c.event == event, MESSAGES.c.channel == channel
        )
        with self._read() as connection:
            return connection.execute(query).first() is not None

    def forget_before(self, moment: datetime) -> None:
        """Forgets messages that ended before a time."""
        ended = MESSAGES.c.status.in_([status.value for status in FINAL])
        old = and_(self._mine, ended, MESSAGES.c.changed_at < moment)
        with self._read() as connection:
            if connection.execute(select(MESSAGES.c.event).where(old).limit(1)).first() is None:
                return
        with self._write("prune") as connection:
            connection.execute(delete(MESSAGES).where(old))

    @property
    def _mine(self) -> ColumnElement[bool]:
        return MESSAGES.c.pipeline == self.pipeline

    def _one(self, message: Message) -> ColumnElement[bool]:
        return and_(
            self._mine, MESSAGES.c.event == message.event, MESSAGES.c.channel == message.channel
        )

    def _messages(self, connection: Connection, which: ColumnElement[bool]) -> list[Message]:
        query = select(MESSAGES).where(self._mine, which).order_by(MESSAGES.c.noted_at)
        found = [_read(row) for row in connection.execute(query)]
        return sorted(found, key=lambda each: (each.noted_at, each.place, each.event))


def _read(row: Any) -> Message:
    text: Mapping[str, Any] = json.loads(row.text_json)
    return Message(
        event=row.event,
        channel=row.channel,
        title=text["title"],
        text=text["text"],
        status=MessageStatus(row.status),
        detail=row.detail,
        noted_at=row.noted_at,
        changed_at=row.changed_at,
        place=text.get("place", 0),
    )
