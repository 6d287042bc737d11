"""A server that is killed: what it answered is there."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from html import unescape
from pathlib import Path

import httpx2

from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.web.access.people import Person, Role, User, keep_user
from tests.web.conftest import HASH, PASSWORD

CLICKING = 6
"""So many click at once."""
ENOUGH = 30
"""After so many answers the server is killed."""


def logged_in(address: str) -> tuple[httpx2.Client, str]:
    client = httpx2.Client(base_url=address, timeout=120, trust_env=False, follow_redirects=True)
    token = token_of(client.get("/log-in").text)
    page = client.post("/log-in", data={"csrf": token, "name": "sell", "password": PASSWORD})
    return client, token_of(page.text)


def token_of(page: str) -> str:
    found = re.search(r'name="csrf" content="([^"]*)"', page)
    assert found
    return unescape(found[1])


def test_a_server_that_is_killed_in_the_midst_of_requests_loses_nothing_that_it_answered(
    deals: Workspace, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config.read_text() + '[web]\nusers = "users.toml"\n')
    keep_user(tmp_path / "users.toml", User(Person("sell", Role.SELL), HASH))
    command = [sys.executable, "-m", "taiga_pipeline", "web", "--listen", "127.0.0.1:0"]
    answered: list[str] = []
    enough = threading.Event()
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout
        address = server.stdout.readline().split(" at ")[1].strip()

        def click(number: int, client: httpx2.Client, token: str) -> None:
            with closing(client):
                for each in range(1000):
                    form = {"csrf": token, "key": "D-1", "text": f"{number}.{each}"}
                    try:
                        answer = client.post("/deal/note", data=form, follow_redirects=False)
                    except httpx2.TransportError:
                        return
                    assert answer.status_code == 303
                    answered.append(form["text"])
                    if len(answered) >= ENOUGH:
                        enough.set()

        with ThreadPoolExecutor(CLICKING) as people:
            inside = list(people.map(logged_in, [address] * CLICKING))
            clicks = [people.submit(click, number, *who) for number, who in enumerate(inside)]
            enough.wait(300)
            server.kill()
            for each in clicks:
                each.result()
    kept = {note.text for note in show_deal(deals, "D-1").deal.notes}
    assert len(answered) >= ENOUGH
    assert set(answered) <= kept
