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
from taiga_pipeline.planning.lessons.looking_back import Retrospective, look_back
from taiga_pipeline.planning.lessons.retrospective import ORIGIN, answer_note, ended_note
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
    """The decided deals most like one, the likest first. ``notices``: what cannot be known.

    ``itself`` is what became of the deal so far.
    """

    deal: Deal
    itself: Experience
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
    experiences = past.experiences([deal.key, *(each.key for each, _ in found)])
    by_key = {each.deal.key: each for each in experiences}
    if deal.key not in by_key:  # somebody removed it meanwhile
        raise UnknownDeal(key)
    similar = [SimilarDeal(how, by_key[each.key]) for each, how in found if each.key in by_key]
    return SimilarDeals(deal, by_key[deal.key], tuple(similar), past.notices)


def questions_of(workspace: Workspace) -> tuple[str, ...]:
    """Returns what is asked when a project has ended."""
    return tuple(workspace.settings.deals.retrospective)


def retrospective_of(workspace: Workspace, key: str) -> Retrospective:
    """Returns what is asked and was answered of a deal's project.

    :raises UnknownDeal: there is no such deal.
    :raises ProblemsError: what is wrong with the configuration or the mappings.
    """
    return look_back(_experience(workspace, key), questions_of(workspace))


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
    questions = questions_of(workspace)
    return tuple(look_back(each, questions) for each in found)


def answer_questions(
    workspace: Workspace, key: str, answers: Mapping[int, str], *, by: str, has_ended: bool = False
) -> Retrospective:
    """Answers questions of a deal's retrospective, by their numbers from 1; returns it after that.

    A text of "" takes an answer back. ``has_ended`` says that the project has ended, whatever
    delivery reports; an answer says so too. Each is an entry of the deal's log of notes.

    :raises UnknownDeal: there is no such deal.
    :raises InvalidValue: there is no such question, the deal is not won, or a text cannot be kept.
    """
    questions = questions_of(workspace)
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
