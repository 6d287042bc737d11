"""What is wrong with a mapping file although its form is right. Each check yields problems."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from taiga_pipeline.mapping.dates import parse_offset
from taiga_pipeline.mapping.model import (
    MappingFile,
    MilestoneTable,
    Phase,
    PhaseTable,
    StateTable,
    StoryTable,
)
from taiga_pipeline.mapping.rules import (
    Condition,
    Rules,
    conditions,
    milestone_id,
    phase_id,
    stage_state,
    story_id,
)
from taiga_pipeline.mapping.stories.assignee import MANAGER, SELLERS, parse_assignee
from taiga_pipeline.mapping.stories.hours import parse_hours
from taiga_pipeline.mapping.template import parse_template
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.mapping.values import placeholders
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind
from taiga_pipeline.pipeline.fields.own import read_own
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.problems import Problem, did_you_mean
from taiga_pipeline.records import ProjectState
from taiga_pipeline.toml_places import Document, KeyPath

TEMPLATES: Final[tuple[KeyPath, ...]] = (
    ("project", "title"),
    ("project", "description"),
    ("project", "tags"),
    ("project", "tentative", "tags"),
    ("project", "staffed", "tags"),
    ("project", "retired", "tags"),
    ("milestone", "name"),
    ("story", "subject"),
    ("story", "description"),
    ("story", "tags"),
    ("phase", "title"),
    ("phase", "tags"),
    ("phase", "milestone", "name"),
    ("phase", "story", "subject"),
    ("phase", "story", "description"),
    ("phase", "story", "tags"),
)
"""Where placeholders may stand; of tables and lists, every element."""

Check = Callable[[MappingFile, Document], Iterable[Problem]]


def check_meaning(model: MappingFile, document: Document) -> list[Problem]:
    """Returns everything that is wrong with one file beyond its form."""
    return [problem for check in CHECKS for problem in check(model, document)]


def check_placeholders(document: Document, table: FieldTable = BUILT_IN) -> Iterator[Problem]:
    """Yields what is wrong with texts that may hold placeholders, whatever else is wrong."""
    known = placeholders(table)
    for pattern in TEMPLATES:
        for path, text in _texts_at(document.data, pattern):
            for problem in parse_template(text, known)[1]:
                line, column = document.places.inside(path, text, problem.index)
                message = f"{problem}{_nearest_placeholder(problem.name, known)}"
                yield Problem(message, document.file, line, column)


def _texts_at(data: Any, pattern: KeyPath, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yields the texts at ``pattern`` with their paths; a list means each of its elements."""
    if isinstance(data, list):
        for number, element in enumerate(data):
            yield from _texts_at(element, pattern, (*path, number))
    elif isinstance(data, dict) and pattern and pattern[0] in data:
        yield from _texts_at(data[pattern[0]], pattern[1:], (*path, pattern[0]))
    elif isinstance(data, str) and not pattern:
        yield path, data


def _states(model: MappingFile) -> Iterator[tuple[str, StateTable]]:
    for name in ("tentative", "staffed", "retired"):
        yield name, getattr(model.project, name)


def _nearest_placeholder(name: str, known: Collection[str]) -> str:
    if not name:
        return ""
    near = did_you_mean(name, known).replace("'", '"')
    return near or f"; known are {', '.join(known)}"


def _labels(model: MappingFile, document: Document) -> Iterator[Problem]:
    labels = {(name, "label"): state.label for name, state in _states(model)}
    labels["retired", "label_open"] = model.project.retired.label_open
    labels["retired", "label_gone"] = model.project.retired.label_gone
    for (state, key), label in labels.items():
        path = ("project", state, key)
        if label != " ".join(label.split()):
            yield document.at_value(
                path, "a label cannot begin or end with a blank, or contain a line end"
            )
        if any(f"{{{name}}}" in label for name in placeholders(model.table)):
            yield document.at_value(path, "a label is fixed text; it has no placeholders")


def _match(model: MappingFile, document: Document) -> Iterator[Problem]:
    match = model.mapping.match
    for name in sorted(match.model_fields_set):
        if not getattr(match, name):
            message = f'"{name}" accepts no value, so no deal matches; leave it out for any value'
            yield document.at_value(("mapping", "match", name), message)
            continue
        if name in model.table and model.table[name].is_own:
            yield from _accepted(document, model.table[name], getattr(match, name))


def _accepted(document: Document, field: DealField, texts: Sequence[str]) -> Iterator[Problem]:
    """Finds values that no deal can have in a field of the user's own."""
    at: KeyPath = ("mapping", "match", field.name)
    is_list = isinstance(document.data["mapping"]["match"][field.name], list)
    for number, text in enumerate(texts):
        try:
            read_own(field, text)
        except InvalidValue as error:
            yield document.at_value((*at, number) if is_list else at, f'"{field.name}": {error}')


def _stage_names(model: MappingFile, document: Document) -> Iterator[Problem]:
    """Finds names and aliases that stand for two stages."""
    seen: dict[str, tuple[KeyPath, str]] = {}
    for number, stage in enumerate(model.stage):
        path: KeyPath = ("stage", number)
        aliases = [((*path, "aliases", n), alias) for n, alias in enumerate(stage.aliases)]
        for place, name in [((*path, "name"), stage.name), *aliases]:
            first, first_name = seen.setdefault(normalise(name), (place, name))
            if first != place:
                line = document.places.value(first)[0]
                message = f'the stage "{name}" exists already, in line {line} ("{first_name}")'
                yield document.at_value(place, message)


def _stage_states(model: MappingFile, document: Document) -> Iterator[Problem]:
    odd = {
        Category.WON: ({ProjectState.STAFFED}, "a won deal's project is staffed"),
        Category.LOST: (
            {ProjectState.RETIRED, ProjectState.NONE},
            "a lost deal's project is retired (or none)",
        ),
    }
    for number, stage in enumerate(model.stage):
        allowed, why = odd.get(stage.category, (set(ProjectState), ""))
        if stage_state(stage) not in allowed:
            path = ("stage", number, "project")
            yield document.at_value(path, f"{why}; a stage of another kind has another category")
    states = {stage_state(stage) for stage in model.stage}
    if not states & {ProjectState.TENTATIVE, ProjectState.STAFFED}:
        message = 'no stage leads to a project: give one project = "tentative" or "staffed"'
        yield document.at_value(("stage", 0), message)


def shortcomings(rules: Rules) -> Iterator[Problem]:
    """Yields what a mapping lacks to follow a deal to its end. It works all the same."""
    categories = {stage.category for stage in rules.stages}
    states = {stage.state for stage in rules.stages}
    if Category.WON not in categories:
        yield Problem(
            'no stage has the category "won": no project is ever staffed, and won deals '
            "are left out once their stage is not one of these",
            rules.file,
        )
    if Category.PROPOSAL not in categories and ProjectState.TENTATIVE not in states:
        yield Problem(
            'no stage has the category "proposal", or project = "tentative": no project is '
            "visible before its deal is won",
            rules.file,
        )


def _places(model: MappingFile) -> Iterator[tuple[KeyPath, MappingFile | PhaseTable]]:
    """Yields the file itself, then each phase, with where its tables are."""
    yield (), model
    for number, phase in enumerate(model.phase):
        yield ("phase", number), phase


def _members(model: MappingFile, document: Document) -> Iterator[Problem]:
    common: dict[str, KeyPath] = {}
    for at, part in _places(model):
        first = dict(common)
        for number, member in enumerate(part.member):
            path = (*at, "member", number)
            earlier = first.setdefault(member.email, path)
            if earlier != path:
                line = document.places.value(earlier)[0]
                message = f'"{member.email}" is a member already, in line {line}'
                yield document.at_value((*path, "email"), message)
        common = common or first


def _role_starts(model: MappingFile, document: Document) -> Iterator[Problem]:
    for at, part in _places(model):
        for number, role in enumerate(part.role):
            days = parse_offset(role.start)
            if days < 0 or days % 7:
                message = (
                    f'must be whole weeks from the start on, such as "+2w"; it is "{role.start}"'
                )
                yield document.at_value((*at, "role", number, "start"), f'"start" {message}')


def _milestones(model: MappingFile, document: Document) -> Iterator[Problem]:
    for at, part in _places(model):
        for number, milestone in enumerate(part.milestone):
            if parse_offset(milestone.start) > parse_offset(milestone.finish):
                message = f'finishes ("{milestone.finish}") before it starts ("{milestone.start}")'
                path = (*at, "milestone", number, "finish")
                yield document.at_value(path, f'the milestone "{milestone.name}" {message}')
    yield from _same(model, document, "milestone", lambda part: map(milestone_id, part.milestone))


def _stories(model: MappingFile, document: Document) -> Iterator[Problem]:
    yield from _same(model, document, "story", lambda part: map(story_id, part.story))
    for at, part in _places(model):
        milestones = [*model.milestone, *(part.milestone if at else ())]
        by_name = {name: m for m in milestones for name in (m.name, milestone_id(m))}
        for number, story in enumerate(part.story):
            path = (*at, "story", number)
            if story.milestone is not None:
                yield from _story_milestone(document, (*path, "milestone"), story, by_name)
            if isinstance(story.hours, str):
                yield from _story_hours(document, (*path, "hours"), story.hours, model.table)
            if story.assignee:
                yield from _assignee(document, (*path, "assignee"), story.assignee, model.table)


def _story_milestone(
    document: Document, path: KeyPath, story: StoryTable, by_name: Mapping[str, MilestoneTable]
) -> Iterator[Problem]:
    milestone = by_name.get(story.milestone or "")
    if milestone is None:
        near = did_you_mean(str(story.milestone), by_name).replace("'", '"')
        yield document.at_value(path, f'there is no milestone "{story.milestone}"{near}')
    elif story.when is Phase.TENTATIVE and milestone.when is Phase.STAFFED:
        message = "the milestone is made when the project is staffed, the story before"
        yield document.at_value(path, f'{message}; give both the same "when"')


def _story_hours(
    document: Document, path: KeyPath, hours: str, table: FieldTable
) -> Iterator[Problem]:
    """Finds hours that are those of a field which deals do not have, or which is no number."""
    name = parse_hours(hours).field
    numbers = [field.name for field in table if field.is_own and field.kind is Kind.NUMBER]
    if name and name not in numbers:
        near = did_you_mean(name, numbers).replace("'", '"')
        placeholder = "{" + name + "}"
        message = f'"{placeholder}" is no field of your own that is a number{near}'
        yield document.at_value(path, message)


def _assignee(
    document: Document, path: KeyPath, assignee: str, table: FieldTable
) -> Iterator[Problem]:
    """Finds people named by a field which deals do not have, or which names nobody."""
    name = parse_assignee(assignee).field
    own = [field.name for field in table if field.is_own and field.kind in (Kind.TEXT, Kind.CHOICE)]
    known = (MANAGER, *SELLERS, *own)
    if name and name not in known:
        near = did_you_mean(name, known).replace("'", '"')
        placeholder = "{" + name + "}"
        message = f'"{placeholder}" is no field that names a person{near}'
        yield document.at_value(path, message)


def _same(
    model: MappingFile,
    document: Document,
    kind: str,
    ids: Callable[[MappingFile | PhaseTable], Iterable[str]],
) -> Iterator[Problem]:
    """Finds records of one kind that are known by the same id (letter case does not count).

    Those of a phase stand beside those of every project.
    """
    common: dict[str, KeyPath] = {}
    for at, part in _places(model):
        first = dict(common)
        for number, name in enumerate(ids(part)):
            path = (*at, kind, number)
            earlier = first.setdefault(name.casefold(), path)
            if earlier != path:
                line = document.places.value(earlier)[0]
                message = f'this {kind} and the one in line {line} have the same id "{name}"'
                yield document.at_value(path, f'{message}; give it its own "id"')
        common = common or first


def _templates_named(model: MappingFile, document: Document) -> Iterator[Problem]:
    """A template that is to be a project names one."""
    named: dict[KeyPath, str] = {("project", "template"): model.project.template}
    for number, phase in enumerate(model.phase):
        named["phase", number, "template"] = phase.template or ""
    for path, template in named.items():
        if template.strip() == "project:":
            message = "which project? Write its number, its name in addresses, or its address"
            yield document.at_value(path, f'{message}: "project:42"')


def _phase_ids(model: MappingFile, document: Document) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, phase in enumerate(model.phase):
        path = ("phase", number)
        if not phase_id(phase):
            message = f'no id can be made of the name "{phase.name}"; give the phase an "id"'
            yield document.at_value((*path, "name"), message)
            continue
        if re.search(r"\{\w+\}", phase.name):
            message = "a phase's name is fixed text; it has no placeholders"
            yield document.at_value((*path, "name"), message)
        for name in {phase_id(phase), normalise(phase.name)}:
            earlier = first.setdefault(name, number)
            if earlier != number:
                line = document.places.value(("phase", earlier))[0]
                message = f'this phase and the one in line {line} are both "{name}"'
                yield document.at_value(path, f'{message}; give it its own "id" and "name"')
                break


def _phase_switches(model: MappingFile, document: Document) -> Iterator[Problem]:
    """One phase has the deal's project, and one what the deal asks for."""
    keeping = [number for number, phase in enumerate(model.phase) if phase.keeps_project]
    if model.phase and not keeping:
        message = (
            "one phase has to say keeps_project = true: its project is the one that a deal has "
            "already"
        )
        yield document.at_value(("phase", 0), message)
    for number in keeping[1:]:
        line = document.places.value(("phase", keeping[0]))[0]
        message = f"the phase in line {line} keeps the project already; one alone can"
        yield document.at_value(("phase", number, "keeps_project"), message)
    taking = [number for number, phase in enumerate(model.phase) if phase.takes_roles]
    for number in taking[1:]:
        line = document.places.value(("phase", taking[0]))[0]
        message = f"the phase in line {line} takes the deal's roles already; one alone can"
        yield document.at_value(("phase", number, "takes_roles"), message)


def _phase_order(model: MappingFile, document: Document) -> Iterator[Problem]:
    """Finds phases that come after none that is there, or after themselves."""
    ids = {name: phase_id(phase) for phase in model.phase for name in (phase_id(phase), phase.name)}
    after = {phase_id(phase): ids.get(phase.after or "", "") for phase in model.phase}
    for number, phase in enumerate(model.phase):
        path = ("phase", number, "after")
        if phase.after and phase.after not in ids:
            near = did_you_mean(phase.after, ids).replace("'", '"')
            yield document.at_value(path, f'there is no phase "{phase.after}"{near}')
        elif phase_id(phase) in _before(phase_id(phase), after):
            yield document.at_value(path, f'the phase "{phase.name}" would start after itself')
            return


def _before(phase: str, after: Mapping[str, str]) -> list[str]:
    """Returns the phases before one, the nearest first, as far as they do not repeat."""
    found: list[str] = []
    while (phase := after.get(phase, "")) and phase not in found:
        found.append(phase)
    return found


CHECKS: Final[tuple[Check, ...]] = (
    _labels,
    _match,
    _stage_names,
    _stage_states,
    _members,
    _role_starts,
    _milestones,
    _stories,
    _templates_named,
    _phase_ids,
    _phase_switches,
    _phase_order,
)


def check_together(files: Sequence[tuple[MappingFile, Document]]) -> list[Problem]:
    """Returns what is wrong between files: equal names, and mappings that tie for sure."""
    problems: list[Problem] = []
    for (first, where), (second, document) in itertools.combinations(files, 2):
        if normalise(first.mapping.name) == normalise(second.mapping.name):
            message = f'the mapping "{first.mapping.name}" is in {where.file} already'
            problems.append(document.at_value(("mapping", "name"), message))
        if _tie(first, second):
            problems.append(_tie_problem(first, where, second, document))
    return problems


def _tie(first: MappingFile, second: MappingFile) -> bool:
    """Whether two mappings name the same fields, and accept a value in common for each."""
    ours, theirs = (conditions(each.mapping.match, each.table) for each in (first, second))
    return (
        first.mapping.priority == second.mapping.priority
        and [condition.field for condition in ours] == [condition.field for condition in theirs]
        and all(_overlap(one, other) for one, other in zip(ours, theirs, strict=True))
    )


def _overlap(one: Condition, other: Condition) -> bool:
    if one.field != "key_prefix":
        return bool(one.accepted & other.accepted)
    pairs = itertools.product(one.accepted, other.accepted)
    return any(a.startswith(b) or b.startswith(a) for a, b in pairs)


def _tie_problem(
    first: MappingFile, where: Document, second: MappingFile, document: Document
) -> Problem:
    if not conditions(second.mapping.match):
        message = f"{where.file} has no match either: only one mapping can be the default"
    else:
        message = f"deals exist that match {where.file} just as well; give one of both a priority"
    path = ("mapping", "match") if "match" in second.mapping.model_fields_set else ("mapping",)
    return document.at_value(path, message)
