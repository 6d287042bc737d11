"""Plans and runs as JSON: the public format of ``plan --json`` and ``run --json``.

Messages are whole sentences, with the ways out in words; ``ways_out`` has these one by one.
"""

from __future__ import annotations

from sync.plan.limits import Breach
from sync.plan.model import Action, Issue, Plan
from sync.records.model import RecordKey, encode
from sync.run.report import RunReport
from sync.source import Quarantined
from taiga_pipeline.records import deal_of
from taiga_pipeline.report.ways_out import in_words, ways_json


def key_json(key: RecordKey) -> dict[str, str]:
    """Returns the key of a record."""
    return {"deal": deal_of(key.group), "kind": key.kind, "key": str(key)}


def action_json(action: Action) -> dict[str, object]:
    """Returns an action; with ``notes`` only if there are any."""
    return {
        "kind": action.key.kind,
        "key": str(action.key),
        "deal": deal_of(action.key.group),
        "action": action.type.value,
        "changes": [change.to_json() for change in action.changes],
        "reason": action.reason,
        **({"notes": list(action.notes)} if action.notes else {}),
    }


def issue_json(issue: Issue) -> dict[str, object]:
    """Returns an issue."""
    return {
        "issue": issue.kind.value,
        "kind": issue.key.kind,
        "key": str(issue.key),
        "deal": deal_of(issue.key.group),
        "field": issue.field,
        "base": encode(issue.base),
        "desired": encode(issue.desired),
        "observed": encode(issue.observed),
        "message": in_words(issue),
        "ways_out": ways_json(issue),
    }


def breach_json(breach: Breach) -> dict[str, object]:
    """Returns a limit that a plan exceeds."""
    return {
        "limit": breach.name,
        "setting": str(breach.limit),
        "allowed": breach.allowed,
        "planned": breach.planned,
        "count": breach.amount.count,
        "origin": breach.amount.origin,
        "message": in_words(breach),
        "ways_out": ways_json(breach),
    }


def _quarantined_json(row: Quarantined) -> dict[str, object]:
    return {
        "key": row.key,
        "place": row.place,
        "reason": in_words(row),
        "ways_out": ways_json(row),
    }


def plan_json(plan: Plan) -> dict[str, object]:
    """Returns a plan; with ``left_alone`` and ``notes`` only if there are any."""
    left = {why: list(keys) for why, keys in plan.left_alone.items()}
    return {
        "pipeline": plan.pipeline,
        "fingerprint": plan.fingerprint(),
        "actions": [action_json(action) for action in plan.actions],
        "conflicts": [issue_json(issue) for issue in plan.conflicts],
        "quarantined": [_quarantined_json(row) for row in plan.quarantined],
        "taken_away": [key_json(key) for key in plan.taken_away],
        "limits": [breach_json(breach) for breach in plan.breaches],
        "mails": dict(plan.mails),
        **({"left_alone": left} if left else {}),
        **({"notes": list(plan.notes)} if plan.notes else {}),
        "summary": plan.summary(),
    }


def run_json(report: RunReport) -> dict[str, object]:
    """Returns a run: its plan, what is open, and the run's own numbers."""
    return {
        **plan_json(report.plan),
        "issues": [issue_json(issue) for issue in report.issues],
        "run": {
            "id": report.run_id,
            "started": report.started.isoformat(),
            "finished": report.finished.isoformat(),
            "outcome": report.outcome.value,
            "requests": report.requests,
            "applied": len(report.applied),
            "failed": len(report.failed),
            "adopted_by_marker": report.adopted_by_marker,
            "skipped": report.skipped,
            "refusal": refusal(report),
            "meanwhile": list(report.meanwhile),
            "taken_away": [key_json(key) for key in report.taken_away],
            "unread": report.unread,
            "written_back": report.write_back.written,
            "write_back_problems": list(report.write_back.problems),
        },
    }


def refusal(report: RunReport) -> str:
    """Says why nothing was applied, one reason a line; "" if it was."""
    return "\n".join(in_words(each) for each in report.refusals)


def why_ended(report: RunReport) -> str:
    """Says why nothing was applied, or what ended a run early; "" if it finished."""
    if report.refusals:
        return refusal(report)
    return in_words(report.stopped_by) if report.stopped_by else ""
