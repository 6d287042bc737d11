"""Retrospectives: what people say of a project when it has ended. Pure functions.

Answers are entries of the deal's log of notes, each of an origin of its own: so they have a time
and an author, stand on the project's page "From sales", and go wherever the deal goes. The first
line of such an entry is the question, what follows is the answer. So is a note that people wrote
themselves in that form. Of several answers to one question, the newest holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from taiga_pipeline.pipeline.model import Note
from taiga_pipeline.pipeline.text import folded, line

QUESTIONS: Final = (
    "What went well?",
    "What did we underestimate?",
    "What will we do differently in the next offer?",
)
"""What is asked, unless the configuration has other questions."""

ORIGIN: Final = "retrospective:"
_ON_PAGE: Final = f"{ORIGIN}page:"
_MARKS: Final = re.compile(r"^[\s#>*_-]*(?:[0-9]{1,2}[.)])?[\s*_]*")
ENDED: Final = f"{ORIGIN}ended"
ENDED_TEXT: Final = "The project has ended."
TAKEN_BACK: Final = "(answer taken back)"
"""What the log has in place of an answer that does not hold any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and what was answered; ``text`` is "" for one that was taken back.

    ``at`` is UTC, None where it is not known; ``by`` is who answered.
    """

    question: str
    text: str
    at: datetime | None = None
    by: str = ""


def answer_note(question: str, text: str, by: str, number: int) -> Note:
    """Returns the note that an answer is in the log of its deal; ``number`` tells it from others.

    A text of "" takes the answers to the question back.
    """
    return Note(f"{line(question)}\n{text.strip() or TAKEN_BACK}", None, by, f"{ORIGIN}{number}")


def ended_note(by: str) -> Note:
    """Returns the note with which somebody says that a deal's project has ended."""
    return Note(ENDED_TEXT, None, by, ENDED)


def answers_in(notes: Iterable[Note], questions: Sequence[str] = QUESTIONS) -> tuple[Answer, ...]:
    """Returns the answers in a log, to each question the newest, in the order of their times.

    A note that begins with one of the ``questions`` holds answers as well, whoever brought it: a
    comment on the deal's card, for example. Its other questions may follow below.
    """
    newest: dict[str, Answer] = {}
    for note in notes:  # the newest comes first
        for question, text in _answers(note, questions):
            answer = Answer(question, text.strip(), note.at, note.by)
            newest.setdefault(folded(question), answer)
    return tuple(each for each in reversed(newest.values()) if each.text not in ("", TAKEN_BACK))


def _answers(note: Note, questions: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the questions that a note answers, with the answers."""
    first, _, rest = note.text.partition("\n")
    if note.origin.startswith(ORIGIN):
        if note.origin != ENDED:
            yield first, rest
        return
    asked = {_plain(each): each for each in questions}
    if _plain(first) in asked:
        yield from answers_below(note.text, questions)


def answers_below(text: str, questions: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the questions that stand in a text on lines of their own, with what stands below each.

    What comes before the first one, and a question with nothing below it, is left out.
    """
    asked = {_plain(each): each for each in questions}
    question, answer = "", list[str]()
    for each in (*text.split("\n"), None):
        if each is None or _plain(each) in asked:
            if question and (found := "\n".join(answer).strip()):
                yield question, found
            question, answer = asked[_plain(each)] if each is not None else "", []
        else:
            answer.append(each)


def page_note(question: str, text: str, by: str, notes: Sequence[Note]) -> Note:
    """Returns the note that an answer on a project's page is, in a log that holds ``notes``."""
    number = sum(note.origin.startswith(_ON_PAGE) for note in notes) + 1
    return Note(f"{line(question)}\n{text}", None, by, f"{_ON_PAGE}{number}")


def newest_on_page(notes: Iterable[Note], question: str) -> str:
    """Returns the answer to a question that a project's page held last, "" for none."""
    for note in notes:  # the newest comes first
        first, _, rest = note.text.partition("\n")
        if note.origin.startswith(_ON_PAGE) and folded(first) == folded(line(question)):
            return rest
    return ""


def _plain(text: str) -> str:
    """Returns a line as a question is compared: without marks of headings and lists, and number."""
    return folded(line(_MARKS.sub("", text)).rstrip(":* "))


def in_order(answers: Iterable[Answer], questions: Sequence[str]) -> tuple[Answer, ...]:
    """Returns the answers as the questions are asked; those to others come last."""
    places = {folded(line(question)): place for place, question in enumerate(questions)}
    return tuple(
        sorted(answers, key=lambda each: places.get(folded(each.question), len(questions)))
    )


def said_to_have_ended(notes: Sequence[Note], answers: Sequence[Answer]) -> bool:
    """Whether a person said that the project has ended, or answered as if it had."""
    return bool(answers) or any(note.origin.startswith(ORIGIN) for note in notes)


def seems_ended(facts: Mapping[str, object], last_day: date | None, today: date) -> bool:
    """Whether what delivery reported says that a project has ended.

    All of it is done, and its last milestone (``last_day``, None: there is none) has passed.
    """
    progress = facts.get("progress")
    is_done = isinstance(progress, int | float) and not isinstance(progress, bool) and progress >= 1
    return is_done and (last_day is None or last_day <= today)
