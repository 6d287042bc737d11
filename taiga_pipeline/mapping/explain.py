"""Why a deal's project looks as it does: which file, which rule, which values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from sync.records.model import Desired, DesiredGroup, Owner, Value, encode
from taiga_pipeline.mapping.demand import NO_RATE, Staffing, follows_value
from taiga_pipeline.mapping.desired import (
    UNDATED,
    Case,
    closed_long_ago,
    desired_group,
    left_alone,
    make_case,
)
from taiga_pipeline.mapping.holding import Holding, asked_by
from taiga_pipeline.mapping.mapping_set import MappingSet, matched, matches
from taiga_pipeline.mapping.rules import Condition, Rules, StageRule
from taiga_pipeline.mapping.several.phase_dates import Dates
from taiga_pipeline.mapping.several.phases import in_phases
from taiga_pipeline.mapping.template import Template
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.records import Kind, Milestone, Project, ProjectState, Story, Wiki

COMPUTED: Mapping[tuple[str, str], str] = {
    (Kind.PROJECT, Project.STATE): "the stage's project",
    (Kind.PROJECT, Project.LABEL): "the state's label",
    (Kind.PROJECT, Project.DEAL_FACTS): "the deal's facts",
    (Kind.PROJECT, Project.LOOKING_FOR_PEOPLE): "whether roles are still open",
    (Kind.PROJECT, Project.LOOKING_FOR_PEOPLE_NOTE): "needed roles minus confirmed allocations",
    (Kind.PROJECT, Project.TEMPLATE): "[project] template",
    (Kind.PROJECT, Project.COPIED_FROM): "[project] template",
    (Kind.PROJECT, Project.COPY_STARTS): "the deal's start",
    (Kind.PROJECT, Project.PRIVATE): "[project] private",
    (Kind.ROLE, "name"): "the role of a member",
    (Kind.MEMBERSHIP, "email"): "an allocation, or a [[member]] of every project",
    (Kind.MEMBERSHIP, "role"): "the allocation's role, else the person's; or the [[member]]'s",
    (Kind.MEMBERSHIP, "admin"): "the [[member]]'s; no other member administers",
    (Kind.STORY, Story.MILESTONE): "the story's milestone, if it is there",
    (Kind.STORY, Story.HOURS): "the story's hours",
    (Kind.STORY, Story.FACTS): "the story's hours",
    (Kind.STORY, Story.ASSIGNED): "the story's assignee",
    (Kind.WIKI, Wiki.TITLE): "[words] from_sales",
    (Kind.WIKI, Wiki.TEXT): "nothing: it belongs to people",
    (Kind.WIKI, Wiki.FACTS): "the deal's contacts, checked-off actions and notes",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mapping, and how it fared for the deal.

    ``conditions`` say for each field what the mapping accepts, what the deal has, and whether
    they match. ``chosen`` is True for the one that won.
    """

    name: str
    file: str
    conditions: tuple[tuple[str, tuple[str, ...], str, bool], ...]
    priority: int
    chosen: bool

    @property
    def verdict(self) -> str:
        """One line: why this mapping was taken or not."""
        misses = [condition for condition in self.conditions if not condition[3]]
        if misses:
            field, accepted, value, _ = misses[0]
            return f'no: {field} is "{value}", not {" or ".join(accepted)}'
        count = len(self.conditions)
        extent = (
            f"matches by {count} field{'s' if count != 1 else ''}" if count else "is the default"
        )
        priority = f", priority {self.priority}" if self.priority else ""
        return f"{'taken' if self.chosen else 'less specific'}: {extent}{priority}"


@dataclass(frozen=True, slots=True)
class FieldOrigin:
    """A field of a record: where its value comes from, who owns it, what it is.

    ``templates`` are the texts of the mapping, ``values`` the placeholders that went in.
    """

    field: str
    result: Value
    owner: Owner
    origin: str
    templates: tuple[str, ...]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecordOrigin:
    """A record and its fields. ``reason`` tells why it is wanted."""

    key: str
    kind: str
    name: str
    reason: str
    fields: tuple[FieldOrigin, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about a deal and its mapping. ``remarks`` are lines that tell what is special."""

    deal: str
    candidates: tuple[Candidate, ...]
    mapping: str
    file: str
    stage_in_deal: str
    stage: StageRule
    remarks: tuple[str, ...]
    records: tuple[RecordOrigin, ...]

    def to_json(self) -> dict[str, object]:
        """Returns the explanation as JSON-compatible data."""
        return {
            "deal": self.deal,
            "mapping": self.mapping,
            "file": self.file,
            "candidates": [_candidate_json(candidate) for candidate in self.candidates],
            "stage": {
                "deal": self.stage_in_deal,
                "rule": self.stage.name,
                "category": self.stage.category.value,
                "project": self.stage.state.value,
                "file": self.stage.where.file,
                "line": self.stage.where.line,
            },
            "remarks": list(self.remarks),
            "records": [_record_json(record) for record in self.records],
        }

    def lines(self) -> Iterator[str]:
        """Yields the explanation for people."""
        yield f"Deal {self.deal} is mapped by {self.mapping} ({self.file})."
        for candidate in self.candidates:
            yield f"  {candidate.name} ({candidate.file}) {candidate.verdict}"
        stage = self.stage
        yield f'Stage "{self.stage_in_deal}" is the rule "{stage.name}" at {stage.where}.'
        yield f"  category {stage.category.value}, project {stage.state.value}"
        for remark in self.remarks:
            yield f"  {remark}"
        for record in self.records:
            yield ""
            yield f"{record.kind} {record.name}".rstrip() + f": {record.reason}"
            for field in record.fields:
                yield from _field_lines(field)


def explain(  # noqa: PLR0913, PLR0917 - a deal, and all that is known of it
    mappings: MappingSet,
    deal: Deal,
    staffing: Staffing,
    today: date,
    holding: Holding | None = None,
    dates: Mapping[str, Dates] = MappingProxyType({}),
) -> Explanation:
    """Returns why the deal's project looks as it does, or those of its phases.

    ``holding`` is what the target can hold, ``dates`` are those of milestones that are there; see
    `MappingSet.desired_groups`.

    :raises NotMapped: no mapping is for it, several are, or its stage is unknown.
    """
    rules, stage = mappings.stage_of(deal)
    holding = holding or Holding()
    projects = list(_projects(deal, rules, stage, staffing, dates))
    made = [(case, holding.part(_group(case, of, today))) for case, of in projects]
    remarks = [remark for case, group in made for remark in _remarks(case, group, today)]
    return Explanation(
        deal=one_line(deal.key),
        candidates=tuple(_candidate(rule, deal, rules) for rule in mappings.rules),
        mapping=rules.name,
        file=rules.file,
        stage_in_deal=one_line(deal.stage),
        stage=stage,
        remarks=(*dict.fromkeys(remarks), *holding.notes([asked_by(rules)], [rules])),
        records=tuple(_record(record, case) for case, group in made for record in group.records()),
    )


def _projects(
    deal: Deal, rules: Rules, stage: StageRule, staffing: Staffing, dates: Mapping[str, Dates]
) -> Iterator[tuple[Case, Staffing]]:
    if not rules.phases:
        yield make_case(deal, rules, stage, staffing), staffing
    for phase, people in in_phases(deal, rules, stage, staffing, dates) if rules.phases else ():
        yield make_case(deal, phase.rule.rules, stage, people, phase), people


def _group(case: Case, staffing: Staffing, today: date) -> DesiredGroup:
    return desired_group(case.deal, case.rules, case.stage, staffing, today, case.phase)


def _candidate(rule: Rules, deal: Deal, chosen: Rules) -> Candidate:
    conditions = tuple(_condition(condition, deal) for condition in rule.conditions)
    return Candidate(rule.name, rule.file, conditions, rule.priority, rule is chosen)


def _condition(condition: Condition, deal: Deal) -> tuple[str, tuple[str, ...], str, bool]:
    accepted = tuple(sorted(condition.accepted))
    value = one_line(matched(condition, deal))
    return condition.field, accepted, value, matches(condition, deal)


def _remarks(case: Case, group: DesiredGroup, today: date) -> Iterator[str]:
    deal, rules, stage = case.deal, case.rules, case.stage
    if case.phase and stage.state is ProjectState.TENTATIVE and case.state is ProjectState.RETIRED:
        yield f'the phase "{case.phase.rule.name}" has a project once the deal is won'
        return
    if case.view.start is not None and deal.start is None and case.phase is None:
        lead = f"the close plus lead_time_weeks = {rules.lead_time_weeks}"
        yield f"the start {case.view.start} is calculated: {lead}"
    if stage.state is ProjectState.NONE:
        yield "no project is made; an existing one is retired"
    elif case.state is ProjectState.RETIRED:
        yield "no project is made; an existing one is retired, its contents stay as they are"
    elif left_alone(deal, rules, stage, today):
        yield f"followed only if synced before: {UNDATED}"
    elif closed_long_ago(deal, rules, stage, today):
        days = rules.closed_within_days
        yield f"closed more than closed_within_days = {days} ago: followed only if synced before"
    if not deal.roles and case.demand:
        yield "the deal states no roles: those of the mapping count"
    if follows_value(deal, rules) and not rules.rates.can_compare(deal.currency):
        yield NO_RATE.format(currency=deal.currency, file=rules.file)
    yield from group.root.notes


def _record(record: Desired, case: Case) -> RecordOrigin:
    fields = tuple(_field(record, name, value, case) for name, value in record.fields.items())
    name = case.key if case.phase and record.key.is_root else record.key.name
    return RecordOrigin(str(record.key), record.key.kind, name, record.reason, fields)


def _field(record: Desired, name: str, value: Value, case: Case) -> FieldOrigin:
    templates = tuple(_templates(record, name, case))
    names = dict.fromkeys(each for template in templates for each in template.names)
    return FieldOrigin(
        field=name,
        result=value,
        owner=record.owner(name),
        origin=_origin(record, name, case, bool(templates)),
        templates=tuple(template.source for template in templates),
        values={each: case.values[each] for each in names},
    )


def _templates(record: Desired, name: str, case: Case) -> Iterable[Template]:
    """Returns the texts of the mapping that a field is made of."""
    rules = case.rules
    if record.key.kind == Kind.PROJECT:
        by_field: dict[str, tuple[Template, ...]] = {
            Project.TITLE: (rules.title,),
            Project.TEXT: (rules.description,),
            Project.TAGS: (*rules.tags, *case.look.tags),
        }
        return by_field.get(name, ())
    if record.key.kind == Kind.MILESTONE and name == Milestone.NAME:
        return [rule.name for rule in rules.milestones if rule.id == record.key.name]
    if record.key.kind == Kind.STORY:
        story = next(rule for rule in rules.stories if rule.id == record.key.name)
        of_story: dict[str, tuple[Template, ...]] = {
            Story.SUBJECT: (story.subject,),
            Story.DESCRIPTION: (story.description,),
            Story.TAGS: story.tags,
        }
        return of_story.get(name, ())
    return ()


def _origin(record: Desired, name: str, case: Case, has_template: bool) -> str:
    if record.key.kind == Kind.MILESTONE and name != Milestone.NAME:
        rule = next(rule for rule in case.rules.milestones if rule.id == record.key.name)
        days = rule.start if name == Milestone.START else rule.finish
        return f"the start {case.planned} and {days} days"
    if has_template:
        return "text of the mapping"
    return COMPUTED.get((record.key.kind, name), "text of the mapping")


def _candidate_json(candidate: Candidate) -> dict[str, object]:
    return {
        "mapping": candidate.name,
        "file": candidate.file,
        "chosen": candidate.chosen,
        "priority": candidate.priority,
        "verdict": candidate.verdict,
        "conditions": [
            {"field": field, "accepts": list(accepted), "value": value, "matches": match}
            for field, accepted, value, match in candidate.conditions
        ],
    }


def _record_json(record: RecordOrigin) -> dict[str, object]:
    return {
        "key": record.key,
        "kind": record.kind,
        "reason": record.reason,
        "fields": [
            {
                "field": field.field,
                "value": encode(field.result),
                "owner": field.owner.value,
                "origin": field.origin,
                "templates": list(field.templates),
                "values": dict(field.values),
            }
            for field in record.fields
        ],
    }


def _field_lines(field: FieldOrigin) -> Iterator[str]:
    yield f"  {field.field} = {shown(field.result)}  [{field.owner.value}]"
    if not field.templates:
        yield f"      from {field.origin}"
        return
    values = ", ".join(f'{name} "{value}"' for name, value in field.values.items())
    templates = ", ".join(f'"{_flat(template)}"' for template in field.templates)
    yield f"      from {templates}" + (f" with {values}" if values else "")


def shown(value: Value) -> str:
    """Returns a field's value on one line, for people."""
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f'"{_flat(str(value))}"' if value else "nothing"


def _flat(text: str) -> str:
    return " / ".join(line for line in text.split("\n") if line)
