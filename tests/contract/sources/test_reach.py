"""Says which servers the suite did not run against."""

from __future__ import annotations

import pytest

from tests.contract.sources.conftest import missing
from tests.live.leaving_out import leave_out


@pytest.mark.parametrize("tool", ["tryton", "odoo"])
def test_the_suite_for_sources_runs_against_a_live_one(
    pytestconfig: pytest.Config, tool: str
) -> None:
    option = missing(pytestconfig, f"live {tool}")
    if option:
        leave_out(tool, f"the suite for sources did not run against it: {option} is not given")
