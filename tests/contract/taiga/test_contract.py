"""The sandbox keeps to what a real Taiga was seen to do; the same cases run against a real one."""

from __future__ import annotations

import pytest

from tests.contract.taiga import (
    cases_auth,
    cases_boards,
    cases_cards,
    cases_people,
    cases_plan,
    cases_projects,
    cases_wiki,
)
from tests.contract.taiga.case import Case
from tests.contract.taiga.runner import Run, Server

CASES = (
    *cases_auth.CASES,
    *cases_projects.CASES,
    *cases_people.CASES,
    *cases_plan.CASES,
    *cases_wiki.CASES,
    *cases_boards.CASES,
    *cases_cards.CASES,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_server_answers_as_recorded(case: Case, server: Server) -> None:
    if case.people and not server.has_people:
        pytest.skip("this server has no accounts ana, chen and dora at example.test")
    if server.outsider is None and any(step.actor == "outsider" for step in case.steps):
        pytest.skip("no second account given with --taiga-outsider")
    Run(server, case).play()


def test_case_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


def test_there_are_at_least_a_hundred_cases_and_each_names_its_recording() -> None:
    assert len(CASES) >= 100
    assert all(case.source for case in CASES)
