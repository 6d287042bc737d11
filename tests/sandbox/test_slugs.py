"""Names whose slug does not fit its column: a real server answers 500, and so does the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

DATES = {"estimated_start": "2026-01-01", "estimated_finish": "2026-01-02"}
CHINESE = "创"


@pytest.mark.parametrize(("length", "status"), [(35, 201), (45, 500)])
@pytest.mark.parametrize("kind", ["projects", "roles", "milestones"])
def test_a_name_in_chinese_overflows_the_slug_long_before_the_name(
    api: Any, kind: str, length: int, status: int
) -> None:
    body: dict[str, Any] = {"name": CHINESE * length, "description": "d"}
    if kind != "projects":
        body |= {"project": api.project()["id"], **DATES}
    assert api.call("POST", f"/{kind}", body).status_code == status


@pytest.mark.parametrize("kind", ["roles", "milestones"])
def test_a_name_that_overflowed_left_nothing_behind(api: Any, kind: str) -> None:
    project = api.project()["id"]
    before = len(api.call("GET", f"/{kind}?project={project}").json())
    api.call("POST", f"/{kind}", {"name": CHINESE * 60, "project": project, **DATES})
    assert len(api.call("GET", f"/{kind}?project={project}").json()) == before
