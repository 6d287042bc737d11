"""What is asked of a project that has ended, and what was answered. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.planning.lessons.experience import Experience
from taiga_pipeline.planning.lessons.retrospective import Answer, in_order


@dataclass(frozen=True, slots=True)
class Retrospective:
    """What is asked of a deal's project, and what was answered.

    ``questions`` are those of the configuration; ``answers`` are in their order, and those to
    questions that are asked no more come last. ``is_due``: the project has ended, and a question is
    not answered.
    """

    deal: Deal
    questions: tuple[str, ...]
    answers: tuple[Answer, ...]
    has_ended: bool

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The questions that nobody answered."""
        answered = {folded(each.question) for each in self.answers}
        return tuple(each for each in self.questions if folded(each) not in answered)

    @property
    def is_due(self) -> bool:
        """Whether somebody should answer."""
        return self.has_ended and bool(self.unanswered)


def look_back(found: Experience, questions: Sequence[str]) -> Retrospective:
    """Returns what is asked and was answered of a deal of which it is known what became of it."""
    answers = in_order(found.answers, questions)
    return Retrospective(found.deal, tuple(questions), answers, found.has_ended)
