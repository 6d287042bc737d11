"""Secrets that end: said in time, once they have ended, and never before."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from taiga_pipeline.app.expiry import WARNING_DAYS
from tests.cli.conftest import NOW, Run
from tests.targets.redmine.fake import KEY, URL, FakeRedmine

TODAY = NOW.date()


@pytest.fixture
def redmine(run: Run, environment: dict[str, str]) -> FakeRedmine:
    run("init")
    environment["REDMINE_TOKEN"] = KEY
    return FakeRedmine(now=lambda: NOW)


def configure(day: date, section: str = "target") -> None:
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8").partition("[target]")
    rest = text[2][text[2].index("\n[") + 1 :]
    own = f'kind = "redmine"\nurl = "{URL}"\ntoken_env = "REDMINE_TOKEN"\n'
    text_ = f"{text[0]}[target]\n{own}\n{rest}"
    config.write_text(text_.replace(f"[{section}]", f"[{section}]\nexpires_on = {day}", 1))


@pytest.mark.parametrize("section", ["target", "source"])
def test_a_secret_that_ends_soon_is_spoken_of_by_check_and_status(
    run: Run, redmine: FakeRedmine, section: str
) -> None:
    configure(TODAY + timedelta(days=WARNING_DAYS), section)
    said = f"{section}: the secret of the account ends on 2026-12-07, in 14 days"
    with redmine.answer():
        assert said in run("check").stdout
        assert said in run("status").stdout
        assert json.loads(run("status", "--json").stdout)["expiring"] == {section: "2026-12-07"}


def test_a_secret_that_ends_later_is_not(run: Run, redmine: FakeRedmine) -> None:
    configure(TODAY + timedelta(days=WARNING_DAYS + 1))
    with redmine.answer():
        assert "secret of the account" not in run("check").stdout + run("status").stdout


def test_a_refused_account_is_told_that_its_secret_has_ended(
    run: Run, redmine: FakeRedmine, environment: dict[str, str]
) -> None:
    configure(TODAY - timedelta(days=1))
    environment["REDMINE_TOKEN"] = "c" * 40
    with redmine.answer():
        for command in ("run", "plan"):
            result = run(command)
            assert result.exit_code == 6
            assert "target: the secret of the account ended on 2026-11-22" in result.stderr
            assert "see 'Rotate secrets' in the docs" in result.stderr
        assert "ended on 2026-11-22" in run("check").stdout
