"""Where files beside the configuration are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from taiga_pipeline.app.workspace import Workspace, shortest

SCENARIOS: Final = "scenarios.toml"
SUGGESTION: Final = "staffing.json"


def scenario_path(workspace: Workspace) -> Path:
    """Returns where scenarios are kept: beside the configuration."""
    return workspace.config_path.absolute().parent / SCENARIOS


def suggestion_path(workspace: Workspace) -> Path:
    """Returns where the last suggestion is kept: beside the configuration."""
    return shortest(workspace.config_path.absolute().parent / SUGGESTION)
