"""People who click through pages as browsers do: they read, change, and see what others change."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import defaultdict
from contextlib import suppress
from html import unescape
from typing import Final

import httpx2

PASSWORD: Final = "correct horse"
OPEN: Final = ("Lead", "Qualified", "Needs analysis", "Proposal")
THINKING: Final = (2.0, 8.0)
"""Seconds for which somebody reads a page."""
CHANGES: Final = ("move", "note", "edit")


class Clicker:
    """One of the people.

    ``times`` holds seconds by what was asked for. Of what was answered as done, ``moved`` holds the
    deals with their stages, ``noted`` and ``edited`` texts of notes and next steps that occur once.
    ``wrong`` is what was answered otherwise, ``apart`` counts edits and moves that came second.
    """

    def __init__(self, address: str, number: int) -> None:
        self.client = httpx2.AsyncClient(
            base_url=address, timeout=60, follow_redirects=True, trust_env=False
        )
        self.name, self.rng = f"p{number}", random.Random(number)
        self.times: dict[str, list[float]] = defaultdict(list)
        self.moved: list[tuple[str, str]] = []
        self.noted: list[str] = []
        self.edited: list[str] = []
        self.wrong: list[str] = []
        self.apart = 0
        self.token = ""
        self._board, self._seen = "/", ""

    async def ask(self, what: str, method: str, path: str, **form: str) -> tuple[int, str]:
        """Asks for a page, or sends a form; returns the answer's status and text."""
        begin = time.perf_counter()
        data = {"csrf": self.token, **form} if method == "POST" else None
        headers = {"HX-Request": "true"} if what == "move" else {}
        try:
            answer = await self.client.request(method, path, data=data, headers=headers)
        except httpx2.HTTPError as error:
            self.wrong.append(f"{method} {path}: {error!r}")
            return 0, ""
        self.times[what].append(time.perf_counter() - begin)
        is_second = answer.status_code == 409 and what in CHANGES
        self.apart += is_second
        if "locked" in answer.text or (answer.status_code >= 400 and not is_second):
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[-300:]}")
        if found := re.search(r'name="csrf" content="([^"]*)"', answer.text):
            self.token = unescape(found[1])
        if found := re.search(r'data-seen="([^"]*)"', answer.text):
            self._seen = found[1]
        return answer.status_code, answer.text

    async def click(self, until: float) -> None:
        """Logs in, and clicks until a time."""
        await asyncio.sleep(self.rng.uniform(0, THINKING[0]))
        await self.ask("log-in", "GET", "/log-in")
        await self.ask("log-in", "POST", "/log-in", name=self.name, password=PASSWORD)
        listening = asyncio.create_task(self.listen())
        while time.monotonic() < until:
            await asyncio.sleep(self.rng.uniform(*THINKING))
            await self.one()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await self.client.aclose()

    async def listen(self) -> None:
        """Asks for the board again each time that the server says that something changed."""
        while True:
            path = f"/live?seen={self._seen}"
            with suppress(httpx2.HTTPError):
                async with self.client.stream("GET", path, timeout=None) as events:
                    async for line in events.aiter_lines():
                        if line == "event: changed":
                            await self.ask("fresh", "GET", self._board)
            await asyncio.sleep(1)

    async def one(self) -> None:
        """Looks at the board, and does something about one of its deals."""
        self._board = "/?who=mine" if self.rng.random() < 0.5 else "/"
        _, board = await self.ask("board", "GET", self._board)
        cards = re.findall(r'data-key="([^"]*)" data-stage="([^"]*)"', board)
        if not cards:
            return
        key, stage = self.rng.choice(cards)
        choice = self.rng.random()
        if choice < 0.3:
            await self.ask("deal", "GET", f"/deal?key={key}")
        elif choice < 0.5:
            await self.ask("follow-ups", "GET", "/follow-ups?who=all")
        elif choice < 0.6:
            await self.note(key)
        elif choice < 0.7:
            await self.edit(key)
        elif stage in OPEN:
            await self.move(key, stage)

    async def note(self, key: str) -> None:
        """Writes a note."""
        text = f"note {len(self.noted)} by {self.name}"
        status, _ = await self.ask("note", "POST", "/deal/note", key=key, text=text)
        if status == 200:
            self.noted.append(text)

    async def edit(self, key: str) -> None:
        """Plans another next step, in the form of the deal."""
        _, form = await self.ask("form", "GET", f"/deal/edit?key={key}")
        version = re.search(r'name="version" value="([^"]*)"', form)
        if version is None:
            return
        step = f"step {len(self.edited)} by {self.name}"
        sent = {"key": key, "version": version[1], "next_step": step}
        status, answer = await self.ask("edit", "POST", "/deal/edit", **sent)
        if status == 200 and "Changed:" in answer:
            self.edited.append(step)

    async def move(self, key: str, stage: str) -> None:
        """Drags a card to another stage."""
        to = self.rng.choice([each for each in OPEN if each != stage])
        form = {"key": key, "stage": to, "seen_stage": stage, "asked": "yes", "force": "yes"}
        status, answer = await self.ask("move", "POST", "/move", **form, at="")
        if status == 200 and "is in" in answer and 'class="message done"' in answer:
            self.moved.append((key, to))


async def clicks(address: str, people: int, seconds: float) -> list[Clicker]:
    """Lets people click for a while."""
    until = time.monotonic() + seconds
    found = [Clicker(address, number) for number in range(people)]
    await asyncio.gather(*(each.click(until) for each in found))
    return found
