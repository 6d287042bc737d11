"""Past deals that are similar to one, and what people say of a project that has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.customers.records import Past
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownDeal
from taiga_pipeline.planning.lessons.experience import Outcome
from taiga_pipeline.planning.lessons.retrospective import (
    ORIGIN,
    Answer,
    answer_note,
    ended_note,
    in_order,
)
from taiga_pipeline.planning.lessons.similar import Similarity, most_similar
from taiga_pipeline.problems import nearest

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.pipeline.store import DealStore
    from taiga_pipeline.planning.lessons.experience import Experience

MOST: Final = 5
"""Similar deals that are found unless another number is asked for."""


@dataclass(frozen=True, slots=True)
class SimilarDeal:
    """A decided deal that is similar to another, with what became of it."""

    similarity: Similarity
    experience: Experience


@dataclass(frozen=True, slots=True)
class SimilarDeals:
    """The decided deals most like one, the likest first. ``notices``: what cannot be known."""

    deal: Deal
    similar: tuple[SimilarDeal, ...]
    notices: tuple[str, ...]


def similar_deals(workspace: Workspace, key: str, *, limit: int = MOST) -> SimilarDeals:
    """Returns the decided deals that are most like one, and what became of them.

    Works with every source; what it does not tell is unknown in the result.

    :raises UnknownDeal: there is no such deal.
    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    past = Past(workspace)
    deal = next((each for each in past.outlines if each.key == key.strip()), None)
    if deal is None:
        raise UnknownDeal(key, nearest(key, [each.key for each in past.outlines]))
    found = most_similar(deal, past.decided(), workspace.rates, limit)
    experiences = past.experiences([each.key for each, _ in found])
    by_key = {each.deal.key: each for each in experiences}
    similar = [SimilarDeal(how, by_key[each.key]) for each, how in found if each.key in by_key]
    return SimilarDeals(deal, tuple(similar), past.notices)


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
        answered = {each.question for each in self.answers}
        return tuple(each for each in self.questions if each not in answered)

    @property
    def is_due(self) -> bool:
        """Whether somebody should answer."""
        return self.has_ended and bool(self.unanswered)


def retrospective_of(workspace: Workspace, key: str) -> Retrospective:
    """Returns what is asked and was answered of a deal's project.

    :raises UnknownDeal: there is no such deal.
    :raises ProblemsError: what is wrong with the configuration or the mappings.
    """
    return _retrospective(workspace, _experience(workspace, key))


def _experience(workspace: Workspace, key: str) -> Experience:
    past = Past(workspace)
    found = past.experiences([key.strip()])
    if not found:
        raise UnknownDeal(key, nearest(key, [each.key for each in past.outlines]))
    return found[0]


def retrospectives(workspace: Workspace) -> tuple[Retrospective, ...]:
    """Returns those of all won deals whose projects have ended, or that have answers, by key.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    past = Past(workspace)
    won = [deal.key for deal in past.outlines if past.outcome(deal) is Outcome.WON]
    found = (each for each in past.experiences(won) if each.has_ended or each.answers)
    return tuple(_retrospective(workspace, each) for each in found)


def answer(
    workspace: Workspace, key: str, answers: Mapping[int, str], *, by: str, has_ended: bool = False
) -> Retrospective:
    """Answers questions of a deal's retrospective, by their numbers from 1; returns it after that.

    A text of "" takes an answer back. ``has_ended`` says that the project has ended, whatever
    delivery reports; an answer says so too. Each is an entry of the deal's log of notes.

    :raises UnknownDeal: there is no such deal.
    :raises InvalidValue: there is no such question, the deal is not won, or a text cannot be kept.
    """
    questions = workspace.settings.deals.retrospective
    for number in answers:
        if not 1 <= number <= len(questions):
            raise InvalidValue(f"there is no question {number}; there are {len(questions)}")
    before = _experience(workspace, key)
    deal = before.deal.key
    if before.outcome is not Outcome.WON:
        raise InvalidValue(f"deal {deal} is not won, so there is no project to look back at")
    with deal_store(workspace) as store:
        if has_ended:
            store.add_note(deal, ended_note(by))
        for number, text in sorted(answers.items()):
            question = questions[number - 1]
            if text.strip() or any(each.question == question for each in before.answers):
                _add_answer(store, deal, question, text, by)
    return retrospective_of(workspace, key)


def _add_answer(store: DealStore, key: str, question: str, text: str, by: str) -> None:
    """Adds an answer to the log, behind those that others add at the same time."""
    count = sum(1 for note in store.get(key).notes if note.origin.startswith(ORIGIN))
    while True:  # a number that somebody else took in between is another one next time
        count += 1
        _, _, is_new = store.add_note(key, answer_note(question, text, by, count))
        if is_new:
            return


def _retrospective(workspace: Workspace, found: Experience) -> Retrospective:
    questions = tuple(workspace.settings.deals.retrospective)
    answers = in_order(found.answers, questions)
    return Retrospective(found.deal, questions, answers, found.has_ended)
