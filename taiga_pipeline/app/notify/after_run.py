"""What people are told after a run: what it changed, what waits, or that it was not done."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sync.errors import Interrupted, Locked, Stop
from sync.plan.model import PARTIAL
from sync.records.model import digest
from sync.state.outbox import Sighting
from taiga_pipeline.app.notify.shortages import roles_now
from taiga_pipeline.app.notify.telling import channels, deliver, need_package, open_outbox
from taiga_pipeline.app.pipeline_data import Pipeline, read_pipeline
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.trouble import Trouble as RunTrouble
from taiga_pipeline.app.trouble import describe, trouble_of
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.days import day_of
from taiga_pipeline.language import ENGLISH, marked, translated, use
from taiga_pipeline.language import text as _
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.text import iso, one_line
from taiga_pipeline.notify.events import DealNow, Ended, Look, Shortage, Trouble, find_events
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.planning.weeks import monday
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.report.ways_out import commands, in_words

if TYPE_CHECKING:
    from sync.state.outbox import Outbox
    from sync.state.store import OpenIssue
    from taiga_pipeline.pipeline.model import Deal

log = logging.getLogger(__name__)

_INPUT: Final = "plan:input"
_HOW: Final[Mapping[RunTrouble, str]] = {
    RunTrouble.USAGE: marked("something has to be corrected"),
    RunTrouble.REFUSED: marked("a limit held it back"),
    RunTrouble.UNREACHABLE: marked("source or target cannot be reached"),
    RunTrouble.PARTIAL: marked("it ended early"),
}


def tell_of_run(workspace: Workspace, trouble: RunTrouble | None, why: str) -> None:
    """Tells people what a run changed and left open, or why it was not done.

    ``trouble`` and ``why`` are those of a run that ended early. Never raises.
    """
    how = _HOW.get(trouble, "") if trouble and why else ""
    _tell(workspace, Ended(how, why if how else ""))


def tell_of_failure(workspace: Workspace, error: Exception) -> None:
    """Tells people that a run was not done, and why. Never raises.

    A run that found another one at work, or was asked to end, is no failure.
    """
    if isinstance(error, Locked | Interrupted):
        return
    trouble = trouble_of(error)
    if trouble is None:
        _tell(workspace, Ended("an unexpected error", describe(error)))
    else:
        _tell(workspace, Ended(_HOW.get(trouble, trouble.value), in_words(error)))


def _tell(workspace: Workspace, ended: Ended) -> None:
    try:
        if not workspace.settings.notify.is_wanted:
            return
        with open_outbox(workspace) as outbox:
            with workspace.in_common_language():
                _note(workspace, outbox, ended)
            need_package()
            deliver(workspace, outbox, channels(workspace))
    except (ProblemsError, Stop) as error:
        with use(ENGLISH):
            log.warning("no messages were sent: %s", in_words(error))
    except Exception as error:
        # Its text could hold parts of an address.
        log.warning("no messages were sent, because of an unexpected %s", type(error).__name__)
        log.debug("no messages", exc_info=True)


def _note(workspace: Workspace, outbox: Outbox, ended: Ended) -> None:
    """Stores how everything is now, and the messages about what changed."""
    settings = workspace.settings.notify
    names = [channel.name for channel in channels(workspace)]
    look = Look(workspace.today, run=ended)
    if not ended.how:
        look = _look(workspace, outbox, ended)
    found = find_events(look, outbox.seen(""), settings.events)
    if found.sightings or found.events:
        outbox.note(found.sightings, found.events, names)


def _look(workspace: Workspace, outbox: Outbox, ended: Ended) -> Look:
    read = read_pipeline(workspace)
    with state_to_read(workspace) as store:
        projects = {key: row.state for key, row in store.index().items() if row.is_followed}
        issues = store.issues()
    return Look(
        today=workspace.today,
        deals=[each for deal in read.deals if (each := _deal_now(workspace, read, deal))],
        projects=projects,
        shortages=_shortages(workspace, read, outbox),
        troubles=[_trouble(each) for each in issues if each.issue.kind in PARTIAL],
        run=ended,
    )


def _deal_now(workspace: Workspace, read: Pipeline, deal: Deal) -> DealNow | None:
    """Returns a deal as it is now, None of one that no mapping knows."""
    try:
        category = read.mappings.stage_of(deal)[1].category
    except NotMapped:
        return None
    since = day_of(deal.stage_since, workspace.zone) if deal.stage_since else None
    won_on = (deal.closed_on or since) if category is Category.WON else None
    names = {person.email: person.name for person in read.people}
    team = [names.get(a.email, a.email) for a in read.allocations if a.deal_key == deal.key]
    return DealNow(
        key=deal.key,
        title=": ".join(filter(None, (one_line(deal.customer), one_line(deal.name)))),
        category=category.value,
        won_on=won_on,
        about=_("It starts on {day}.", day=iso(deal.start))
        if deal.start
        else _("No start is set."),
        team=", ".join(dict.fromkeys(map(one_line, team))),
    )


def _start(deal: Deal) -> str:
    if not deal.start:
        return _("No start is set.")
    return _("It starts on {day}.", day=iso(deal.start))


def _trouble(found: OpenIssue) -> Trouble:
    issue = found.issue
    identity = digest([issue.kind.value, str(issue.key), issue.field, found.since.isoformat()])
    where = f"{issue.key} {issue.field}".strip()
    lines = [
        translated(issue.message),
        *(way.partition("    #")[0].strip() for way in commands(issue.ways_out)),
    ]
    return Trouble(identity[:32], f"{_(issue.kind.value).capitalize()}: {where}", "\n".join(lines))


def _shortages(
    workspace: Workspace, read: Pipeline, outbox: Outbox
) -> Mapping[str, Shortage | None]:
    """Returns the roles of the plan; nothing where it is as it was, or cannot be made here.

    That the plan is as it was is known by what it is made of.
    """
    wanted = "short" in workspace.settings.notify.events
    if not wanted or not read.people or find_spec("numpy") is None:
        return {}
    content = [read.deals, read.people, read.allocations, sorted(read.facts.items()), read.left]
    made_of = digest([repr(content), monday(workspace.today).isoformat()])
    before = outbox.seen(_INPUT).get(_INPUT)
    if before and before.value == made_of:
        return {}
    try:
        roles = dict(roles_now(workspace, read))
    except (ProblemsError, Stop) as error:
        with use(ENGLISH):
            log.warning("roles that are short are not known: %s", in_words(error))
        return {}
    outbox.note([Sighting(_INPUT, made_of, before)], (), ())
    return roles
