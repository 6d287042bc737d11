"""A source of another person's, as ``docs/write-an-adapter.md`` shows it, used by the program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.third_party import install

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "write-an-adapter.md"
ROWS = [
    {"id": 17, "title": "Portal", "account": "Acme", "stage": "Proposal", "worth": 1200.5,
     "currency": "EUR", "strategic": True, "region": "north"},
    {"id": 18, "title": "App", "account": "Beta", "stage": "Proposal", "region": "West"},
]  # fmt: skip
MORE = """
[source.columns]
value = "worth"

[[field]]
name = "region"
kind = "choice"
choices = ["North", "South"]

[[field]]
name = "strategic"
kind = "yes/no"
"""


def test_its_deals_are_read_with_fields_of_ones_own(tmp_path: Path) -> None:
    site = install(HERE, tmp_path / "site")

    def program(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "taiga_pipeline", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    assert program("init", "--source", "orders").returncode == 0
    config = tmp_path / "config.toml"
    text = config.read_text(encoding="utf-8")
    assert 'file = "orders.json"' in text
    config.write_text(text + MORE, encoding="utf-8")
    (tmp_path / "orders.json").write_text(json.dumps(ROWS), encoding="utf-8")
    found = program("mapping", "explain", "17")
    assert found.returncode == 0, found.stderr
    assert "Value: 1,200.50 EUR" in found.stdout
    assert "Region: North" in found.stdout and "Strategic: yes" in found.stdout
    bad = program("check", "--offline")
    assert "orders.json, row 2): region: 'West' is not one of the choices" in bad.stdout


@pytest.mark.parametrize("name", ["pyproject.toml", "orders_adapter/__init__.py"])
def test_the_page_shows_the_very_files_that_are_tried_here(name: str) -> None:
    source = PAGE.read_text(encoding="utf-8").partition("## A source of deals")[2]
    blocks = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", source, re.M | re.S))
    assert blocks[name] == (HERE / name).read_text(encoding="utf-8")
