"""workers.toml: which pipelines there are; every problem in every file at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taiga_pipeline.config import load
from taiga_pipeline.credentials import SecretError
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.workers import fleet as fleet_module
from taiga_pipeline.workers.fleet import Fleet, FleetReader, read_fleet
from taiga_pipeline.workers.housekeeping import Slots, due_slots
from taiga_pipeline.workers.schedule import Cron, Every

CONFIG = """\
pipeline = "{name}"
[target]
url = "{url}"
token_env = "TAIGA_TOKEN"
"""
QUEUE = '[queue]\nurl_env = "QUEUE_URL"\n'
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a fleet: its file, and pipelines as ``name=url``."""

    def make(text: str = QUEUE, **pipelines: str) -> Path:
        for name, url in pipelines.items():
            add(tmp_path / name, name, url)
        (tmp_path / "workers.toml").write_text(text)
        return tmp_path / "workers.toml"

    return make


def add(folder: Path, name: str, url: str = "https://t.example.com") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(CONFIG.format(name=name, url=url))
    return folder / "config.toml"


def problems(fleet: Path) -> list[str]:
    """Returns what is wrong with a fleet's own file, without the folder."""
    with pytest.raises(ProblemsError) as caught:
        read_fleet(fleet)
    return [str(p).replace(f"{fleet.parent}{os.sep}", "") for p in caught.value.problems]


def left_out(fleet: Fleet) -> list[str]:
    return [str(p).replace(f"{fleet.path.parent}{os.sep}", "") for p in fleet.problems]


def test_a_new_pipeline_is_a_new_folder_and_nothing_else(write: Write, tmp_path: Path) -> None:
    reader = FleetReader(write(acme="https://one.example.com", bolt="https://two.example.com"))
    assert list(reader.read().members) == ["acme", "bolt"]
    add(tmp_path / "coil", "coil")
    assert list(reader.read().members) == ["acme", "bolt", "coil"]


def test_what_is_not_said_is_sensible(write: Write) -> None:
    fleet = read_fleet(write(acme="https://Taiga.Example.com:8443/sub"))
    (acme,) = fleet.members.values()
    assert acme.host == "taiga.example.com:8443"
    assert acme.schedule == Every(timedelta(minutes=15))
    assert acme.environment_file is None
    assert fleet.workers.dead_after == timedelta(seconds=30)


def test_one_broken_configuration_is_left_out_with_all_its_problems(
    write: Write, tmp_path: Path
) -> None:
    path = write(acme="https://t.example.com")
    add(tmp_path / "bad", "bad name!", "ftp://x")
    (tmp_path / "worse").mkdir()
    (tmp_path / "worse" / "config.toml").write_text("pipeline = \n")
    fleet = read_fleet(path)
    assert list(fleet.members) == ["acme"]
    assert [line.split(":")[0] for line in left_out(fleet)] == [
        "bad/config.toml",
        "bad/config.toml",
        "worse/config.toml",
    ]
    assert [path.parent.name for path in fleet.broken] == ["bad", "worse"]


def test_two_pipelines_of_one_name_are_both_left_out(write: Write, tmp_path: Path) -> None:
    path = write(acme="https://t.example.com", bolt="https://t.example.com")
    add(tmp_path / "copy-of-acme", "acme")
    fleet = read_fleet(path)
    assert list(fleet.members) == ["bolt"]
    assert len(fleet.problems) == 1
    assert "copy-of-acme" in left_out(fleet)[0]


def test_all_problems_of_the_fleets_own_file_come_at_once(write: Write) -> None:
    path = write(
        '[queue]\nurl = "sqlite:///q.db"\nnam = "x"\n'
        '[pipelines]\nevery = "soon"\ncron = "* * * * *"\ntime_zone = "Mars/Base"\n'
        "[workers]\nconcurency = 3\nper_host = 0\n"
        '[[pipeline]]\nnam = "acme"\n'
    )
    found = problems(path)
    assert [line.split(": ")[0] for line in found] == [
        "workers.toml:3:1",
        "workers.toml:5:1",
        "workers.toml:7:1",
        "workers.toml:9:1",
        "workers.toml:10:1",
        "workers.toml:11:1",
        "workers.toml:12:1",
    ]
    assert "did you mean 'name'?" in found[0]
    assert "write 90s, 15m, 2h or 1d" in found[1]
    assert "'Mars/Base' is not a time zone" in found[2]
    assert "did you mean 'concurrency'?" in found[3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[queue]\n", "needs exactly one of url and url_env"),
        ('[queue]\nurl = "sqlite:///q.db"\n', "needs PostgreSQL"),
        ('[queue]\nurl = "postgresql://me:secret@h/d"\n', "holds a password"),
        (QUEUE + '[pipelines]\nevery = "1m"\ncron = "* * * * *"\n', "one of every and cron"),
        (QUEUE + '[pipelines]\nspread = "1m"\n', "time_zone and spread belong to cron"),
        (QUEUE + "[pipelines]\nevery = 5\n", '5 is not a length of time; write "90s"'),
        (QUEUE + '[pipelines]\nevery = "0m"\n', "'0m' is not a length of time"),
        (QUEUE + '[pipelines]\nevery = "-5m"\n', "'-5m' is not a length of time"),
        (QUEUE + '[pipelines]\nevery = "2 fortnights"\n', "write 90s, 15m, 2h or 1d"),
        (QUEUE + '[pipelines]\nevery = "9999999999h"\n', "is not a length of time"),
        (QUEUE + '[pipelines]\nevery = "400d"\n', "more than 31d; for one that runs only"),
        (QUEUE + '[pipelines]\ncron = "0 6 * * *"\nspread = "2d"\n', "spread: more than 1d"),
        (QUEUE + '[workers]\nlongest_run = "3s"\n', "runs would not finish"),
        (QUEUE + '[workers]\nlongest_run = "900d"\n', "longest_run: more than 7d"),
        (QUEUE + "[workers]\nlongest_run = true\n", "longest_run: True is not a length of time"),
        (QUEUE + '[workers]\ndead_after = "2d"\n', "dead_after: more than 1h"),
        (QUEUE + '[pipelines]\nevery = "5s"\n', "less than 10s"),
        (QUEUE + '[workers]\ndead_after = "1s"\n', "less than 2s"),
        (QUEUE + '[pipelines]\ncron = "0 0 31 2 *"\n', "not a cron expression"),
        ("queue = 1\n", "queue"),
        ("", "'queue' is missing"),
    ],
)
def test_a_mistake_is_explained(write: Write, text: str, said: str) -> None:
    found = problems(write(text))
    assert len(found) == 1
    assert said in found[0]
    assert "secret" not in found[0]


def test_a_fleet_that_is_not_there_says_what_one_is(tmp_path: Path) -> None:
    assert "there is no fleet" in problems(tmp_path / "workers.toml")[0]


def test_exceptions_are_for_pipelines_and_hosts_that_are_there(write: Write) -> None:
    text = (
        QUEUE + '[[pipeline]]\nname = "acne"\nevery = "1h"\n'
        '[[host]]\nname = "t.example.org"\nper_host = 3\n'
    )
    fleet = read_fleet(write(text, acme="https://t.example.com"))
    assert list(fleet.members) == ["acme"]
    assert [line.partition("; ")[2] for line in left_out(fleet)] == [
        "did you mean 'acme'?",
        "did you mean 't.example.com'?",
    ]


def test_pipelines_and_hosts_may_differ_from_the_rest(write: Write) -> None:
    text = (
        QUEUE + '[pipelines]\nevery = "1h"\n'
        '[[pipeline]]\nname = "acme"\ncron = "0 6 * * 1-5"\ntime_zone = "Europe/Stockholm"\n'
        '[[pipeline]]\nname = "bolt"\nenabled = false\n'
        '[[host]]\nname = "big.example.com"\nper_host = 3\n'
    )
    big = dict.fromkeys(("acme", "bolt", "coil", "dyno"), "https://big.example.com")
    fleet = read_fleet(write(text, **big, edda="https://small.example.com"))
    assert isinstance(fleet.members["acme"].schedule, Cron)
    assert fleet.members["bolt"].schedule is None
    assert fleet.members["coil"].schedule == Every(timedelta(hours=1))
    assert [member.place for member in fleet.members.values()] == [0, 1, 2, 0, 0]


def test_configurations_are_named_by_patterns_relative_or_not(write: Write, tmp_path: Path) -> None:
    add(tmp_path / "north" / "acme", "acme")
    add(tmp_path / "south" / "bolt", "bolt")
    add(tmp_path / "other" / "coil", "coil")
    patterns = f'["north/*/config.toml", "{tmp_path}/south/*/config.toml", "n*/a*/*.toml"]'
    fleet = read_fleet(write(QUEUE + f"[pipelines]\nconfigs = {patterns}\n"))
    assert list(fleet.members) == ["acme", "bolt"]


def test_the_file_with_secrets_is_the_one_beside_the_configuration(
    write: Write, tmp_path: Path
) -> None:
    path = write(acme="https://t.example.com", bolt="https://t.example.com")
    (tmp_path / "acme" / "secrets.env").write_text("TAIGA_TOKEN=x\n")
    members = read_fleet(path).members
    assert members["acme"].environment_file == tmp_path / "acme" / "secrets.env"
    assert members["bolt"].environment_file is None


def test_a_name_that_is_none_is_met_with_the_nearest(write: Write) -> None:
    fleet = read_fleet(write(acme="https://t.example.com"))
    with pytest.raises(ProblemsError, match="did you mean 'acme'") as caught:
        fleet.find(["acne", "zzz", "acme"])
    assert len(caught.value.problems) == 2


def test_configurations_that_did_not_change_are_not_read_again(
    write: Write, tmp_path: Path
) -> None:
    reader = FleetReader(write(acme="https://t.example.com"))
    before = reader.read()
    config = tmp_path / "acme" / "config.toml"
    status = config.stat()
    config.write_text(CONFIG.format(name="acmi", url="https://t.example.com"))
    os.utime(config, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert list(reader.read().members) == list(before.members)
    os.utime(config, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert list(reader.read().members) == ["acmi"]


def test_the_queues_address_may_be_in_the_environment_and_has_to_be_postgresql(
    write: Write,
) -> None:
    queue = read_fleet(write()).queue
    assert queue.address({"QUEUE_URL": "postgresql://h/d"}) == "postgresql://h/d"
    with pytest.raises(SecretError, match="QUEUE_URL is not set"):
        queue.address({})
    with pytest.raises(ProblemsError, match="no URL of a PostgreSQL") as caught:
        queue.address({"QUEUE_URL": "mysql://me:secret@h/d"})
    assert "secret" not in str(caught.value)


def test_a_slot_that_was_taken_care_of_is_not_due_again(write: Write) -> None:
    members = list(read_fleet(write(acme="https://t.example.com")).members.values())
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    first = due_slots(members, {}, now)
    assert first.due == {}
    later = now + timedelta(minutes=15)
    second = due_slots(members, first.seen, later)
    assert list(second.due) == ["acme"]
    assert due_slots(members, second.due, later) == Slots({}, {})


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), timedelta(hours=5), timedelta(days=400)])
def test_a_slot_that_was_noted_for_the_future_keeps_nobody_from_running(
    write: Write, ahead: timedelta
) -> None:
    members = list(read_fleet(write(acme="https://t.example.com")).members.values())
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    found = due_slots(members, {"acme": now + ahead}, now)
    assert found.wrong == ("acme",)
    assert now - timedelta(minutes=15) < found.due["acme"] <= now
    assert due_slots(members, found.due, now).wrong == ()


def test_a_slot_of_400_days_ago_is_made_up_for_once(write: Write) -> None:
    members = list(read_fleet(write(acme="https://t.example.com")).members.values())
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    found = due_slots(members, {"acme": now - timedelta(days=400)}, now)
    assert list(found.due) == ["acme"]
    assert found.wrong == ()


def test_hundreds_of_configurations_that_did_not_change_are_looked_at_in_no_time(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    monkeypatch.setattr(fleet_module, "load", lambda path: [load(path), read.append(path)][0])
    for number in range(300):
        add(tmp_path / f"p{number}", f"p{number}")
    reader = FleetReader(write())
    for _ in range(2):
        assert len(reader.read().members) == 300
        assert len(read) == 300, "each is read once"
