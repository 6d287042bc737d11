"""The calendar that programs subscribe to: they cannot log in, so that its address lets them in.

The address holds a token of its person: whoever has it reads the calendar, and nothing else. It
ends with the person, and with their password; another key of sessions ends all.
"""

from __future__ import annotations

import hmac
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse, Response

from taiga_pipeline.app.deals.board import is_of
from taiga_pipeline.app.deals.calendar_feed import calendar_feed
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.session import Sessions, proof_of
from taiga_pipeline.web.pages import Route, get, outside

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.web.access.people import User
    from taiga_pipeline.web.visit import Visit

MINE: Final = "mine"
ALL: Final = "all"
_KIND: Final = "text/calendar; charset=utf-8"


def feeds(door: Door, sessions: Sessions) -> tuple[Route, ...]:
    """Returns the addresses of calendars, and the page that shows them."""
    return (
        get("/calendar", partial(_show, door, sessions)),
        outside("GET", "/calendar.ics", partial(_feed, door, sessions), max_body=0),
    )


def _show(door: Door, sessions: Sessions, visit: Visit) -> Response:
    user = _user(door, visit.person.name)
    addresses = {}
    if user is not None:
        addresses = {who: _address(sessions, visit, user, who) for who in (MINE, ALL)}
    return visit.show("calendar.html.j2", addresses=addresses)


def _address(sessions: Sessions, visit: Visit, user: User, who: str) -> str:
    here, token = visit.request.url, _token(sessions, visit, user, who)
    path = visit.url("/calendar.ics", name=user.person.name, who=who, token=token)
    return f"{here.scheme}://{here.netloc}{path}"


def _user(door: Door, name: str) -> User | None:
    """Returns who logs in by that name, None for those who come by a link or by a proxy alone."""
    user = door.known().get(name.casefold()) if door.local is None else None
    return user if user is not None and user.hash else None


def _token(sessions: Sessions, visit: Visit, user: User, who: str) -> str:
    name = user.person.name.casefold()
    return sessions.token_of("calendar", visit.pipeline, who, name, proof_of(user.hash))


def _feed(door: Door, sessions: Sessions, visit: Visit) -> Response:
    asked = visit.query
    user, who = _user(door, asked.text("name")), asked.text("who")
    given = asked.text("token").encode("utf-8", "replace")
    wanted = _token(sessions, visit, user, who) if user is not None and who in (MINE, ALL) else ""
    if user is None or not wanted or not hmac.compare_digest(given, wanted.encode()):
        return PlainTextResponse("this address of a calendar is not valid any more\n", 403)
    known_as = user.person.known_as
    only = partial(_is_theirs, known_as) if who == MINE else None
    content = calendar_feed(visit.workspace, only)
    return Response(content, media_type=_KIND, headers={"Cache-Control": "private, no-cache"})


def _is_theirs(known_as: str, deal: Deal) -> bool:
    return is_of(deal, known_as)
