"""Hostile text on its way in: at the stores' doors, and in what a server answers."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from sync.records.model import Desired, RecordKey
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Deal, Note
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.text import block, line
from taiga_pipeline.records import Kind, Membership, Milestone, Project, Role, Story
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.targets.taiga.fitting import fit
from tests.reliability.hostile.checks import assert_terminal_safe, commands_in
from tests.reliability.hostile.corpus import ALL_STORABLE, EVERYTHING, STORABLE, UNSTORABLE
from tests.reliability.hostile.world import NOW, World, prepare

pytestmark = pytest.mark.sampled(8)

FIELDS = {
    Kind.PROJECT: (Project.LABEL, Project.TITLE, Project.TEXT, Project.DEAL_FACTS),
    Kind.ROLE: (Role.NAME,),
    Kind.MEMBERSHIP: (Membership.ROLE,),
    Kind.MILESTONE: (Milestone.NAME,),
    Kind.STORY: (Story.SUBJECT, Story.DESCRIPTION),
}


# --- a source that checks nothing


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("name", EVERYTHING)
def test_whatever_a_source_brings_fits_the_server_and_fits_it_again(name: str, kind: str) -> None:
    key = RecordKey("D-1", kind, "" if kind == Kind.PROJECT else "x")
    fields = dict.fromkeys(FIELDS[kind], EVERYTHING[name])
    once = fit(Desired(key, fields))
    assert fit(once).fields == once.fields
    for value in map(str, once.fields.values()):
        value.encode()  # no lone surrogates
        assert "\0" not in value
        assert len(value) <= 40_000
    assert name not in UNSTORABLE or once.notes


# --- the stores' doors


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_store_keeps_a_text_letter_by_letter_or_says_why_not(name: str, tmp_path: Path) -> None:
    text = EVERYTHING[name]
    store = DealStore.open(f"sqlite:///{tmp_path / 'pipeline.db'}", lambda: NOW, create=True)
    deal = Deal(key="D-1", name=text, notes=(Note(text),), stage="Proposal")
    with contextlib.closing(store):
        if name in ALL_STORABLE:
            store.add(deal)
            kept = store.get("D-1")
            assert (kept.name, kept.notes[0].text) == (line(text), block(text))
            return
        with pytest.raises(InvalidValue) as caught:
            store.add(deal)
        assert len(str(caught.value)) < 1_000
        assert store.count() == 0


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def world(tmp_path: Path, taiga: Sandbox) -> World:
    return prepare(tmp_path, taiga.url, taiga.username, taiga.password, taiga)


@pytest.mark.parametrize("name", UNSTORABLE)
def test_an_import_leaves_out_a_row_that_cannot_be_kept_and_takes_the_others(
    name: str, world: World
) -> None:
    rows = f'key,name,stage\nA,"{UNSTORABLE[name]}",Proposal\nB,fine,Proposal\n'
    (world.folder / "deals.csv").write_bytes(rows.encode("utf-8", "surrogatepass"))
    result = world.run("deals", "import", "deals.csv", "--encoding", "utf-8")
    assert result.exit_code == 3, result.output
    assert_terminal_safe(result.stdout + result.stderr)
    assert len(result.output) < 2_000
    assert [deal["key"] for deal in world.json("deals", "list")] == ["B"]


def test_an_export_is_read_back_without_loss(world: World) -> None:
    store = DealStore.open(world.store_url, lambda: NOW, create=True)
    with contextlib.closing(store):
        for name, text in STORABLE.items():
            store.add(
                Deal(key=name, name=text, customer=text, notes=(Note(text),), stage="Proposal")
            )
    before = world.json("deals", "list")
    assert world.run("deals", "export", "deals.csv").exit_code == 0
    (world.folder / "pipeline.db").unlink()
    result = world.run("deals", "import", "deals.csv")
    assert result.exit_code == 0, result.output
    after = world.json("deals", "list")
    assert [(d["key"], d["name"], d["notes"]) for d in after] == [
        (d["key"], d["name"], d["notes"]) for d in before
    ]


# --- people in Taiga


@pytest.mark.sampled_inside
def test_what_people_write_in_taiga_is_kept_letter_by_letter_and_shown_harmlessly(
    world: World, taiga: Sandbox
) -> None:
    store = DealStore.open(world.store_url, lambda: NOW, create=True)
    with contextlib.closing(store):
        for name in STORABLE:
            store.add(Deal(key=f"D-{name}", name="Portal", notes=(Note("ours"),), stage="Proposal"))
    assert world.run("run").exit_code == 0
    written = _let_people_write(taiga)
    first = world.run("run", "-v")
    assert first.exit_code in (0, 3), first.stderr
    for result in (first, world.run("conflicts"), world.run("history"), world.run("status")):
        assert_terminal_safe(result.stdout + result.stderr)
    world.forget_requests()
    second = world.run("run", "--full")
    assert [each for each in world.writes() if "user-storage" not in each] == []
    assert_terminal_safe(second.stdout + second.stderr)
    assert _titles(taiga) == written
    for name in STORABLE:
        shown = world.run("deals", "show", f"D-{name}").stdout
        assert_terminal_safe(shown)
        assert commands_in(world.run("deals", "show", f"D-{name}", "--json").stdout) == []


def _let_people_write(taiga: Sandbox) -> dict[int, str]:
    """Renames each project to an entry, and writes it above the facts and into the tags."""
    admin = taiga.as_user("admin")
    for project, text in zip(admin.get("/projects"), STORABLE.values(), strict=True):
        changes = {
            "name": f"(tentative) {text}"[:250],
            "description": f"{text}\n\n{project['description']}",
            "tags": [*project["tags"], text.lower()[:200]],
        }
        admin.patch(f"/projects/{project['id']}", changes)
    return _titles(taiga)


def _titles(taiga: Sandbox) -> dict[int, str]:
    return {row["id"]: row["name"] for row in taiga.as_user("admin").get("/projects")}


# --- a server that lies


class LyingServer(ThreadingHTTPServer):
    """Lets everyone in, answers with ``answer``, and truly where that is a list."""

    answer: tuple[int, Any] = (200, {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


_LISTS: Final[dict[str, list[Any]]] = {
    "projects": [],
    "project-templates": [{"id": 1, "slug": "scrum", "name": "Scrum"}],
}


class _Handler(BaseHTTPRequestHandler):
    server: LyingServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(200, {"auth_token": "t", "refresh": "r", "id": 1})

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        is_listed = self.server.answer[0] == 200 and name in _LISTS
        self._send(*(200, _LISTS[name]) if is_listed else self.server.answer)

    def _send(self, status: int, data: Any) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if isinstance(data, list):
            self.send_header("X-Paginated", "true")
            self.send_header("X-Pagination-Count", str(len(data)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps quiet."""


@pytest.fixture(scope="module")
def liar() -> Iterator[LyingServer]:
    server = LyingServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def deceived(liar: LyingServer, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("deceived")
    return prepare(folder, liar.url, "bot", "a-password")


@pytest.mark.parametrize("name", EVERYTHING)
def test_an_error_of_the_server_is_shown_harmlessly_and_in_bounds(
    name: str, liar: LyingServer, deceived: World
) -> None:
    liar.answer = (400, {"_error_message": EVERYTHING[name]})
    result = deceived.run("check", "-vv")
    assert "Taiga refuses GET users/me (400" in result.stdout
    assert_terminal_safe(result.stdout + result.stderr)
    assert len(result.output) < 20_000


@pytest.mark.parametrize("name", ALL_STORABLE)
def test_the_name_of_an_account_is_shown_harmlessly(
    name: str, liar: LyingServer, deceived: World
) -> None:
    liar.answer = (200, {"id": 1, "username": ALL_STORABLE[name]})
    result = deceived.run("check")
    assert "lets" in result.stdout, result.stdout + result.stderr
    assert_terminal_safe(result.stdout + result.stderr)
    printed = deceived.run("check", "--json").stdout
    assert commands_in(printed) == []
    (target,) = (each for each in json.loads(printed)["checks"] if each["check"] == "target")
    assert ALL_STORABLE[name] in target["summary"]
