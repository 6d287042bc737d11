"""People are told once, and a digest says what waits for whom."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync import crash_points
from sync.state.outbox import MessageStatus
from taiga_pipeline.app.notify import telling
from taiga_pipeline.notify.channels import Channel
from taiga_pipeline.notify.sending import Delivery
from tests.cli.conftest import Run

pytestmark = pytest.mark.sampled_tests(5)

SECRET = "3ccdd113474722377935511fc85d3dd4"
HOOK = f"mmosts://chat.example.com/{SECRET}"
SENT = Delivery(MessageStatus.SENT)


class Sent(list[tuple[str, str, str]]):
    """Remembers messages as channel, title and text; ``becomes`` says what becomes of the next."""

    becomes: Callable[[], Delivery] = staticmethod(lambda: SENT)

    def __call__(self, channel: Channel, title: str, text: str) -> Delivery:
        self.append((channel.name, title, text))
        return self.becomes()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What is sent, in place of the process that sends it."""
    found = Sent()
    monkeypatch.setattr(telling, "sender_of", lambda workspace: found)
    return found


@pytest.fixture
def told(sample: Run, environment: dict[str, str]) -> Run:
    """The sample pipeline, with a channel and a first run behind it."""
    environment["HOOKS"] = HOOK
    with Path("config.toml").open("a") as config:
        config.write('\n[notify]\nurls_env = "HOOKS"\nevents = ["won", "staffed", "run"]\n')
    return sample


def test_a_deal_that_is_won_is_told_once_with_its_team(told: Run, sent: Sent) -> None:
    told("run")
    assert sent == []  # old wins are no news
    told("deals", "move", "D-105", "Won", "--force")
    told("run")
    told("run")
    ((channel, title, text),) = sent
    assert (channel, title.partition(": ")[2]) == ("mmosts://chat.example.com", "2 things to know")
    assert text.splitlines()[::2] == [
        "Won: D-105 Alder & Finch: Web shop",
        "Staffed: the project of D-105 Alder & Finch: Web shop",
    ]
    assert "With: Emil Åberg" in text


def test_a_run_that_cannot_be_done_is_told_once(
    told: Run, sent: Sent, environment: dict[str, str]
) -> None:
    told("run")
    environment["TAIGA_PASSWORD"] = "wrong"
    assert [told("run").exit_code for _ in range(2)] == [6, 6]
    assert len(sent) == 1
    assert "source or target cannot be reached" in sent[0][1]


def test_a_channel_that_fails_fails_no_run_and_is_shown_by_status(
    told: Run, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    told("run")
    told("deals", "move", "D-105", "Won", "--force")
    sent.becomes = lambda: Delivery(MessageStatus.DUE, "the server cannot be reached")
    with caplog.at_level(logging.WARNING):
        assert [told("run").exit_code for _ in range(3)] == [0, 0, 0]
    assert len(sent) == 3  # tried again, and logged once
    assert sum("cannot be reached" in record.message for record in caplog.records) == 1
    sent.becomes = lambda: Delivery(MessageStatus.REFUSED, "the server answered 403")
    told("run")
    told("run")
    assert len(sent) == 4
    assert told("status").stdout.count("not sent (the server answered 403)") == 2


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize(
    "point", ["before claim commit", "after claim commit", "before sent commit"]
)
def test_killed_between_noting_and_sending_nobody_is_told_twice(
    told: Run, sent: Sent, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    told("run")
    told("deals", "move", "D-105", "Won", "--force")

    def kill(name: str) -> None:
        if name == point:
            raise Killed

    monkeypatch.setattr(crash_points, "observers", [kill])
    with pytest.raises(Killed):
        told("run")
    monkeypatch.setattr(crash_points, "observers", [])
    arrived = len(sent)
    told("run")
    assert len(sent) == (1 if point == "before claim commit" else arrived)
    monkeypatch.setattr(telling, "CLAIM_HOLDS", -telling.CLAIM_HOLDS)
    told("run")
    lost = told("status").stdout.count("it is not known whether it arrived")
    assert lost == (0 if point == "before claim commit" else 2)
    assert len(sent) <= 1


def test_no_message_to_people_shows_an_address(
    told: Run, sent: Sent, environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    sent.becomes = lambda: Delivery(MessageStatus.REFUSED, "the server answered 403")
    said = [told("check"), told("run"), told("digest"), told("status"), told("digest", "--json")]
    environment["HOOKS"] = f"{HOOK} {SECRET}"
    said += [told("check"), told("run"), told("digest")]
    assert said[-1].exit_code == 2
    everything = caplog.text + "".join(each.output + each.stderr for each in said)
    stored = b"".join(path.read_bytes() for path in Path().glob("state.db*"))
    assert SECRET not in everything
    assert SECRET.encode() not in stored


def test_a_digest_says_what_waits_for_whom_and_what_undecided_deals_hold(
    sample: Run, tmp_path: Path
) -> None:
    sample("deals", "edit", "D-105", "--next-step", "Call Ruth", "--next-step-on", "2026-11-20")
    (tmp_path / "reserved.csv").write_text(
        "deal,email,role,hours_per_week,start,end,status\n"
        "D-106,ana@example.test,Back,40,2027-01-18,2027-02-14,tentative\n"
    )
    assert sample("people", "allocations", "import", "reserved.csv").exit_code == 0
    shown = sample("digest")
    assert shown.exit_code == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert "Maya Lindqvist" in lines
    assert any("overdue since 2026-11-20: Call Ruth" in line for line in lines)
    (held,) = [line for line in lines if line.startswith("– D-106") and "holds" in line]
    assert "(Ana Müller 160 h)" in held
    assert ", until 2027-0" in held
    data: dict[str, Any] = json.loads(sample("digest", "--json").stdout)
    first = data["holding"][0]
    assert (first["deal"], first["held"][0]["role"]) == ("D-106", "Back")
    assert data["sent"] == []


def test_a_digest_is_sent_once_a_day(told: Run, sent: Sent) -> None:
    told("run")
    first, second = told("digest"), told("digest")
    assert (first.exit_code, first.stdout, second.stdout) == (0, "", "")
    assert [title.partition(": ")[2][:20] for _, title, _ in sent] == ["Digest of 2026-11-23"]
    assert told("digest", "--no-send").stdout.startswith("Digest of 2026-11-23")
    assert len(sent) == 1


def test_a_digest_that_a_channel_refuses_ends_with_3(told: Run, sent: Sent) -> None:
    sent.becomes = lambda: Delivery(MessageStatus.REFUSED, "the server answered 500")
    assert told("digest").exit_code == 3
