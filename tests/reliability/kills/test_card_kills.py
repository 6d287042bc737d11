"""Killed anywhere while it takes up what people did on cards, or answered on a page, the next run
ends as undisturbed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from taiga_pipeline.planning.lessons.retrospective import QUESTIONS
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.figures import Figure
from tests.profiles import LONG, sampled

from . import scenario
from .child import KILLED
from .harness import DONE, Prepared, World, fleet

BOARD: Final = """
[portfolio]
enabled = true
editable = "sales"
plan_weeks = 0
"""
GATE: Final = "needs documented"
ENDED: Final = "Project ended"
ANSWERS: Final = {QUESTIONS[0]: "The team.", QUESTIONS[1]: "The data."}


def prepare(folder: Path, sandbox: Sandbox, run: scenario.Run) -> None:
    """A board with three deals, and one whose project has ended; then people add, edit, close,
    comment, move and answer at once."""
    scenario.write_configuration(folder, sandbox)
    with (folder / "config.toml").open("a", encoding="utf-8") as file:
        file.write(BOARD)
    for mapping in (folder / "mappings").glob("*.toml"):
        text = mapping.read_text(encoding="utf-8")
        gate = f'category = "needs"\nrequires = ["{GATE}"]\n'
        text = text.replace('category = "needs"\n', gate)
        text = text.replace("[project]\n", '[project]\nfrom_sales_page = "staffed"\n', 1)
        mapping.write_text(text, encoding="utf-8")
    with scenario.Sales(folder) as sales:
        sales.want(*(scenario.deal(key) for key in ("EDITED", "TALKED")))
        sales.want(scenario.deal("MOVED", "Needs"), scenario.deal("ENDED", "Won"))
        run("run")
        finish(sandbox)
        run("run")
        run("run", "--full")
        run("run")
    people_at_work(sandbox)


def finish(sandbox: Sandbox) -> None:
    """All that there was to do in a won deal's project is done."""
    admin = sandbox.as_user("admin")
    project = admin.get(f"/projects/{scenario.by_name(sandbox, ENDED)['id']}")
    closed = next(row["id"] for row in project["us_statuses"] if row["is_closed"])
    work = {"project": project["id"], "subject": "Build", "status": closed}
    admin.post("/userstories", work)
    for row in admin.get(f"/milestones?project={project['id']}"):
        days = {"estimated_start": "2026-01-01", "estimated_finish": "2026-02-01"}
        admin.patch(f"/milestones/{row['id']}", days)
    for row in admin.get(f"/userstories?project={project['id']}"):
        body = {"status": closed, "version": row["version"]}
        admin.patch(f"/userstories/{row['id']}", body)


def asked(sandbox: Sandbox) -> Mapping[str, Any]:
    """Returns the page that asks what an ended project taught."""
    project = scenario.by_name(sandbox, ENDED)["id"]
    rows = sandbox.as_user("admin").get(f"/wiki?project={project}")
    return next(row for row in rows if row["slug"] == "looking-back")


def answer(sandbox: Sandbox) -> None:
    """Answers two of three questions on the page."""
    page = asked(sandbox)
    text = page["content"]
    for question, said in ANSWERS.items():
        text = text.replace(question, f"{question}\n\n{said}", 1)
    body = {"content": text, "version": page["version"]}
    sandbox.as_user("admin").patch(f"/wiki/{page['id']}", body)


def people_at_work(sandbox: Sandbox) -> None:
    """What people do on the board before the run that is to take it up."""
    admin = sandbox.as_user("admin")
    board = scenario.by_name(sandbox, "Portfolio")
    detail = admin.get(f"/projects/{board['id']}")
    columns = {row["name"]: row["id"] for row in detail["us_statuses"]}
    path = f"/userstories?project={board['id']}&include_tasks=1"
    cards = {row["external_reference"][1].rpartition("/")[2]: row for row in admin.get(path)}
    _fill(admin, board["id"], cards["EDITED"]["id"])
    edited, talked, moved = (cards[key] for key in ("EDITED", "TALKED", "MOVED"))
    subject = edited["subject"].replace("Project edited", "Project renamed")
    admin.patch(f"/userstories/{edited['id']}", {"subject": subject, "version": edited["version"]})
    admin.patch(
        f"/userstories/{talked['id']}", {"comment": "They agree.", "version": talked["version"]}
    )
    closed = next(row["id"] for row in detail["task_statuses"] if row["is_closed"])
    (task,) = moved["tasks"]
    admin.patch(f"/tasks/{task['id']}", {"status": closed, "version": 1})
    body = {"status": columns["Proposal"], "version": moved["version"]}
    admin.patch(f"/userstories/{moved['id']}", body)
    third = f"{QUESTIONS[2]}\nAsk earlier."
    body = {"comment": third, "version": cards["ENDED"]["version"]}
    admin.patch(f"/userstories/{cards['ENDED']['id']}", body)
    answer(sandbox)
    new = {"project": board["id"], "subject": "Delta: Intranet", "status": columns["Proposal"]}
    admin.post("/userstories", new)


def _fill(admin: Any, board: int, card: int) -> None:
    titles = {
        row["name"]: str(row["id"])
        for row in admin.get(f"/userstory-custom-attributes?project={board}")
    }
    path = f"/userstories/custom-attributes-values/{card}"
    now = admin.get(path)
    values = now["attributes_values"] | {titles["Value"]: "23000.0", titles["Probability"]: 65}
    admin.patch(path, {"attributes_values": values, "version": now["version"]})


@dataclass(frozen=True, slots=True)
class Board:
    """What a world looks like to sales, in the pipeline and on the board."""

    deals: list[list[Any]]
    notes: list[list[Any]]
    cards: list[list[Any]]
    asked: str
    open_intents: int


def look(world: World) -> Board:
    """Returns how everything stands, without times and numbers."""
    with closing(sqlite3.connect(world.folder / "pipeline.db")) as store:
        names = "key, name, customer, stage, value, probability, done"
        deals = store.execute(f"SELECT {names} FROM deals ORDER BY key").fetchall()
        notes = store.execute("SELECT deal_key, text FROM notes ORDER BY deal_key, text").fetchall()
    admin = world.sandbox.as_user("admin")
    board = scenario.by_name(world.sandbox, "Portfolio")
    rows = admin.get(f"/userstories?project={board['id']}&include_tasks=1")
    cards = [
        [
            row["subject"],
            row["status_extra_info"]["name"],
            row["external_reference"],
            [(task["subject"], task["is_closed"]) for task in row["tasks"]],
            admin.get(f"/userstories/custom-attributes-values/{row['id']}")["attributes_values"],
            len(admin.get(f"/history/userstory/{row['id']}?type=comment")),
        ]
        for row in rows
    ]
    plain = json.loads(json.dumps([list(map(list, deals)), list(map(list, notes)), cards]))
    return Board(*plain, asked(world.sandbox)["content"], world.open_intents())


@pytest.fixture(scope="module")
def situation() -> Iterator[Prepared]:
    with fleet(1, prepare) as (prepared,):
        yield prepared


def settled(world: World) -> Board:
    """Runs twice: the second run has nothing left to do."""
    code = world.run("run")
    assert code == DONE, world.said()
    outcome = look(world)
    world.sandbox.clear_requests()
    assert world.run("run") == DONE, world.said()
    writes = [line for line in world.requests(writes=True) if "user-storage" not in line]
    assert not writes, writes
    return outcome


@pytest.mark.sampled_inside
def test_killed_at_any_crash_point_cards_and_deals_end_as_if_nothing_had_happened(
    situation: Prepared, figure: Figure
) -> None:
    with situation.another() as world:
        undisturbed = settled(world)
    with situation.another() as world:
        assert world.run("run") == DONE
        reached = world.crash_points_reached()
    points = len(reached)
    assert undisturbed.deals[0][:3] == ["D-1", "Intranet", "Delta"]
    answers = {**ANSWERS, QUESTIONS[2]: "Ask earlier."}
    assert undisturbed.notes == [
        *(["ENDED", f"{question}\n{said}"] for question, said in sorted(answers.items())),
        ["TALKED", "They agree."],
    ]
    # Between the deal that was made of a card and the tie of both, a second card is near.
    ties = {number for number, at in enumerate(reached, 1) if at == "before binding commit"}
    assert ties
    numbers = sorted({*sampled(range(1, points + 1, 1 if LONG else 8), 24), *sampled(ties, 4)})
    wrong = []
    for number in numbers:
        with situation.another() as world:
            assert world.run("run", kill_at=number) == KILLED, world.said()
            try:
                found = settled(world)
            except AssertionError as error:
                wrong.append(f"crash point {number}: {error}")
                continue
            if found != undisturbed:
                wrong.append(f"crash point {number}: {found}\nexpected {undisturbed}")
    assert not wrong, "\n".join(wrong)
    figure(f"{len(numbers)} of {points} crash points killed while cards were taken up")
