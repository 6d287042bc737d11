"""A project's header is short from the tentative stage on, where a page has the rest."""

from __future__ import annotations

from pathlib import Path

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run
from tests.targets.redmine.fake import FakeRedmine

from .test_what_targets_hold import redmine

__all__ = ["redmine"]

SHORT = ("Stage", "Probability", "Expected close", "Start", "Value")
ON_THE_PAGE = ("Customer", "Contacts", "Service", "Sales owner")


def offer(run: Run) -> None:
    """An open deal of which much is known, in a pipeline that shows the page from the offer on."""
    mapping = Path("mappings/default.toml")
    text = mapping.read_text(encoding="utf-8")
    edited = text.replace('from_sales_page = "staffed"', 'from_sales_page = "tentative"')
    assert edited != text
    mapping.write_text(edited, encoding="utf-8")
    fields = ("--customer", "Acme", "--service", "Web", "--owner", "Sara Sand", "--value", "9000")
    contact = ("--contact", "Ida Berg | ida@acme.example | | decision maker")
    known = ("--currency", "EUR", "--start", "2027-01-11", "--expected-close", "2026-12-15")
    named = ("deals", "add", "D-7", "Intranet", "--stage", "Proposal")
    added = run(*named, *fields, *contact, *known)
    assert added.exit_code == 0, added.output
    assert run("run").exit_code == 0


def labels(description: str) -> list[str]:
    return [line.partition(":")[0].strip(" -*") for line in description.splitlines() if ":" in line]


def test_in_taiga_the_description_has_what_a_planner_looks_for_and_the_page_the_rest(
    run: Run, taiga: Sandbox, environment: dict[str, str]
) -> None:
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    offer(run)
    client = taiga.as_user("admin")
    (row,) = client.get("/projects")
    header = labels(client.get(f"/projects/{row['id']}")["description"])
    assert [label for label in header if label in (*SHORT, *ON_THE_PAGE)] == list(SHORT)
    (page,) = client.get(f"/wiki?project={row['id']}")
    for text in ("Customer: Acme", "Service: Web", "Sara Sand", "Ida Berg"):
        assert text in page["content"]
    assert run("run").stdout == ""


def test_in_redmine_which_gets_no_page_the_description_keeps_all_of_it(
    run: Run, redmine: FakeRedmine
) -> None:
    offer(run)
    (description,) = [
        str(row["description"])
        for row in redmine.projects.values()
        if "Intranet" in str(row["name"])
    ]
    assert {*SHORT, *ON_THE_PAGE} <= set(labels(description))
    assert run("run").stdout == ""
