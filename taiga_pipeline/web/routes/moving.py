"""Moving a deal: by a card that is dragged, by keys, or by a form; its gate is asked for first."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from taiga_pipeline.app.deals.editing import check_off, move_deal
from taiga_pipeline.app.deals.looking import deal_of
from taiga_pipeline.app.deals.moving import MovePreview, preview_move, stages_for
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import GateClosed, InvalidValue
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.routes.board import lanes_after
from taiga_pipeline.web.visit import Visit


def ask(visit: Visit) -> Response:
    """Asks where to, or what a move to a stage takes."""
    key, stage = visit.query.text("key"), visit.query.text("stage")
    back = visit.query.text("back")
    if stage:
        return _question(visit, preview_move(visit.workspace, key, stage), back=back)
    deal = deal_of(visit.workspace, key)
    stages = stages_for(visit.workspace, deal)
    return visit.show("move_where.html.j2", deal=deal, stages=stages, back=back)


def move(visit: Visit) -> Response:
    """Moves a deal, or asks first for what the move takes."""
    form = visit.form
    preview = preview_move(visit.workspace, form.text("key"), form.text("stage"))
    back = form.text("back")
    if preview.is_asking and not form.has("asked"):
        return _question(visit, preview, back=back)
    wrong = _objection(preview, form.text("lost_reason"))
    if wrong:
        return _question(visit, preview, wrong, back=back, status=422)
    try:
        return _moved(visit, preview)
    except (GateClosed, InvalidValue) as error:
        again = preview_move(visit.workspace, preview.deal.key, preview.to.name)
        status = 409 if isinstance(error, GateClosed) else 422
        return _question(visit, again, str(error), back=back, status=status)


def _objection(preview: MovePreview, reason: str) -> str:
    if preview.to.category is Category.LOST and not reason.strip():
        return _("Say why it was lost: that is what the next ones learn from.")
    return ""


def _moved(visit: Visit, preview: MovePreview) -> Response:
    form, key = visit.form, preview.deal.key
    closed_on = read_fields({"closed_on": form.text("closed_on")})["closed_on"]
    if actions := form.texts("action"):
        check_off(visit.workspace, key, actions, by=visit.by)
    done = move_deal(
        visit.workspace,
        key,
        preview.to.name,
        by=visit.by,
        force=form.has("force"),
        closed_on=closed_on,
        lost_reason=form.text("lost_reason"),
        seen_stage=form.text("seen_stage"),
    )
    said = _("{deal} is in {stage} now.", deal=preview.deal.name, stage=done.to_stage)
    if visit.is_part and form.has("at"):
        return lanes_after(visit, (done.from_stage, done.to_stage), said)
    visit.say(said)
    return visit.back()


def _question(
    visit: Visit, preview: MovePreview, wrong: str = "", *, back: str, status: int = 200
) -> Response:
    template = "move_form.html.j2" if visit.is_part else "move.html.j2"
    return visit.show(
        template,
        status=status,
        preview=preview,
        wrong=wrong,
        form=visit.form,
        back=back,
        today=visit.workspace.today,
    )


MOVING: Final = Section("Move", "", (get("/move", ask), post("/move", move)))
