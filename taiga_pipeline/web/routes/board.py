"""The board: the stages of the funnel as columns, deals as cards that are moved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import Response

from taiga_pipeline.app.deals.board import Asked, Board, show_board
from taiga_pipeline.pipeline.follow_ups import FollowUp
from taiga_pipeline.web.cards import CardsDrawn
from taiga_pipeline.web.pages import Section, get
from taiga_pipeline.web.visit import Fields, Visit

FEW: Final = 40
"""So many cards of a stage are shown; the others on demand."""
WAITS: Final = (
    FollowUp.OVERDUE,
    FollowUp.TODAY,
    FollowUp.STALE,
    FollowUp.CLOSE_PASSED,
    FollowUp.NO_STEP,
)
"""What deals can be filtered by."""


def asked_of(query: Fields, visit: Visit) -> Asked:
    """Returns which deals an address of the board asks for."""
    is_mine = query.text("who") == "mine"
    waits = query.text("waits")
    unfolded = query.texts("open")
    return Asked(
        text=query.text("q").strip(),
        owner=visit.person.known_as if is_mine else query.text("owner").strip(),
        team=query.text("team"),
        service=query.text("service"),
        follow_ups=frozenset(each for each in WAITS if each == waits),
        unfolded=frozenset(unfolded),
        most=None if query.text("cards") == "all" else FEW,
    )


def show(visit: Visit) -> Response:
    """Shows the board, or what of it a script asks for."""
    query = visit.query
    board = show_board(visit.workspace, asked_of(query, visit))
    return _shown(visit, "board.html.j2", board, query)


def lanes_after(visit: Visit, stages: Sequence[str], said: str) -> Response:
    """Shows the lanes of some stages again, as the address of the board says that is open."""
    query = Fields.of(QueryParams(visit.form.text("at").lstrip("?")))
    board = show_board(visit.workspace, asked_of(query, visit))
    lanes = frozenset(lane.stage for lane in board.lanes if lane.is_called(stages))
    return _shown(visit, "board_lanes.html.j2", board, query, stages=lanes, done=said)


def _shown(visit: Visit, template: str, board: Board, query: Fields, **more: Any) -> Response:
    asked = urlencode(list(query))
    cards = visit.workspace.remembered("cards", True, CardsDrawn)
    drawn = partial(cards.draw, visit, f"/{'?' + asked if asked else ''}")
    return visit.show(template, board=board, asked=query, waits=WAITS, drawn=drawn, **more)


BOARD: Final = Section("Board", "/", (get("/", show),))
