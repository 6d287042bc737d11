"""What the connector leaves on a project, and takes out of it when it lets go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sync.records.traces import Traces
from taiga_pipeline.records import PORTFOLIO, TRACES, Kind, Project


def traces_of(key: str) -> Mapping[str, Traces]:
    """Returns what is left on a project. The portfolio's text says that it is kept current."""
    if not key.startswith(PORTFOLIO):
        return TRACES
    project = TRACES[Kind.PROJECT]
    shared = {**project.shared, Project.TEXT: ""}
    return {**TRACES, Kind.PROJECT: replace(project, shared=shared)}
