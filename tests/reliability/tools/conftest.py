"""One world for each tool, made once; every try begins with a copy of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reliability.tools.office import Original, original
from tests.reliability.tools.servers import SERVERS


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def world_of_a_tool(request: pytest.FixtureRequest) -> Iterator[Original]:
    with original(request.param) as made:
        yield made
