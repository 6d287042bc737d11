"""A pipeline with gates in a folder, for use cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiga_pipeline.app.workspace import Workspace
from tests.cli.conftest import FixedClock, environment, run

__all__ = ["environment", "run", "workspace"]

CONFIG = """\
pipeline = "test"
[source]
url = "sqlite:///pipeline.db"
[target]
url = "https://taiga.example.com"
username = "bot"
password_env = "SECRET"
"""
MAPPING = """\
[mapping]
name = "sales"
[[stage]]
name = "Lead"
category = "lead"
project = "none"
[[stage]]
name = "Proposal"
category = "proposal"
project = "tentative"
requires = ["price agreed", "needs documented"]
[[stage]]
name = "Won"
category = "won"
project = "staffed"
[[stage]]
name = "Lost"
category = "lost"
project = "retired"
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A folder with a configuration and a mapping, and nothing in the store."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "sales.toml").write_text(MAPPING)
    return Workspace(clock=FixedClock(), environment={})
