"""Inquiries from a form on the web become deals in the first stage."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from taiga_pipeline.app.deals.editing import add_deal
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.intake_settings import ASKED
from taiga_pipeline.language import text as _
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.pipeline.errors import InvalidFields
from taiga_pipeline.pipeline.model import Contact, Deal
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

LONGEST: Final = 200
"""Characters of a line; a message may have `LONGEST_MESSAGE`."""
LONGEST_MESSAGE: Final = 5_000
BY: Final = "web form"
_EMAIL: Final = re.compile(r"[^@\s<>|,;]{1,64}@[^@\s<>|,;]{1,190}\.[^@\s<>|,;.]{2,60}")
_TITLE: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of the form. ``label`` is English, and translated where it is shown."""

    name: str
    label: str
    is_long: bool
    is_required: bool


_LABELS: Final = {
    "name": "Your name",
    "company": "Company",
    "email": "E-mail",
    "phone": "Telephone",
    "message": "What do you need?",
}


class Inquiries:
    """What one server remembers of inquiries: how many came from where, and which it has."""

    SECONDS: Final = 3600.0
    MOST: Final = 10_000

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, list[float]] = OrderedDict()

    def count(self, name: str) -> int:
        """Notes one of a name; returns how many there were within the last hour, with it."""
        with self._lock:
            now = self._monotonic()
            recent = [at for at in self._seen.pop(name, ()) if now - at < self.SECONDS]
            self._seen[name] = [*recent, now][-self.MOST :]
            while len(self._seen) > self.MOST:
                self._seen.popitem(last=False)
            return len(self._seen[name])

    def forget(self, name: str) -> None:
        """Forgets what was counted of a name."""
        with self._lock:
            self._seen.pop(name, None)


def asked_fields(workspace: Workspace) -> tuple[Asked, ...]:
    """Returns the fields of the form.

    :raises ProblemsError: the configuration names one that deals do not have.
    """
    settings, table = workspace.settings.intake, workspace.fields
    editable = [each.name for each in table if each.is_edited and each.name != "contacts"]
    for name in (*settings.fields, *settings.required):
        if name not in (*ASKED, *editable):
            near = did_you_mean(name, [*ASKED, *editable])
            raise ProblemsError([Problem(f"[intake]: unknown field {name!r}{near}")])
    return tuple(
        Asked(
            name,
            _LABELS[name] if name in ASKED else table[name].label,
            name == "message",
            name in settings.required,
        )
        for name in settings.fields
    )


def take_in(workspace: Workspace, given: Mapping[str, str], seen: Inquiries) -> Deal | None:
    """Makes a deal of an inquiry; None if the same one came within the last hour.

    A person who is a contact of an open deal is not joined to it: the note says which it is.

    :raises InvalidFields: what is missing or cannot be read, by field.
    """
    texts = _checked(workspace, given)
    digest = hashlib.sha256(json.dumps(sorted(texts.items())).encode()).hexdigest()
    if seen.count(f"inquiry {digest}") > 1:
        return None
    try:
        return _added(workspace, texts)
    except Exception:
        seen.forget(f"inquiry {digest}")  # it was not taken: the next try is the first one
        raise


def _added(workspace: Workspace, texts: Mapping[str, str]) -> Deal:
    settings = workspace.settings.intake
    fields = {name: text for name, text in texts.items() if name not in ASKED and text}
    stated = {
        "lead_source": settings.lead_source,
        "owner": settings.owner,
        "team": settings.team,
        "service": settings.service,
    }
    values: dict[str, Any] = read_fields(
        {**{name: text for name, text in stated.items() if text}, **fields}, (), workspace.fields
    )
    who = texts.get("name") or texts.get("company") or texts.get("email") or ""
    values["customer"] = values.get("customer") or texts.get("company") or who
    contact = Contact(who, texts.get("email", ""), texts.get("phone", ""))
    values["contacts"] = (contact,) if who else ()
    note = "\n".join(filter(None, (texts.get("message", ""), _suggestion(workspace, contact))))
    if note:
        values["notes"] = _note(note)
    return add_deal(workspace, "", _title(texts, who), by=BY, values=values).deal


def _note(text: str) -> Any:
    return read_fields({"notes": text})["notes"]


def _checked(workspace: Workspace, given: Mapping[str, str]) -> dict[str, str]:
    wrong: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for field in asked_fields(workspace):
        text = given.get(field.name, "").strip()
        if not field.is_long:
            text = " ".join(text.split())
        most = LONGEST_MESSAGE if field.is_long else LONGEST
        if field.is_required and not text:
            wrong[field.name] = [_("Please fill this in.")]
        elif len(text) > most:
            wrong[field.name] = [_("At most {most:,} characters, please.", most=most)]
        elif field.name == "email" and text and not _EMAIL.fullmatch(text):
            wrong[field.name] = [_("This is not an e-mail address.")]
        texts[field.name] = text
    if wrong:
        raise InvalidFields(wrong)
    return texts


def _title(texts: Mapping[str, str], who: str) -> str:
    wanted = " ".join(texts.get("message", "").split())
    if len(wanted) > _TITLE:
        wanted = f"{wanted[:_TITLE].rsplit(' ', 1)[0]}…"
    return wanted or _("Inquiry of {who}", who=texts.get("company") or who)


def _is_open(mappings: MappingSet, deal: Deal) -> bool:
    try:
        return not mappings.stage_of(deal)[1].category.is_closed
    except NotMapped:
        return True


def _suggestion(workspace: Workspace, contact: Contact) -> str:
    """Returns a line with the open deals of the same person, "" if there are none."""
    mail = contact.email.casefold()
    if not mail:
        return ""
    mappings = workspace.load_mappings()
    with deal_store(workspace, create=True) as store:
        found = [
            deal.key
            for deal in store.deals()
            if any(each.email.casefold() == mail for each in deal.contacts)
            and _is_open(mappings, deal)
        ]
    if not found:
        return ""
    return _("The same person is a contact of: {deals}", deals=", ".join(found[:10]))
