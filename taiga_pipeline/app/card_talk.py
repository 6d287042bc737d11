"""What cards are answered, once each, and who people on cards are."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sync.errors import OutcomeUnknown, Stop, SyncError
from sync.records.model import Observed
from taiga_pipeline.app.store_access import people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.pipeline.card_store import CardStore
from taiga_pipeline.targets.port import TakesCards

log = logging.getLogger(__name__)


@dataclass
class CardAnswers:
    """Says on cards why something must not be so: each thing once, until the card is in order.

    A run that is killed while it says something is made up for by the next one. Whether the card
    was answered before that, the number of its comments tells.
    """

    cards: CardStore
    target: TakesCards
    _given: set[str] = field(default_factory=set)

    def say(self, name: str, card: Observed, text: str) -> None:
        """Says ``text`` on the card of that name in the store, unless that was said already."""
        self._given.add(name)
        comments = card.facts.get("comments")
        digest = hashlib.sha256(text.encode()).hexdigest()
        count = comments if isinstance(comments, int) else 0
        if not self.cards.begin_answer(name, digest, count):
            return
        try:
            self.target.comment_on(card.id, text)
        except Stop:
            raise
        except OutcomeUnknown as error:
            log.warning("a card may not be answered; the next run looks: %s", error)
        except SyncError as error:
            log.warning("a card could not be answered: %s", error)
        else:
            self.cards.end_answer(name, digest)

    def forget(self, names: frozenset[str]) -> None:
        """Forgets what was said on cards that are in order now: the same may be said again."""
        self.cards.forget_answers(names - self._given)


def people_by_name(workspace: Workspace) -> dict[str, str]:
    """Returns the lower-case addresses of the roster, by normalised name; no name that two have.

    :raises Stop: the roster cannot be read. To go on without it would unassign every card.
    """
    found: dict[str, set[str]] = {}
    with people_store(workspace) as store:
        for person in store.people():
            found.setdefault(normalise(person.name), set()).add(person.email.casefold())
    return {name: next(iter(each)) for name, each in found.items() if len(each) == 1}


@contextmanager
def left_for_later(what: str, kinds: tuple[type[Exception], ...] = (SyncError,)) -> Iterator[None]:
    """Logs an error about one card, after which the next run tries again.

    :raises Stop: what ends the run.
    """
    try:
        yield
    except Stop:
        raise
    except kinds as error:
        log.warning("%s; the next run tries again: %s", what, error)
