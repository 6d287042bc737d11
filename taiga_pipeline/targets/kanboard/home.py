"""A project of the connector's own in Kanboard: it tells which server this is, and who is at work.

It is disabled, so that it is in nobody's way, and holds nothing of people's. Its identifier is made
of the pipeline's name. In it are the turns of the lease, as swimlanes: the database itself sees to
it that a project has a swimlane of one name once, so that of several requests that add the same
turn exactly one succeeds. (Identifiers are not like that, and metadata can be written over.)
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sync.errors import NotSent, OutcomeUnknown, Rejected, Vanished
from sync.run.lease import Terms, Turn
from taiga_pipeline.targets.kanboard.client import Call, Client, call
from taiga_pipeline.targets.kanboard.shapes import Row, number, text
from taiga_pipeline.targets.turns import refuse_other_account, turn_from_text, turn_to_text

_PREFIX: Final = "PSL"
_TURN: Final = re.compile(r"turn ([0-9]{1,15})")
_PROOF: Final = re.compile(r"^server: ([0-9a-f]{32})$", re.MULTILINE)
_ACCOUNT: Final = re.compile(r"^account: (.+)$", re.MULTILINE)
_WORDS: Final = (
    "pipeline-sync keeps here which machine is at work on the pipeline. Please leave it as it is, "
    "and disabled."
)


def home_identifier(pipeline: str) -> str:
    """Returns the identifier of a pipeline's home."""
    data = hashlib.blake2b(pipeline.encode("utf-8", "surrogatepass"), digest_size=15).digest()
    return _PREFIX + base64.b32encode(data).decode("ascii")


class Home:
    """The home of one pipeline, as one account sees it. Safe to use from several threads."""

    def __init__(self, client: Client, pipeline: str, account: str) -> None:
        self._client = client
        self._pipeline = pipeline
        self._account = account
        self._lock = threading.Lock()
        self._row: Row | None = None

    def finding(self) -> Call:
        """Returns the call that looks whether it is there, for whoever may see all projects."""
        return call("getProjectByIdentifier", identifier=home_identifier(self._pipeline))

    def learn(self, found: Row | None) -> None:
        """Takes up what that call found."""
        self._row = found or None

    def look(self) -> None:
        """Looks whether it is there."""
        self._row = self._client.project_called(home_identifier(self._pipeline))

    @property
    def proof(self) -> str:
        """What no other server has, "" as long as there is no home."""
        shown = _PROOF.search(text(self._row, "description")) if self._row else None
        return shown[1] if shown else ""

    def number(self) -> int:
        """Returns the number of the home, 0 if there is none.

        :raises AnotherServer: another account works on the pipeline here.
        """
        if self._row is None:
            return 0
        shown = _ACCOUNT.search(text(self._row, "description"))
        if shown:
            where = f"the project 'pipeline-sync: {self._pipeline}' in Kanboard"
            refuse_other_account(self._pipeline, shown[1].strip(), self._account, where)
        return number(self._row["id"])

    def make(self) -> int:
        """Returns the number of the home, which is made where there is none.

        Several may make one at the same moment: the oldest stays, and who made another removes it.
        """
        with self._lock:
            if self._row is None:
                self._row = self._made()
        return self.number()

    def _made(self) -> Row:
        row: Row | None = self._client.project_called(home_identifier(self._pipeline))
        if row:
            return row
        described = f"{_WORDS}\n\nserver: {secrets.token_hex(16)}\naccount: {self._account}"
        identifier = home_identifier(self._pipeline)
        try:
            made, found = self._client.make_project(
                name=f"pipeline-sync: {self._pipeline}"[:200],
                identifier=identifier,
                description=described,
            )
        except OutcomeUnknown as error:  # of nothing but the home
            found = self._client.project_called(identifier)
            if found is None:
                raise NotSent(str(error)) from error
            made = number(found["id"])
        if not found:
            raise Rejected("Kanboard refuses the project that keeps which machine is at work")
        if made and number(found["id"]) != made:
            self._client.write(call("removeProject", project_id=made))
        elif made:
            self._client.write(call("disableProject", project_id=made))
        kept: Row = found
        return kept


class KanboardLeases:
    """The turns in a pipeline's home."""

    def __init__(self, client: Client, home: Home) -> None:
        self._client = client
        self._home = home

    def turns(self, name: str) -> Sequence[Turn]:
        """Returns all turns; the home is looked for again each time, as another may be older."""
        self._home.look()
        lanes, now = self._lanes()
        turns = (
            turn_from_text(turn, text(lane, "description"), now) for turn, lane in lanes.items()
        )
        return [turn for turn in turns if turn]

    def add(self, name: str, number: int, terms: Terms) -> bool:
        """Adds a turn; False if there is one of this number."""
        home = self._home.make()
        described = turn_to_text(terms, self._now())
        adding = call("addSwimlane", project_id=home, name=f"turn {number}", description=described)
        return bool(self._client.create(adding)[0])

    def put(self, name: str, number: int, terms: Terms) -> None:
        """Replaces the terms of a turn."""
        lanes, now = self._lanes()
        if number not in lanes:
            raise Vanished(f"there is no turn {number} any more")
        params = {
            "project_id": self._home.number(),
            "swimlane_id": int(lanes[number]["id"]),
            "name": f"turn {number}",
            "description": turn_to_text(terms, now),
        }
        (done,) = self._client.write(call("updateSwimlane", **params))
        if not done:
            raise Vanished(f"there is no turn {number} any more")

    def remove(self, name: str, number: int) -> None:
        """Removes a turn."""
        lanes, _ = self._lanes()
        if number in lanes:
            lane = int(lanes[number]["id"])
            where = {"project_id": self._home.number(), "swimlane_id": lane}
            self._client.write(call("removeSwimlane", **where))

    def _lanes(self) -> tuple[dict[int, Row], datetime | None]:
        """Returns the swimlanes that are turns, by their numbers, and the server's time."""
        home = self._home.number()
        if not home:
            return {}, None
        (rows,), now = self._client.read_dated([call("getAllSwimlanes", project_id=home)])
        found = ((_TURN.fullmatch(str(row["name"])), row) for row in rows)
        return {int(match[1]): row for match, row in found if match}, now

    def _now(self) -> datetime | None:
        return self._client.read_dated([call("getVersion")])[1]
