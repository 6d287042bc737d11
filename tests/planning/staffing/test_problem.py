"""What cannot be a staffing problem is refused, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from taiga_pipeline.planning.staffing.problem import Candidate, Project
from taiga_pipeline.problems import ProblemsError
from tests.planning.staffing.support import problem, request, worker


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(ProblemsError) as error:
        problem(
            workers=(worker(hours=(-1.0, 40.0, 40.0, 40.0)), worker("bob", max_projects=0)),
            requests=(request(-5.0), request(weeks=5)),
        )
    text = str(error.value)
    assert "ann: hours are numbers from 0 up" in text
    assert "bob: at most 0 projects at once" in text
    assert "D-1, Back: hours are numbers from 0 up" in text
    assert "weeks 0 to 5 are outside of the 4 weeks" in text


def test_a_delay_needs_weeks_to_end_in() -> None:
    """Demand that was postponed beyond the last week would be met by nobody, and count nowhere."""
    with pytest.raises(ProblemsError, match="outside of the 4 weeks"):
        problem(projects=(Project("D-1", 1.0, max_delay=1),), requests=(request(weeks=4),))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"project": 3}, "which is not there"),
        ({"candidates": (Candidate(0), Candidate(0))}, "named twice"),
        ({"candidates": (Candidate(7),)}, "not among the workers"),
        ({"candidates": (Candidate(0, float("nan")),)}, "penalties"),
    ],
)
def test_requests_refer_to_what_is_there(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemsError, match=message):
        problem(requests=(replace(request(), **changes),))  # type: ignore[arg-type]
