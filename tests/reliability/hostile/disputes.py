"""What waits for a person, and what monitors are told: conflicts, commands to paste, status, check.

Of each entry there is a deal that sales and people renamed at the same time (its key is the entry,
too), and one that is left out because no mapping knows its stage.
"""

from __future__ import annotations

import contextlib
import logging
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from sync.run.runner import Outcome
from sync.state.health import Health
from taiga_pipeline.app.monitoring import send_heartbeat
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.text import line
from taiga_pipeline.report.prometheus import metrics
from tests.live.leaving_out import program
from tests.reliability.hostile.checks import (
    as_shown,
    assert_begins_like,
    assert_terminal_safe,
    visible,
)
from tests.reliability.hostile.commands import InTaiga
from tests.reliability.hostile.corpus import STORABLE
from tests.reliability.hostile.world import NOW, World, beside_a_sandbox, key_of, stores

PLAIN: Final = """\
[mapping]
name = "plain"
[[stage]]
name = "Proposal"
category = "proposal"
[[stage]]
name = "Won"
category = "won"
[project]
title = "{name}"
template = "scrum"
"""
MORE: Final = """\
[monitoring]
prometheus_file = "metrics.prom"
"""
PARTIAL: Final = (3,)


@contextlib.contextmanager
def disputed_world(folder: Path) -> Iterator[Disputes]:
    """A pipeline in which everything waits for someone."""
    with beside_a_sandbox(folder, mapping=PLAIN, more=MORE) as world:
        with stores(world) as (deals, _):
            for name, text in STORABLE.items():
                deals.add(Deal(key=key_of(name), name=f"{name} at first", stage="Proposal"))
                deals.add(Deal(key=f"Q-{name}", name=text, stage=text))
        yield Disputes(world)


class Disputes(InTaiga):
    """What came out of it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.first = world.run("run")
        assert self.first.exit_code == 3, self.first.output
        self._quarrel()
        self.run = world.run("run")
        assert self.run.exit_code == 3, self.run.output

    def _quarrel(self) -> None:
        """People and sales both rename everything, to something else each."""
        assert self.world.taiga is not None
        admin = self.world.taiga.as_user("admin")
        for row in self.listed("projects"):
            name = row["name"].removesuffix(" at first").removeprefix("(tentative) ")
            admin.patch(f"/projects/{row['id']}", {"name": f"people: {STORABLE[name]}"[:250]})
        with stores(self.world) as (deals, _):
            for name, text in STORABLE.items():
                deals.edit(key_of(name), {"name": f"sales: {text}"})

    @cached_property
    def issues(self) -> Mapping[str, Mapping[str, Any]]:
        """The conflicts, by deal."""
        return {row["deal"]: row for row in self.data("conflicts") if row["issue"] == "conflict"}

    @cached_property
    def pasted(self) -> Mapping[str, list[str]]:
        """What a shell hands on when the first command for each deal is pasted, by entry."""
        bash = program("bash")
        lines = [self.issues[key_of(name)]["commands"][0] for name in STORABLE]
        script = "pipeline-sync() { printf '%s\\0' \"$@\" $'\\n'; }\n" + "\n".join(lines)
        done = subprocess.run([bash], input=script.encode(), capture_output=True, check=True)
        assert done.stderr == b""
        calls = done.stdout.decode().split("\n\0")[:-1]
        words = [call.removesuffix("\0").split("\0") for call in calls]
        return dict(zip(STORABLE, words, strict=True))

    @cached_property
    def samples(self) -> str:
        """The file for Prometheus."""
        return (self.world.folder / "metrics.prom").read_text(encoding="utf-8")


def terminal_conflicts(out: Disputes, name: str, text: str) -> None:
    assert_terminal_safe(out.text("conflicts"))
    assert_terminal_safe(out.run.stdout + out.run.stderr)
    assert f"sales: sales: {as_shown(visible(text))[:5]}" in out.text("conflicts")


def json_conflicts(out: Disputes, name: str, text: str) -> None:
    issue = out.issues[key_of(name)]
    assert_begins_like(issue["desired"], f"sales: {visible(text)}")
    assert issue["observed"].startswith(f"people: {text}"[:100].rstrip())


def pasted_commands(out: Disputes, name: str, text: str) -> None:
    for command in out.issues[key_of(name)]["commands"]:
        assert_terminal_safe(command)
        assert "\n" not in command
    words = out.pasted[name]
    assert words[0] == "resolve"
    assert key_of(name) in words
    if key_of(name).startswith("-"):
        assert words.index("--") < words.index(key_of(name))


def terminal_resolve(out: Disputes, name: str, text: str) -> None:
    result = out.world.run(*out.pasted[name])
    assert result.exit_code == 0, result.output
    assert_terminal_safe(result.stdout + result.stderr)
    assert "the next run writes" in result.stdout


def terminal_status(out: Disputes, name: str, text: str) -> None:
    assert_terminal_safe(out.text("status", codes=PARTIAL))
    data = out.data("status", codes=PARTIAL)
    assert data["issues"]["conflict"] == len(STORABLE)


def edits_in_history(out: Disputes, name: str, text: str) -> None:
    shown = out.both("history", "--", key_of(name))
    assert_terminal_safe("".join(shown))


def quarantined(out: Disputes, name: str, text: str) -> None:
    for reported in (out.first.stdout, out.first.stderr):
        assert_terminal_safe(reported)
    lines = [row for row in out.first.output.split("\n") if re.search(rf"\bQ-{name}\b", row)]
    assert lines
    assert all(len(row) < 2_000 for row in lines)


def terminal_check(out: Disputes, name: str, text: str) -> None:
    command = ("check", "--offline")
    shown = "".join(out.both(*command, codes=(2, 3)))
    assert_terminal_safe(shown)
    assert f"Q-{name}" in shown
    (source,) = (
        row for row in out.data(*command, codes=(2, 3))["checks"] if row["check"] == "source"
    )
    assert any(f"Q-{name}" in problem for problem in source["problems"])


SAMPLE: Final = re.compile(
    r'pipeline_sync_[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\} -?[0-9.e+-]+'
)


def prometheus(out: Disputes, name: str, text: str) -> None:
    """The file as it was written; and labels that hold an entry."""
    assert f'open_issues{{pipeline="acme",kind="conflict"}} {len(STORABLE)}' in out.samples
    health = Health(line(text), NOW, issues={"conflict": 1}, states={text: 1})
    for row in (out.samples + metrics(health)).rstrip("\n").split("\n"):
        assert re.match("# (HELP|TYPE) pipeline_sync_", row) or SAMPLE.fullmatch(row), row


def heartbeat(out: Disputes, name: str, text: str) -> None:
    """An entry that stands where the address should: no one is asked, and it is not repeated."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("taiga_pipeline.app.monitoring")
    log.addHandler(handler)
    log.propagate = False
    world: Any = SimpleNamespace(
        settings=SimpleNamespace(monitoring=SimpleNamespace(heartbeat_address=lambda _: text)),
        environment={},
    )
    try:
        send_heartbeat(world, SimpleNamespace(outcome=Outcome.DONE))  # type: ignore[arg-type]
    finally:
        log.removeHandler(handler)
        log.propagate = True
    assert len(said) == 1
    assert said[0].startswith("the heartbeat was not sent")
    assert text not in said[0]


DISPUTES: Final[Mapping[str, Callable[[Disputes, str, str], None]]] = {
    "terminal: conflicts": terminal_conflicts,
    "JSON: conflicts": json_conflicts,
    "commands to paste": pasted_commands,
    "terminal: status": terminal_status,
    "history of people's edits": edits_in_history,
    "what is left out": quarantined,
    "check": terminal_check,
    "Prometheus": prometheus,
    "heartbeat": heartbeat,
    "terminal: resolve": terminal_resolve,
}
"""``resolve`` comes last: it settles what the others look at."""
