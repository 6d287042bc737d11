"""Says which servers the suite did not run against."""

from __future__ import annotations

import pytest

from tests.contract.sources.conftest import missing
from tests.live.leaving_out import leave_out


def test_the_suite_for_sources_runs_against_a_live_tryton(pytestconfig: pytest.Config) -> None:
    option = missing(pytestconfig, "live tryton")
    if option:
        leave_out("tryton", f"the suite for sources did not run against it: {option} is not given")
