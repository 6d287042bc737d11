"""Follows a page of the docs as its reader does; compares what it shows with what happens.

``python -m tests.tutorials`` writes into the pages what the program prints now.

A page is followed from top to bottom, in an empty home folder, on a Monday morning:

- A block of ``console`` is typed, line by line after each ``$``; the rest is what is printed. A
  line that is only ``…`` stands for lines that the page leaves out.
- ``$ pipeline-sync sandbox`` starts the practice server; it is the reader's second terminal.
- A block of ``diff`` is an edit to the file that it names.
- Blocks in other languages are not run.

A page that holds ``MACHINE_CLOCK`` is followed by the machine's own clock: it starts our program in
ways (cron's, a pipe) that no clock can be handed to.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from unittest.mock import patch

from sync.clock import SystemClock
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.clock import Clock as SandboxClock
from taiga_pipeline.sandbox.embedded import Sandbox

DOCS: Final = Path(__file__).parent.parent / "docs"
PAGES: Final = sorted([*DOCS.glob("tutorials/*.md"), *DOCS.glob("how-to/*.md")])
MONDAY: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOME: Final = "/home/maya"
LEFT_OUT: Final = "…"
BLOCK: Final = re.compile(r"^( *)```(console|diff)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
MACHINE_CLOCK: Final = "<!-- by the machine's clock -->"
SANDBOX: Final = "pipeline-sync sandbox"
KEEPS: Final = re.compile(r"export |\w+=\S*$|\w+\(\)")


class Clock:
    """A clock that moves on by a minute with every command, so that no one waits."""

    def __init__(self) -> None:
        self.time = MONDAY

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class Reader:
    """Someone who does what a page says; ``home`` is an empty folder."""

    home: Path
    stack: ExitStack
    clock: Clock | SystemClock = field(default_factory=Clock)
    code: int = 0
    _kept: list[str] = field(default_factory=list)
    _servers: dict[str, str] = field(default_factory=dict)
    _folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self._folder = self.home

    def type(self, command: str) -> str:
        """Types a command; returns what the terminal shows."""
        if isinstance(self.clock, Clock):
            self.clock.sleep(60)
        typed = self._as_here(command)
        if typed.startswith(SANDBOX):
            return self._start(shlex.split(typed))
        if typed == "echo $?":
            return f"{self.code}\n"
        if typed.startswith("cd "):
            target = shlex.split(typed)[1].replace("~", str(self.home))
            self._folder = (self._folder / target).resolve()
            return ""
        if KEEPS.match(typed):
            self._kept.append(typed)
            return ""
        words = shlex.split(typed, comments=True)
        ours = words[0] == "pipeline-sync" and not is_composed(typed)
        return self._as_on_the_page(self._run(words[1:]) if ours else self._shell(typed))

    def edit(self, difference: str) -> None:
        """Makes the edit that a block of ``diff`` shows."""
        lines = self._as_here(difference).splitlines(keepends=True)
        path = self._folder / lines[0].removeprefix("--- ").strip()
        old = "".join(line[1:] for line in lines[2:] if line[0] in " -")
        new = "".join(line[1:] for line in lines[2:] if line[0] in " +")
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} holds these lines {text.count(old)} times:\n{old}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def _start(self, words: list[str]) -> str:
        """Starts a practice server on a free port, whatever port the page names."""
        port = words[words.index("--port") + 1] if "--port" in words else "9080"
        clock = SandboxClock(self.clock.now)
        server = self.stack.enter_context(Sandbox(clock=clock))
        self._servers[f"http://127.0.0.1:{port}"] = server.url
        return first_lines(port)

    def _run(self, words: list[str]) -> str:
        """Runs our program in this process."""
        shown = io.StringIO()
        with (
            contextlib.chdir(self._folder),
            patch.dict(os.environ, self._environment(), clear=True),
            patch.object(sys, "argv", [str(self.home / "pipeline-sync/bin/pipeline-sync")]),
            contextlib.redirect_stdout(shown),
            contextlib.redirect_stderr(shown),
        ):
            began = time.monotonic()
            self.code = cli.main(
                words,
                prog_name="pipeline-sync",
                standalone_mode=False,
                obj=CommandContext(clock=self.clock),
            )
        return shown.getvalue().replace(" 0.0 s", f" {time.monotonic() - began:.1f} s")

    def _shell(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", "\n".join([*self._kept, command])],
            cwd=self._folder,
            env=self._start_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        self.code = done.returncode
        return done.stdout

    def _start_environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "USER": "maya"}

    def _environment(self) -> dict[str, str]:
        """Returns the variables that were exported so far."""
        if not self._kept:
            return self._start_environment()
        text = self._shell("env -0")
        return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)

    def _as_here(self, text: str) -> str:
        for shown, real in self._servers.items():
            text = text.replace(shown, real)
        return text

    def _as_on_the_page(self, text: str) -> str:
        for shown, real in self._servers.items():
            text = text.replace(real, shown)
        programs = str(Path(sys.executable).parent)
        return text.replace(str(self.home), HOME).replace(programs, f"{HOME}/pipeline-sync/bin")


def is_composed(command: str) -> bool:
    """Whether a command line is more than one program and its arguments."""
    words = shlex.shlex(command, posix=True, punctuation_chars=True)
    return any(set(word) <= set("|&;<>") for word in words if word)


def first_lines(port: str) -> str:
    """What the practice server says when it starts."""
    return (
        f"Listening at http://127.0.0.1:{port}\n"
        "Accounts: pipeline-bot, pm, admin and others; password: 'sandbox'\n"
        "Press Ctrl-C to end it.\n"
    )


def follow(text: str, reader: Reader) -> str:
    """Returns a page as it should be: where what it shows is what happens, it stays as it is."""

    def block(match: re.Match[str]) -> str:
        margin, language, body = match.groups()
        body = textwrap.dedent(body)
        if language == "diff":
            reader.edit(body)
            return match[0]
        shown = "".join(
            command + _kept_or(output, reader.type(typed_line(command)))
            for command, output in steps(body)
        )
        return textwrap.indent(f"```console\n{shown}```", margin)

    return BLOCK.sub(block, text)


def typed_line(command: str) -> str:
    """Returns a command without its prompt, on one line."""
    return command.removeprefix("$ ").replace("\\\n", " ").rstrip("\n")


def steps(body: str) -> Iterator[tuple[str, str]]:
    """Yields commands (with their prompt) and what is shown below each."""
    command, output = "", ""
    for line in body.splitlines(keepends=True):
        if command.endswith("\\\n") and not output:
            command += line
        elif line.startswith("$ "):
            if command:
                yield command, output
            command, output = line, ""
        else:
            assert command, f"a block begins with a command: {line}"
            output += line
    if command:
        yield command, output


def _kept_or(shown: str, printed: str) -> str:
    """Returns what a page shows if it agrees with what was printed, else the latter."""
    printed = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    pattern = re.escape(_comparable(shown)).replace(re.escape(f"{LEFT_OUT}\n"), r"(?:.*\n)*?")
    return shown if re.fullmatch(pattern, _comparable(printed)) else printed


def _comparable(text: str) -> str:
    """Returns a text without durations, sizes, parts of a second, and the width of columns.

    Nor has it numbers of projects: two that are made at once have theirs in either order.
    """
    text = re.sub(r"\bproject \d+", "project #", text)
    text = re.sub(r"(:\d\d)\.\d+", r"\1", text)
    text = re.sub(r"\b\d[\d,.]* (s|ms|kB|MB|bytes|requests)\b", r"# \1", text)
    return re.sub(r"  +|─+|--+", "  ", text)


def follow_page(page: Path) -> str:
    """Follows a page in an empty folder; returns what it should be."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        text = page.read_text(encoding="utf-8")
        clock = SystemClock() if MACHINE_CLOCK in text else Clock()
        return follow(text, Reader(Path(home).resolve(), stack, clock))


def main(names: list[str]) -> None:
    """Writes what the program prints now into all pages, or into those that are named."""
    for page in [Path(name) for name in names] or PAGES:
        page.write_text(follow_page(page), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
