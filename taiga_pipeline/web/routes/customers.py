"""Customers: a list, all about one, and names that a person joins or keeps apart."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from taiga_pipeline.app.customers.customers import (
    ORDERS,
    CustomerDetails,
    join_customers,
    keep_apart,
    list_customers,
    show_customer,
    undo_join,
)
from taiga_pipeline.app.customers.lessons import answer_questions, questions_of
from taiga_pipeline.language import marked, plural
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.customers.names import Likeness
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.planning.lessons.experience import Experience, Outcome
from taiga_pipeline.planning.lessons.looking_back import look_back
from taiga_pipeline.web.access.people import Role
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.visit import Visit

MOST: Final = 200
"""Customers that are shown at once."""
MOST_SUGGESTED: Final = 20
_WHY: Final = {
    Likeness.SAME_BUT_FOR_FORM: marked("the same but for their form"),
    Likeness.ONE_LETTER_APART: marked("one letter apart"),
}
_ORDERS: Final = {
    "name": marked("name"),
    "open": marked("open value"),
    "won": marked("value won"),
    "deals": marked("number of deals"),
    "last": marked("last close"),
}


def show_all(visit: Visit) -> Response:
    """Lists customers, and names that may be one of them written two ways."""
    query = visit.query
    order = query.text("order") if query.text("order") in ORDERS else "name"
    found = list_customers(visit.workspace, text=query.text("q"), order=order)
    most = len(found.customers) if query.text("all") else MOST
    return visit.show(
        "customers.html.j2",
        customers=found.customers[:most],
        left_out=max(len(found.customers) - most, 0),
        suggestions=found.suggestions[:MOST_SUGGESTED],
        more_suggestions=max(len(found.suggestions) - MOST_SUGGESTED, 0),
        why=_WHY,
        orders=_ORDERS,
        order=order,
        q=query.text("q"),
    )


def show(visit: Visit) -> Response:
    """Shows all about a customer."""
    details = show_customer(visit.workspace, visit.query.text("name"))
    questions = questions_of(visit.workspace)
    return visit.show(
        "customer.html.j2",
        details=details,
        deals=_by_outcome(details),
        lessons=[look_back(each, questions) for each in details.deals if _is_told(each)],
        fields=visit.workspace.fields,
        why=_WHY,
    )


def _is_told(experience: Experience) -> bool:
    return experience.has_ended or bool(experience.answers)


def _by_outcome(details: CustomerDetails) -> list[tuple[str, list[Experience]]]:
    newest_first = list(reversed(details.deals))
    found = (
        (outcome.value, [each for each in newest_first if each.outcome is outcome])
        for outcome in (Outcome.OPEN, Outcome.WON, Outcome.LOST, Outcome.UNKNOWN)
    )
    return [(outcome, deals) for outcome, deals in found if deals]


def join(visit: Visit) -> Response:
    """Gives all deals of a customer the name of another one."""
    name, into = _names(visit)
    done = join_customers(visit.workspace, name, into, by=visit.by)
    visit.say(
        plural(
            "{number} deal of {name} is one of {into} now.",
            "{number} deals of {name} are {into}'s now.",
            len(done.deals),
            name=done.name,
            into=done.into,
        )
    )
    return visit.go("/customer", name=done.into)


def undo(visit: Visit) -> Response:
    """Takes a join back."""
    name, into = _names(visit)
    done = undo_join(visit.workspace, name, into, by=visit.by)
    visit.say(
        plural(
            "{number} deal is {name}'s again.",
            "{number} deals are {name}'s again.",
            len(done.deals),
            name=done.name,
        )
    )
    if done.kept:
        kept = ", ".join(done.kept)
        visit.warn(_("Renamed since, and left as they are: {deals}.", deals=kept))
    return visit.go("/customer", name=done.name) if done.deals else visit.go("/customers")


def apart(visit: Visit) -> Response:
    """Remembers that two names are two customers."""
    name, other = _names(visit)
    keep_apart(visit.workspace, name, other, by=visit.by)
    visit.say(_("{name} and {other} are two customers.", name=name, other=other))
    return visit.back("/customers")


def _names(visit: Visit) -> tuple[str, str]:
    name, into = visit.form.text("name"), visit.form.text("into")
    if not (name.strip() and into.strip()):
        raise InvalidValue("two customers have to be named")
    return name, into


def answer(visit: Visit) -> Response:
    """Answers questions about a project that has ended."""
    form = visit.form
    numbers = range(1, len(questions_of(visit.workspace)) + 1)
    answers = {number: form.text(f"answer.{number}") for number in numbers}
    given = {number: text for number, text in answers.items() if text.strip()}
    if not given:
        raise InvalidValue("nothing is answered")
    found = answer_questions(visit.workspace, form.text("key"), given, by=visit.by)
    visit.say(_("What was learnt with {deal} is kept.", deal=found.deal.key))
    return visit.go("/customer", name=found.deal.customer)


CUSTOMERS = Section(
    "Customers",
    "/customers",
    (
        get("/customers", show_all),
        get("/customer", show),
        post("/customers/join", join, Role.SELL),
        post("/customers/undo", undo, Role.SELL),
        post("/customers/apart", apart, Role.SELL),
        post("/customer/answer", answer, Role.SELL),
    ),
)
