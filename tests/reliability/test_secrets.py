"""Planted secrets, looked for in everything that the program says and writes."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from taiga_pipeline import config
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.targets.taiga.adapter import TaigaTarget
from taiga_pipeline.targets.taiga.login import PasswordLogin
from tests.reliability.hostile.world import CONFIG, World, fill, prepare

pytestmark = pytest.mark.sampled_tests(6)

PLANTED = "pL4nt3d-S3cr3t"
"""Is in every secret of these tests, so that one search finds any of them."""


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox(password=PLANTED) as sandbox:
        yield sandbox


@pytest.fixture
def world(tmp_path: Path, taiga: Sandbox) -> World:
    world = prepare(tmp_path, taiga.url, taiga.username, taiga.password, taiga=taiga)
    fill(world, {"emoji": "🎉", "sql": "'; --"})
    return world


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that the server hands out while the test runs."""
    tokens: list[str] = []
    keep = PasswordLogin._keep

    def spy(self: PasswordLogin, answer: Any) -> bool:
        data = answer.data if isinstance(answer.data, dict) else {}
        tokens.extend(str(data[name]) for name in ("auth_token", "refresh") if data.get(name))
        return keep(self, answer)

    monkeypatch.setattr(PasswordLogin, "_keep", spy)
    return tokens


def set_target(world: World, **settings: str) -> None:
    """Replaces the way to log in."""
    text = (world.folder / "config.toml").read_text(encoding="utf-8")
    lines = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    changed = text.replace('password_env = "TAIGA_PASSWORD"\n', lines)
    (world.folder / "config.toml").write_text(changed, encoding="utf-8")


def said(world: World, *commands: tuple[str, ...]) -> str:
    """Runs commands, each in every degree of loudness; returns all that they print."""
    outputs = []
    for command in commands:
        for loudness in ((), ("-v",), ("-vv",)):
            result = world.run(*command, *loudness)
            outputs += [result.stdout, result.stderr, repr(result.exception)]
    return "\n".join(outputs)


def written(folder: Path) -> bytes:
    """Returns the content of every file in a folder."""
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


COMMANDS = (
    ("check",),
    ("check", "--json"),
    ("plan", "--out", "plan.json"),
    ("plan", "--json"),
    ("run",),
    ("run", "--json", "--full"),
    ("status", "--json"),
    ("history", "--json"),
    ("conflicts", "--json"),
    ("schedule", "cron"),
    ("schedule", "systemd"),
)


# --- a run, and all that it leaves


def test_nothing_that_a_run_says_or_writes_holds_a_secret(world: World, issued: list[str]) -> None:
    text = said(world, *COMMANDS)
    everything = text.encode("utf-8", "replace") + written(world.folder)
    assert "DEBUG" in text
    assert len(issued) >= 2
    for secret in (PLANTED, *issued):
        assert secret.encode() not in everything


def test_renewed_tokens_are_not_shown_either(
    world: World, taiga: Sandbox, issued: list[str]
) -> None:
    world.run("run")
    text = ""
    for _ in range(2):
        taiga.expire_tokens()
        text += said(world, ("run", "--full"))
    assert not [token for token in issued if token in text]


@pytest.mark.parametrize("way", ["token_env", "application_token_env", "token_file"])
def test_a_token_is_not_shown(way: str, world: World, taiga: Sandbox) -> None:
    token = _token(taiga, way)
    world.environment["TAIGA_TOKEN"] = token
    (world.folder.parent / "token").write_text(token + "\n")
    (world.folder.parent / "token").chmod(0o600)
    place = "../token" if way == "token_file" else "TAIGA_TOKEN"
    set_target(world, **{way: place})
    assert world.run("run").exit_code == 0
    assert token not in said(world, *COMMANDS)
    assert token.encode() not in written(world.folder)


def _token(taiga: Sandbox, way: str) -> str:
    if way == "application_token_env":
        return taiga.application_token(taiga.username)
    body = {"type": "normal", "username": taiga.username, "password": taiga.password}
    answer = requests.post(f"{taiga.url}/api/v1/auth", json=body, timeout=120)
    return str(answer.json()["auth_token"])


@pytest.mark.parametrize("command", [("check",), ("run",), ("plan", "--json")])
def test_a_refused_secret_is_not_shown(command: tuple[str, ...], world: World) -> None:
    world.environment["TAIGA_PASSWORD"] = f"wrong-{PLANTED}"
    assert world.run(*command).exit_code == 6
    assert PLANTED not in said(world, command)
    set_target(world, token_env="TAIGA_PASSWORD")
    assert world.run(*command).exit_code == 6
    assert PLANTED not in said(world, command)


def test_a_secret_is_not_shown_when_nobody_answers(world: World, taiga: Sandbox) -> None:
    taiga.stop()
    text = said(world, ("check", "--json"))
    assert "no connection" in text
    assert PLANTED not in text


def test_a_proxy_with_a_password_is_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:{PLANTED}@127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    text = said(world, ("check",))
    assert "the proxy of the environment does not answer" in text
    assert PLANTED not in text


def test_the_address_of_a_heartbeat_is_not_shown(world: World) -> None:
    with (world.folder / "config.toml").open("a", encoding="utf-8") as file:
        file.write('[monitoring]\nheartbeat_url_env = "HEARTBEAT"\n')
    world.environment["HEARTBEAT"] = f"http://127.0.0.1:9/{PLANTED}"
    text = said(world, *COMMANDS)
    assert PLANTED not in text
    assert PLANTED.encode() not in written(world.folder)


@pytest.mark.parametrize("place", ["observe_roots", "create_root", "update"])
def test_a_traceback_of_an_unexpected_error_holds_no_secret(
    place: str, world: World, monkeypatch: pytest.MonkeyPatch, issued: list[str]
) -> None:
    def fail(self: TaigaTarget, *_: object, **__: object) -> None:
        header = self._client.credentials.headers()
        raise RuntimeError(f"a bug, with {header and 'a header'} in a variable")

    monkeypatch.setattr(TaigaTarget, place, fail)
    config = world.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[sync]\n", "[sync]\nsettle_seconds = 0\n"), encoding="utf-8")
    text = said(world, ("run",))
    if place != "update":  # nothing is updated in a first run
        assert "Traceback" in text
        assert "a bug" in text
    assert not [secret for secret in (PLANTED, *issued) if secret in text]


def test_a_traceback_out_of_the_http_library_holds_no_secret(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug below us")

    monkeypatch.setattr("requests.Session.send", fail)
    text = said(world, ("run",))
    assert "a bug below us" in text
    assert PLANTED not in text


# --- databases


@pytest.mark.parametrize("setting", ["url_env", "state_env"])
@pytest.mark.parametrize(
    "address",
    [
        f"postgresql+psycopg://user:{PLANTED}@127.0.0.1:9/deals",
        f"postgresql+psycopg://user:x:{PLANTED}@127.0.0.1:9/deals",
        f"postgresql+psycopg://user:{PLANTED}/x@127.0.0.1:9/deals",
        f"postgresql+psycopg://user:x@{PLANTED}@127.0.0.1:9/deals",
        f"nosuchdatabase://user:{PLANTED}@127.0.0.1:9/deals",
        f"user:{PLANTED}@127.0.0.1",
        f"postgresql+psycopg://user@127.0.0.1:9/deals?password={PLANTED}",
    ],
)
def test_the_password_of_a_database_is_not_shown(setting: str, address: str, world: World) -> None:
    text = (world.folder / "config.toml").read_text(encoding="utf-8")
    old = {
        "url_env": 'url = "sqlite:///pipeline.db"\n',
        "state_env": 'state = "sqlite:///state.db"\n',
    }[setting]
    assert old in text
    changed = text.replace(old, f'{setting} = "DATABASE"\n')
    (world.folder / "config.toml").write_text(changed, encoding="utf-8")
    world.environment["DATABASE"] = address
    for command in (("check", "--offline"), ("run",)):
        assert world.run(*command).exit_code in (2, 6)
        assert PLANTED not in said(world, command)


# --- mistakes in the configuration


@pytest.mark.parametrize(
    "line",
    [
        f'password = "{PLANTED}"',
        f'token = "{PLANTED}"',
        f'application_token = "{PLANTED}"',
        f'passwrd = "{PLANTED}"',
        f'password_env = "{PLANTED}"',
        f'password_env = ["{PLANTED}"]',
        f'token_env = {{ value = "{PLANTED}" }}',
        f'url = "https://user:{PLANTED}@taiga.example.com"',
        f'url = "ftp://user:{PLANTED}@taiga.example.com"',
        f'url = "https://user:{PLANTED}@"',
        f"password = {PLANTED}",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(line: str, tmp_path: Path) -> None:
    text = CONFIG.format(url="https://taiga.example.com", username="bot")
    key = line.partition(" ")[0]
    old = next((row for row in text.split("\n") if row.startswith(f"{key} = ")), "[target]")
    if key == "url":
        old = 'url = "https://taiga.example.com"'
    new = line if old != "[target]" else f"[target]\n{line}"
    with pytest.raises(ProblemsError) as caught:
        config.parse(text.replace(old, new, 1), tmp_path / "config.toml")
    assert PLANTED not in str(caught.value)
    assert PLANTED not in repr(caught.value)


@pytest.mark.parametrize("section", ["source", "sync"])
def test_a_password_in_a_database_url_is_refused_without_repeating_it(
    section: str, tmp_path: Path
) -> None:
    text = CONFIG.format(url="https://taiga.example.com", username="bot")
    for name in ("pipeline.db", "state.db"):
        text = text.replace(f"sqlite:///{name}", f"postgresql://user:{PLANTED}@host/{section}")
    with pytest.raises(ProblemsError) as caught:
        config.parse(text, tmp_path / "config.toml")
    assert "holds a password" in str(caught.value)
    assert PLANTED not in str(caught.value)


# --- values


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(PLANTED)
    connection = Connection(
        url="https://taiga.example.com", pipeline="acme", username="bot", password=secret
    )
    login = PasswordLogin("bot", secret, lambda *_: None, lambda *_: None)  # type: ignore[arg-type,return-value]
    record = logging.LogRecord("x", 10, "x", 1, "%s %r", (secret, connection), None)
    for text in (
        repr(secret),
        str(secret),
        f"{secret} {secret!r} {secret!s:>20}",
        "%s %r" % (secret, secret),  # noqa: UP031 - each way of formatting counts
        repr([secret, {"password": secret}]),
        repr(connection),
        repr(login),
        record.getMessage(),
        json.dumps({"password": secret}, default=str),
    ):
        assert PLANTED not in text


def test_settings_and_credentials_do_not_show_secrets(world: World) -> None:
    settings = config.load(world.folder / "config.toml")
    credentials = settings.target.credentials({"TAIGA_PASSWORD": PLANTED})
    assert credentials.password == Secret(PLANTED)
    for value in (settings, settings.target, credentials):
        assert PLANTED not in repr(value) + str(value)
    assert PLANTED not in repr(credentials.model_dump())


# --- other accounts of the machine


def test_the_process_list_shows_no_secret(world: World, taiga: Sandbox) -> None:
    taiga.set_delay(0.2)
    command = [sys.executable, "-m", "taiga_pipeline", "run"]
    child = subprocess.Popen(
        command,
        cwd=world.folder,
        env={**os.environ, **world.environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        while not taiga.requests and child.poll() is None:
            assert not _shown_by_the_process_list(child.pid)
        assert taiga.requests, "it came as far as logging in"
        assert not _shown_by_the_process_list(child.pid)
    finally:
        child.terminate()
        output = b"".join(child.communicate(timeout=120))
    assert PLANTED.encode() not in output


def _shown_by_the_process_list(number: int) -> bool:
    try:
        return PLANTED.encode() in Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return False


def test_every_file_that_holds_deals_is_readable_by_its_owner_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    try:
        (world.folder / "plan.json").touch(mode=0o666)
        (world.folder / "pipeline.db").unlink()
        fill(world, {"emoji": "🎉"})
        for command in (("plan", "--out", "plan.json"), ("run",)):
            assert world.run(*command).exit_code == 0
    finally:
        os.umask(before)
    made = {path.name: path for path in world.folder.iterdir() if path.is_file()}
    assert {"pipeline.db", "state.db", "plan.json"} <= made.keys()
    for name, path in made.items():
        if name != "config.toml":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, name


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o601, 0o666, 0o777])
@pytest.mark.parametrize("way", ["password_file", "token_file"])
def test_a_secret_that_everybody_may_read_is_refused(way: str, mode: int, world: World) -> None:
    file = world.folder / "secret.txt"
    file.write_text(PLANTED)
    file.chmod(mode)
    set_target(world, **{way: "secret.txt"})
    result = world.run("run", "-v")
    assert result.exit_code == 2
    assert f"chmod 600 {file}" in result.stderr
    assert PLANTED not in result.output


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_a_secret_that_its_owner_or_group_may_read_is_used(mode: int, world: World) -> None:
    file = world.folder / "secret.txt"
    file.write_text(f"{PLANTED}\n")
    file.chmod(mode)
    set_target(world, password_file="secret.txt")
    assert world.run("run").exit_code == 0
