"""Which of Odoo's fields are read for which of ours, and what some of them mean together.

A name with a space stands for what is *made* of several fields, which differ from version to
version: what Odoo calls lost is a lead that is archived, a lead has a stage that nobody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from taiga_pipeline.pipeline.fields.table import STATUS
from taiga_pipeline.pipeline.model import Contact
from taiga_pipeline.pipeline.notation import format_contacts

MODEL: Final = "crm.lead"
UNNAMED: Final = "Opportunity {key}"
"""What a deal is called whose lead has no name."""

LEAD: Final = "Lead"
"""The stage of what is no opportunity yet."""

WON: Final = "won"
LOST: Final = "lost"

Values = Mapping[str, Any]
"""Values by field; what is not there in this version, or not known, is None."""

USUAL: Final[Mapping[str, str]] = {
    "key": "id",
    "name": "name",
    "customer": "the customer",
    "stage": "the stage",
    STATUS: "the decision",
    "stage_since": "in its stage since",
    "value": "expected_revenue",
    "currency": "company_currency",
    "probability": "probability",
    "engaged_on": "create_date",
    "expected_close": "date_deadline",
    "closed_on": "decided on",
    "owner": "user_id",
    "team": "team_id",
    "service": "tag_ids",
    "lead_source": "source_id",
    "lost_reason": "the reason",
    "next_step": "the next activity",
    "next_step_on": "activity_date_deadline",
    "next_step_by": "activity_user_id",
    "contacts": "the contact",
    "notes": "description",
    "updated_at": "write_date",
}
"""Our field -> Odoo's."""

_IS_WON: Final = "stage_id.is_won"
_COMPANY: Final = "partner_id.commercial_partner_id"


@dataclass(frozen=True, slots=True)
class Made:
    """What is made of several fields: which those are, and how. Fields that are not there are
    passed as None."""

    of: tuple[str, ...]
    make: Callable[[Values], object]


def decision(values: Values) -> str:
    """Returns `WON` or `LOST`, "" for what is open.

    What is archived is lost, in whatever stage it stands; unless it had been won: then it was put
    away.
    """
    is_won = bool(values[_IS_WON])
    if values["active"] is False:
        return WON if is_won and (values["probability"] or 0) >= 100 else LOST
    return WON if is_won else ""


def _stage(values: Values) -> object:
    """A lead that is no opportunity yet has a stage, too, which Odoo shows to nobody."""
    is_lead = values["type"] == "lead" and not decision(values)
    return LEAD if is_lead else values["stage_id"]


def _since(values: Values) -> datetime | None:
    """Archiving does not move the day of the last stage. Odoo 14 does not note that of a loss: it
    was when the lead was last written to, at the latest."""
    is_lost = decision(values) == LOST
    moved: datetime | None = values["date_last_stage_update"]
    return (values["date_closed"] or values["write_date"]) if is_lost else moved


def _decided_on(values: Values) -> object:
    return values["date_closed"] if decision(values) else None


def _reason(values: Values) -> object:
    return values["lost_reason_id"] or values["lost_reason"]


def _customer(values: Values) -> object:
    return values[_COMPANY] or values["partner_id"] or values["partner_name"]


def _activity(values: Values) -> object:
    return values["activity_summary"] or values["activity_type_id"]


def _contact(values: Values) -> str:
    """The person at the customer's; a name is needed."""
    email = str(values["email_from"] or "")
    name = values["contact_name"] or (values["partner_id"] if not _is_company(values) else "")
    phone = str(values["phone"] or values["mobile"] or "")
    if not name and not email:
        return ""
    return format_contacts((Contact(str(name or email), email, phone),))


def _is_company(values: Values) -> bool:
    return bool(values["partner_id"] == values[_COMPANY])


_MOMENTS: Final = ("date_closed", "date_last_stage_update", "write_date")
_DECIDED: Final = ("active", "probability", _IS_WON)

MADE: Final[Mapping[str, Made]] = {
    "the customer": Made((_COMPANY, "partner_id", "partner_name"), _customer),
    "the stage": Made(("type", "stage_id", *_DECIDED), _stage),
    "the decision": Made(_DECIDED, decision),
    "in its stage since": Made((*_DECIDED, *_MOMENTS), _since),
    "decided on": Made((*_DECIDED, "date_closed"), _decided_on),
    "the reason": Made(("lost_reason_id", "lost_reason"), _reason),
    "the next activity": Made(("activity_summary", "activity_type_id"), _activity),
    "the contact": Made(
        ("contact_name", "email_from", "phone", "mobile", "partner_id", _COMPANY), _contact
    ),
}
"""What a name with a space is made of."""


def read_for(columns: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the fields to read for what is in ``columns`` (ours -> theirs), dotted ones too."""
    found: dict[str, None] = {}
    for theirs in columns.values():
        made = MADE.get(theirs)
        found.update(dict.fromkeys(made.of if made else (theirs,)))
    return tuple(found)


def cell(name: str, values: Values) -> object:
    """Returns what stands in a field, made up of several where it has to be."""
    made = MADE.get(name)
    return made.make(values) if made else values[name]
