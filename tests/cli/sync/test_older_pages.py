"""Projects of before, whose headers and pages looked otherwise, come to the new look in one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.records.composite_text import SEPARATOR
from taiga_pipeline.mapping import desired
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.targets.taiga import pages
from tests.cli.conftest import Run, writes

pytestmark = pytest.mark.sampled_tests(1)


def test_old_headers_and_pages_are_written_once_and_then_nothing_is(
    sample: Run, taiga: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("config.toml").open("a") as config:
        config.write("\n[portfolio]\nenabled = true\n")
    with monkeypatch.context() as before:
        before.setattr(desired, "header_facts", lambda facts, rules: facts)
        before.setattr(pages, "NEUTRAL_SEPARATOR", SEPARATOR)
        assert sample("run").exit_code == 0
    user = taiga.as_user("pipeline-bot")
    (shop,) = [p for p in user.get("/projects") if p["name"].startswith("Kestrel")]
    user.patch(f"/projects/{shop['id']}", {"description": "Ours.\n\n" + shop["description"]})
    first = sample("run")
    assert (first.exit_code, sample("conflicts").stdout.strip()) == (0, "Nothing waits for you.")
    text = user.get(f"/projects/{shop['id']}")["description"]
    assert text.startswith("Ours.\n\n")
    assert "Sales owner" not in text
    assert "Roles needed" in text
    done = len(writes(taiga))
    assert sample("run").exit_code == 0
    assert len(writes(taiga)) == done
