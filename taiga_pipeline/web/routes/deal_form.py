"""A deal's fields in a form. Two people may edit one deal: the second sees both values, chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from taiga_pipeline.app.deals.board import names_of_deals
from taiga_pipeline.app.deals.editing import PROPOSED, add_deal, edit_deal
from taiga_pipeline.app.deals.looking import deal_of, deal_seen, show_deal
from taiga_pipeline.app.deals.values import read_contacts, read_fields, read_roles
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.errors import (
    AlreadyThere,
    EditConflict,
    FieldConflict,
    InvalidFields,
    InvalidValue,
    RequestError,
)
from taiga_pipeline.pipeline.fields.field import LIST_KINDS, DealField, FieldTable, Kind
from taiga_pipeline.pipeline.model import Contact, ContactPart, Deal, RoleDemand
from taiga_pipeline.pipeline.notation import format_skills
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.visit import Fields, Visit
from taiga_pipeline.web.words import failure_of

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.looking import DealDetails

EMPTY_ROWS: Final = 1
"""So many rows of contacts and roles stand empty below those that there are; a script adds more."""
REFUSED: Final = (InvalidValue, AlreadyThere)
"""What is wrong with values alone: whoever typed them corrects them where they stand."""
_CONTACT: Final = ("contact_name", "contact_email", "contact_phone", "contact_part")
_ROLE: Final = ("role_name", "role_hours", "role_weeks", "role_start", "role_skills")


@dataclass
class Filled:
    """What a form shows: texts by field, rows of contacts and roles, what is wrong by field."""

    texts: Mapping[str, str]
    contacts: Sequence[Sequence[str]] = ()
    roles: Sequence[Sequence[str]] = ()
    wrong: dict[str, Sequence[str]] = field(default_factory=dict)


def form_fields(table: FieldTable) -> tuple[DealField, ...]:
    """Returns the fields that have one input each, in the order in which people see them."""
    return tuple(each for each in table if each.is_edited and each.kind not in LIST_KINDS)


def edit(visit: Visit) -> Response:
    """Shows the form of a deal."""
    deal, version = deal_seen(visit.workspace, visit.query.text("key"))
    return _form(visit, deal, version, _of_deal(deal))


def _of_deal(deal: Deal) -> Filled:
    return Filled(deal_cells(deal), _contact_rows(deal.contacts), _role_rows(deal.roles))


def _contact_rows(contacts: Sequence[Contact]) -> list[tuple[str, ...]]:
    return [(each.name, each.email, each.phone, each.part.value) for each in contacts]


def _role_rows(roles: Sequence[RoleDemand]) -> list[tuple[str, ...]]:
    return [
        (
            each.role,
            format(each.hours_per_week.normalize(), "f"),
            str(each.weeks),
            str(each.start_week),
            format_skills(each.skills),
        )
        for each in roles
    ]


def _form(visit: Visit, deal: Deal | None, version: str, filled: Filled) -> Response:
    return visit.show(
        "deal_form.html.j2",
        status=422 if filled.wrong else 200,
        deal=deal,
        version=version,
        filled=filled,
        fields=form_fields(visit.workspace.fields),
        table=visit.workspace.fields,
        names=names_of_deals(visit.workspace),
        parts=tuple(ContactPart),
        empty_rows=EMPTY_ROWS,
        kinds=Kind,
    )


def _typed(form: Fields) -> Filled:
    return Filled(dict(form), _rows(form, _CONTACT), _rows(form, _ROLE))


def _rows(form: Fields, columns: Sequence[str]) -> list[tuple[str, ...]]:
    texts = [form.texts(each) for each in columns]
    return [row for row in zip(*texts, strict=False) if any(row[:3])]


def _read(visit: Visit, filled: Filled) -> dict[str, Any]:
    """Returns the values of a form; what is wrong with them goes into ``filled``."""
    form, table = visit.form, visit.workspace.fields
    texts = {each.name: form.text(each.name) for each in form_fields(table) if form.has(each.name)}
    parts: list[Callable[[], Mapping[str, Any]]] = [lambda: read_fields(texts, table=table)]
    if form.has("contact_name"):
        parts.append(lambda: {"contacts": read_contacts(filled.contacts)})
    if form.has("role_name"):
        parts.append(lambda: {"roles": read_roles(filled.roles)})
    values: dict[str, Any] = {}
    for part in parts:
        try:
            values |= part()
        except InvalidFields as error:
            for names, messages in error.fields.items():
                for name in names.split("+"):
                    filled.wrong[name] = messages
    return values


def save(visit: Visit) -> Response:
    """Keeps what was edited, as far as nobody else wrote something else meanwhile."""
    key, seen = visit.form.text("key"), visit.version
    filled = _typed(visit.form)
    values = _read(visit, filled)
    if filled.wrong:
        return _form(visit, deal_of(visit.workspace, key), seen, filled)
    try:
        return _kept(visit, key, values, seen)
    except REFUSED as error:
        return _form(visit, deal_of(visit.workspace, key), seen, _refused(visit, filled, error))


def _refused(visit: Visit, filled: Filled, error: RequestError) -> Filled:
    """Returns the form with what the store said of it, at the fields where it named them."""
    if isinstance(error, InvalidFields):
        by_name = {name: said for names, said in error.fields.items() for name in names.split("+")}
        filled.wrong.update(by_name)
    else:
        failure = failure_of(error, visit.workspace.fields)
        filled.wrong[""] = failure.messages if failure else (str(error),)
    return filled


def _kept(visit: Visit, key: str, values: dict[str, Any], seen: str) -> Response:
    changed, apart = _try(visit, key, values, seen)
    if apart:
        return _choice(visit, key, apart, changed)
    names = ", ".join(_(_label(visit, name)) for name in changed)
    visit.say(_("Changed: {fields}.", fields=names) if names else _("Nothing was different."))
    return visit.go("/deal", key=key)


def _try(
    visit: Visit, key: str, values: dict[str, Any], seen: str
) -> tuple[tuple[str, ...], dict[str, FieldConflict]]:
    """Keeps all that nobody else changed; returns what it changed, and what others wrote."""
    apart: dict[str, FieldConflict] = {}
    while values:
        try:
            done = edit_deal(visit.workspace, key, values, by=visit.by, seen=seen)
        except EditConflict as error:
            for each in error.fields:
                apart[each.field] = each
                del values[each.field]
        else:
            return done.changed, apart
    return (), apart


def _label(visit: Visit, name: str) -> str:
    fields = visit.workspace.fields
    return fields[name].label if name in fields else name


def _choice(
    visit: Visit, key: str, apart: Mapping[str, FieldConflict], changed: Sequence[str]
) -> Response:
    details = show_deal(visit.workspace, key)
    kept = [_(_label(visit, name)) for name in changed]
    return visit.show(
        "deal_choice.html.j2",
        status=409,
        deal=details.deal,
        version=details.version,
        apart=[
            (each, _label(visit, each.field), _writer(details, each)) for each in apart.values()
        ],
        kept=kept,
        zone=visit.workspace.zone,
    )


def _writer(details: DealDetails, conflict: FieldConflict) -> Any:
    """Returns the change by which the other value came, None if it is not known."""
    ours = [each for each in details.changes if each.field == conflict.field]
    return ours[-1] if ours else None


def choose(visit: Visit) -> Response:
    """Keeps those of one's own values that somebody prefers to what others wrote meanwhile."""
    form, table = visit.form, visit.workspace.fields
    taken = [name for name in form.texts("field") if form.text(f"take_{name}") == "ours"]
    texts = {name: form.text(f"ours_{name}") for name in taken if name in table}
    contacts = texts.pop("contacts", None)
    values = read_fields(texts, contacts=[contacts] if contacts else (), table=table)
    if contacts == "":
        values["contacts"] = ()
    return _kept(visit, form.text("key"), values, visit.version)


def new(visit: Visit) -> Response:
    """Shows the form of a new deal, with what it has from one that it begins from."""
    filled = Filled({"owner": visit.person.owner})
    if like := visit.query.text("like").strip():
        model = _of_deal(deal_of(visit.workspace, like))
        taken = {name: text for name, text in model.texts.items() if name in PROPOSED}
        filled = Filled({**filled.texts, **taken}, roles=model.roles)
    return _form(visit, None, "", filled)


def add(visit: Visit) -> Response:
    """Adds a deal, at the first stage of its mapping."""
    filled = _typed(visit.form)
    values = _read(visit, filled)
    name = str(values.pop("name", ""))
    if not name.strip():
        filled.wrong["name"] = [_("A deal needs a name.")]
    if filled.wrong:
        return _form(visit, None, "", filled)
    given = {each: value for each, value in values.items() if value not in (None, "", ())}
    key = visit.form.text("key").strip()
    try:
        added = add_deal(visit.workspace, key, name, by=visit.by, values=given)
    except REFUSED as error:
        return _form(visit, None, "", _refused(visit, filled, error))
    visit.say(
        _("{deal} is in {stage}, as {key}.", deal=name, stage=added.deal.stage, key=added.deal.key)
    )
    return visit.go("/deal", key=added.deal.key)


DEAL_FORM: Final = Section(
    "Deal",
    "",
    (
        get("/deal/edit", edit),
        post("/deal/edit", save),
        post("/deal/choose", choose),
        get("/deal/new", new),
        post("/deal/new", add),
    ),
)
