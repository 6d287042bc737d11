"""What became of deals, as JSON and as terminal text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.cli.pipeline.deal_text import money
from taiga_pipeline.hints import command
from taiga_pipeline.language import counted, figure, marked, plural
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.cells import format_time
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.own import json_form
from taiga_pipeline.planning.lessons.experience import Outcome
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.customers.lessons import SimilarDeal
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.lessons.experience import Experience
    from taiga_pipeline.planning.lessons.looking_back import Retrospective
    from taiga_pipeline.planning.lessons.retrospective import Answer
    from taiga_pipeline.planning.lessons.similar import Similarity

UNKNOWN: Final = marked("unknown")
_ABOUT: Final = ("key", "name", "customer", "stage", "currency", "service", "team", "owner")
_ANSWERS: Final = 5
"""Answers to one question that metrics show, the newest; ``--json`` has all."""
_DUE: Final = 10
_PEOPLE: Final = 8
"""People who are named of one deal; ``--json`` has all."""


def experience_json(found: Experience, table: FieldTable) -> dict[str, Any]:
    """Returns what became of a deal as plain data; what is not known is None, or empty."""
    deal = found.deal
    plain = asdict(found)
    days = {name: _iso(getattr(deal, name)) for name in ("expected_close", "closed_on")}
    return {
        **{name: getattr(deal, name) for name in _ABOUT},
        "value": None if deal.value is None else format(deal.value, "f"),
        **days,
        "outcome": found.outcome.value,
        "lost_reason": deal.lost_reason,
        "stays": plain["stays"],
        "roles": plain["roles"],
        "sold_hours": found.sold_hours,
        "staffed_hours": found.staffed_hours,
        "spent_hours": found.spent_hours,
        "start": _iso(found.start),
        "has_begun": found.has_begun,
        "slip_days": found.slip_days,
        "progress": found.progress,
        "people": list(found.people),
        "url": found.url,
        "has_ended": found.has_ended,
        "retrospective": [answer_json(each) for each in found.answers],
        "own": {field.name: json_form(field, deal.own.get(field.name, "")) for field in table.own},
    }


def similar_json(similar: SimilarDeal, table: FieldTable) -> dict[str, Any]:
    """Returns a similar deal as plain data, with how similar it is."""
    return {
        "similarity": asdict(similar.similarity),
        **experience_json(similar.experience, table),
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """Returns an answer as plain data."""
    return {**asdict(answer), "at": format_time(answer.at) if answer.at else None}


def retrospective_json(found: Retrospective) -> dict[str, Any]:
    """Returns a retrospective as plain data."""
    return {
        "deal": found.deal.key,
        "name": found.deal.name,
        "customer": found.deal.customer,
        "has_ended": found.has_ended,
        "is_due": found.is_due,
        "questions": list(found.questions),
        "answers": [answer_json(each) for each in found.answers],
    }


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None


def print_similar(found: Iterable[SimilarDeal]) -> None:
    """Prints similar deals, some lines each."""
    for similar in found:
        experience = similar.experience
        click.echo(safe(f"  {_headline(experience)}"))
        click.echo(_("    like this one: {likeness}", likeness=_likeness(similar.similarity)))
        for line in experience_lines(experience):
            click.echo(safe(f"    {line}"))


def _headline(found: Experience) -> str:
    deal = found.deal
    customer = f" ({deal.customer})" if deal.customer else ""
    return f"{deal.key}  {deal.name}{customer}: {', '.join(filter(None, _result(found)))}"


def _result(found: Experience) -> Iterator[str]:
    deal, when = found.deal, ""
    if found.outcome in (Outcome.WON, Outcome.LOST) and deal.closed_on:
        when = _(" on {closed_on}", closed_on=deal.closed_on)
    yield f"{_(found.outcome.value)}{when}"
    if found.outcome is Outcome.LOST:
        yield (
            _("because: {lost_reason}", lost_reason=deal.lost_reason)
            if deal.lost_reason
            else _("reason unknown")
        )
    yield money(deal)


def _likeness(similarity: Similarity) -> str:
    parts = [
        word
        for word, is_same in (
            (_("same service"), similarity.same_service),
            (_("same customer"), similarity.same_customer),
            (_("same team"), similarity.same_team),
        )
        if is_same
    ]
    size = similarity.size
    parts.append(
        _("size not comparable") if size is None else _("{size:.2g} times the value", size=size)
    )
    return ", ".join(parts)


def experience_lines(found: Experience) -> Iterator[str]:
    """Yields what became of a deal; what is not known is said so."""
    yield _("days in stages: {stays}", stays=_stays(found))
    if found.roles:
        yield _("roles: {role}", role="; ".join(_role(each) for each in found.roles))
    if found.outcome is Outcome.WON:
        yield _("hours: {hours_text}", hours_text=hours_text(found))
        yield _(
            "start: {slip_text}; progress {share_text}",
            slip_text=slip_text(found),
            share_text=share_text(found.progress),
        )
        yield _("worked for it: {people_text}", people_text=people_text(found.people))
    for answer in found.answers:
        yield answer_text(answer)


def _stays(found: Experience) -> str:
    stays = (f"{s.stage} {s.days:.0f}{_(' so far') if s.is_there else ''}" for s in found.stays)
    return ", ".join(stays) or _(UNKNOWN)


def _role(each: Any) -> str:
    staffed = _("{hours:,.0f} h staffed", hours=each.staffed) if each.staffed else _("none staffed")
    return _(
        "{role} {sold:,.0f} h sold, {staffed}", role=each.role, sold=each.sold, staffed=staffed
    )


def hours_text(found: Experience) -> str:
    """Returns hours sold, staffed and spent."""
    known = found.sold_hours, found.staffed_hours, found.spent_hours
    parts = zip((_("sold"), _("staffed"), _("spent")), known, strict=True)
    return ", ".join(f"{number(hours)} {word}" for word, hours in parts)


def number(hours: float | None) -> str:
    """Returns hours, or that they are not known."""
    return _(UNKNOWN) if hours is None else f"{figure(hours, ',.0f')} h"


def slip_text(found: Experience) -> str:
    """Returns how the start kept to the plan."""
    days = found.slip_days
    if days is None:
        return _(UNKNOWN)
    if not found.has_begun:
        return _("not begun")
    if days == 0:
        return _("on time")
    if days > 0:
        return plural("{number} day late", "{number} days late", days)
    return plural("{number} day early", "{number} days early", -days)


def share_text(share: float | None) -> str:
    """Returns a share in per cent, or that it is not known."""
    return _(UNKNOWN) if share is None else f"{100 * share:.0f} %"


def people_text(people: Iterable[str]) -> str:
    """Names people, as many as fit."""
    named = list(people)
    more = _(" and {count} more", count=len(named) - _PEOPLE) if len(named) > _PEOPLE else ""
    return ", ".join(named[:_PEOPLE]) + more or _(UNKNOWN)


def answer_text(answer: Answer) -> str:
    """Returns an answer on one line."""
    when = f"{answer.at:%Y-%m-%d}" if answer.at else ""
    stamp = ", ".join(filter(None, (when, answer.by)))
    return f"{answer.question} {' '.join(answer.text.split())}{f' ({stamp})' if stamp else ''}"


def print_retrospective(found: Retrospective) -> None:
    """Prints the questions with what was answered."""
    state = _("has ended") if found.has_ended else _("has not ended, as far as is known")
    click.echo(
        safe(
            _(
                "{key}  {name}: the project {state}",
                key=found.deal.key,
                name=found.deal.name,
                state=state,
            )
        )
    )
    for place, question in enumerate(found.questions, start=1):
        given = next((each for each in found.answers if each.question == question), None)
        click.echo(safe(f"  {place}. {question}"))
        click.echo(safe(f"     {_given(given)}"))
    for answer in found.answers:
        if answer.question not in found.questions:
            click.echo(safe(_("  asked before: {answer_text}", answer_text=answer_text(answer))))


def _given(answer: Answer | None) -> str:
    if answer is None:
        return _("no answer")
    when = f"{answer.at:%Y-%m-%d}" if answer.at else ""
    stamp = ", ".join(filter(None, (when, answer.by)))
    return f"{' '.join(answer.text.split())}{f' ({stamp})' if stamp else ''}"


def print_lessons_learnt(found: Sequence[Retrospective]) -> None:
    """Prints what was answered to each question, the newest last, and who waits for answers."""
    if not found:
        return
    due = [each.deal.key for each in found if each.is_due]
    answered = sum(bool(each.answers) for each in found)
    click.echo(
        _(
            "\nRetrospectives: {answered} of {projects} that ended",
            answered=answered,
            projects=counted(len(found), "project"),
        )
    )
    if due:
        more = _(" and {count} more", count=len(due) - _DUE) if len(due) > _DUE else ""
        waiting = ", ".join(due[:_DUE]) + more
        click.echo(
            safe(
                _(
                    "waiting for answers: {waiting} ({command})",
                    waiting=waiting,
                    command=command("deals retrospective"),
                )
            )
        )
    by_question: dict[str, list[tuple[str, Answer]]] = {}
    for each in found:
        for answer in each.answers:
            by_question.setdefault(answer.question, []).append((each.deal.key, answer))
    for question, answers in by_question.items():
        click.echo(safe(f"  {question}"))
        answers.sort(key=lambda pair: str(pair[1].at or ""))
        for key, answer in answers[-_ANSWERS:]:
            click.echo(safe(f"    {key}: {_given(answer)}"))


def how_to_answer(deal: Deal) -> str:
    """Returns the command that answers the first question."""
    return command("deals retrospective", deal.key, options="--answer 1 TEXT")
