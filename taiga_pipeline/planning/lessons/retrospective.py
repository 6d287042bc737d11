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
    if _plain(first) not in asked:
        return
    question, answer = asked[_plain(first)], list[str]()
    for each in rest.split("\n"):
        if _plain(each) in asked:
            yield question, "\n".join(answer)
            question, answer = asked[_plain(each)], []
        else:
            answer.append(each)
    yield question, "\n".join(answer)


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
