"""Leaves out of what deals ask for whatever the target cannot hold, and says so once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sync.records.model import Desired, DesiredGroup, Value, WhenRetired
from sync.target import Capabilities
from taiga_pipeline.mapping.model import PagePhase
from taiga_pipeline.mapping.rules import Rules
from taiga_pipeline.records import (
    REFERENCES,
    Kind,
    Membership,
    Milestone,
    Project,
    Role,
    Story,
    Wiki,
)

Asked = Mapping[str, frozenset[str]]
"""Fields by kind."""

_NOUNS: Final[Mapping[str, str]] = {
    Kind.PROJECT: "projects",
    Kind.ROLE: "roles",
    Kind.MEMBERSHIP: "members",
    Kind.MILESTONE: "milestones",
    Kind.STORY: "stories",
    Kind.WIKI: "pages",
    Kind.STATUS: "columns",
    Kind.TASK: "tasks",
}
_NEVER_DELETED: Final = (
    "{tool} does not say who changed a project: a project that the mapping would delete if "
    "untouched "
    "(how = 'delete-if-untouched') is retired there, and stays"
)

_HOURS_AS_TEXT: Final = (
    "{tool} has no place for hours of stories: they stand in the description of new stories"
)
_HOURS_AS_LINE: Final = (
    "{tool} has no place for hours of stories: they stand below the description, and are kept "
    "current there"
)

NO_COPIES: Final = (
    "{tool} copies no project by its API, so that a template cannot be one there: write its "
    "milestones and stories into the mapping, and take 'template' out of it"
)


def _anything() -> Capabilities:
    return Capabilities(tells_untouched=True)


@dataclass(frozen=True, slots=True)
class Holding:
    """What a target can hold, which may be known for sure only once it is connected."""

    tool: str = "the target"
    capabilities: Callable[[], Capabilities] = _anything

    def settled(self) -> Holding:
        """Returns what is known now, to be asked for each of many deals."""
        can = self.capabilities()
        return replace(self, capabilities=lambda: can)

    def part(self, group: DesiredGroup) -> DesiredGroup:
        """Returns the part of a group that can be held.

        What is left out and is there already (the target could hold it before) stays as it is.
        """
        can = self.capabilities()
        group = _beside(group, can)
        is_copy = group.root.fields.keys() & Project.OF_COPIES
        if not is_copy and all(can.holds(each.key.kind, *each.fields) for each in group.records()):
            return group
        kept = tuple(_part(child, can) for child in group.children if can.holds(child.key.kind))
        left_out = {each.key for each in group.children if not can.holds(each.key.kind)}
        return replace(
            group,
            root=_part(group.root, can),
            children=kept,
            waiting=group.waiting | left_out,
        )

    def notes(self, asked: Iterable[Asked], rules: Iterable[Rules]) -> list[str]:
        """Returns what mappings ask for and the target cannot hold, in one remark or none."""
        can = self.capabilities()
        wanted = together(asked)
        copies = Project.COPIED_FROM in wanted.get(Kind.PROJECT, ())
        if copies:
            wanted[Kind.PROJECT] -= {Project.COPIED_FROM}
        as_text = _stands_in_text(wanted, can)
        if as_text:
            wanted[Kind.STORY] -= {Story.HOURS}
        parts = [
            *(_kind(kind, can) for kind in wanted if not can.holds(kind)),
            *(_fields(kind, wanted, can) for kind in wanted if not can.holds(kind, *wanted[kind])),
        ]
        parts = [part for part in parts if part]
        notes = [f"{self.tool} has no place for {', '.join(parts)}: left out"] if parts else []
        if as_text:
            said = _HOURS_AS_LINE if Kind.STORY in can.keeps_lines else _HOURS_AS_TEXT
            notes.append(said.format(tool=self.tool))
        if copies and not can.copies_roots:
            notes.append(NO_COPIES.format(tool=self.tool))
        if not can.tells_untouched and any(
            rule.how_retired is WhenRetired.DELETE_IF_UNTOUCHED for rule in rules
        ):
            notes.append(_NEVER_DELETED.format(tool=self.tool))
        return notes


def asked_by(rules: Rules) -> Asked:
    """Returns what a mapping can ask for, whatever the deal and its phase."""
    return together(
        {kind: frozenset(fields) for kind, fields in _asked(each)}
        for each in (rules, *(phase.rules for phase in rules.phases))
    )


def together(asked: Iterable[Asked]) -> dict[str, frozenset[str]]:
    """Returns what any of several ask for."""
    every: dict[str, frozenset[str]] = {}
    for each in asked:
        for kind, fields in each.items():
            every[kind] = every.get(kind, frozenset()) | fields
    return every


def _asked(rules: Rules) -> Iterator[tuple[str, set[str]]]:
    yield Kind.PROJECT, _of_projects(rules)
    # People may be put on any deal, whatever the mapping says.
    yield Kind.ROLE, {Role.NAME}
    yield Kind.MEMBERSHIP, _of_members(rules)
    if rules.milestones:
        yield Kind.MILESTONE, {Milestone.NAME, Milestone.START, Milestone.FINISH}
    if rules.stories:
        yield Kind.STORY, _of_stories(rules)
    if rules.page is not PagePhase.NEVER:
        yield Kind.WIKI, {Wiki.TITLE, Wiki.TEXT, Wiki.FACTS}


def _of_projects(rules: Rules) -> set[str]:
    fields = {
        Project.LABEL,
        Project.TITLE,
        Project.TEXT,
        Project.DEAL_FACTS,
        Project.LOOKING_FOR_PEOPLE,
        Project.LOOKING_FOR_PEOPLE_NOTE,
        Project.PRIVATE,
    }
    states = (rules.tentative, rules.staffed, rules.retired)
    if rules.tags or any(state.tags for state in states):
        fields.add(Project.TAGS)
    if Project.template_project(rules.template):
        fields.add(Project.COPIED_FROM)
    elif rules.template:
        fields.add(Project.TEMPLATE)
    return fields


def _of_members(rules: Rules) -> set[str]:
    fields = {Membership.EMAIL, Membership.ROLE}
    if any(member.admin for member in rules.members):
        fields.add(Membership.ADMIN)
    return fields


def _of_stories(rules: Rules) -> set[str]:
    fields = {Story.SUBJECT, Story.DESCRIPTION}
    if any(story.milestone for story in rules.stories):
        fields.add(Story.MILESTONE)
    if any(story.tags for story in rules.stories):
        fields.add(Story.TAGS)
    if any(story.hours for story in rules.stories):
        fields.add(Story.HOURS)
    if any(story.assignee for story in rules.stories):
        fields.add(Story.ASSIGNED)
    return fields


def _stands_in_text(wanted: Asked, can: Capabilities) -> bool:
    """Whether hours of stories are asked for that only their descriptions can hold."""
    is_asked = Story.HOURS in wanted.get(Kind.STORY, ())
    has_text = can.holds(Kind.STORY, Story.DESCRIPTION)
    return is_asked and has_text and not can.holds(Kind.STORY, Story.HOURS)


def _beside(group: DesiredGroup, can: Capabilities) -> DesiredGroup:
    """Returns a group whose root leaves to its children what they can hold."""
    if not group.beside:
        return group
    fields = dict(group.root.fields)
    for key, values in group.beside.items():
        if can.holds(key.kind):
            fields.update(values)
    return replace(group, root=replace(group.root, fields=fields), beside={})


def _part(record: Desired, can: Capabilities) -> Desired:
    """Returns a record without fields that cannot be held, or that refer to such records."""
    kind = record.key.kind
    said: dict[str, Value] = dict(record.fields)
    for name, values in record.instead.items():
        if not can.holds(kind, name):
            said.update(_said_instead(values, kind in can.keeps_lines))
    fields = {
        name: value
        for name, value in said.items()
        if can.holds(kind, name)
        and can.holds(REFERENCES.get((kind, name), kind))
        and (can.copies_roots or name not in Project.OF_COPIES)
    }
    return record if fields.keys() == record.fields.keys() else replace(record, fields=fields)


def _said_instead(values: Mapping[str, Value], keeps_lines: bool) -> dict[str, Value]:
    """Returns what says the same: in lines that are kept current, or else in the text of new ones.

    Those who do not keep such lines do not know them.
    """
    lines = {name: value for name, value in values.items() if name == Story.FACTS}
    if lines and keeps_lines:
        return lines
    return {name: value for name, value in values.items() if name not in lines}


def _kind(kind: str, can: Capabilities) -> str:
    why = can.reasons.get(kind, "")
    return f"{_NOUNS.get(kind, kind)}{f' ({why})' if why else ''}"


def _fields(kind: str, wanted: Asked, can: Capabilities) -> str:
    """Returns which fields of a kind cannot be held, "" for those of a kind that cannot be."""
    if not can.holds(kind):
        return ""
    lacking = sorted(can.lacks[kind] & wanted[kind])
    return f"{', '.join(map(_words, lacking))} of {_NOUNS.get(kind, kind)}"


def _words(field: str) -> str:
    return _NAMES.get(field) or field.replace("_", " ")


_NAMES: Final = {Story.ASSIGNED: "assignee"}
