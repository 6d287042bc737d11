"""The sync: what a run would do, doing it, how it is going, and what only a person can decide."""

from __future__ import annotations

from taiga_pipeline.app.sync.deciding import (
    Adopted,
    Renumbered,
    adopt,
    adopt_renumbered,
    resolve,
    take_over_project,
)
from taiga_pipeline.app.sync.leaving import LetGo, disown_copy, let_go
from taiga_pipeline.app.sync.looking import (
    Past,
    Waiting,
    past_of,
    server_of,
    sync_health,
    waiting,
)
from taiga_pipeline.app.sync.moving import bring_back, keep_server, take_new_server
from taiga_pipeline.app.sync.running import DrawnPlan, Performed, draw_plan, perform

__all__ = [
    "Adopted",
    "DrawnPlan",
    "LetGo",
    "Past",
    "Performed",
    "Renumbered",
    "Waiting",
    "adopt",
    "adopt_renumbered",
    "bring_back",
    "disown_copy",
    "draw_plan",
    "keep_server",
    "let_go",
    "past_of",
    "perform",
    "resolve",
    "server_of",
    "sync_health",
    "take_new_server",
    "take_over_project",
    "waiting",
]
