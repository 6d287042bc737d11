"""Answers that people write in a project that has ended, on the page that asks for them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

from sync.plan.model import GroupPlan
from sync.records.model import Observed
from sync.run.report import RunReport
from taiga_pipeline.app.card_changes import CardChange, CardEvent
from taiga_pipeline.app.card_talk import left_for_later
from taiga_pipeline.app.customers.lessons import questions_of
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.looking_back import SLUG, is_looking_back
from taiga_pipeline.pipeline.delivery import delivery_facts
from taiga_pipeline.pipeline.errors import RequestError
from taiga_pipeline.planning.lessons.retrospective import (
    answers_below,
    newest_on_page,
    page_note,
    said_to_have_ended,
    seems_ended,
)
from taiga_pipeline.records import PHASE_MARK, Kind, Wiki, deal_of
from taiga_pipeline.targets.port import TakesCards

if TYPE_CHECKING:
    from sync.run.runner import Runner
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.pipeline.store import DealStore

log = logging.getLogger(__name__)

_DONE: Final = '"progress":1'
"""In the facts of a project of which all is done; what else it finds is looked at."""


def who_has_ended(workspace: Workspace) -> Callable[[Deal], bool]:
    """Returns what tells of a deal whether its project is asked what it taught.

    It is if delivery reports that the project has ended, if a person says so, and once it was
    asked; never where answers could not be kept, as deals are not in the built-in store.
    """
    if not workspace.has_store or not questions_of(workspace):
        return lambda deal: False
    with state_to_read(workspace) as store:
        asked = store.groups_with(Kind.WIKI, SLUG)
        done = store.all_facts(containing=_DONE)
        of_phases = store.keys_with(PHASE_MARK, followed=True)
    today = workspace.today
    over = {key for key, (facts, _) in done.items() if _has_ended(key, facts, today)}
    going_on = {deal_of(key) for key in of_phases if key not in over}
    ended = asked | (over - going_on)
    return lambda deal: deal.key in ended or said_to_have_ended(deal.notes, ())


def _has_ended(key: str, facts: Mapping[str, object], today: date) -> bool:
    milestones = delivery_facts(key, facts, None, "").milestones
    days = [finish for _, _, finish in milestones if finish is not None]
    return seems_ended(facts, max(days, default=None), today)


def take_up_answers(workspace: Workspace, runner: Runner, report: RunReport) -> list[CardChange]:
    """Adds to the deals' notes what people answered on the pages that a run saw.

    Such a project is looked at again until this is done: a run that is killed loses no answer.
    """
    taken: list[CardChange] = []
    for group in report.held:
        page = next((c for c in group.desired.children if is_looking_back(c.key)), None)
        if page is None:
            continue
        try:
            with deal_store(workspace) as store:
                taken += _take_up(workspace, runner, group, store)
        except RequestError as error:  # the deal is gone, or a text cannot be kept
            log.warning("%s: an answer is not taken up: %s", group.key, error)
        runner.settle(group)
    return taken


def _take_up(
    workspace: Workspace, runner: Runner, group: GroupPlan, store: DealStore
) -> Iterator[CardChange]:
    page = _page_of(group)
    text = _text_of(runner, page) if page else ""
    by = ""
    for question, answer in answers_below(text, questions_of(workspace)):
        notes = store.get(group.key).notes
        if newest_on_page(notes, question) == answer:
            continue
        by = by or _who_wrote(runner, group, page)
        _, note, is_new = store.add_note(group.key, page_note(question, answer, by, notes))
        if is_new:
            tool = runner.target.name
            who = "" if by == tool else by
            yield CardChange(CardEvent.NOTED, group.key, tool, text=note.text, by=who)


def _page_of(group: GroupPlan) -> Observed | None:
    return next((c for c in group.children if (c.kind, c.identity) == (Kind.WIKI, SLUG)), None)


def _text_of(runner: Runner, page: Observed) -> str:
    """Returns what people wrote on the page."""
    fields = runner.target.split(page, [{Wiki.FACTS: ""}])
    return str(fields.get(Wiki.TEXT) or "")


def _who_wrote(runner: Runner, group: GroupPlan, page: Observed | None) -> str:
    """Returns who changed the page last; the tool's name where that is unknown."""
    target = runner.target
    if isinstance(target, TakesCards) and group.root and page:
        with left_for_later("who answered is unknown"):
            found = target.editors(group.root.id).get((page.kind, page.id))
            if found:
                return found
    return target.name
