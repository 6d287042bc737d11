"""What if, as a page asks it: the plan is drawn once, and each question changes a few deals."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("numpy", reason="the extra 'planning' is not installed")

from taiga_pipeline.app.planning.capacity import capacity_of
from taiga_pipeline.app.planning.record import read_history
from taiga_pipeline.app.planning.what_if import open_questions
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.notation import parse_roles
from tests.mapping.support import deal

ASKED = {"team": "", "first": None, "weeks": 8, "quantile": None, "trials": 500, "seed": 1}


def fill(workspace: Workspace) -> None:
    with deal_store(workspace, create=True) as store:
        store.upsert(
            deal(
                key=f"D-{number}",
                stage="Proposal",
                start=workspace.today,
                expected_close=workspace.today,
                roles=parse_roles("Back:30h x6w"),
            )
            for number in range(1, 4)
        )


def test_a_question_shows_the_plan_before_and_after(workspace: Workspace) -> None:
    fill(workspace)
    questions = open_questions(workspace, chances="stated", **ASKED)
    answer = questions.ask({"win": ["D-1"], "lose": ["D-2"]})
    today = capacity_of(workspace, chances="stated", **ASKED).report
    assert answer.before.total.weighted == today.total.weighted
    assert answer.before.total.quantile == today.total.quantile
    assert answer.after.total.confirmed == pytest.approx(180)
    assert answer.after.total.exposure < answer.before.total.exposure
    assert questions.ask({}).after.total == answer.before.total


@pytest.mark.parametrize(
    ("supposed", "said"),
    [({"win": ["D-9"]}, "there is no deal 'D-9'"), ({"delay": ["soon"]}, "without a value")],
)
def test_a_question_that_makes_no_sense_is_an_error(
    workspace: Workspace, supposed: dict[str, list[str]], said: str
) -> None:
    fill(workspace)
    with pytest.raises(InvalidValue, match=said):
        open_questions(workspace, chances="stated", **ASKED).ask(supposed)


def test_a_forecast_knows_the_stages_in_which_no_deal_is(workspace: Workspace) -> None:
    fill(workspace)
    mapping = next(Path("mappings").glob("*.toml"))
    stated = mapping.read_text().replace("project =", "probability = 0.5\nproject =", 2)
    mapping.write_text(stated)
    assert read_history(workspace, workspace.today).chances == {"Lead": 0.5, "Proposal": 0.5}
