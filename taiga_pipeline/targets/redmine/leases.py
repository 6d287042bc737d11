"""Where turns are kept in Redmine: on a wiki page of a project of the connector's own.

A write to a wiki page that names the version it is based on is refused with 409 where there is a
newer one: it is the only thing in Redmine's API that several requests cannot all do. So all turns
stand on one page, which is read, changed and written as a whole. A page that is not there is
written as its first version, with nothing on it: done twice, that changes nothing.

The project is private. Its identifier is taken for good, also for an account that may not see it:
two accounts on one pipeline meet there.

Redmine's own server sends no ``Date``. Where no proxy does either, a second page is written, and
says when that was.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from sync.errors import AnotherServer, Malformed, Rejected, Stale, Vanished
from sync.run.lease import Terms, Turn
from sync.ways_out import UseAccount
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.targets.redmine.client import Client, Refusal
from taiga_pipeline.targets.redmine.paging import Row
from taiga_pipeline.targets.turns import (
    age,
    refuse_other_account,
    server_date,
    terms_from_json,
    terms_to_json,
)

_ATTEMPTS: Final = 6
_NEEDED: Final = (
    "the account's role needs 'View wiki' and 'Edit wiki pages', and projects need the module Wiki"
)
_WORDS: Final = (
    "pipeline-sync keeps on this project's wiki page 'Lease' which machine is at work on the "
    "pipeline. Please leave it as it is."
)

_Turns = dict[str, JSON]


def home_identifier(pipeline: str) -> str:
    """Returns the identifier of the project in which a pipeline's turns are kept."""
    data = pipeline.encode("utf-8", "surrogatepass")
    return f"psl-{hashlib.blake2b(data, digest_size=20).hexdigest()}"


class RedmineLeases:
    """The turns of one pipeline, as one account sees them.

    ``account`` tells the account's name. ``only_one`` makes sure that a project was made once.
    """

    def __init__(
        self,
        client: Client,
        pipeline: str,
        account: Callable[[], str],
        only_one: Callable[[Row], Row],
    ) -> None:
        self._client = client
        self._pipeline = pipeline
        self._account = account
        self._only_one = only_one
        self._wiki = f"projects/{home_identifier(pipeline)}/wiki"

    def denied(self) -> str:
        """Returns what this account lacks to keep turns, as far as reading tells it."""
        return _NEEDED if self._read() is None and self._is_visible() else ""

    def _is_visible(self) -> bool:
        """Whether the project is there, and this account sees it."""
        try:
            self._client.get(f"projects/{home_identifier(self._pipeline)}.json")
        except Vanished:
            return False
        return True

    def turns(self, name: str) -> Sequence[Turn]:
        """Returns all turns; one request, and two more where one is held and no time is sent."""
        page = self._read()
        if page is None:
            return []
        found = {number: terms_from_json(value) for number, value in page.turns.items()}
        held = any(terms and not terms.released for terms in found.values())
        old = age(page.date or self._now(), page.updated) if held else None
        return [
            Turn(int(number), terms, old)
            for number, terms in found.items()
            if terms and number.isdecimal()
        ]

    def add(self, name: str, number: int, terms: Terms) -> bool:
        """Adds a turn; False if there is one of this number."""
        for _ in range(_ATTEMPTS):
            page = self._read() or self._made()
            present = terms_from_json(page.turns.get(str(number)))
            if present is not None:  # ours, where an answer was lost
                return present == terms
            if self._wrote(page, {**page.turns, str(number): terms_to_json(terms)}):
                return True
        return False

    def put(self, name: str, number: int, terms: Terms) -> None:
        """Replaces the terms of a turn."""
        for _ in range(_ATTEMPTS):
            page = self._read()
            if page is None or str(number) not in page.turns:
                break
            if self._wrote(page, {**page.turns, str(number): terms_to_json(terms)}):
                return
        raise Vanished(f"there is no turn {number} any more")

    def remove(self, name: str, number: int) -> None:
        """Removes a turn."""
        for _ in range(_ATTEMPTS):
            page = self._read()
            if page is None or str(number) not in page.turns:
                return
            rest = {at: value for at, value in page.turns.items() if at != str(number)}
            if self._wrote(page, rest):
                return

    def _read(self) -> _Page | None:
        """Returns the page, None if there is none that this account may see."""
        try:
            answer = self._client.get(f"{self._wiki}/Lease.json")
        except Vanished:
            return None
        page = _Page(answer)
        if page.account:
            where = f"the project {home_identifier(self._pipeline)!r} in Redmine"
            refuse_other_account(self._pipeline, page.account, self._account(), where)
        return page

    def _made(self) -> _Page:
        """Makes the page, and the project where there is none.

        :raises AnotherServer: another account has the project.
        :raises Rejected: the account may not write wiki pages.
        """
        try:
            self._write(1, {})
        except Rejected:
            if self._is_visible():
                raise
            self._make_project()
            self._write(1, {})
        page = self._read()
        if page is None:
            raise Rejected(f"the wiki page that keeps who is at work cannot be read; {_NEEDED}")
        return page

    def _make_project(self) -> None:
        wanted = {
            "name": f"pipeline-sync: {self._pipeline}"[:255],
            "identifier": home_identifier(self._pipeline),
            "description": _WORDS,
            "is_public": False,
            "enabled_module_names": ["wiki"],
        }
        try:
            row = self._client.post("projects.json", {"project": wanted}).data["project"]
        except Refusal as error:
            if error.status == 422:
                raise self._taken() from error
            raise
        self._only_one(row)

    def _taken(self) -> AnotherServer:
        return AnotherServer(
            f"another account works on the pipeline '{self._pipeline}' here: it has the project "
            f"{home_identifier(self._pipeline)!r}, which {self._account()} may not see. Two "
            "accounts on one pipeline may make each thing twice. Nothing was written. If "
            f"{self._account()} takes over for good, or the project was archived, have an "
            "administrator delete it",
            ways_out=[UseAccount("the other account")],
        )

    def _wrote(self, page: _Page, turns: _Turns) -> bool:
        """Writes the page; False if another one was faster."""
        try:
            self._write(page.version, turns)
        except Stale:
            return False
        return True

    def _write(self, version: int, turns: _Turns) -> None:
        document: dict[str, JSON] = {"account": self._account(), "turns": turns}
        if turns or version > 1:  # Redmine takes the same text for no write, and keeps its time
            document["write"] = secrets.token_hex(8)
        text = json.dumps(document, indent=1, sort_keys=True)
        wanted = {"wiki_page": {"text": text, "version": version}}
        try:
            self._client.put(f"{self._wiki}/Lease.json", wanted)
        except Stale:
            if version > 1 or turns:
                raise  # of the first version it means that there is one
        except Refusal as error:
            raise Rejected(f"{error}; {_NEEDED}") from error

    def _now(self) -> datetime | None:
        """Returns the server's time (UTC) by writing something, None if that is not possible."""
        path = f"{self._wiki}/Clock.json"
        try:
            self._client.put(path, {"wiki_page": {"text": secrets.token_hex(8)}})
            answer = self._client.get(path)
        except (Rejected, Stale):
            return None
        return _moment(answer.data.get("wiki_page"))


class _Page:
    """The page with the turns, as it was read."""

    def __init__(self, answer: Answer) -> None:
        row = answer.data.get("wiki_page")
        if not isinstance(row, Mapping) or not isinstance(row.get("version"), int):
            raise Malformed("the wiki page that keeps who is at work is not as it should be")
        self.version: int = row["version"]
        self.updated = str(row.get("updated_on") or "")
        self.date = server_date(answer)
        document = _document(str(row.get("text") or ""))
        turns = document.get("turns")
        self.turns: _Turns = dict(turns) if isinstance(turns, Mapping) else {}
        self.account = str(document.get("account") or "")


def _document(text: str) -> Mapping[str, JSON]:
    """Returns what stands on the page; nothing for what people wrote in its place."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, Mapping) else {}


def _moment(row: JSON) -> datetime | None:
    try:
        return datetime.fromisoformat(str(row["updated_on"])).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return None
