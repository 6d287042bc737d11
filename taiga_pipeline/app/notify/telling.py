"""Brings noted messages to their channels, each at most once.

A channel that fails never makes anything else fail: it is logged, and `status` has it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from typing import Final

from sync.state.outbox import CLAIM_HOLDS, UNDELIVERED, Message, MessageStatus, Outbox
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.notify.channels import Channel, channels_of
from taiga_pipeline.notify.events import together
from taiga_pipeline.notify.sending import EXTRA, PACKAGE, ChildSender, Delivery, Sender
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.terminal import safe

log = logging.getLogger(__name__)

TOO_OLD: Final = timedelta(days=2)
"""A message that could not be given to its channel for so long is not sent any more."""
SHOWN_FOR: Final = timedelta(days=7)
"""How long messages that did not arrive are reported by `status`."""


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """What became of messages to one channel."""

    channel: str
    messages: tuple[Message, ...]
    delivery: Delivery


def channels(workspace: Workspace) -> tuple[Channel, ...]:
    """Returns the channels of the configuration, none where it names none.

    :raises ProblemsError: the addresses cannot be had, or are none.
    """
    notify = workspace.settings.notify
    addresses = notify.addresses(workspace.environment)
    if addresses is None:
        return ()
    return channels_of(addresses, notify.hosts, notify.place)


def need_package() -> None:
    """Makes sure that what sends messages is installed.

    :raises ProblemsError: it is not; says how to install it.
    """
    if find_spec(PACKAGE) is None:
        message = f"messages need packages that are not installed: {how_to_get(EXTRA)}"
        raise ProblemsError([Problem(message)])


def sender_of(workspace: Workspace) -> Sender:
    """Returns what sends messages."""
    return ChildSender(workspace.settings.notify.timeout_seconds, workspace.environment)


@contextmanager
def open_outbox(workspace: Workspace) -> Iterator[Outbox]:
    """Opens the messages of a pipeline."""
    outbox = Outbox(workspace.state_url, workspace.settings.pipeline, workspace.clock)
    try:
        yield outbox
    finally:
        outbox.close()


@contextmanager
def outbox_to_read(workspace: Workspace) -> Iterator[Outbox]:
    """Opens the messages of a pipeline for a look; an empty one where there are none yet."""
    has_state = workspace.has_state()
    url = workspace.state_url if has_state else "sqlite://"
    pipeline = workspace.settings.pipeline
    outbox = Outbox(url, pipeline, workspace.clock, changes=not has_state)
    try:
        yield outbox
    finally:
        outbox.close()


def deliver(workspace: Workspace, outbox: Outbox, to: Sequence[Channel]) -> list[ChannelResult]:
    """Sends what is due; returns what became of it, what is lost included."""
    now = outbox.now()
    lost = outbox.give_up(now - TOO_OLD, now - CLAIM_HOLDS)
    outbox.forget_before(now - timedelta(days=workspace.settings.sync.history_days))
    results = [
        ChannelResult(each.channel, (each,), Delivery(MessageStatus.LOST, each.detail))
        for each in lost
    ]
    send = sender_of(workspace)
    for channel in to:
        claimed = outbox.claim(channel.name)
        if claimed:
            results.append(_send(workspace, outbox, channel, claimed, send))
    for each in results:
        _report(each)
    return results


def _send(
    workspace: Workspace, outbox: Outbox, channel: Channel, claimed: list[Message], send: Sender
) -> ChannelResult:
    texts = [(message.title, message.text) for message in claimed]
    delivery = send(channel, *together(texts, workspace.settings.pipeline))
    outbox.settle(claimed, delivery.status, delivery.detail)
    return ChannelResult(channel.name, tuple(claimed), delivery)


def _report(result: ChannelResult) -> None:
    """Logs what did not arrive; of a channel that is down for long, the first time only."""
    status, detail = result.delivery.status, result.delivery.detail
    if status is MessageStatus.SENT:
        return
    known = status is MessageStatus.DUE and all(each.detail for each in result.messages)
    level = logging.INFO if known else logging.WARNING
    log.log(level, "%s", undelivered_line(result.channel, result.messages, status, detail))


def undelivered_line(
    channel: str, messages: Sequence[Message], status: MessageStatus, detail: str
) -> str:
    """Says which messages did not arrive, or perhaps did not, and why."""
    what = messages[0].title if len(messages) == 1 else f"{len(messages)} messages"
    end = {
        MessageStatus.DUE: "not sent yet, the next run tries again",
        MessageStatus.LOST: "it is not known whether it arrived, and it is not sent again",
    }.get(status, "not sent")
    return safe(f"{channel}: {what}: {end}{f' ({detail})' if detail else ''}")


def undelivered(outbox: Outbox) -> list[str]:
    """Returns what did not arrive in the last days, a line each."""
    since = outbox.now() - SHOWN_FOR
    messages = outbox.messages((*UNDELIVERED, MessageStatus.DUE), since)
    late = [each for each in messages if each.status is not MessageStatus.DUE or each.detail]
    return [undelivered_line(e.channel, [e], e.status, e.detail) for e in late]


def undelivered_messages(workspace: Workspace) -> list[str]:
    """Returns what did not arrive in the last days, a line each, from the pipeline's state."""
    with outbox_to_read(workspace) as outbox:
        return undelivered(outbox)
