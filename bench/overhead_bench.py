"""How much time the client adds: a first run, against a bare loop that sends the same calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from requests.adapters import HTTPAdapter

from bench.pipeline import GeneratedDeals, runner
from bench.sandbox_process import PASSWORD, USERNAME, sandbox_process
from bench.table import print_table

DEALS, DELAY_SECONDS, CONCURRENCY, ROUNDS = 200, 0.1, 4, 2


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it was sent."""

    thread: str
    method: str
    path: str
    body: bytes | None


def main() -> None:
    """Prints the wall time of both, and their ratio, for some rounds."""
    rows = []
    for _ in range(ROUNDS):
        calls, ours = _run()
        bare = _replay(calls)
        rows.append([len(calls), ours, bare, ours / bare])
    header = ["calls", "run, s", "bare loop, s", "ratio (promised: at most 1.15)"]
    title = f"{DEALS} new deals, {DELAY_SECONDS:g} s latency, {CONCURRENCY} at a time"
    print_table(title, header, rows)


def _run() -> tuple[list[Call], float]:
    """Returns the calls of a first run, and its wall time in seconds."""
    source = GeneratedDeals(DEALS)
    with sandbox_process() as sandbox, runner(sandbox.url, source, None, CONCURRENCY) as first:
        sandbox.set_delay(DELAY_SECONDS)
        with _recording() as calls:
            began = time.perf_counter()
            first.run()
            seconds = time.perf_counter() - began
    return calls, seconds


def _replay(calls: list[Call]) -> float:
    """Sends the same calls with bare `requests`; returns the wall time in seconds."""
    before, deals, after = _phases(calls)
    with sandbox_process() as sandbox:
        loop = _BareLoop(sandbox.url)
        sandbox.set_delay(DELAY_SECONDS)
        began = time.perf_counter()
        for call in before:
            loop.send(call)
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            list(pool.map(loop.send_all, deals))
        for call in after:
            loop.send(call)
        return time.perf_counter() - began


def _phases(calls: list[Call]) -> tuple[list[Call], list[list[Call]], list[Call]]:
    """Tells apart what the main thread sent before, the pool sent per deal, and came after."""
    pooled = [n for n, call in enumerate(calls) if call.thread.startswith("sync")]
    deals: list[list[Call]] = []
    latest: dict[str, list[Call]] = {}
    for call in (calls[n] for n in pooled):  # a thread makes one project after the other
        if call.thread not in latest or call.method == "POST":
            latest[call.thread] = []
            deals.append(latest[call.thread])
        latest[call.thread].append(call)
    return calls[: pooled[0]], deals, calls[pooled[-1] + 1 :]


class _BareLoop:
    """Sends calls over one session per thread, and no more than that."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sessions = threading.local()
        answer = requests.post(
            f"{url}/api/v1/auth",
            json={"type": "normal", "username": USERNAME, "password": PASSWORD},
            timeout=30,
        )
        self._token = answer.json()["auth_token"]

    def send_all(self, calls: list[Call]) -> None:
        made = ""
        for call in calls:
            path = f"{call.path.rsplit('/', 1)[0]}/{made}" if call.method == "PATCH" else call.path
            answer = self.send(call, path)
            made = str(answer.get("id")) if call.method == "POST" else made

    def send(self, call: Call, path: str | None = None) -> dict[str, object]:
        answer = self._session().request(
            call.method, self._url + (path or call.path), data=call.body, timeout=30
        )
        answer.raise_for_status()
        data = answer.json()
        return data if isinstance(data, dict) else {}

    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
            self._sessions.session.headers.update(
                {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
            )
        return self._sessions.session


@contextmanager
def _recording() -> Iterator[list[Call]]:
    """Notes every request that leaves this process."""
    calls: list[Call] = []
    send = HTTPAdapter.send

    def recorded(self, request, *args, **kwargs):
        answer = send(self, request, *args, **kwargs)
        body = request.body.encode() if isinstance(request.body, str) else request.body
        thread = threading.current_thread().name
        calls.append(Call(thread, request.method, request.path_url, body))
        return answer

    HTTPAdapter.send = recorded
    try:
        yield calls
    finally:
        HTTPAdapter.send = send


if __name__ == "__main__":
    main()
