"""What a deal is. Plain frozen data; times are aware UTC, money is `Decimal`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Category(StrEnum):
    """The five categories of a funnel; a deal leaves it won or lost."""

    LEAD = "lead"
    QUALIFIED = "qualified"
    NEEDS = "needs"
    PROPOSAL = "proposal"
    WON = "won"
    LOST = "lost"

    @property
    def is_closed(self) -> bool:
        """Whether a deal of this category is decided."""
        return self in (Category.WON, Category.LOST)


class ContactPart(StrEnum):
    """The part that a contact has in the decision."""

    DECISION_MAKER = "decision maker"
    INFLUENCER = "influencer"
    USER = "user"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person on the customer's side."""

    name: str
    email: str = ""
    phone: str = ""
    part: ContactPart = ContactPart.OTHER


@dataclass(frozen=True, slots=True)
class RoleDemand:
    """So many hours per week of a role, for some weeks, from some weeks after the start.

    Written ``Design:16h x4w@+2w`` in CSV files.
    """

    role: str
    hours_per_week: Decimal
    weeks: int
    start_week: int = 0
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """An entry of a deal's log. ``at`` is UTC, None where it is not known; ``by`` is its author.

    ``origin`` names what it was taken over from ("" for one that was typed here): a log holds one
    entry of each origin.
    """

    text: str
    at: datetime | None = None
    by: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Deal:
    """One opportunity of the sales pipeline. Empty text and None mean "not known".

    ``stage`` is the stage's name as the pipeline has it; its category is the mapping's matter.
    ``value`` is in ``currency`` (ISO 4217). ``probability`` is 0 to 1; None means the stage's
    own. ``engaged_on``, ``expected_close``, ``start``, ``closed_on`` and ``next_step_on`` are
    calendar dates without a time zone: the day on which work on the customer began, the day on
    which a decision is expected, the first day of the project, the day on which the deal was won or
    lost, the day on which the next step of sales is due.
    ``own`` holds the fields of the user's own by name, as text in the normal form of their kind;
    what is not known is not in it.
    ``notes`` are a log, the newest first. ``next_step_by`` is who does the next step. ``part_of``
    is the key of the deal whose project this one is a part of.
    ``stage_since`` and ``updated_at`` are UTC.
    """

    key: str
    name: str
    customer: str = ""
    stage: str = ""
    value: Decimal | None = None
    currency: str = ""
    probability: Decimal | None = None
    engaged_on: date | None = None
    expected_close: date | None = None
    start: date | None = None
    closed_on: date | None = None
    owner: str = ""
    team: str = ""
    service: str = ""
    lead_source: str = ""
    lost_reason: str = ""
    notes: tuple[Note, ...] = ()
    contacts: tuple[Contact, ...] = ()
    roles: tuple[RoleDemand, ...] = ()
    done: frozenset[str] = frozenset()
    """Gate actions that have been checked off in the present stage or before."""
    stage_since: datetime | None = None
    updated_at: datetime | None = None
    next_step: str = ""
    next_step_on: date | None = None
    next_step_by: str = ""
    part_of: str = ""
    own: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class StageMove:
    """One step of a deal's history. ``forced`` lists the gate actions that were skipped."""

    deal_key: str
    from_stage: str
    to_stage: str
    at: datetime
    by: str = ""
    forced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a deal that got another value; ``before`` and ``after`` are CSV text."""

    deal_key: str
    field: str
    before: str
    after: str
    at: datetime
    by: str = ""


class PlanningKind(StrEnum):
    """What a plan is made of besides deals."""

    PERSON = "person"
    TIME_OFF = "time off"
    ALLOCATION = "allocation"
    RATE = "rate"
    SCENARIO = "scenario"


@dataclass(frozen=True, slots=True)
class PlanningChange:
    """Something that was added, changed or removed of what a plan is made of besides deals.

    ``email`` and ``deal_key`` say of whom and of which deal ("": of none), ``what`` which one it is
    of theirs: days, a role, the name of a scenario. ``before`` and ``after`` are texts by field:
    those that differ, or all of what was added (nothing ``before``) or removed (nothing ``after``).
    """

    kind: PlanningKind
    email: str
    deal_key: str
    what: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    at: datetime
    by: str = ""

    @property
    def action(self) -> str:
        """``add``, ``edit`` or ``remove``."""
        if self.before and self.after:
            return "edit"
        return "add" if self.after else "remove"


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """What became of a deal in the project-management tool, as last read from there.

    ``progress`` is 0 to 1 (None: nothing to measure yet); ``milestones`` are name, start and
    finish; ``seen_at`` and ``last_activity`` are UTC. ``projects`` are, of a deal with phases,
    those of each project, the deal's own first; the rest sums them up.
    """

    deal_key: str
    url: str = ""
    title: str = ""
    state: str = ""
    team: tuple[str, ...] = ()
    progress: Decimal | None = None
    milestones: tuple[tuple[str, date | None, date | None], ...] = field(default=())
    last_activity: datetime | None = None
    seen_at: datetime | None = None
    projects: tuple[DeliveryFacts, ...] = ()
