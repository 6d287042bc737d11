"""Follow-ups: what waits for somebody today, and what is odd about deals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from starlette.responses import Response

from taiga_pipeline.app.deals.board import is_of
from taiga_pipeline.app.deals.editing import edit_deal
from taiga_pipeline.app.deals.follow_ups import Followed
from taiga_pipeline.app.deals.listing import Listed, Selection, SortBy, list_deals
from taiga_pipeline.app.deals.looking import deal_seen
from taiga_pipeline.app.deals.notes import add_note
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.language import marked
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import EditConflict, InvalidFields
from taiga_pipeline.pipeline.follow_ups import FollowUp
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.visit import Visit

PARTS: Final[Mapping[FollowUp, str]] = {
    FollowUp.OVERDUE: marked("Overdue"),
    FollowUp.TODAY: marked("Today"),
    FollowUp.THIS_WEEK: marked("This week"),
    FollowUp.CLOSE_PASSED: marked("Close date passed"),
    FollowUp.STALE: marked("Stale"),
    FollowUp.NO_STEP: marked("No next step"),
    FollowUp.START_BEFORE_CLOSE: marked("Start before close"),
}
"""The parts of the page, the most urgent first: a deal stands in the first one that it is in."""
FEW: Final = 50
_USUAL_DAYS: Final = 7
"""The next step is proposed for a week later."""


def show(visit: Visit) -> Response:
    """Shows what waits, the most urgent first; one's own, or everybody's.

    A person who is known as no owner, and for whom nothing waits, sees all at first.
    """
    selection = Selection(follow_ups=tuple(PARTS), sort=SortBy.FOLLOW_UP, scored=False)
    found, unread = _found(visit, selection)
    mine = [each for each in found if is_of(each.deal, visit.person.known_as)]
    who = visit.query.text("who") or ("mine" if mine or visit.person.owner else "all")
    is_all = who == "all"
    shown = found if is_all else mine
    parts = {part: [each for each in shown if _part(each) is part] for part in PARTS}
    return visit.show(
        "follow_ups.html.j2",
        parts=[(each.value, title, parts[each]) for each, title in PARTS.items() if parts[each]],
        is_all=is_all,
        counts=(len(mine), len(found)),
        few=None if visit.query.text("show") == "all" else FEW,
        unread=unread,
    )


def _found(visit: Visit, selection: Selection) -> tuple[tuple[Listed, ...], tuple[str, ...]]:
    """Returns what waits, or what is wrong with the mappings, so that it is not known."""
    unread = Followed(visit.workspace).unread
    if unread is not None:
        return (), tuple(map(str, unread.problems))
    return list_deals(visit.workspace, selection).deals, ()


def _part(each: Listed) -> FollowUp:
    return next(part for part in PARTS if part in each.waiting.follow_ups)


def ask(visit: Visit) -> Response:
    """Shows a form: what was done, and what is next."""
    return _form(visit, visit.query.text("key"))


def _form(visit: Visit, key: str, wrong: tuple[str, ...] = (), status: int = 200) -> Response:
    deal, version = deal_seen(visit.workspace, key)
    form = visit.form
    return visit.show(
        "follow_up_done.html.j2",
        status=status,
        deal=deal,
        version=form.text("version") or version,
        wrong=wrong,
        form=form,
        proposed=_proposed(visit.workspace.today),
        back=visit.query.text("back") or form.text("back"),
    )


def _proposed(today: date) -> date:
    return today + timedelta(days=_USUAL_DAYS)


def done(visit: Visit) -> Response:
    """Notes that a step was done, and asks for the next one; keeps that, once it is there."""
    form, key = visit.form, visit.form.text("key")
    if not form.has("next_step"):  # the one click: the step is done, what comes next is asked for
        return _step_done(visit, key)
    texts = {name: form.text(name) for name in ("next_step", "next_step_on")}
    try:
        values = read_fields(texts, table=visit.workspace.fields)
        edit_deal(visit.workspace, key, values, by=visit.by, seen=visit.version)
    except InvalidFields as error:
        return _form(visit, key, tuple(map(str, error.problems)), 422)
    except EditConflict as error:
        visit.form.forget("version")
        return _form(visit, key, (str(error),), 409)
    if said := form.text("note").strip():
        add_note(visit.workspace, key, said, by=visit.by)
    visit.say(_("The next step is kept."))
    return visit.back("/follow-ups")


def _step_done(visit: Visit, key: str) -> Response:
    deal, version = deal_seen(visit.workspace, key)
    step = visit.form.text("step")
    if deal.next_step != step:
        visit.warn(_("This step was changed meanwhile: {step}", step=deal.next_step))
        return visit.back("/follow-ups")
    cleared = {"next_step": "", "next_step_on": None}
    edit_deal(visit.workspace, key, cleared, by=visit.by, seen=version)
    said = _("Done: {step}", step=step) if step else _("Done.")
    add_note(visit.workspace, key, said, by=visit.by)
    return visit.go("/follow-ups/next", key=key, back=visit.form.text("back"))


FOLLOW_UPS: Final = Section(
    "Follow-ups",
    "/follow-ups",
    (
        get("/follow-ups", show),
        get("/follow-ups/next", ask),
        post("/follow-ups/done", done),
    ),
)
