"""The digest: what waits for whom, and which people and hours undecided deals hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sync.errors import Stop
from sync.plan.model import PARTIAL
from sync.state.outbox import Event, Sighting
from taiga_pipeline.app.deals.follow_ups import Followed
from taiga_pipeline.app.notify.shortages import roles_now
from taiga_pipeline.app.notify.telling import (
    ChannelResult,
    channels,
    deliver,
    need_package,
    open_outbox,
    outbox_to_read,
    undelivered_messages,
)
from taiga_pipeline.app.pipeline_data import Pipeline, read_pipeline
from taiga_pipeline.app.planning.inputs import reported_milestones
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.days import day_of
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.notify.digest import (
    Digest,
    HoldingDeal,
    WaitingDeal,
    held_by,
    in_order,
)
from taiga_pipeline.notify.events import Shortage
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.pipeline.tables.joins import joins_of
from taiga_pipeline.planning.demand.deals import OpenDemand, Situation, find_demand
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.weeks import Weeks, monday
from taiga_pipeline.problems import ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.model import Deal

LAST: Final = "digest:last"
FIRST_SINCE: Final = timedelta(days=7)


def digest_of(workspace: Workspace) -> Digest:
    """Returns what waits today.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    read = read_pipeline(workspace)
    followed = Followed(workspace)
    waiting = [each for deal in read.deals if (each := _waiting(followed, deal))]
    short, notices = _short(workspace, read)
    return Digest(
        pipeline=workspace.settings.pipeline,
        today=workspace.today,
        waiting=tuple(in_order(waiting)),
        holding=tuple(_holding(workspace, read)),
        open=tuple(_open(workspace)),
        short=short,
        undelivered=tuple(undelivered_messages(workspace)),
        notices=(*read.notices, *notices),
    )


def last_digest(workspace: Workspace) -> date:
    """Returns the day of the last digest that was sent; a week ago if there was none."""
    with outbox_to_read(workspace) as outbox:
        seen = outbox.seen(LAST).get(LAST)
    return date.fromisoformat(seen.value) if seen else workspace.today - FIRST_SINCE


def send_digest(workspace: Workspace, title: str, lines: Sequence[str]) -> list[ChannelResult]:
    """Sends the digest to every channel, once a day; returns what became of it.

    What else is due goes with it. Empty where the configuration names no channels.

    :raises ProblemsError: the addresses cannot be had, or what sends messages is not installed.
    """
    to = channels(workspace)
    if not to:
        return []
    need_package()
    today = workspace.today.isoformat()
    with open_outbox(workspace) as outbox:
        look = Sighting(LAST, today, outbox.seen(LAST).get(LAST))
        event = Event(f"digest:{today}", title, "\n".join(lines))
        outbox.note([look], [event], [channel.name for channel in to])
        return deliver(workspace, outbox, to)


def _title(deal: Deal) -> str:
    return ": ".join(filter(None, (one_line(deal.customer), one_line(deal.name))))


def _waiting(followed: Followed, deal: Deal) -> WaitingDeal | None:
    found = followed.waiting(deal)
    if not found.follow_ups:
        return None
    return WaitingDeal(
        deal=deal.key,
        title=_title(deal),
        person=deal.next_step_by or deal.owner,
        follow_ups=found.follow_ups,
        stage=deal.stage,
        next_step=deal.next_step,
        next_step_on=deal.next_step_on,
        expected_close=deal.expected_close,
        days=found.days_in_stage,
        usual=found.usual.days if found.usual else None,
    )


def _holding(workspace: Workspace, read: Pipeline) -> list[HoldingDeal]:
    """Returns the undecided deals that hold hours: those with people first, then by hours.

    A deal for which nobody is reserved holds hours from the proposal stage on.
    """
    situation = Situation(
        as_of=workspace.today,
        deals=read.deals,
        people=read.people,
        allocations=read.allocations,
        milestones=reported_milestones(read.facts, joins_of(read.deals)),
        left=read.left,
    )
    weeks = Weeks(monday(workspace.today), workspace.settings.planning.horizon_weeks)
    outlooks = plain_outlooks(read.deals, read.mappings, workspace.today)
    demand = find_demand(situation, read.mappings, outlooks, weeks)
    deals = {deal.key: deal for deal in read.deals}
    names = {person.email: person.name or person.email for person in read.people}
    found = [_held(workspace, deals[each.deal_key], each, names) for each in demand.open]
    found = [each for each in found if each.has_people or _is_proposed(read, deals[each.deal])]
    return sorted(found, key=lambda each: (not each.has_people, -each.hours, each.deal))


def _is_proposed(read: Pipeline, deal: Deal) -> bool:
    return read.mappings.stage_of(deal)[1].category is Category.PROPOSAL


def _held(
    workspace: Workspace, deal: Deal, demand: OpenDemand, names: dict[str, str]
) -> HoldingDeal:
    today, planned = workspace.today, deal.next_step_on
    coming = planned if planned and planned >= today else None
    return HoldingDeal(
        deal=deal.key,
        title=_title(deal),
        held=held_by(demand, names),
        silent_days=None if coming else _silent_days(workspace, deal),
        next_step_on=coming,
    )


def _silent_days(workspace: Workspace, deal: Deal) -> int | None:
    """Returns how long ago sales did something about a deal: a move, a note or an edit."""
    times = [deal.stage_since, deal.updated_at, *(note.at for note in deal.notes)]
    known = [each for each in times if each]
    return (workspace.today - day_of(max(known), workspace.zone)).days if known else None


def _open(workspace: Workspace) -> Iterator[str]:
    with state_to_read(workspace) as store:
        issues = store.issues()
    for each in issues:
        if each.issue.kind in PARTIAL:
            where = f"{each.issue.key} {each.issue.field}".strip()
            yield f"{each.issue.kind.value} {where}: {each.issue.message}"


def _short(workspace: Workspace, read: Pipeline) -> tuple[tuple[Shortage, ...], tuple[str, ...]]:
    """Returns the roles that are short, and why that is not known."""
    if not read.people or find_spec("numpy") is None:
        return (), ()
    try:
        found = [shortage for _, shortage in roles_now(workspace, read) if shortage]
    except (ProblemsError, Stop) as error:
        return (), (f"hours that are missing are not known: {error}",)
    return tuple(found), ()
