"""Targets are found by name, and loaded only when they are used."""

import subprocess
import sys

import pytest

from taiga_pipeline.targets import registry
from taiga_pipeline.targets.registry import UnknownTargetError
from taiga_pipeline.targets.taiga.adapter import TaigaTarget
from tests.targets.support import TOKEN, ManualClock


def test_taiga_is_installed() -> None:
    assert "taiga" in registry.kinds()
    assert isinstance(registry.create("taiga", TOKEN, ManualClock()), TaigaTarget)


def test_an_unknown_kind_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownTargetError, match=r"'taga' is not installed; did you mean 'taiga'"):
        registry.create("taga", TOKEN, ManualClock())


def test_looking_for_targets_loads_no_http_library() -> None:
    code = (
        "import sys; from taiga_pipeline.targets import registry; registry.kinds(); "
        "import taiga_pipeline.targets.taiga; "
        "assert 'requests' not in sys.modules, 'requests is loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
