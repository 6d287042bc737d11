"""The pages by which people get in and out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from taiga_pipeline.language import marked
from taiga_pipeline.language import text as _
from taiga_pipeline.web.access.door import ONE_TIME, Door
from taiga_pipeline.web.access.session import Session, Sessions, proof_of
from taiga_pipeline.web.pages import Queue, Route, get, post

if TYPE_CHECKING:
    from taiga_pipeline.web.visit import Visit

_LOG: Final = logging.getLogger(__name__)
_WRONG: Final = marked("Name and password do not belong together.")
_USED: Final = marked(
    "This link was used already, or is not of this server. The terminal in which the server runs "
    "shows the one that is valid now."
)
_WAIT: Final = marked("Too many tries. Try again in {minutes} minutes.")
MAX_BODY: Final = 20_000


def ways_in(door: Door, sessions: Sessions) -> Sequence[Route]:
    """Returns the addresses that people without a session may ask."""
    return (
        get("/log-in", partial(_form, door), None),
        post("/log-in", partial(_log_in, door), None, max_body=MAX_BODY, queue=Queue.PASSWORDS),
        get("/enter", partial(_enter, door), None),
        post("/log-out", partial(_log_out, sessions), None, max_body=MAX_BODY),
    )


def _form(door: Door, visit: Visit) -> Response:
    if visit.person.name:
        return visit.back_to(visit.query.text("back"))
    return _shown(door, visit)


def _shown(door: Door, visit: Visit, wrong: str = "", status: int = 200) -> Response:
    return visit.show(
        "log_in.html.j2",
        status=status,
        by_link=door.local is not None,
        by_header=bool(door.header) and door.users is None,
        back=visit.query.text("back") or visit.form.text("back"),
        name=visit.form.text("name")[:100],
        wrong=wrong,
    )


def _log_in(door: Door, visit: Visit) -> Response:
    name, password = visit.form.text("name").strip()[:200], visit.form.text("password")
    now, address = visit.served.clock.monotonic(), door.address(visit.request)
    if wait := door.throttle.begin(now, name.casefold(), address):
        _LOG.warning("log-in of %r from %s: too many tries", name, address)
        minutes = max(1, round(wait / 60))
        return _shown(door, visit, _(_WAIT, minutes=minutes), status=429)
    user = door.log_in(name, password)
    if user is None:
        _LOG.warning("log-in of %r from %s: refused", name, address)
        return _shown(door, visit, _(_WRONG), status=403)
    door.throttle.passed(now, name.casefold(), address)
    _begin(visit, user.person.name, proof_of(user.hash))
    return visit.back_to(visit.form.text("back"))


def _enter(door: Door, visit: Visit) -> Response:
    if door.local is None or not door.link.use(visit.query.text("token")):
        if visit.person.name:  # the same link again, in the browser that it let in
            return visit.go("/")
        return _shown(door, visit, _(_USED), status=403)
    _begin(visit, door.local.name, ONE_TIME)
    return visit.go("/")


def _begin(visit: Visit, name: str, proof: str) -> None:
    """Begins a session with tokens of its own, whatever the browser brought before."""
    visit.session = Session(name, proof, began=int(visit.served.clock.now().timestamp()))


def _log_out(sessions: Sessions, visit: Visit) -> Response:
    now = visit.served.clock.now().timestamp()
    sessions.end(visit.session, now)
    visit.session = Session(began=int(now))
    return visit.go("/log-in")
