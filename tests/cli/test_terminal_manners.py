"""What goes to stderr: log, progress, and what a Ctrl-C is answered with."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from taiga_pipeline.cli.log import StderrHandler, configure, level
from taiga_pipeline.cli.progress import Progress
from taiga_pipeline.cli.signals import STILL, STOPPING, stopping_in_good_order


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    @pytest.fixture(autouse=True)
    def colours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")

    def test_it_is_drawn_on_a_terminal_and_taken_away(self) -> None:
        terminal = Terminal()
        with Progress("projects", terminal) as progress:
            progress(1, 2)
            assert "1/2 projects" in terminal.getvalue()
        assert terminal.getvalue().endswith("\x1b[2K")  # an empty line
        assert "\x1b[?25l" not in terminal.getvalue()  # the cursor stays

    def test_it_is_taken_away_when_a_run_fails(self) -> None:
        terminal = Terminal()
        with pytest.raises(OSError, match="gone"), Progress("projects", terminal) as progress:
            progress(1, 2)
            raise OSError("gone")
        assert terminal.getvalue().endswith("\x1b[2K")

    def test_many_threads_draw_one_bar(self) -> None:
        terminal = Terminal()
        with Progress("projects", terminal) as progress, ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda done: progress(done, 40), range(40)))
            assert "39/40 projects" in terminal.getvalue()

    @pytest.mark.parametrize("no_colour", ["1", ""])
    def test_it_has_colours_for_who_wants_them(
        self, monkeypatch: pytest.MonkeyPatch, no_colour: str
    ) -> None:
        monkeypatch.setenv("NO_COLOR", no_colour)
        terminal = Terminal()
        with Progress("projects", terminal) as progress:
            progress(1, 2)
        assert bool(re.search(r"\x1b\[[0-9;]*m", terminal.getvalue())) is not bool(no_colour)

    @pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_INTERACTIVE"])
    def test_a_log_file_never_sees_it(self, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
        monkeypatch.setenv(variable, "1")
        file = io.StringIO()
        with Progress("projects", file) as progress:
            progress(1, 2)
        assert file.getvalue() == ""

    def test_nothing_to_do_draws_nothing(self) -> None:
        terminal = Terminal()
        with Progress("projects", terminal) as progress:
            progress(0, 0)
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


class Interrupted(io.RawIOBase):
    """What is written to, while a signal comes."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return len(bytes(data))  # type: ignore[call-overload, no-any-return]


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_two_signals_ask_and_a_third_one_ends(
        self, number: signal.Signals, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = signal.getsignal(number)
        stop = threading.Event()
        with stopping_in_good_order(stop):
            os.kill(os.getpid(), number)
            assert stop.wait(60)
            assert signal.getsignal(number) is not before
            os.kill(os.getpid(), number)
            assert signal.getsignal(number) is before
        said = capsys.readouterr().err
        assert said.index(STOPPING) < said.index(STILL)

    def test_one_that_comes_while_something_is_written_is_answered_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        stop = threading.Event()
        with stopping_in_good_order(stop):
            stream = io.TextIOWrapper(io.BufferedWriter(Interrupted()))
            monkeypatch.setattr("sys.stderr", stream)
            print("a line of the log", file=stream, flush=True)
            assert stop.is_set()
        monkeypatch.undo()
        assert STOPPING in capfd.readouterr().err

    def test_signals_are_as_before_when_nobody_asked(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        with stopping_in_good_order(threading.Event()):
            assert signal.getsignal(signal.SIGINT) is not before
        assert signal.getsignal(signal.SIGINT) is before
