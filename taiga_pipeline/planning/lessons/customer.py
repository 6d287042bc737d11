"""What a customer's deals come to. Pure functions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from statistics import median

from taiga_pipeline.pipeline.model import Contact, ContactPart, Deal
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.planning.lessons.experience import Experience, Outcome

Amounts = Mapping[str, Decimal]
"""Money by currency, in that order; what cannot be converted stays apart."""


@dataclass(frozen=True, slots=True)
class CustomerTotals:
    """The deals of one customer. ``unvalued`` counts won and open deals without a value.

    ``last`` is the newest day on which one was decided or is expected to be.
    """

    name: str
    deals: int
    open: int
    won: int
    lost: int
    value_won: Amounts
    value_open: Amounts
    unvalued: int
    last: date | None

    @property
    def win_rate(self) -> float | None:
        """The share of decided deals that were won; None if none is decided."""
        decided = self.won + self.lost
        return self.won / decided if decided else None


@dataclass
class _Tally:
    """Adds deals up."""

    rates: Rates
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    money: dict[Outcome, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    unvalued: int = 0
    last: date | None = None

    def add(self, deal: Deal, outcome: Outcome) -> None:
        self.outcomes[outcome] += 1
        day = deal.closed_on or deal.expected_close
        if day is not None and (self.last is None or day > self.last):
            self.last = day
        if outcome not in (Outcome.WON, Outcome.OPEN):
            return
        if deal.value is None:
            self.unvalued += 1
            return
        value, currency = self.rates.convert(deal.value, deal.currency)
        total = self.money[outcome]
        total[currency] = total.get(currency, Decimal(0)) + (value or Decimal(0))

    def totals(self, name: str) -> CustomerTotals:
        count = self.outcomes
        return CustomerTotals(
            name,
            deals=sum(count.values()),
            open=count[Outcome.OPEN],
            won=count[Outcome.WON],
            lost=count[Outcome.LOST],
            value_won=dict(sorted(self.money[Outcome.WON].items())),
            value_open=dict(sorted(self.money[Outcome.OPEN].items())),
            unvalued=self.unvalued,
            last=self.last,
        )


def totals_by_customer(
    deals: Iterable[Deal], outcome: Callable[[Deal], Outcome], rates: Rates
) -> list[CustomerTotals]:
    """Returns what each customer's deals come to, in the order of their names.

    Deals without a customer are left out.
    """
    tallies: dict[str, _Tally] = {}
    for deal in deals:
        if deal.customer:
            if deal.customer not in tallies:
                tallies[deal.customer] = _Tally(rates)
            tallies[deal.customer].add(deal, outcome(deal))
    order = sorted(tallies, key=lambda name: (folded(name), name))
    return [tallies[name].totals(name) for name in order]


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A person on the customer's side, with the parts that they had, and in which deals."""

    name: str
    email: str
    phone: str
    parts: tuple[ContactPart, ...]
    deals: tuple[str, ...]


def contacts_of(deals: Iterable[Deal]) -> tuple[KnownContact, ...]:
    """Returns the contacts of deals, each once: by address, or else by name.

    Who decides comes first; ``deals`` come in their order, and the last one's data count.
    """
    found: dict[str, list[tuple[Contact, str]]] = defaultdict(list)
    for deal in deals:
        for contact in deal.contacts:
            found[folded(contact.email or contact.name)].append((contact, deal.key))
    order = list(ContactPart)
    known = (_known(each) for each in found.values())
    return tuple(sorted(known, key=lambda each: (order.index(each.parts[0]), folded(each.name))))


def _known(mentions: Sequence[tuple[Contact, str]]) -> KnownContact:
    newest_first = [contact for contact, _ in reversed(mentions)]
    return KnownContact(
        name=next((each.name for each in newest_first if each.name), ""),
        email=next((each.email for each in newest_first if each.email), ""),
        phone=next((each.phone for each in newest_first if each.phone), ""),
        parts=tuple(part for part in ContactPart if any(c.part is part for c in newest_first)),
        deals=tuple(dict.fromkeys(key for _, key in mentions)),
    )


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """What delivery learnt with a customer, over the won deals. None: not known of any of them.

    ``started`` counts the deals that have begun, as far as it is known when; ``on_time`` those that
    began on the planned day or before it; ``slip_days`` is the median.
    ``sold_hours`` and ``spent_hours`` are sums over the ``hours_known`` deals of which both are
    known. ``people`` are those who worked for the customer, with how many deals each.
    """

    deals: int
    started: int
    on_time: int
    slip_days: float | None
    hours_known: int
    sold_hours: float | None
    spent_hours: float | None
    ended: int
    people: tuple[tuple[str, int], ...]


def delivery_record(experiences: Iterable[Experience]) -> DeliveryRecord:
    """Returns what delivery learnt over the won deals among these."""
    won = [each for each in experiences if each.outcome is Outcome.WON]
    begun = (each.slip_days for each in won if each.has_begun)
    slips = [slip for slip in begun if slip is not None]
    counted = [
        (each.sold_hours, each.spent_hours)
        for each in won
        if each.sold_hours is not None and each.spent_hours is not None
    ]
    return DeliveryRecord(
        deals=len(won),
        started=len(slips),
        on_time=sum(slip <= 0 for slip in slips),
        slip_days=median(slips) if slips else None,
        hours_known=len(counted),
        sold_hours=sum(sold for sold, _ in counted) if counted else None,
        spent_hours=sum(spent for _, spent in counted) if counted else None,
        ended=sum(each.has_ended for each in won),
        people=tuple(Counter(person for each in won for person in each.people).most_common()),
    )
