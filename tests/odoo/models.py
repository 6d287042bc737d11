"""The models of the Odoo that answers from memory: which fields each has, in which version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Field(NamedTuple):
    """A field's type, the model that it leads to, and the versions that have it."""

    type: str
    relation: str = ""
    since: int = 0
    until: int = 99
    label: str = ""


_CHAR, _TEXT, _HTML = Field("char"), Field("text"), Field("html")
_DAY, _MOMENT, _YES_NO, _NUMBER = (
    Field("date"),
    Field("datetime"),
    Field("boolean"),
    Field("float"),
)


def one(model: str, since: int = 0, until: int = 99) -> Field:
    return Field("many2one", model, since, until)


def many(model: str, since: int = 0, until: int = 99) -> Field:
    return Field("many2many", model, since, until)


_OF_EVERY: Final[Mapping[str, Field]] = {
    "id": Field("integer"),
    "display_name": _CHAR,
    "create_date": _MOMENT,
    "write_date": _MOMENT,
    "create_uid": one("res.users"),
    "write_uid": one("res.users"),
}
_MODELS: Final[Mapping[str, Mapping[str, Field]]] = {
    "crm.lead": {
        "name": _CHAR,
        "type": Field("selection"),
        "active": _YES_NO,
        "partner_id": one("res.partner"),
        "partner_name": _CHAR,
        "contact_name": _CHAR,
        "email_from": _CHAR,
        "phone": _CHAR,
        "mobile": Field("char", until=18),
        "stage_id": Field("many2one", "crm.stage", label="Stage"),
        "probability": _NUMBER,
        "expected_revenue": Field("monetary", label="Expected Revenue"),
        "company_currency": one("res.currency"),
        "company_id": one("res.company"),
        "date_deadline": Field("date", label="Expected Closing"),
        "date_closed": _MOMENT,
        "date_conversion": _MOMENT,
        "date_last_stage_update": _MOMENT,
        "user_id": Field("many2one", "res.users", label="Salesperson"),
        "team_id": one("crm.team"),
        "tag_ids": many("crm.tag"),
        "source_id": one("utm.source"),
        "lost_reason": one("crm.lost.reason", until=15),
        "lost_reason_id": one("crm.lost.reason", since=16),
        "description": Field("text", until=14),
        "activity_ids": Field("one2many", "mail.activity"),
        "activity_summary": _CHAR,
        "activity_type_id": one("mail.activity.type"),
        "activity_user_id": one("res.users"),
        "activity_date_deadline": _DAY,
        "referred": _CHAR,
        "x_start": _DAY,
        "x_roles": _CHAR,
        "x_score": Field("integer"),
        "x_vip": _YES_NO,
        "x_segment": Field("selection"),
        "x_url": _CHAR,
        "x_project_start": _DAY,
        "x_progress": _NUMBER,
        "x_percent": Field("integer"),
        "x_about": _HTML,
    },
    "crm.stage": {"name": _CHAR, "is_won": _YES_NO, "sequence": Field("integer")},
    "crm.team": {"name": _CHAR},
    "crm.tag": {"name": _CHAR},
    "crm.lost.reason": {"name": _CHAR},
    "utm.source": {"name": _CHAR},
    "res.company": {"name": _CHAR},
    "res.lang": {"code": _CHAR, "active": _YES_NO},
    "res.country": {"name": _CHAR, "code": _CHAR},
    "res.currency": {"name": _CHAR},
    "res.partner": {
        "name": _CHAR,
        "email": _CHAR,
        "active": _YES_NO,
        "country_id": one("res.country"),
        "commercial_partner_id": one("res.partner"),
    },
    "res.users": {
        "name": _CHAR,
        "login": _CHAR,
        "email": _CHAR,
        "active": _YES_NO,
        "share": _YES_NO,
        "partner_id": one("res.partner"),
    },
    "res.users.apikeys": {
        "name": _CHAR,
        "user_id": one("res.users"),
        "expiration_date": Field("datetime", since=18),
    },
    "mail.activity": {
        "summary": _CHAR,
        "res_model": _CHAR,
        "res_id": Field("many2one_reference"),
    },
    "mail.activity.type": {"name": _CHAR},
    "mail.message": {
        "model": _CHAR,
        "res_id": Field("many2one_reference"),
        "date": _MOMENT,
        "author_id": one("res.partner"),
        "subject": _CHAR,
        "body": _HTML,
        "message_type": Field("selection"),
        "subtype_id": one("mail.message.subtype"),
    },
    "mail.message.subtype": {"name": _CHAR},
    "mail.tracking.value": {
        "field": one("ir.model.fields", until=16),
        "field_id": one("ir.model.fields", since=17),
        "mail_message_id": one("mail.message"),
        **{
            f"{when}_value_{kind}": Field(type)
            for when in ("old", "new")
            for kind, type in (
                ("char", "char"),
                ("integer", "integer"),
                ("float", "float"),
                ("text", "text"),
                ("datetime", "datetime"),
            )
        },
    },
    "mail.followers": {
        "res_model": _CHAR,
        "res_id": Field("many2one_reference"),
        "partner_id": one("res.partner"),
    },
    "ir.model.data": {
        "module": _CHAR,
        "name": _CHAR,
        "model": _CHAR,
        "res_id": Field("many2one_reference"),
    },
    "ir.model.fields": {"model": _CHAR, "name": _CHAR, "ttype": Field("selection")},
    "ir.attachment": {"res_model": _CHAR, "res_id": Field("many2one_reference")},
    "ir.config_parameter": {"key": _CHAR, "value": _TEXT},
    "project.project": {
        "name": _CHAR,
        "description": _HTML,
        "active": _YES_NO,
        "user_id": one("res.users"),
        "privacy_visibility": Field("selection"),
        "date_start": _DAY,
        "date": _DAY,
        "allowed_internal_user_ids": many("res.users", until=14),
        "tag_ids": many("project.tags", since=15),
        "allow_milestones": Field("boolean", since=15),
    },
    "project.task": {
        "name": _CHAR,
        "description": _HTML,
        "active": _YES_NO,
        "project_id": one("project.project"),
        "stage_id": one("project.task.type"),
        "user_id": one("res.users", until=14),
        "user_ids": many("res.users", since=15),
        "tag_ids": many("project.tags"),
        "milestone_id": one("project.milestone", since=16),
        "date_deadline": Field("date", until=16),
        "planned_hours": Field("float", until=16),
        "allocated_hours": Field("float", since=17),
        "effective_hours": _NUMBER,
        "is_closed": _YES_NO,
        "state": Field("selection", since=17),
        "parent_id": one("project.task"),
    },
    "project.task.type": {
        "name": _CHAR,
        "sequence": Field("integer"),
        "fold": _YES_NO,
        "is_closed": Field("boolean", until=15),
        "project_ids": many("project.project"),
    },
    "project.tags": {"name": _CHAR},
    "project.milestone": {
        "name": _CHAR,
        "deadline": _DAY,
        "is_reached": _YES_NO,
        "project_id": one("project.project"),
    },
    "account.analytic.line": {
        "name": _CHAR,
        "unit_amount": _NUMBER,
        "project_id": one("project.project"),
        "task_id": one("project.task"),
    },
}
_LATER: Final[Mapping[str, Mapping[str, Field]]] = {
    "crm.lead": {"description": Field("html", since=15)},
    "project.task": {"date_deadline": Field("datetime", since=17)},
}
TRANSLATED: Final[Mapping[str, int]] = {
    "project.project": 15,
    "project.task.type": 14,
    "crm.stage": 14,
}
"""Models whose names Odoo keeps by language, and the first version that does."""
_WITHOUT_CLOSED: Final = 17
"""The version in which a task's state alone says that it is closed."""
_SINCE: Final[Mapping[str, int]] = {"project.milestone": 15}
UNIQUE: Final[Mapping[str, tuple[str, ...]]] = {
    "ir.config_parameter": ("key",),
    "project.tags": ("name",),
    "ir.model.data": ("module", "name"),
    "mail.followers": ("res_model", "res_id", "partner_id"),
}
"""Fields that together distinguish the records of a model, which the database holds to."""


def models_of(version: int) -> dict[str, dict[str, Field]]:
    """Returns the models of a version, with their fields."""
    found = {}
    for model, fields in _MODELS.items():
        if _SINCE.get(model, 0) > version:
            continue
        every = {**_OF_EVERY, **fields}
        for name, later in _LATER.get(model, {}).items():
            if version >= later.since:
                every[name] = later
        if model == "project.task" and version == _WITHOUT_CLOSED:
            del every["is_closed"]
        found[model] = {n: f for n, f in every.items() if f.since <= version <= f.until}
    return found
