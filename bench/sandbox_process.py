"""A sandbox in a process of its own, so that its work does not count as the client's."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from taiga_pipeline.sandbox.embedded import Sandbox

PASSWORD = "sandbox"
USERNAME = "pipeline-bot"


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """The address of a running sandbox, and its log."""

    url: str
    _pipe: Connection

    def requests(self) -> list[tuple[str, str]]:
        """Returns method and path of the requests since the last call."""
        self._pipe.send("requests")
        return self._pipe.recv()

    def set_delay(self, seconds: float) -> None:
        """Lets every request take so much longer."""
        self._pipe.send(seconds)
        self._pipe.recv()


@contextmanager
def sandbox_process(
    delay_seconds: float = 0.0, accounts: Sequence[str] = ()
) -> Iterator[SandboxProcess]:
    """Runs a fresh sandbox, with more accounts if asked, for as long as the block takes."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, delay_seconds, accounts), daemon=True)
    process.start()
    try:
        yield SandboxProcess(ours.recv(), ours)
    finally:
        ours.send(None)
        process.join(10)
        process.terminate()


def _serve(pipe: Connection, delay_seconds: float, accounts: Sequence[str]) -> None:
    with Sandbox(password=PASSWORD, delay_seconds=delay_seconds) as sandbox:
        for number in range(3):
            sandbox.people.add(f"person{number}", f"person{number}@example.test")
        for name in accounts:
            sandbox.people.add(name, f"{name}@example.test")
        pipe.send(sandbox.url)
        while (command := pipe.recv()) is not None:
            if command == "requests":
                pipe.send([(entry.method, entry.path) for entry in sandbox.requests])
                sandbox.clear_requests()
            else:
                sandbox.set_delay(command)
                pipe.send(None)
