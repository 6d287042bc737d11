"""A pipeline's health as a text file for Prometheus' node exporter (textfile collector).

The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from sync.plan.model import IssueKind
from sync.state.health import Health

_PREFIX: Final = "pipeline_sync"
_COUNTED: Final = ("create", "adopt", "update", "retire", "restore", "unchanged")

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


def metrics(health: Health) -> str:
    """Returns the file's text. Times are seconds since 1970; what is not known is left out."""
    return "".join(f"{line}\n" for line in _lines(health))


def _lines(health: Health) -> Iterator[str]:
    me = {"pipeline": health.pipeline}
    run, success = health.last_run, health.last_success
    if run is not None:
        yield from _gauge(
            "last_run_timestamp_seconds", "When the last run began.", [(me, _at(run.started_at))]
        )
        outcome = {**me, "outcome": run.outcome}
        yield from _gauge("last_run_info", "How the last run ended.", [(outcome, 1)])
        yield from _numbers(me, run.summary)
        if run.finished_at is not None:
            seconds = (run.finished_at - run.started_at).total_seconds()
            yield from _gauge(
                "last_run_duration_seconds", "How long the last run took.", [(me, seconds)]
            )
    if success is not None and success.finished_at is not None and not health.is_ahead:
        yield from _gauge(
            "last_success_timestamp_seconds",
            "When a run last finished.",
            [(me, _at(success.finished_at))],
        )
    kinds = [({**me, "kind": kind.value}, health.issues.get(kind.value, 0)) for kind in IssueKind]
    yield from _gauge("open_issues", "Issues that wait for a person, by kind.", kinds)
    yield from _gauge(
        "open_intents", "Writes with an unknown outcome.", [(me, health.open_intents)]
    )
    states = [({**me, "state": state}, n) for state, n in sorted(health.states.items())]
    yield from _gauge("projects", "Projects that are kept in step, by state.", states)


def _numbers(me: Labels, summary: Mapping[str, object]) -> Iterator[str]:
    """Yields the numbers of a run; one that did not come that far has none."""
    planned = [
        ({**me, "action": name}, float(value))
        for name in _COUNTED
        if isinstance(value := summary.get(name), int)
    ]
    yield from _gauge("last_run_planned", "Projects in the last run's plan, by action.", planned)
    for name, help_text in (
        ("requests", "Requests of the last run."),
        ("applied", "Changes that the last run made."),
        ("failed", "Changes that the last run could not make."),
    ):
        value = summary.get(name)
        if isinstance(value, int):
            yield from _gauge(f"last_run_{name}", help_text, [(me, value)])


def _gauge(name: str, help_text: str, samples: Sequence[Sample]) -> Iterator[str]:
    if not samples:
        return
    yield f"# HELP {_PREFIX}_{name} {help_text}"
    yield f"# TYPE {_PREFIX}_{name} gauge"
    for labels, value in samples:
        pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{_PREFIX}_{name}{{{pairs}}} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _at(moment: datetime) -> float:
    return round(moment.timestamp(), 3)
