"""Says which servers the suite did not run against."""

from __future__ import annotations

import pytest

from tests.contract.targets.conftest import missing
from tests.live.leaving_out import leave_out


@pytest.mark.parametrize("name", ["taiga", "live redmine", "live odoo", "live kanboard"])
def test_the_suite_runs_against_a_server_that_nobody_here_wrote(
    pytestconfig: pytest.Config, name: str
) -> None:
    option = missing(pytestconfig, name)
    if option:
        server = name.removeprefix("live ")
        leave_out(server, f"the suite for targets did not run against it: {option} is not given")
