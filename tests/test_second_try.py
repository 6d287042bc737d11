"""Which tests have a second try, and that it hides nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = """
import pytest

TRIED = set()

@pytest.mark.parametrize("target", ["live kanboard", "kanboard"])
def test_target(target):
    first = target not in TRIED
    TRIED.add(target)
    assert not first, f"{target} was busy"

@pytest.mark.parametrize("target", ["live redmine"])
def test_defect(target):
    raise AssertionError("at each try")
"""


def test_a_live_target_has_a_second_try_that_shows_the_first_and_others_have_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_cases.py").write_text(CASES)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ("tests.second_try",)\n')
    plugins = ["-p", "no:cacheprovider", "-p", "pytest_rerunfailures"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--rerun-show-tracebacks", "-rf", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 1
    assert "2 failed, 1 passed, 2 rerun" in result.stdout
    assert "FAILED test_cases.py::test_target[kanboard]" in result.stdout
    assert "FAILED test_cases.py::test_defect[live redmine]" in result.stdout
    assert "AssertionError: live kanboard was busy" in result.stdout
