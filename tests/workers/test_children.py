"""Each run in a process of its own: how it ends, is stopped, and notices that its worker died."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from taiga_pipeline.workers.children import Children, Order, stop_with_parent
from taiga_pipeline.workers.decisions import LONGEST_MESSAGE, Ended, Ending
from taiga_pipeline.workers.fleet import Member

LONG = timedelta(minutes=10)
ROOT = Path(__file__).parents[2]


def member(tmp_path: Path, name: str = "acme") -> Member:
    return Member(name, tmp_path / "config.toml", "host", 0, None)


def answers(order: Order, answer: Connection) -> None:
    answer.send(Ended(Ending.PARTIAL, 3, order.name, waiting=2))


def dies(order: Order, answer: Connection) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(order: Order, answer: Connection) -> None:
    os._exit(9)


def waits(order: Order, answer: Connection) -> None:
    """Ends on SIGTERM, in good order."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    order.config.write_text(str(os.getpid()))
    stop.wait(600)
    answer.send(Ended(Ending.STOPPED))


def is_deaf(order: Order, answer: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    order.config.write_text(str(os.getpid()))
    time.sleep(600)


def watches(order: Order, answer: Connection) -> None:
    """Ends when its worker is gone."""
    stop = threading.Event()
    stop_with_parent(stop)
    order.config.write_text(str(os.getpid()))
    stop.wait(600)
    order.config.with_name("ended").write_text("in good order")


def run(target: Callable[[Order, Connection], None], tmp_path: Path, longest: timedelta) -> Ended:
    children = Children(target, grace_seconds=0.2)
    return asyncio.run(children.run(member(tmp_path), longest))


def test_a_run_says_how_it_ended(tmp_path: Path) -> None:
    ended = run(answers, tmp_path, LONG)
    assert (ended.ending, ended.code, ended.message, ended.waiting) == (
        Ending.PARTIAL,
        3,
        "acme",
        2,
    )
    assert ended.seconds > 0


@pytest.mark.parametrize(
    ("target", "said"), [(dies, "by signal 9"), (leaves, "with code 9")], ids=["killed", "left"]
)
def test_a_run_that_dies_without_a_word_was_cut_off(
    target: Callable[[Order, Connection], None], said: str, tmp_path: Path
) -> None:
    ended = run(target, tmp_path, LONG)
    assert ended.ending is Ending.CUT_OFF
    assert said in ended.message


@pytest.mark.parametrize("target", [waits, is_deaf])
def test_a_run_that_takes_too_long_is_ended_deaf_or_not(
    target: Callable[[Order, Connection], None], tmp_path: Path
) -> None:
    ended = run(target, tmp_path, timedelta(seconds=0.5))
    assert ended.ending is Ending.TOO_LONG


def test_all_runs_stop_in_good_order_and_none_is_left(tmp_path: Path) -> None:
    async def start_and_stop() -> list[Ended]:
        children = Children(waits)
        tasks = []
        for name in ("a", "b", "c"):
            place = tmp_path / name
            place.mkdir()
            tasks.append(asyncio.create_task(children.run(member(place, name), LONG)))
        while not all((tmp_path / name / "config.toml").exists() for name in ("a", "b", "c")):
            await asyncio.sleep(0.02)
        assert children.count == 3
        children.stop()
        ended = await asyncio.gather(*tasks)
        assert children.count == 0
        late = await children.run(member(tmp_path, "late"), LONG)
        return [*ended, late]

    assert {each.ending for each in asyncio.run(start_and_stop())} == {Ending.STOPPED}


def test_a_run_that_nobody_waits_for_any_more_is_stopped(tmp_path: Path) -> None:
    async def start_and_cancel() -> int:
        children = Children(waits)
        task = asyncio.create_task(children.run(member(tmp_path), LONG))
        while not (tmp_path / "config.toml").exists():
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return children.count

    assert asyncio.run(start_and_cancel()) == 0


def test_no_run_inherits_what_its_worker_has_open(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        children = Children(lists_files)
        ended = asyncio.run(children.run(member(tmp_path), LONG))
    assert "secret" not in ended.message
    assert "/dev/" in ended.message


def lists_files(order: Order, answer: Connection) -> None:
    found = [str(p.readlink()) for p in Path("/proc/self/fd").iterdir() if p.is_symlink()]
    answer.send(Ended(Ending.DONE, message=" ".join(found)))


def test_a_run_whose_worker_was_killed_ends_in_good_order(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib\n"
        "from datetime import timedelta\n"
        "from taiga_pipeline.workers.children import Children\n"
        "from tests.workers import test_children as here\n"
        f"member = here.member(pathlib.Path({str(tmp_path)!r}))\n"
        "asyncio.run(Children(here.watches).run(member, timedelta(minutes=10)))\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    started = wait_for(tmp_path / "config.toml")
    worker.kill()
    worker.wait()
    assert wait_for(tmp_path / "ended").read_text() == "in good order"
    assert started.read_text()


def wait_for(path: Path) -> Path:
    end = time.monotonic() + 120
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.02)
    return path


# --- runs that have much to say


def rambles(order: Order, answer: Connection) -> None:
    """Says more than a pipe holds (64 KiB)."""
    answer.send(Ended(Ending.REFUSED, 4, "x" * 300_000, waiting=7))


def never_stops_talking(order: Order, answer: Connection) -> None:
    with suppress(BrokenPipeError):
        answer.send(Ended(Ending.REFUSED, 4, "x" * 30_000_000))


def prints_much(order: Order, answer: Connection) -> None:
    for _ in range(300):
        print("x" * 1_000)
        print("x" * 1_000, file=sys.stderr)
    answer.send(Ended(Ending.DONE))


def says_something_else(order: Order, answer: Connection) -> None:
    answer.send("done")


def test_a_run_that_says_more_than_a_pipe_holds_ends_as_it_says(tmp_path: Path) -> None:
    ended = run(rambles, tmp_path, LONG)
    assert (ended.ending, ended.waiting) == (Ending.REFUSED, 7)
    assert ended.message == "x" * LONGEST_MESSAGE


def test_a_run_that_says_far_too_much_is_not_listened_to_and_not_waited_for(
    tmp_path: Path,
) -> None:
    assert run(never_stops_talking, tmp_path, LONG).ending is Ending.CUT_OFF


def test_a_run_that_prints_much_ends_like_any_other(tmp_path: Path) -> None:
    assert run(prints_much, tmp_path, LONG).ending is Ending.DONE


def test_a_run_that_says_something_else_was_cut_off(tmp_path: Path) -> None:
    assert run(says_something_else, tmp_path, LONG).ending is Ending.CUT_OFF


def test_many_runs_that_say_much_at_once_all_end(tmp_path: Path) -> None:
    async def run_all() -> list[Ended]:
        children = Children(rambles)
        names = [f"p{number}" for number in range(16)]
        runs = [children.run(member(tmp_path, name), LONG) for name in names]
        return await asyncio.gather(*runs)

    assert {ended.ending for ended in asyncio.run(run_all())} == {Ending.REFUSED}
