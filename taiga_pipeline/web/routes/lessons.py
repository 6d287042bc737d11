"""What past deals teach a deal, what its own project taught, and a new deal that begins from it."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from taiga_pipeline.app.customers.lessons import answer_questions, questions_of, similar_deals
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.planning.lessons.experience import Outcome
from taiga_pipeline.planning.lessons.looking_back import look_back
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.visit import Visit


def show(visit: Visit) -> Response:
    """Shows decided deals that are similar to one, and what is asked of its project."""
    found = similar_deals(visit.workspace, visit.query.text("key"))
    own = look_back(found.itself, questions_of(visit.workspace))
    return visit.show(
        "lessons.html.j2",
        deal=found.deal,
        similar=found.similar,
        notices=found.notices,
        own=own if found.itself.outcome is Outcome.WON else None,
        given={each.question: each for each in own.answers},
    )


def answer(visit: Visit) -> Response:
    """Keeps answers to what is asked of a project; one that was given before is replaced."""
    form, key = visit.form, visit.form.text("key")
    numbers = range(1, len(questions_of(visit.workspace)) + 1)
    answers = {
        number: text
        for number in numbers
        if (text := form.text(f"answer.{number}").strip()) != form.text(f"was.{number}").strip()
    }
    if not answers:
        raise InvalidValue("nothing is answered")
    found = answer_questions(visit.workspace, key, answers, by=visit.by)
    visit.say(_("What was learnt with {deal} is kept.", deal=found.deal.key))
    return visit.go("/deal/lessons", key=found.deal.key)


LESSONS: Final = Section("Lessons", "", (get("/deal/lessons", show), post("/deal/lessons", answer)))
