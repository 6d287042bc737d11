"""One deal: everything that is known of it, its notes, its gate, and its project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from taiga_pipeline.app.deals.demand import demand_of
from taiga_pipeline.app.deals.editing import check_off, gate_of, take_back
from taiga_pipeline.app.deals.follow_ups import Followed
from taiga_pipeline.app.deals.looking import DealDetails, show_deal
from taiga_pipeline.app.deals.notes import add_note
from taiga_pipeline.app.sync.looking import waiting
from taiga_pipeline.app.sync.one_deal import plan_deal, sync_deal
from taiga_pipeline.language import plural
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.delivery import delivery_facts, left_of
from taiga_pipeline.pipeline.errors import NotMappedDeal
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.pipeline.tables.notes import is_note
from taiga_pipeline.records import deal_of
from taiga_pipeline.web.pages import Queue, Section, get, post
from taiga_pipeline.web.plan_rows import plan_rows
from taiga_pipeline.web.visit import Visit
from taiga_pipeline.web.weeks import drawn

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.editing import Gate

FEW: Final = 30
"""So many notes and entries of the history are shown; the others on demand."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the history, as it is shown. ``field`` is "" for a move."""

    at: datetime
    by: str
    field: str
    before: str
    after: str
    skipped: tuple[str, ...] = ()


def show(visit: Visit) -> Response:
    """Shows a deal."""
    return shown(visit, visit.query.text("key"))


def shown(visit: Visit, key: str, status: int = 200) -> Response:
    """Shows a deal with everything that is known of it."""
    workspace = visit.workspace
    details = show_deal(workspace, key)
    deal = details.deal
    demand, stage = demand_of(workspace, deal), Followed(workspace).stage(deal)
    open_now = waiting(workspace).issues
    issues = [e for e in open_now if deal.key in (e.issue.key.group, deal_of(e.issue.key.group))]
    state = delivery_facts(deal.key, details.facts, details.seen_at, "")
    return visit.show(
        "deal.html.j2",
        status=status,
        details=details,
        deal=deal,
        cells=deal_cells(deal),
        fields=workspace.fields,
        gate=_gate(visit, deal.key),
        is_won=stage is not None and stage.category is Category.WON,
        demand=demand,
        weeks=drawn(demand.roles, demand.start),
        delivery=state if details.facts else None,
        left=left_of(details.taken_away),
        issues=issues,
        events=sorted(_events(details), key=lambda each: each.at, reverse=True),
        few=None if visit.query.text("show") == "all" else FEW,
        zone=workspace.zone,
        tool=workspace.target_title,
    )


def _gate(visit: Visit, key: str) -> Gate | None:
    try:
        return gate_of(visit.workspace, key)
    except NotMappedDeal:
        return None


def _events(details: DealDetails) -> Iterator[Event]:
    for move in details.moves:
        yield Event(move.at, move.by, "", move.from_stage, move.to_stage, move.forced)
    for change in details.changes:
        field = "note" if is_note(change) else change.field
        yield Event(change.at, change.by, field, change.before, change.after)


def note(visit: Visit) -> Response:
    """Adds a note."""
    key = visit.form.text("key")
    add_note(visit.workspace, key, visit.form.text("text"), by=visit.by)
    visit.say(_("The note is kept."))
    return visit.go("/deal", key=key)


def done(visit: Visit) -> Response:
    """Checks off what is ticked of the gate, and takes back what the form showed as done and is not
    ticked any more; what others checked off since stays."""
    key, ticked = visit.form.text("key"), set(visit.form.texts("action"))
    gate, shown = gate_of(visit.workspace, key), set(visit.form.texts("was"))
    was_done = [each for each in gate.requires if each in shown and each not in gate.open]
    if new := [each for each in gate.open if each in ticked]:
        check_off(visit.workspace, key, new, by=visit.by)
    if gone := [each for each in was_done if each not in ticked]:
        take_back(visit.workspace, key, gone, by=visit.by)
    visit.say(_("{count} checked off, {back} taken back.", count=len(new), back=len(gone)))
    return visit.go("/deal", key=key)


def plan(visit: Visit) -> Response:
    """Shows what a run would do for the deal."""
    key = visit.query.text("key")
    planned = plan_deal(visit.workspace, key)
    template = "deal_plan_part.html.j2" if visit.is_part else "deal_plan.html.j2"
    rows = plan_rows(planned.actions, visit.workspace.fields)
    return visit.show(template, key=key, planned=planned, rows=rows)


def sync(visit: Visit) -> Response:
    """Runs the pipeline for the deal alone."""
    key = visit.form.text("key")
    ran = sync_deal(visit.workspace, key)
    if ran.why:
        visit.warn(ran.why)
    else:
        visit.say(_written(len(ran.applied), ran.tool))
    if ran.issues:
        visit.warn(
            plural(
                "{number} thing waits for a person.",
                "{number} things wait for a person.",
                len(ran.issues),
            )
        )
    return visit.go("/deal", key=key)


def _written(count: int, tool: str) -> str:
    if not count:
        return _("Nothing to write: {tool} shows what this deal asks for.", tool=tool)
    one, many = "{number} change written to {tool}.", "{number} changes written to {tool}."
    return plural(one, many, count, tool=tool)


DEAL: Final = Section(
    "Deal",
    "",
    (
        get("/deal", show),
        post("/deal/note", note),
        post("/deal/done", done),
        get("/deal/plan", plan, queue=Queue.TARGET),
        post("/deal/sync", sync, queue=Queue.TARGET),
    ),
)
