"""``web``: what it says when it starts, and the people who may log in."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from taiga_pipeline.web import serving
from tests.cli.conftest import Run, environment, run
from tests.web.conftest import deals, workspace

__all__ = ["deals", "environment", "run", "workspace"]

PROXY = 'user_header = "X-Remote-User"\nproxies = ["127.0.0.1"]\n'

pytestmark = pytest.mark.usefixtures("deals")


@pytest.fixture
def with_users(deals: object) -> Path:
    """The configuration, naming a file of people."""
    config = Path("config.toml")
    config.write_text(config.read_text() + '[web]\nusers = "users.toml"\n')
    return Path("users.toml")


def test_people_are_added_changed_listed_and_removed(
    run: Run, with_users: Path, environment: dict[str, str]
) -> None:
    environment["PASSWORD"] = "correct horse"
    way = ("--password-env", "PASSWORD")
    added = run(
        "web", "user", "add", "sara@example.com", "--role", "sell", "--owner", "Sara Ek", *way
    )
    assert added.stdout.startswith("Added sara@example.com (sell) in ")
    assert run("web", "user", "add", "rita", "--no-password").exit_code == 0
    changed = run("web", "user", "add", "SARA@example.com", "--role", "plan", *way)
    assert changed.stdout.startswith("Changed")
    listed = run("web", "user", "list").stdout
    assert re.search(r"rita +read +no", listed) and "plan" in listed
    assert "correct horse" not in with_users.read_text()
    assert run("web", "user", "remove", "rita").stdout.startswith("Removed rita")
    missing = run("web", "user", "remove", "sarah@example.com")
    assert missing.exit_code == 2 and "did you mean" in missing.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "a b", "--no-password"), "not a name to log in with"),
        (("add", "sara", "--password-env", "SHORT"), "10 to 1,000 characters"),
        (("add", "sara", "--password-env", "SHORT", "--no-password"), "exclude each other"),
        (("add", "sara", "--password-env", "MISSING"), "MISSING"),
    ],
)
def test_a_person_who_cannot_be_added_is_refused(
    run: Run, with_users: Path, environment: dict[str, str], words: tuple[str, ...], message: str
) -> None:
    environment["SHORT"] = "short"
    result = run("web", "user", *words)
    assert result.exit_code == 2 and message in result.stderr
    assert not with_users.exists()


def test_without_a_file_of_people_the_way_to_one_is_named(run: Run) -> None:
    result = run("web", "user", "list")
    assert result.exit_code == 2 and "users.toml" in result.stderr


def test_a_port_that_is_in_use_is_named_with_a_way_out(run: Run) -> None:
    with serving.bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result = run("web", "--listen", f"127.0.0.1:{port}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: 127.0.0.1:{port} is in use")
    assert "--listen 127.0.0.1:0" in result.stderr


def test_what_cannot_be_listened_at_is_said(run: Run) -> None:
    assert run("web", "--listen", "somewhere").exit_code == 2
    result = run("web", "--listen", "203.0.113.1:8085")
    assert result.exit_code == 2 and "203.0.113.1:8085" in result.stderr


@pytest.mark.parametrize(
    ("settings", "people", "words"),
    [
        ('users = "u.toml"', (), "web user add NAME --role admin"),
        ('users = "u.toml"', (("rita", "--no-password"),), "web user add NAME --role admin"),
        (f'users = "u.toml"\n{PROXY}', (), "web user add NAME --role admin --no-password"),
        (PROXY, (), "header_role"),
        (f'{PROXY}header_role = "read"', (), ""),
        (f'users = "u.toml"\n{PROXY}', (("rita", "--no-password"),), ""),
        ('users = "u.toml"', (("sara", "--password-env", "PASSWORD"),), ""),
        ("", (), ""),
    ],
)
def test_a_server_that_nobody_can_enter_says_so_and_what_to_do(
    run: Run,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    settings: str,
    people: tuple[tuple[str, ...], ...],
    words: str,
) -> None:
    environment["PASSWORD"] = "correct horse"
    config = Path("config.toml")
    config.write_text(f"{config.read_text()}[web]\n{settings}\n")
    for person in people:
        assert run("web", "user", "add", *person).exit_code == 0
    monkeypatch.setattr(serving, "serve", lambda *_: None)
    result = run("web", "--listen", "127.0.0.1:0")
    assert result.exit_code == 0 and result.stdout.startswith("Serving test at http")
    assert ("No one can log in" in result.stderr) is bool(words) and words in result.stderr


def test_the_server_prints_a_link_and_ends_in_good_order(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "taiga_pipeline", "web", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        first = server.stdout.readline()
        assert first.startswith("Serving test at http://127.0.0.1:")
        server.stdout.readline()
        link = server.stdout.readline().removeprefix("Open ").strip()
        with urllib.request.urlopen(link, timeout=120) as answer:  # the cookie gets lost here
            assert "/log-in" in answer.url
        assert server.stdout.readline().startswith("Press Ctrl-C")
        assert server.stdout.readline().startswith("Open http://127.0.0.1:")  # the next one
        server.send_signal(signal.SIGTERM)
        assert server.wait(120) == 0
