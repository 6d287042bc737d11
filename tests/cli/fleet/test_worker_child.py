"""One run as a worker orders it: what it says of how it ended."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.cli.exit_codes import ExitCode, code_for
from taiga_pipeline.cli.fleet.worker_child import _Prefixed
from taiga_pipeline.credentials import SecretError
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from taiga_pipeline.workers.children import Order
from taiga_pipeline.workers.decisions import Ended, Ending
from taiga_pipeline.workers.run import read_environment, run_order
from tests.cli.conftest import FixedClock, Run


@pytest.fixture
def order(sample: Run, taiga: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order for the sample pipeline, its password in a file beside the configuration."""
    monkeypatch.delenv("TAIGA_PASSWORD", raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    secrets = tmp_path / "secrets.env"
    secrets.write_text(f"# for runs alone\nexport TAIGA_PASSWORD='{taiga.password}'\n\n")
    secrets.chmod(0o600)
    config = tmp_path / "config.toml"
    name = next(line for line in config.read_text().splitlines() if line.startswith("pipeline ="))
    return Order(name.split('"')[1], config, secrets)


def carry_out(order: Order, stop: threading.Event | None = None) -> Ended:
    return run_order(Workspace(), order, stop or threading.Event(), code_for)


def test_a_run_that_went_well_counts_what_it_did(order: Order) -> None:
    ended = carry_out(order)
    assert ended.ending in (Ending.DONE, Ending.PARTIAL)
    assert ended.applied > 0
    assert carry_out(order).applied == 0


def test_a_limit_is_reported_with_its_numbers(order: Order) -> None:
    text = order.config.read_text()
    order.config.write_text(text.replace("create = 50", "create = 1"))
    ended = carry_out(order)
    assert (ended.ending, ended.code) == (Ending.REFUSED, ExitCode.REFUSED)
    assert "limit 'create'" in ended.message


def test_a_server_that_is_gone_is_reported(order: Order, taiga: Sandbox) -> None:
    text = order.config.read_text()
    order.config.write_text(text.replace(taiga.url, "http://127.0.0.1:9"))
    stop = threading.Event()
    stop.set()  # no one waits for retries
    assert carry_out(order, stop).ending is Ending.STOPPED


def test_a_run_that_its_server_ends_in_the_midst_of_it_was_not_stopped_by_anybody(
    order: Order, taiga: Sandbox
) -> None:
    taiga.faults.replace([Fault(FaultKind.THROTTLED, "POST", "/projects$", times=10_000)])
    stop = threading.Event()
    ended = run_order(Workspace(FixedClock()), order, stop, code_for)
    assert (ended.ending, ended.code) == (Ending.UNREACHABLE, ExitCode.UNREACHABLE)
    assert "unavailable" in ended.message
    assert not stop.is_set(), "the next run may be given the same"
    taiga.faults.replace([])
    assert run_order(Workspace(FixedClock()), order, stop, code_for).applied > 0


def test_a_configuration_that_was_renamed_meanwhile_is_not_run(order: Order) -> None:
    renamed = Order("somebody-else", order.config, order.environment_file)
    ended = carry_out(renamed)
    assert ended.ending is Ending.USAGE
    assert "not 'somebody-else'" in ended.message


def test_what_nobody_foresaw_is_reported_too(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("taiga_pipeline.workers.run.perform", fail)
    ended = carry_out(order)
    assert (ended.ending, ended.message) == (Ending.UNEXPECTED, "ZeroDivisionError: by zero")


def test_secrets_that_everybody_may_read_are_refused(order: Order) -> None:
    assert order.environment_file is not None
    order.environment_file.chmod(0o644)
    assert carry_out(order).ending is Ending.USAGE
    with pytest.raises(SecretError, match="chmod 600"):
        read_environment(order.environment_file)


def test_a_line_that_is_no_variable_is_named_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    path.write_text("A=1\nhunter2\n B = x y \nC=\"'q'\"\n1D=hunter2\n")
    path.chmod(0o600)
    with pytest.raises(ProblemsError) as caught:
        read_environment(path)
    assert [problem.line for problem in caught.value.problems] == [2, 5]
    assert "hunter2" not in str(caught.value)
    path.write_text("A=1\n B = x y \nC=\"'q'\"\nexport D='\n")
    assert read_environment(path) == {"A": "1", "B": "x y", "C": "'q'", "D": "'"}


def test_each_line_of_a_run_names_its_pipeline() -> None:
    stream = io.StringIO()
    prefixed = _Prefixed("acme", stream)
    prefixed.write("one\ntw")
    prefixed.write("o\n")
    prefixed.write("rest")
    assert stream.getvalue() == "acme: one\nacme: two\n"
    prefixed.flush()
    assert stream.getvalue().endswith("acme: rest\n")


def test_a_line_that_is_too_long_is_cut_and_says_so() -> None:
    stream = io.StringIO()
    prefixed = _Prefixed("acme", stream)
    for _ in range(100):
        prefixed.write("x" * 1_000)
    prefixed.write("\nnext\n")
    first, second = stream.getvalue().splitlines()
    assert first == f"acme: {'x' * 16_384}… (83616 more characters)"
    assert second == "acme: next"
