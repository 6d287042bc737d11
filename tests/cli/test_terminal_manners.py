"""What goes to stderr: log, progress, and what a Ctrl-C is answered with."""

from __future__ import annotations

import io
import logging
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from taiga_pipeline.cli.log import StderrHandler, configure, level
from taiga_pipeline.cli.progress import Progress
from taiga_pipeline.cli.signals import STILL, STOPPING, stopping_in_good_order


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    def test_it_is_drawn_on_a_terminal_and_taken_away(self) -> None:
        terminal = Terminal()
        progress = Progress("projects", terminal)
        progress(1, 2)
        assert terminal.getvalue() == f"\r[{'#' * 15}{'.' * 15}] 1/2 projects"
        progress.clear()
        assert terminal.getvalue().endswith("\r\x1b[K")

    def test_a_log_file_never_sees_it(self) -> None:
        file = io.StringIO()
        progress = Progress("projects", file)
        progress(1, 2)
        progress.clear()
        assert file.getvalue() == ""

    def test_nothing_to_do_draws_nothing(self) -> None:
        terminal = Terminal()
        Progress("projects", terminal)(0, 0)
        assert terminal.getvalue() == ""


class TestLog:
    @pytest.fixture(autouse=True)
    def root(self) -> Iterator[logging.Logger]:
        root = logging.getLogger()
        before, handlers = root.level, list(root.handlers)
        yield root
        root.setLevel(before)
        root.handlers[:] = handlers

    @pytest.mark.parametrize(
        ("verbosity", "quiet", "expected"),
        [
            (0, False, logging.WARNING),
            (1, False, logging.INFO),
            (2, False, logging.DEBUG),
            (0, True, logging.ERROR),
        ],
    )
    def test_each_v_says_more(self, verbosity: int, quiet: bool, expected: int) -> None:
        assert level(verbosity, quiet) == expected

    def test_it_goes_to_stderr_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure(0, quiet=False)
        configure(1, quiet=False)
        logging.getLogger("sync").info("hello %s", "there")
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", "INFO sync: hello there\n")

    def test_it_follows_stderr(self, root: logging.Logger) -> None:
        configure(0, quiet=False)
        (handler,) = (h for h in root.handlers if isinstance(h, StderrHandler))
        import sys  # noqa: PLC0415 - the stream of this very moment

        assert handler.stream is sys.stderr


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_two_signals_ask_and_a_third_one_ends(
        self, number: signal.Signals, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = signal.getsignal(number)
        stop = threading.Event()
        with stopping_in_good_order(stop):
            os.kill(os.getpid(), number)
            assert stop.wait(5)
            assert signal.getsignal(number) is not before
            os.kill(os.getpid(), number)
            assert signal.getsignal(number) is before
        said = capsys.readouterr().err
        assert said.index(STOPPING) < said.index(STILL)

    def test_signals_are_as_before_when_nobody_asked(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        with stopping_in_good_order(threading.Event()):
            assert signal.getsignal(signal.SIGINT) is not before
        assert signal.getsignal(signal.SIGINT) is before
