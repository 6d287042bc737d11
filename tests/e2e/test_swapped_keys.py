"""Two deals change places among the keys of a file: the ways that the messages name lead out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import Result

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run

BEFORE = {"D-1": "Portal", "D-2": "Shop", "D-3": "App"}
AFTER = {"D-1": "Shop", "D-2": "Portal", "D-3": "App"}


def imported(run: Run, names: dict[str, str], *options: str) -> Result:
    rows = "".join(f"{key},{name},Acme,Proposal\n" for key, name in names.items())
    Path("deals.csv").write_text(f"key,name,customer,stage\n{rows}")
    result = run("deals", "import", "deals.csv", *options)
    assert result.exit_code == 0, result.output
    return result


def projects(taiga: Sandbox) -> dict[int, str]:
    return {row["id"]: row["name"] for row in taiga.as_user("admin").get("/projects")}


@pytest.fixture
def swapped(run: Run, taiga: Sandbox, environment: dict[str, str]) -> tuple[Run, str, str]:
    """What the import and the run say once D-1 and D-2 have changed places."""
    environment["TAIGA_PASSWORD"] = taiga.password
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    imported(run, BEFORE)
    assert run("run").exit_code == 0
    said = imported(run, AFTER).stdout
    refused = run("run")
    assert refused.exit_code == 4
    return run, said, refused.stderr


def test_a_file_with_wrong_keys_is_imported_again_as_the_import_says(
    swapped: tuple[Run, str, str], taiga: Sandbox
) -> None:
    run, said, _ = swapped
    before = projects(taiga)
    assert "2 deals changed places among keys: D-1 is now what D-2 was" in said
    (options,) = re.findall(r"import it again with (.*)", said)
    imported(run, AFTER, *shlex.split(options))
    done = run("run")
    assert (done.exit_code, projects(taiga)) == (0, before)


def test_deals_with_other_keys_for_good_take_their_projects_along_as_the_run_says(
    swapped: tuple[Run, str, str], taiga: Sandbox
) -> None:
    run, _, refusal = swapped
    before = projects(taiga)
    found = dict(re.findall(r"(D-\d) is what D-\d was, project (\d+)", refusal))
    assert set(found) == {"D-1", "D-2"}
    for key in found:
        assert run("unlink", key).exit_code == 0
    for key, project in found.items():
        assert run("adopt", key, project).exit_code == 0
    done = run("run")
    assert done.exit_code == 0, done.output
    assert projects(taiga) == before
    assert run("run").exit_code == 0


def test_a_rename_and_a_merger_are_no_swap(run: Run, taiga: Sandbox) -> None:
    run("init", "--taiga-url", taiga.url, "--username", taiga.username)
    imported(run, BEFORE)
    said = imported(run, {"D-1": "Portal 2", "D-2": "App", "D-3": "App"}).stdout
    assert "changed places" not in said
