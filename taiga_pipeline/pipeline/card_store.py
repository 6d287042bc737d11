"""What is known of cards that people work on: whose they are, and what of them was taken up.

A card is named by its tool, its board and its number there, such as ``taiga:12:345``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, insert, select, update

from taiga_pipeline.pipeline.schema import CARDS, open_store, reading_store, writing_store

_AT_ONCE: Final = 500
_BEGUN: Final = "?"
"""Before the number of comments that a card had when something was about to be said."""


@dataclass(frozen=True, slots=True)
class CardRow:
    """What is known of a card.

    ``deal`` is the key of the deal that was made of it, "" where none was (yet). ``comments`` is
    how many comments it had when they were last taken up. ``answered`` is the digest of what was
    refused last: one and the same is answered once. While it is being said, the number of comments
    before that follows.
    """

    deal: str = ""
    comments: int = 0
    answered: str = ""


class CardStore:
    """Cards in the same database as the deals. Every method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> CardStore:
        """Opens the store at a database URL.

        :raises Unreachable: it is missing, locked, damaged, or from a newer program.
        """
        return cls(open_store(url))

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def known(self, cards: Collection[str]) -> Mapping[str, CardRow]:
        """Returns what is known of cards, by their names; of the others nothing is."""
        names, found = sorted(cards), {}
        with reading_store(self._engine) as connection:
            for begin in range(0, len(names), _AT_ONCE):
                query = select(CARDS).where(CARDS.c.card.in_(names[begin : begin + _AT_ONCE]))
                for row in connection.execute(query):
                    found[row.card] = CardRow(row.deal_key or "", row.comments, row.answered)
        return found

    def made_of(self, board: str) -> Mapping[str, str]:
        """Returns the deals that were made of cards of a board ("tool:number"), by the card's name.

        A deal that has another key by now is known by that one.
        """
        query = select(CARDS.c.card, CARDS.c.deal_key).where(
            CARDS.c.card.startswith(f"{board}:", autoescape=True), CARDS.c.deal_key.is_not(None)
        )
        with reading_store(self._engine) as connection:
            return {row.card: row.deal_key for row in connection.execute(query) if row.deal_key}

    def took_up(self, card: str, comments: int) -> None:
        """Notes that the comments on a card were taken up, so many of them."""
        self._note(card, {"comments": comments})

    def begin_answer(self, card: str, digest: str, comments: int) -> bool:
        """Notes what is about to be said on a card that has so many comments.

        Tells whether to say it. Where a run was cut off while it said the same, it was said if
        there is a comment more by now.
        """
        with writing_store(self._engine) as connection:
            query = select(CARDS.c.answered).where(CARDS.c.card == card)
            before = str(connection.execute(query).scalar() or "")
            said, _, begun = before.partition(_BEGUN)
            if said == digest and not (begun and int(begun) == comments):
                return False
            _put(connection, card, {"answered": f"{digest}{_BEGUN}{comments}"})
            return True

    def end_answer(self, card: str, digest: str) -> None:
        """Notes that it was said."""
        self._note(card, {"answered": digest})

    def forget_answers(self, cards: Collection[str]) -> None:
        """Notes that nothing on cards waits to be put right."""
        for name, row in self.known(cards).items():
            if row.answered:
                self._note(name, {"answered": ""})

    def _note(self, card: str, values: Mapping[str, object]) -> None:
        with writing_store(self._engine) as connection:
            _put(connection, card, values)


def deal_of_card(connection: Connection, card: str) -> str:
    """Returns the key of the deal that was made of a card, "" if none was."""
    query = select(CARDS.c.deal_key).where(CARDS.c.card == card)
    return str(connection.execute(query).scalar() or "")


def tie_card(connection: Connection, card: str, deal: str) -> None:
    """Notes, within the transaction that adds a deal, which card it was made of."""
    _put(connection, card, {"deal_key": deal})


def _put(connection: Connection, card: str, values: Mapping[str, object]) -> None:
    query = update(CARDS).where(CARDS.c.card == card).values(**values)
    if not connection.execute(query).rowcount:
        connection.execute(insert(CARDS).values(card=card, **values))
