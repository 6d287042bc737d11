"""Everything that a run needs, looked at in advance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, damage_stage, writes


def checks(run: Run, *options: str) -> dict[str, dict[str, object]]:
    return {
        check["check"]: check
        for check in json.loads(run("check", "--json", *options).stdout)["checks"]
    }


def test_all_is_well(sample: Run, taiga: Sandbox, tmp_path: Path) -> None:
    result = sample("check")
    assert result.exit_code == 0, result.stderr
    assert [line[0] for line in result.stdout.splitlines()] == ["✓"] * 6
    assert writes(taiga) == []
    assert not (tmp_path / "state.db").exists()


def test_problems_of_all_kinds_are_reported_at_once(sample: Run, tmp_path: Path) -> None:
    (tmp_path / "mappings" / "default.toml").write_text("[maping]\n")
    (tmp_path / "pipeline.db").write_bytes(b"not a database at all" * 100)
    found = checks(sample)
    assert {name for name, check in found.items() if not check["ok"]} == {
        "mappings",
        "source",
        "store",
    }
    assert sample("check").exit_code == 2


def test_a_bad_configuration_is_shown_with_all_its_problems(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('pipelin = "x"\n[target]\nconcurrency = 0\n')
    result = run("check")
    assert result.exit_code == 2
    assert result.stdout.count("config.toml:") == 4


def test_a_wrong_password_is_distinguished_from_a_wrong_address(
    sample: Run, taiga: Sandbox, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["TAIGA_PASSWORD"] = "mistaken"
    wrong_password = sample("check")
    assert wrong_password.exit_code == 6
    assert "✗ target" in wrong_password.stdout
    assert "mistaken" not in wrong_password.stdout
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace(taiga.url, f"{taiga.url}/elsewhere"))
    wrong_address = sample("check")
    assert wrong_address.exit_code == 6
    assert wrong_address.stdout != wrong_password.stdout


def test_a_missing_variable_is_named(sample: Run, environment: dict[str, str]) -> None:
    environment.clear()
    result = sample("check")
    assert result.exit_code == 2
    assert "TAIGA_PASSWORD is not set" in result.stdout


@pytest.mark.parametrize("stage", ["Negotiating hard", ""])
def test_a_deal_that_cannot_be_mapped_is_named(sample: Run, stage: str) -> None:
    damage_stage("D-105", stage)
    found = checks(sample, "--offline")
    assert found["source"]["ok"] is False
    assert "D-105" in str(found["source"]["problems"])


def test_offline_leaves_the_target_alone(sample: Run, taiga: Sandbox) -> None:
    assert "target" not in checks(sample, "--offline")
    assert taiga.requests == []


def test_a_template_that_the_server_does_not_know_is_found_before_a_run(
    sample: Run, taiga: Sandbox, tmp_path: Path
) -> None:
    mapping = tmp_path / "mappings" / "default.toml"
    mapping.write_text(mapping.read_text().replace('template = "scrum"', 'template = "scrumm"'))
    result = sample("check")
    assert result.exit_code == 2
    assert "✗ target" in result.stdout
    assert "mappings/default.toml:" in result.stdout
    assert "no project template 'scrumm'; did you mean 'scrum'?" in result.stdout
    assert writes(taiga) == []


def test_a_member_whom_the_server_may_not_know_is_pointed_out(sample: Run, tmp_path: Path) -> None:
    mapping = tmp_path / "mappings" / "default.toml"
    mapping.write_text(mapping.read_text() + '\n[[member]]\nemail = "nobody@example.com"\n')
    result = sample("check")
    assert result.exit_code == 0, result.output
    assert (
        "nobody@example.com: no member of this account's projects has this address" in result.stdout
    )
    assert "mails an invitation to it" in result.stdout


def test_a_mapping_without_a_won_or_a_proposal_stage_does_not_pass(
    sample: Run, tmp_path: Path
) -> None:
    (tmp_path / "mappings" / "default.toml").write_text(
        '[mapping]\nname = "short"\n'
        '[[stage]]\nname = "Proposal"\ncategory = "proposal"\n'
        '[[stage]]\nname = "Lost"\ncategory = "lost"\n'
    )
    for command in (("check",), ("mapping", "check")):
        result = sample(*command)
        assert result.exit_code == 2
        assert 'no stage has the category "won"' in result.output
    (tmp_path / "mappings" / "default.toml").write_text(
        '[mapping]\nname = "short"\n'
        '[[stage]]\nname = "Lead"\ncategory = "lead"\n'
        '[[stage]]\nname = "Won"\ncategory = "won"\n'
    )
    assert 'no stage has the category "proposal"' in sample("check").output
