"""A second try for tests that watch other people's programs at work.

A live server, a database that is cut off in mid run and a browser have their own pace. Where such a
test fails once and passes at once after, the run goes on, and its summary shows both tries with the
traceback: it is work for somebody, and no reason to turn down a change. Everything else, the proofs
of what must never break above all, has one try.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.profiles import parameters

TESTS: Final = Path(__file__).parent
OTHERS_AT_WORK: Final = (TESTS / "live", TESTS / "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if watches_others(item):
            item.add_marker(pytest.mark.flaky(reruns=1))


def watches_others(item: pytest.Item) -> bool:
    """Tells whether a test needs a server or a browser that is not the project's own."""
    return any(item.path.is_relative_to(folder) for folder in OTHERS_AT_WORK) or any(
        name.startswith("live ") for name in parameters(item)
    )
