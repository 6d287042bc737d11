"""The server alone, as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_ended(tmp_path: Path, ending: signal.Signals) -> None:
    data = tmp_path / "taiga.json"
    command = [sys.executable, "-m", "taiga_pipeline", "sandbox", "--port", "0"]
    with subprocess.Popen(
        [*command, "--data", str(data)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().removeprefix("Listening at ").strip()
        process.stdout.readline()
        process.stdout.readline()
        with urllib.request.urlopen(f"{address}/", timeout=120) as page:
            assert page.status == 200
        process.send_signal(ending)
        try:
            assert process.wait(timeout=120) == 0
        finally:
            process.kill()
        assert process.stderr.read() == ""
    assert data.exists()


def test_an_address_that_is_taken_is_named() -> None:
    command = [sys.executable, "-m", "taiga_pipeline", "sandbox", "--host", "192.0.2.1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 2
    assert "the sandbox cannot be started" in result.stderr


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_a_checkout_without_what_the_server_needs_says_how_to_get_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = run(command)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "(jinja2); install them with:" in result.stderr
    assert "[demo]" in result.stderr
