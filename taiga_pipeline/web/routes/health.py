"""Health: the last runs, what waits for a person, what was changed, and a run by a click."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import chain
from typing import Any, Final

from starlette.responses import Response

from sync.plan.model import ActionType, IssueKind
from sync.state.rows import BRING_BACK, BY_PEOPLE, KEEP, READ, TAKE_AWAY
from sync.ways_out import AllowOnce, Resolve, Side, Statement
from taiga_pipeline.app.notify.telling import undelivered_messages
from taiga_pipeline.app.sync.background import Phase
from taiga_pipeline.app.sync.deciding import resolve
from taiga_pipeline.app.sync.looking import Past, past_of, recent_runs, sync_health, waiting
from taiga_pipeline.language import marked, plural, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.records import deal_of
from taiga_pipeline.report.planning_changes import action_in_words, fields_in_words, subject
from taiga_pipeline.report.record_words import differing_lines, field_in_words, value_in_words
from taiga_pipeline.report.ways_out import advice, in_words
from taiga_pipeline.web.access.people import Role
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.seen import NotSeen, mark_of, refuse_unseen
from taiga_pipeline.web.visit import Visit

_OF_PEOPLE: Final = {
    KEEP: marked("keep"),
    TAKE_AWAY: marked("take away"),
    BRING_BACK: marked("bring back"),
}
MOST_ISSUES: Final = 200
MOST_EVENTS: Final = 100
_LONGEST: Final = 200
FEW: Final = 25
"""So many entries of who changed what are shown; the others on demand."""


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run in the table. Times are in the pipeline's zone."""

    id: int
    started: datetime
    finished: datetime | None
    outcome: str
    figures: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A button that settles a conflict for one side."""

    key: str
    field: str
    side: Side
    seen: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that waits for a person. The values are those of a conflict, as text."""

    deal: str
    kind: str
    what: str
    field: str
    message: str
    values: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...]
    advice: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Who changed what. ``at`` is in the pipeline's zone; ``deal`` is "" if it is about none."""

    at: datetime
    who: str
    deal: str
    what: str
    changes: tuple[str, ...]
    outcome: str


def show(visit: Visit) -> Response:
    """Shows how the pipeline is doing."""
    workspace = visit.workspace
    zone = workspace.zone
    found = waiting(workspace)
    shown = found.issues[:MOST_ISSUES]
    troubles = [_trouble(each, found.tool, workspace.fields, zone) for each in shown]
    health = sync_health(workspace)
    runs = recent_runs(workspace)
    deal = visit.query.text("deal").strip()
    return visit.show(
        "health.html.j2",
        health=health,
        runs=[_shown(each, zone) for each in runs],
        last_run=mark_of([each.id for each in runs[:1]]),
        limits=_refused_by(runs[0].summary) if runs else (),
        progress=visit.served.runs.progress,
        phases=Phase,
        troubles=troubles,
        more_troubles=max(len(found.issues) - MOST_ISSUES, 0),
        tool=found.tool,
        undelivered=undelivered_messages(workspace),
        events=_events(past_of(workspace, deal or None, MOST_EVENTS), workspace.fields, zone)[
            :MOST_EVENTS
        ],
        deal=deal,
        few=None if visit.query.text("show") == "all" else FEW,
    )


def _shown(run: Any, zone: tzinfo) -> RunShown:
    why = [
        in_words(Statement.read(run.summary[name]))
        for name in ("error", "stopped_by")
        if run.summary.get(name)
    ]
    why += [each.message for each in _refusals(run.summary)]
    finished = run.finished_at and run.finished_at.astimezone(zone)
    started = run.started_at.astimezone(zone)
    return RunShown(run.id, started, finished, run.outcome, _figures(run.summary), " ".join(why))


def _figures(summary: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns what a run did, in words."""
    applied, failed, issues, requests = (
        int(summary.get(name) or 0) for name in ("applied", "failed", "issues", "requests")
    )
    said = (
        (applied, plural("{number:,} change", "{number:,} changes", applied)),
        (failed, plural("{number:,} failed", "{number:,} failed", failed)),
        (issues, plural("{number:,} for a person", "{number:,} for people", issues)),
        (requests, plural("{number:,} request", "{number:,} requests", requests)),
    )
    return tuple(text for number, text in said if number)


def _refusals(summary: Mapping[str, object]) -> list[Statement]:
    refused = summary.get("refusal")
    return [Statement.read(each) for each in refused] if isinstance(refused, list) else []


def _refused_by(summary: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Returns the limits that refused a run, by name, with what they say."""
    return tuple(
        (way.limit, each.message)
        for each in _refusals(summary)
        for way in each.ways_out
        if isinstance(way, AllowOnce)
    )


def _trouble(item: Any, tool: str, fields: FieldTable, zone: tzinfo) -> Trouble:
    issue = item.issue
    values: tuple[tuple[str, str], ...] = ()
    if issue.kind is IssueKind.CONFLICT:
        named = ((_("before"), issue.base), (_("sales"), issue.desired), (tool, issue.observed))
        values = tuple((name, _said(issue.field, value)) for name, value in named)
    return Trouble(
        deal=deal_of(issue.key.group),
        kind=issue.kind.value,
        what="" if issue.key.is_root else f"{_(issue.key.kind)} {issue.key.name}",
        field=field_in_words(issue.field, fields) if issue.field else "",
        message=issue.message,
        values=values,
        choices=_choices(issue),
        advice=advice(issue.ways_out),
        since=item.since.astimezone(zone),
    )


def _choices(issue: Any) -> tuple[Choice, ...]:
    return tuple(
        Choice(str(way.key), way.field, way.side, _mark(issue))
        for way in issue.ways_out
        if isinstance(way, Resolve)
    )


def _mark(issue: Any) -> str:
    """Returns the mark of a conflict: of the values that its buttons stand beside."""
    return mark_of(*map(_whole, (issue.base, issue.desired, issue.observed)))


def _whole(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, frozenset) else str(value)


def _events(past: Past, fields: FieldTable, zone: tzinfo) -> list[Event]:
    """Returns what happened on both sides, the newest first."""
    return sorted(
        [*_by_runs(past, fields, zone), *_by_sales(past, fields, zone), *_of_plans(past, zone)],
        key=lambda e: e.at,
        reverse=True,
    )


def _by_runs(past: Past, fields: FieldTable, zone: tzinfo) -> Iterator[Event]:
    for each in past.written:
        key = each.key
        yield Event(
            at=each.intended_at.astimezone(zone),
            who=_("people") if each.action in BY_PEOPLE else _("the run"),
            deal=deal_of(key.group),
            what=" ".join(filter(None, (_action(each.action), _(key.kind), key.name))),
            changes=tuple(_change(each.action, change, fields) for change in each.changes
                          if change.get("verdict") != READ),
            outcome=_outcome(each),
        )  # fmt: skip


def _action(action: str) -> str:
    return _(_OF_PEOPLE.get(action, action))


def _outcome(entry: Any) -> str:
    """Returns what came of a write, "" where it is done."""
    if entry.error:
        return f"{_(entry.status)}: {translated(entry.error)}"
    return "" if entry.status == "done" else _(entry.status)


def _change(action: str, change: Mapping[str, object], fields: FieldTable) -> str:
    field = str(change.get("field", ""))
    name = field_in_words(field, fields)
    if action in (ActionType.CREATE, ActionType.REMOVE):
        return name
    sides = ("base", "observed") if action == KEEP else ("observed", "desired")
    old, new = (change.get(side) for side in sides)
    if lines := differing_lines(old, new):
        return f"{name} ({'; '.join(map(_brief, lines))})"
    return f"{name}: {_said(field, old)} → {_said(field, new)}"


def _said(field: str, value: object) -> str:
    return _brief(value_in_words(field, value))


def _by_sales(past: Past, fields: FieldTable, zone: tzinfo) -> Iterator[Event]:
    for move in past.moves:
        moved = f"{move.from_stage or '–'} → {move.to_stage}"
        skipped = (_("skipped: {forced}", forced="; ".join(move.forced)),) if move.forced else ()
        at, who = move.at.astimezone(zone), move.by or _("sales")
        yield Event(at, who, move.deal_key, _("move"), (moved, *skipped), "")
    for change in past.changes:
        name = _(fields[change.field].label) if change.field in fields else change.field
        text = f"{name}: {_brief(change.before)} → {_brief(change.after)}"
        at, who = change.at.astimezone(zone), change.by or _("sales")
        yield Event(at, who, change.deal_key, _("edit"), (text,), "")


def _of_plans(past: Past, zone: tzinfo) -> Iterator[Event]:
    for each in past.planning:
        yield Event(
            at=each.at.astimezone(zone),
            who=each.by or _("sales"),
            deal=each.deal_key,
            what=f"{action_in_words(each)} {subject(each, with_deal=False)}",
            changes=tuple(fields_in_words(each, _brief)),
            outcome="",
        )


def _brief(value: object) -> str:
    """Returns a value in one line; an empty one as a dash."""
    if isinstance(value, list | tuple | frozenset):
        value = ", ".join(sorted(map(str, value)))
    text = " ".join(str("" if value is None else value).split())
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text or "–"


def run(visit: Visit) -> Response:
    """Asks for a run."""
    visit.served.runs.ask()
    visit.say(_("A run begins. What it does is on this page once it is done."))
    return visit.go("/health")


def allow(visit: Visit) -> Response:
    """Asks for a run without some limits, this once."""
    names = sorted(set(visit.form.texts("limit")))
    refuse_unseen(visit, [each.id for each in recent_runs(visit.workspace, 1)])
    visit.served.runs.ask(allow=names)
    visit.say(_("A run begins without the limits {names}, this once.", names=", ".join(names)))
    return visit.go("/health")


def settle(visit: Visit) -> Response:
    """Settles a conflict for one side."""
    form = visit.form
    side = Side.SALES if form.text("side") == Side.SALES.value else Side.DELIVERY
    key, field = form.text("key"), form.text("field")
    open_now = [each.issue for each in waiting(visit.workspace).issues]
    if Choice(key, field, side, form.text("seen")) not in [*chain(*map(_choices, open_now))]:
        raise NotSeen
    settled = resolve(visit.workspace, key, side, field or None)
    visit.say(
        plural(
            "{number} conflict is settled; the next run acts on it.",
            "{number} conflicts are settled; the next run acts on them.",
            len(settled),
        )
    )
    return visit.go("/health")


HEALTH = Section(
    "Health",
    "/health",
    (
        get("/health", show),
        post("/health/run", run, Role.ADMIN),
        post("/health/allow", allow, Role.ADMIN),
        post("/health/settle", settle, Role.ADMIN),
    ),
)
