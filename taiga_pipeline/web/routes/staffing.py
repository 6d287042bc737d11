"""Who should work on what: suggestions that are accepted deal by deal, and who can take a deal."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from starlette.responses import Response

from taiga_pipeline.app.deals.staffing import put_on, staffing_of
from taiga_pipeline.app.planning.fitting import needing_people, who_for
from taiga_pipeline.app.planning.staffing import Wanted, accept_suggestion
from taiga_pipeline.app.planning.suggested import Suggested, keep_suggestion, last_suggestion
from taiga_pipeline.language import plural, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.columns import parse_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.web.access.people import Role
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.seen import NotSeen, mark_of
from taiga_pipeline.web.visit import Visit

SECONDS: Final = 3.0
"""So long a page looks for a better plan; the command may look longer."""
MOST_DELAY: Final = 26


def show(visit: Visit) -> Response:
    """Shows the last suggestion."""
    suggested = last_suggestion(visit.workspace)
    return visit.show("staffing.html.j2", suggested=suggested, seen=_mark(suggested))


def _mark(suggested: Suggested | None) -> str:
    return mark_of(suggested and json.dumps(suggested.document, sort_keys=True))


def suggest(visit: Visit) -> Response:
    """Makes a suggestion; nothing else changes."""
    form = visit.form
    wanted = Wanted(
        seconds=SECONDS,
        max_delay=form.number("delay", 0, MOST_DELAY),
        move=form.text("move") == "yes",
    )
    keep_suggestion(visit.workspace, wanted)
    return visit.go("/plan/staffing")


def accept(visit: Visit) -> Response:
    """Takes over what is suggested for one deal."""
    key = visit.form.text("key").strip()
    if not key:
        raise InvalidValue("no deal is named")
    if _mark(last_suggestion(visit.workspace)) != visit.form.text("seen"):
        raise NotSeen
    accepted = accept_suggestion(visit.workspace, by=visit.by, only=[key])
    visit.say(
        plural(
            "{deal}: {number} allocation is stored.",
            "{deal}: {number} allocations are stored.",
            accepted.changed,
            deal=key,
        )
    )
    for deal, start in accepted.starts.items():
        visit.say(_("{deal} begins on {day} now.", deal=deal, day=start))
    return visit.go("/plan/staffing")


def who(visit: Visit) -> Response:
    """Shows who can take a deal."""
    key = visit.query.text("key").strip()
    found = who_for(visit.workspace, key, Wanted()) if key else None
    if found is None:
        deals = needing_people(visit.workspace, Wanted())
    else:
        deals = tuple((work.key, work.name) for work in found.case.works)
    return visit.show(
        "who.html.j2",
        found=found,
        key=key,
        deals=deals,
        day_before=timedelta(days=1),
        seen=_who_is_on(visit, key) if key else "",
    )


def _who_is_on(visit: Visit, key: str) -> str:
    return mark_of(staffing_of(visit.workspace, key).allocations)


def take(visit: Visit) -> Response:
    """Puts somebody on a deal: for sure if it is won, else as a reservation."""
    form = visit.form
    allocation = Allocation(
        deal_key=form.text("key"),
        email=form.text("email"),
        role=form.text("role"),
        hours_per_week=_hours(form.text("hours")),
        start=parse_cell("start", form.text("start")) if "start" in form else None,
        end=parse_cell("start", form.text("end")) if "end" in form else None,
    )
    if form.text("seen") != _who_is_on(visit, allocation.deal_key):
        raise NotSeen
    put = put_on(visit.workspace, allocation, by_stage=True, by=visit.by)
    who, deal = put.allocation.email, put.allocation.deal_key
    if put.allocation.confirmed:
        visit.say(_("{who} is on {deal}.", who=who, deal=deal))
    else:
        visit.say(_("{who} is reserved for {deal}.", who=who, deal=deal))
    if put.stays_away:
        visit.warn(
            _("{who} left the project of {deal}, and is not added to it again.", who=who, deal=deal)
        )
    for each in put.overloads:
        visit.warn(translated(str(each)))
    if put.beyond:
        visit.warn(translated(str(put.beyond)))
    return visit.go("/plan/who", key=deal)


def _hours(text: str) -> Decimal:
    try:
        hours = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise InvalidValue(f"{text!r} is not a number of hours") from None
    if not hours.is_finite():
        raise InvalidValue(f"{text!r} is not a number of hours")
    return hours


STAFFING = Section(
    "Staffing",
    "",
    (
        get("/plan/staffing", show),
        post("/plan/staffing", suggest, Role.PLAN),
        post("/plan/staffing/accept", accept, Role.PLAN),
        get("/plan/who", who),
        post("/plan/who", take, Role.PLAN),
    ),
)
