"""Figures for the docs: a test tells them, and they stand at the end of the whole run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

_NAME: Final = "figure"
Figure = Callable[[str], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Tells a figure, in a line; also from another process of the run."""

    def note(line: str) -> None:
        record_property(_NAME, line)

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints all figures of tests that passed."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, line in report.user_properties:
            if name == _NAME and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid.partition('::')[0]}: {line}")
