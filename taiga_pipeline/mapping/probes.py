"""What a mapping asks of a target whatever the deal: to be looked up before there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sync.records.model import Desired, RecordKey, Value
from taiga_pipeline.mapping.desired import template_fields
from taiga_pipeline.mapping.rules import Rules, StoryRule
from taiga_pipeline.records import Kind, Membership, Role, Story

_NOBODY: Final = "any deal"


def templates(rules: Rules) -> Iterator[Desired]:
    """Yields a project for the template that a mapping names, or for those of its phases."""
    for each in [phase.rules for phase in rules.phases] or [rules]:
        if each.template:
            key = RecordKey(_NOBODY, Kind.PROJECT)
            origins = {"": str(each.template_at)}
            yield Desired(key, template_fields(each, None), origins=origins)


def probes(rules: Rules) -> Iterator[Desired]:
    """Yields a project, members with their roles, and stories: what each deal would be given.

    Of a story it is known which fields it has, and not what is in each of them.

    Of a deal with phases, these are those of each phase.
    """
    for phase in rules.phases:
        yield from probes(phase.rules)
    if rules.phases:
        return
    yield from templates(rules)
    for member in rules.members:
        origins = {"": str(member.where)}
        role = {Role.NAME: member.role}
        yield Desired(RecordKey(_NOBODY, Kind.ROLE, member.role), role, origins=origins)
        fields: dict[str, Value] = {
            Membership.EMAIL: member.email,
            Membership.ROLE: member.role,
            Membership.ADMIN: member.admin,
        }
        yield Desired(RecordKey(_NOBODY, Kind.MEMBERSHIP, member.email), fields, origins=origins)
    yield from map(_story, rules.stories)


def _story(rule: StoryRule) -> Desired:
    """Returns a story with what can be said of it whatever the deal: which fields it has."""
    fields: dict[str, Value] = {Story.SUBJECT: rule.id}
    if rule.description.source:
        fields[Story.DESCRIPTION] = rule.description.source
    if rule.milestone:
        fields[Story.MILESTONE] = rule.milestone
    if rule.hours:
        fields[Story.HOURS] = "1"
    if rule.assignee:
        fields[Story.ASSIGNED] = rule.assignee.address
    return Desired(RecordKey(_NOBODY, Kind.STORY, rule.id), fields, origins={"": str(rule.where)})
