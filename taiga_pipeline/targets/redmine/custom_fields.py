"""Custom fields of projects and issues: used where the admin made them, never needed.

No API makes them, and only an administrator's key may list them with their formats. Any other
account learns of a project's fields from the projects that it sees, and takes them for texts.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from sync.errors import Vanished
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.targets.redmine.client import Client
from taiga_pipeline.targets.redmine.paging import Row

DEAL_KEY: Final = "Deal key"
"""The field that holds the mark of a project, or the reference of a story."""

ADVICE: Final = (
    f'there is no custom field "{DEAL_KEY}" for projects: deals are found by their projects\' '
    "identifiers, which does. To search and filter by deal, let an administrator make one "
    f'(Administration, Custom fields, Projects: name "{DEAL_KEY}", format Text, "Used as a '
    'filter"), and likewise "Stage", "Probability", "Value" or any other line of the deal\'s facts'
)

_EVERYWHERE: Final = "*"
"""Stands for all projects."""

_FACT_OF: Final = {
    "deal stage": "stage",
    "win probability": "probability",
    "deal amount": "value",
    "deal value": "value",
}
"""Names that people give to fields, by the names of the facts that they mean."""

_NUMBER: Final = re.compile(r"-?[0-9][0-9,   ']*(?:\.[0-9]+)?")
_OTHER_SCHEME: Final = re.compile(r"\s*(?!(?:https?|mailto):)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class CustomField:
    """One field. ``form`` is Redmine's name of its format, "string" where it is not known;
    ``is_filter`` tells whether lists can be asked for a value of it."""

    id: int
    name: str
    form: str = "string"
    choices: tuple[str, ...] = ()
    longest: int | None = None
    trackers: frozenset[int] | None = None
    is_filter: bool = False

    def fit(self, text: str) -> str | None:
        """Returns ``text`` as this field can hold it, None if it cannot."""
        if self.form in ("int", "float"):
            return _number(text, whole=self.form == "int")
        if self.form == "date":
            found = _DAY.search(text)
            return found[0] if found else None
        if self.form == "list":
            return next((c for c in self.choices if c.casefold() == text.casefold()), None)
        if self.form not in ("string", "text", "link"):
            return None
        if self.form == "link" and _OTHER_SCHEME.match(text):  # a browser would run a script there
            return None
        return text if self.longest is None or len(text) <= self.longest else None


class CustomFields:
    """The fields of projects and issues, by name. Safe to use from several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], CustomField] = {}
        self._asked = False
        self._looked: set[tuple[int, int | None]] = set()
        self._seen: dict[tuple[int, int | None], set[str]] = {}
        self._refused: set[tuple[int, str]] = set()

    def learn(self, row: Row) -> None:
        """Takes up which fields a project has."""
        for name, number in _pairs(row.get("custom_fields")):
            self._known.setdefault(("project", name.casefold()), CustomField(number, name))

    def project(self, name: str) -> CustomField | None:
        """Returns a field of projects."""
        return self._all().get(("project", name.casefold()))

    def confirm(self, field: CustomField, project: Row, tracker_id: int | None) -> None:
        """Takes up that an issue of a tracker has a field in a project.

        Where the project does not show it, it is one for all projects.
        """
        shown = field.id in {number for _, number in _pairs(project.get("issue_custom_fields"))}
        where = str(project["id"]) if shown else _EVERYWHERE
        with self._lock:
            self._seen.setdefault((field.id, tracker_id), set()).add(where)

    def may_be_found_out(self, field: CustomField, tracker_id: int | None) -> bool:
        """Whether it is worth a request to look for an issue that has a field: it is, once."""
        with self._lock:
            is_new = tracker_id is not None and (field.id, tracker_id) not in self._looked
            self._looked.add((field.id, tracker_id))
            return is_new

    def is_confirmed(self, field: CustomField, project: Row, tracker_id: int | None) -> bool:
        """Whether it is known that issues of a tracker have a field in a project."""
        with self._lock:
            places = self._seen.get((field.id, tracker_id), set())
            return bool(places & {_EVERYWHERE, str(project["id"])})

    def issue(
        self, name: str, project: Row, tracker_id: int | None
    ) -> tuple[CustomField | None, bool]:
        """Returns a field of issues, and whether it is certain that a tracker has it in a project.

        A project shows the fields that were chosen for it, and not those for all projects.
        """
        field, certain = self._issue(name, project, tracker_id)
        if field is not None and self.is_confirmed(field, project, tracker_id):
            return field, True
        return field, certain

    def _issue(
        self, name: str, project: Row, tracker_id: int | None
    ) -> tuple[CustomField | None, bool]:
        known = self._all().get(("issue", name.casefold()))
        if known and known.trackers is not None and tracker_id not in known.trackers:
            return None, False
        for shown, number in _pairs(project.get("issue_custom_fields")):
            if shown.casefold() == name.casefold():
                return known or CustomField(number, shown), known is not None
        return known, False

    def values(self, facts: str) -> dict[int, str]:
        """Returns what the fields of a project are to hold of the deal's facts, by id."""
        fact_texts = _fact_texts(facts)
        wanted: dict[int, str] = {}
        for (kind, name), field in self._all().items():
            text = fact_texts.get(_FACT_OF.get(name, name)) if kind == "project" else None
            value = field.fit(text) if text is not None else None
            if value is not None and (field.id, value) not in self._refused:
                wanted[field.id] = value
        return wanted

    def named_in(self, errors: Sequence[str]) -> dict[int, str]:
        """Returns the fields of projects that a refusal names, by id: it begins with the name,
        which no language translates."""
        return {
            field.id: field.name
            for (kind, _), field in self._all().items()
            if kind == "project" and any(each.startswith(f"{field.name} ") for each in errors)
        }

    def accepted(self, values: Sequence[Row], errors: Sequence[str]) -> list[Row] | None:
        """Returns the values of a project's fields without those that a refusal is about, which are
        not tried again; none where it does not tell, None where it is about no value that was sent.
        """
        named = self.named_in(errors)
        refused = [each for each in values if each["id"] in named]
        if named and not refused:
            return None
        with self._lock:
            self._refused.update((each["id"], each["value"]) for each in refused)
        return [each for each in values if each not in refused] if refused else []

    def _all(self) -> Mapping[tuple[str, str], CustomField]:
        with self._lock:
            if not self._asked:
                self._known.update(self._definitions())
                self._asked = True
            return dict(self._known)

    def _definitions(self) -> Mapping[tuple[str, str], CustomField]:
        """Returns the fields as an administrator sees them; none for anyone else."""
        try:
            rows = self._client.get("custom_fields.json").data["custom_fields"]
        except Vanished:
            return {}
        return {
            (str(row.get("customized_type")), str(row["name"]).casefold()): _definition(row)
            for row in rows
        }


def value_of(row: Row, name: str) -> str:
    """Returns what a project or an issue has in the field ``name``, "" if nothing."""
    for field in row.get("custom_fields") or ():
        if str(field.get("name", "")).casefold() == name.casefold():
            return str(field.get("value") or "")
    return ""


def field_id(row: Row, name: str) -> int:
    """Returns the number of the field ``name`` that a project or an issue shows; 0 if none."""
    for field in row.get("custom_fields") or ():
        if str(field.get("name", "")).casefold() == name.casefold():
            return int(field["id"])
    return 0


def changed(row: Row, wanted: Mapping[int, str]) -> list[JSON]:
    """Returns those of the ``wanted`` values that ``row`` has a field for and does not hold."""
    present = {int(field["id"]): field.get("value") for field in row.get("custom_fields") or ()}
    return [
        {"id": number, "value": value}
        for number, value in wanted.items()
        if number in present and not _alike(present[number], value)
    ]


def _alike(present: JSON, wanted: str) -> bool:
    """Whether a field holds a value; a number may be written differently."""
    if str(present or "") == wanted:
        return True
    try:
        return Decimal(str(present)) == Decimal(wanted)
    except InvalidOperation:
        return False


def _pairs(fields: JSON) -> Iterable[tuple[str, int]]:
    return [(str(field["name"]), int(field["id"])) for field in fields or ()]


def _definition(row: Row) -> CustomField:
    trackers = row.get("trackers")
    return CustomField(
        int(row["id"]),
        str(row["name"]),
        str(row.get("field_format", "string")),
        tuple(str(choice["value"]) for choice in row.get("possible_values") or ()),
        row.get("max_length"),
        frozenset(int(tracker["id"]) for tracker in trackers) if trackers else None,
        is_filter=row.get("is_filter") is True,
    )


def _fact_texts(facts: str) -> dict[str, str]:
    """Returns the facts by their names; the dots between them are left out."""
    lines = (line.partition(":") for line in facts.split("\n"))
    return {
        name.strip().casefold(): value.strip().removesuffix("·").strip() for name, _, value in lines
    }


def _number(text: str, *, whole: bool) -> str | None:
    """Returns the first number in a text, without what groups its digits."""
    found = _NUMBER.search(text)
    if not found:
        return None
    digits = re.sub(r"[,   ']", "", found[0])
    return digits.partition(".")[0] if whole else digits
