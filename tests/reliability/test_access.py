"""Whom the program talks to, how it makes sure, and how little it may do there."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.reliability.hostile.world import World, fill, prepare

PASSWORD = "a-password-of-its-own"
RIGHTS = Path(__file__).parents[2] / "docs" / "security.md"


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox(password=PASSWORD) as sandbox:
        yield sandbox


@pytest.fixture
def authority() -> trustme.CA:
    """A private certificate authority."""
    return trustme.CA()


def serve_by_tls(taiga: Sandbox, certificate: trustme.LeafCert) -> str:
    """Lets the sandbox speak TLS with a certificate; returns its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    assert taiga._running is not None
    server = taiga._running.server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return taiga.url.replace("http://", "https://")


def world_at(folder: Path, url: str, taiga: Sandbox, *, ca_file: str = "") -> World:
    world = prepare(folder, url, taiga.username, taiga.password, taiga=taiga)
    if ca_file:
        config = folder / "config.toml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("[sync]", f'ca_file = "{ca_file}"\n[sync]'))
    fill(world, {"emoji": "🎉"})
    return world


# --- TLS


def test_a_private_authority_can_be_trusted(
    tmp_path: Path, taiga: Sandbox, authority: trustme.CA
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = serve_by_tls(taiga, authority.issue_cert("127.0.0.1"))
    world = world_at(tmp_path, url, taiga, ca_file="ca.pem")
    result = world.run("run")
    assert result.exit_code == 0, result.stderr
    assert "2 created" in result.stdout


def test_an_unknown_authority_is_refused_before_anything_secret_is_sent(
    tmp_path: Path, taiga: Sandbox, authority: trustme.CA
) -> None:
    url = serve_by_tls(taiga, authority.issue_cert("127.0.0.1"))
    result = world_at(tmp_path, url, taiga).run("run")
    assert result.exit_code == 6
    assert "the TLS certificate cannot be verified" in result.stderr
    assert "target.ca_file" in result.stderr
    assert taiga.requests == []


def test_another_authority_than_the_named_one_is_refused(
    tmp_path: Path, taiga: Sandbox, authority: trustme.CA
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = serve_by_tls(taiga, authority.issue_cert("127.0.0.1"))
    assert world_at(tmp_path, url, taiga, ca_file="ca.pem").run("run").exit_code == 6
    assert taiga.requests == []


@pytest.mark.parametrize("flaw", ["name", "age"])
def test_a_certificate_for_another_host_or_another_time_is_refused(
    flaw: str, tmp_path: Path, taiga: Sandbox, authority: trustme.CA
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    past = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        authority.issue_cert("taiga.example.com")
        if flaw == "name"
        else authority.issue_cert("127.0.0.1", not_after=past)
    )
    url = serve_by_tls(taiga, certificate)
    result = world_at(tmp_path, url, taiga, ca_file="ca.pem").run("run")
    assert result.exit_code == 6
    assert "the TLS certificate cannot be verified" in result.stderr
    assert taiga.requests == []


def test_a_password_that_would_travel_in_the_clear_is_warned_of(tmp_path: Path) -> None:
    world = prepare(tmp_path, "http://taiga.example.test", "bot", PASSWORD)
    checks = world.json("check", "--offline")["checks"]
    (found,) = (each for each in checks if each["check"] == "config")
    assert "not encrypted" in found["summary"]


# --- other hosts


class Elsewhere(ThreadingHTTPServer):
    """Another host. Nothing should ever arrive here."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Counting)
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Counting(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        self.server.seen.append(f"{self.path} {self.headers.get('Authorization')}")
        self.send_error(404)

    do_POST = do_PATCH = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["auth", "users/me", "projects"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    status: int,
    path: str,
    tmp_path: Path,
    taiga: Sandbox,
    elsewhere: Elsewhere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _answer_with(monkeypatch, path, status, {"Location": f"{elsewhere.url}/api/v1/{path}"})
    result = world_at(tmp_path, taiga.url, taiga).run("run")
    assert result.exit_code == 6
    assert f"the server points to '{elsewhere.url}" in result.stderr
    assert elsewhere.seen == []


def test_a_next_page_on_another_host_is_asked_for_at_home(
    tmp_path: Path, taiga: Sandbox, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = {"X-Pagination-Next": f"{elsewhere.url}/api/v1/projects?page=2"}
    _answer_with(monkeypatch, "projects", 0, link)
    world = world_at(tmp_path, taiga.url, taiga)
    world.run("run")
    world.run("run", "--full")
    assert any(request.query.get("page") == "2" for request in taiga.requests)
    assert elsewhere.seen == []


def _answer_with(
    monkeypatch: pytest.MonkeyPatch, path: str, status: int, headers: dict[str, str]
) -> None:
    """Lets the sandbox answer a path with more headers, and with another status unless 0."""
    from taiga_pipeline.sandbox.serving import server  # noqa: PLC0415 - only what is changed here

    send = server._Connection._send_head

    def changed(self: server._Connection, response: server.Response, *rest: object) -> None:
        if re.search(rf"/{path}(\?|$)", self.path):
            response.headers.update(headers)
            response.status = status or response.status
        send(self, response, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(server._Connection, "_send_head", changed)


def test_a_netrc_on_the_machine_does_not_replace_the_token(
    tmp_path: Path, taiga: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert world_at(tmp_path, taiga.url, taiga).run("run").exit_code == 0


# --- least privilege


def test_a_plain_account_is_enough(tmp_path: Path, taiga: Sandbox) -> None:
    me = taiga.as_user(taiga.username).get("/users/me")
    assert not me.get("is_superuser")
    assert not me.get("is_staff")
    world = world_at(tmp_path, taiga.url, taiga)
    with (tmp_path / "config.toml").open("a", encoding="utf-8") as config:
        config.write("[portfolio]\nenabled = true\nplan_weeks = 2\n")
    for command in (("check",), ("run",), ("run", "--full")):
        result = world.run(*command)
        assert result.exit_code == 0, result.output
    used = {_resource(request.method, request.path) for request in taiga.requests}
    rights = RIGHTS.read_text(encoding="utf-8")
    documented = set(re.findall(r"`((?:GET|POST|PATCH|DELETE) /\S*)`", rights))
    assert used <= documented, used - documented


def _resource(method: str, path: str) -> str:
    plain = path.partition("?")[0].removeprefix("/api/v1")
    return f"{method} {re.sub('/[0-9]+|(?<=user-storage)/.*', '/N', plain)}"
