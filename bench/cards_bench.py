"""How many requests the board takes on which sales works: made, left alone, and edited."""

from __future__ import annotations

import csv
import os
import tempfile
from collections import Counter
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from bench.table import print_table
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.embedded import Sandbox

_BOARD = '\n[portfolio]\nenabled = true\neditable = "sales"\nplan_weeks = 0\n'


def main(count: int = 500) -> None:
    """Prints requests by what happened, for a board of ``count`` cards of leads."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, chdir(folder), Sandbox() as sandbox:
        os.environ["TAIGA_PASSWORD"] = sandbox.password
        _set_up(sandbox, count)
        for what, change in (
            ("first run", lambda: None),
            ("nothing changed", lambda: None),
            ("one field edited on a card", lambda: _edit_field(sandbox)),
            ("one card commented", lambda: _edit_card(sandbox, {"comment": "They agree."})),
            ("one card made", lambda: _add_card(sandbox)),
        ):
            change()
            sandbox.clear_requests()
            _run("run", "--allow", "create")
            kinds = Counter("reads" if r.method == "GET" else "writes" for r in sandbox.requests)
            rows.append([what, kinds["reads"], kinds["writes"]])
    print_table(f"Requests of a board with {count} cards", ["what", "reads", "writes"], rows)


def _run(*arguments: str) -> None:
    result = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output


def _set_up(sandbox: Sandbox, count: int) -> None:
    _run("init", "--taiga-url", sandbox.url, "--username", sandbox.username)
    with Path("deals.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "name", "customer", "stage", "value", "currency"])
        for n in range(count):
            writer.writerow([f"D-{n}", f"Deal {n}", "Acme", "Lead", 1000 + n, "EUR"])
    _run("deals", "import", "deals.csv")
    with Path("config.toml").open("a", encoding="utf-8") as file:
        file.write(_BOARD)


def _board(sandbox: Sandbox) -> int:
    rows = sandbox.as_user("admin").get("/projects")
    return int(next(row["id"] for row in rows if row["name"] == "Portfolio"))


def _edit_field(sandbox: Sandbox) -> None:
    admin, board = sandbox.as_user("admin"), _board(sandbox)
    card = admin.get(f"/userstories?project={board}")[0]
    attributes = admin.get(f"/userstory-custom-attributes?project={board}")
    value = next(str(row["id"]) for row in attributes if row["name"] == "Value")
    path = f"/userstories/custom-attributes-values/{card['id']}"
    now = admin.get(path)
    values = now["attributes_values"] | {value: 77}
    admin.patch(path, {"attributes_values": values, "version": now["version"]})


def _edit_card(sandbox: Sandbox, changes: dict[str, object]) -> None:
    admin, board = sandbox.as_user("admin"), _board(sandbox)
    card = admin.get(f"/userstories?project={board}")[1]
    admin.patch(f"/userstories/{card['id']}", changes | {"version": card["version"]})


def _add_card(sandbox: Sandbox) -> None:
    admin = sandbox.as_user("admin")
    admin.post("/userstories", {"project": _board(sandbox), "subject": "Delta: Intranet"})


if __name__ == "__main__":
    main()
