"""The samples on the page about Odoo are taken by the source."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from sync.clock import SystemClock
from taiga_pipeline.sources.registry import create
from tests.pipeline.fields.support import TABLE

PAGE = Path(__file__).parents[3] / "docs" / "odoo.md"


def samples() -> list[dict[str, Any]]:
    """Returns the tables below ``[source]`` of the page's TOML blocks."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [found["source"] for block in blocks if "source" in (found := tomllib.loads(block))]


def test_every_sample_is_taken(tmp_path: Path) -> None:
    base, *others = samples()
    assert len(others) == 2
    more = {"folder": str(tmp_path), "environment": {"ODOO_KEY": "k" * 40}, "fields": TABLE}
    for other in ({}, *others):
        assert create(base["kind"], {**base, **other, **more}, SystemClock())
