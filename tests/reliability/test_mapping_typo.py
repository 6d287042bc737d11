"""One wrong word in a mapping: refused, allowed, and undone, as an admin goes through it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.source_trouble_world import DEALS, Company, company, taiga

pytestmark = pytest.mark.sampled_tests(2)

__all__ = ["company", "taiga"]  # fixtures


def mapping(company: Company) -> Path:
    return company.folder / "mappings" / "default.toml"


def edit(company: Company, pattern: str, new: str) -> int:
    """Edits the mapping; returns the line that was edited."""
    text = mapping(company).read_text()
    found = re.search(pattern, text)
    assert found, pattern
    mapping(company).write_text(text[: found.start()] + new + text[found.end() :])
    return text.count("\n", 0, found.start()) + 1


PROPOSAL = r'category = "proposal"\nprobability = 0.5\nproject = "tentative"'
TYPO = 'category = "won"\nprobability = 0.5'
RIGHT = 'category = "proposal"\nprobability = 0.5\nproject = "tentative"'


def inside(company: Company) -> dict[str, list[dict[str, Any]]]:
    admin = company.taiga.as_user("admin")
    kinds = ("milestones", "userstories", "wiki")
    return {kind: list(admin.get(f"/{kind}")) for kind in kinds}


def typo_goes_through(company: Company) -> None:
    edit(company, PROPOSAL, TYPO)
    allowed = company.run("--allow", "staff", "--allow", "children")
    assert allowed.exit_code == 0, allowed.output
    assert len(inside(company)["milestones"]) == DEALS


def test_a_wrong_category_is_refused_and_the_line_is_named(company: Company) -> None:
    line = edit(company, PROPOSAL, TYPO)
    result = company.run()
    assert result.exit_code == 4
    assert "limit 'staff': 20 planned, 5 (the least of any share; 20% of 20 is 4)" in result.stderr
    assert f'default.toml:{line} (stage "Proposal") (20)' in result.stderr
    assert "20 x milestone" in result.stderr and "40 x story" in result.stderr
    company.assert_untouched()


def test_undoing_it_takes_back_what_nobody_touched(company: Company) -> None:
    typo_goes_through(company)
    touched = min(inside(company)["userstories"], key=lambda story: story["id"])
    company.taiga.as_user("admin").patch(
        f"/userstories/{touched['id']}", {"version": 1, "comment": "We have begun with this."}
    )
    edit(company, re.escape(TYPO), RIGHT)
    edit(company, r'when_dropped = "report"', 'when_dropped = "remove-if-untouched"')
    refused = company.run()
    assert refused.exit_code == 4
    assert "limit 'children'" in refused.stderr and "limit 'rename'" in refused.stderr
    result = company.run("--allow", "children", "--allow", "rename")
    assert result.exit_code == 0, result.output
    assert "people have worked with it" in result.output
    left = inside(company)
    assert [story["id"] for story in left["userstories"]] == [touched["id"]]
    assert len(left["milestones"]) == 1, "the story that stays is in it"
    assert left["wiki"] == []
    assert company.run().exit_code == 0
    assert company.writes() == []


def test_without_being_asked_to_it_says_what_is_left(company: Company) -> None:
    typo_goes_through(company)
    edit(company, re.escape(TYPO), RIGHT)
    result = company.run("--allow", "rename")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("this milestone is no longer wanted") == DEALS
    assert len(inside(company)["milestones"]) == DEALS
    plan = company.command("plan").stdout
    assert f"{4 * DEALS} in projects that are no longer wanted" in plan
    assert company.run().stdout == "", "it is reported once, and listed by plan and conflicts"


def test_a_wrong_address_is_refused_before_it_removes_and_mails(company: Company) -> None:
    text = mapping(company).read_text() + '\n[[member]]\nemail = "pm@example.com"\n'
    mapping(company).write_text(text)
    first = company.run("--allow", "children")
    assert first.exit_code == 0, first.output
    line = edit(company, "pm@example.com", "mp@example.com")
    assert "Mails to: mp@example.com 20." in company.command("plan").stdout
    result = company.run()
    assert result.exit_code == 4
    assert "limit 'remove_member': 20 planned" in result.stderr
    assert f"default.toml:{line - 1} (member) (20)" in result.stderr


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        (r'(?<=id = "kick-off"\n)', 'when = "tentative"\n'),
        (r'label = "\(tentative\)"', 'label = "(tentativ)"'),
        (r'title = "\{customer\}: \{name\}"', 'title = "{name}"'),
        (r'category = "proposal"(?=\nprobability = 0.5)', 'category = "lost"'),
        (r'from_sales_page = "staffed"', 'from_sales_page = "tentative"'),
    ],
)
def test_any_other_word_is_refused_as_well(company: Company, pattern: str, new: str) -> None:
    if "lost" in new:
        edit(company, PROPOSAL, 'category = "proposal"\nprobability = 0.5')
    if 'when = "tentative"' in new:
        edit(company, r'milestone = "Kick-off"\n', "")
    edit(company, pattern, new)
    result = company.run()
    assert result.exit_code == 4, result.output
    company.assert_untouched()


def test_comparing_the_mappings_says_first_that_it_is_big(company: Company) -> None:
    right = mapping(company).read_text()
    line = edit(company, PROPOSAL, TYPO)
    new = company.folder / "new" / "default.toml"
    new.parent.mkdir()
    new.write_text(mapping(company).read_text())
    mapping(company).write_text(right)
    first = company.command("mapping", "diff", str(new)).stdout.splitlines()[0]
    assert first.startswith("This is big, and a run would refuse it: projects that become staffed")
    assert f"20 (5 allowed, requested by {new}:{line}" in first
    assert "pages in existing projects: 80 in 20 projects (5 projects allowed" in first
