"""A mapping, ready for use: names resolved, texts parsed, dates counted. Built once per file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from sync.records.model import Owner, WhenDeleted, WhenDropped, WhenRetired
from taiga_pipeline.mapping.dates import parse_offset
from taiga_pipeline.mapping.model import (
    MappingFile,
    MatchTable,
    MemberTable,
    MilestoneTable,
    OwnershipTable,
    PagePhase,
    Phase,
    PhaseTable,
    RoleTable,
    StageTable,
    StateTable,
    StoryTable,
    WhenUndated,
    WordsTable,
)
from taiga_pipeline.mapping.stories.assignee import AssigneeRule, parse_assignee
from taiga_pipeline.mapping.stories.hours import HoursRule, parse_hours
from taiga_pipeline.mapping.template import Template, parse_template
from taiga_pipeline.mapping.text import normalise, slug
from taiga_pipeline.mapping.values import Placeholder, placeholders
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import Fact, FieldTable
from taiga_pipeline.pipeline.fields.own import read_own
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Category, RoleDemand
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.records import (
    Membership,
    Milestone,
    Project,
    ProjectState,
    Role,
    Story,
    Wiki,
)
from taiga_pipeline.toml_places import Document, KeyPath

_Known = Mapping[str, Placeholder]

STATE_OF_CATEGORY: Final[Mapping[Category, ProjectState]] = {
    Category.LEAD: ProjectState.NONE,
    Category.QUALIFIED: ProjectState.NONE,
    Category.NEEDS: ProjectState.NONE,
    Category.PROPOSAL: ProjectState.TENTATIVE,
    Category.WON: ProjectState.STAFFED,
    Category.LOST: ProjectState.RETIRED,
}
LONGEST_ID: Final = 40
"""Characters of a phase's id."""

PROBABILITY_OF_CATEGORY: Final[Mapping[Category, Decimal]] = {
    Category.WON: Decimal(1),
    Category.LOST: Decimal(0),
}


@dataclass(frozen=True, slots=True)
class Where:
    """A line of a mapping file, as people read it: ``mappings/default.toml:12``."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class StageRule:
    """A stage. ``probability`` is that of deals that state none, ``requires`` is its gate."""

    name: str
    aliases: tuple[str, ...]
    category: Category
    probability: Decimal | None
    state: ProjectState
    requires: tuple[str, ...]
    where: Where
    decides: Where
    """Where the file says what becomes of the project."""
    stale_after_days: int = 60

    @property
    def sets_aside(self) -> bool:
        """Whether deals rest here: their projects are retired, and they are not lost."""
        return self.state is ProjectState.RETIRED and self.category is not Category.LOST

    def chance(self, stated: Decimal | None) -> Decimal | None:
        """Returns the chance to win of a deal at this stage that states ``stated``, 0 to 1.

        What is decided is 1 or 0, whatever anyone states. None if nothing tells.
        """
        decided = PROBABILITY_OF_CATEGORY.get(self.category)
        if decided is not None:
            return decided
        return self.probability if stated is None else stated


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of a deal and the values (normalised) that a mapping accepts for it."""

    field: str
    accepted: frozenset[str]


@dataclass(frozen=True, slots=True)
class StateRule:
    """How a project looks in a state."""

    label: str
    tags: tuple[Template, ...]
    where: Where
    """Where the file gives the label, or would."""


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Demand of deals that state none: of which services (normalised; none named: of all).

    ``per_value`` is the value of a deal that needs exactly these hours, in the currency of the
    `Rules.rates` if they have one; None: they are for any.
    """

    demand: RoleDemand
    services: frozenset[str] = frozenset()
    per_value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MemberRule:
    """Someone who is in every project; ``email`` is in lower case."""

    email: str
    role: str
    admin: bool
    when: Phase
    where: Where


@dataclass(frozen=True, slots=True)
class MilestoneRule:
    """A milestone; ``start`` and ``finish`` are days from the project's start."""

    id: str
    name: Template
    start: int
    finish: int
    when: Phase
    where: Where


@dataclass(frozen=True, slots=True)
class StoryRule:
    """A story; ``milestone`` is the id of its milestone, "" for none. ``hours`` are the planned
    ones, and ``assignee`` does it: None where the mapping says nothing of that."""

    id: str
    subject: Template
    description: Template
    when: Phase
    milestone: str
    tags: tuple[Template, ...]
    where: Where
    hours: HoursRule | None = None
    assignee: AssigneeRule | None = None


@dataclass(frozen=True, slots=True)
class PhaseRule:
    """A phase of a deal, with a project of its own.

    ``keeps_project``: its project is the deal's own. ``start`` is in days, from the start of the
    deal, or from the day after the end of the phase ``after`` (its id, "" for none).
    ``takes_roles``: what a deal asks for itself is for this phase. ``rules`` are the mapping's with
    what the phase adds. ``has_id`` says that the mapping itself gives the id.
    """

    id: str
    name: str
    keeps_project: bool
    when: Phase
    after: str
    start: int
    takes_roles: bool
    rules: Rules
    where: Where
    has_id: bool = False


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns which field, for each kind of record.

    ``stage`` owns the column of a deal's card, ``card`` its other fields, by the deal's field.
    ``stage_is_stated`` tells whether the mapping says so itself.
    """

    project: Mapping[str, Owner]
    role: Mapping[str, Owner]
    membership: Mapping[str, Owner]
    milestone: Mapping[str, Owner]
    story: Mapping[str, Owner]
    page: Mapping[str, Owner]
    stage: Owner
    stage_is_stated: bool
    card: Mapping[str, Owner]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that one mapping file says.

    ``by_stage_name`` finds a stage by any of its normalised names.
    """

    name: str
    file: str
    conditions: tuple[Condition, ...]
    priority: int
    closed_within_days: int
    when_undated: WhenUndated
    when_deleted: WhenDeleted
    when_dropped: WhenDropped
    lead_time_weeks: int
    stages: tuple[StageRule, ...]
    by_stage_name: Mapping[str, StageRule]
    title: Template
    description: Template
    tags: tuple[Template, ...]
    template: str
    private: bool
    page: PagePhase
    money_on_page: bool
    tentative: StateRule
    staffed: StateRule
    retired: StateRule
    label_open: str
    label_gone: str
    how_retired: WhenRetired
    members: tuple[MemberRule, ...]
    demand: tuple[RoleRule, ...]
    milestones: tuple[MilestoneRule, ...]
    stories: tuple[StoryRule, ...]
    owners: Owners
    words: WordsTable
    title_at: Where
    template_at: Where
    page_at: Where
    placeholders: Mapping[str, Placeholder]
    facts: tuple[tuple[str, str], ...]
    """The fields that a project's description shows, in their order, each with its word."""
    card_facts: tuple[tuple[str, str], ...]
    page_facts: tuple[tuple[str, str], ...]
    rates: Rates = field(default_factory=Rates)
    """What values of deals are compared in, for hours that follow them (``per_value``)."""
    phases: tuple[PhaseRule, ...] = ()
    """Phases with a project each. With any, milestones and stories are in their rules only."""

    @property
    def specificity(self) -> tuple[int, int]:
        """What decides between mappings that match a deal: the number of fields, the priority."""
        return len(self.conditions), self.priority

    def find_stage(self, name: str) -> StageRule | None:
        """Returns the stage that is called ``name`` (or has it as an alias)."""
        return self.by_stage_name.get(normalise(name))

    def with_rates(self, rates: Rates) -> Rules:
        """Returns the same rules, with values of deals in other currencies converted so."""
        phases = tuple(replace(each, rules=each.rules.with_rates(rates)) for each in self.phases)
        return replace(self, rates=rates, phases=phases)

    def labels(self) -> frozenset[str]:
        """Returns every label that this mapping shows, "" included where it shows none."""
        looks = (self.tentative, self.staffed, self.retired)
        return frozenset([*(look.label for look in looks), self.label_open, self.label_gone])


def compile_rules(model: MappingFile, document: Document) -> Rules:
    """Returns the rules of a file in which nothing is wrong."""
    project, known = model.project, placeholders(model.table, model.words.yes, model.words.no)
    stale = model.mapping.stale_after_days
    stages = tuple(_stage(document, n, stage, stale) for n, stage in enumerate(model.stage))
    rules = Rules(
        name=model.mapping.name,
        file=document.file,
        conditions=conditions(model.mapping.match, model.table),
        priority=model.mapping.priority,
        closed_within_days=model.mapping.closed_within_days,
        when_undated=model.mapping.when_undated,
        when_deleted=model.mapping.when_deleted,
        when_dropped=WhenDropped(model.mapping.when_dropped.value),
        lead_time_weeks=model.mapping.lead_time_weeks,
        stages=stages,
        by_stage_name=MappingProxyType(
            {normalise(name): stage for stage in stages for name in (stage.name, *stage.aliases)}
        ),
        title=_template(project.title, known),
        description=_template(project.description, known),
        tags=_templates(project.tags, known),
        template=project.template,
        private=project.private,
        page=project.from_sales_page,
        money_on_page=project.money_on_page,
        tentative=_look(document, "tentative", project.tentative, known),
        staffed=_look(document, "staffed", project.staffed, known),
        retired=_look(document, "retired", project.retired, known),
        label_open=project.retired.label_open,
        label_gone=project.retired.label_gone,
        how_retired=project.retired.how,
        members=tuple(_members(document, (), model.member)),
        demand=tuple(map(_demand, model.role)),
        milestones=tuple(_milestones(document, (), model.milestone, known)),
        stories=tuple(_stories(document, (), model.story, model.milestone, known)),
        owners=_owners(model.ownership),
        words=model.words,
        title_at=_where(document, ("project", "title")),
        template_at=_where(document, ("project", "template")),
        page_at=_where(document, ("project", "from_sales_page")),
        placeholders=known,
        facts=_facts(model, lambda fact: fact.place),
        card_facts=_facts(model, lambda fact: fact.card),
        page_facts=_facts(model, lambda fact: fact.page),
    )
    return _with_phases(rules, model, document) if model.phase else rules


def _with_phases(rules: Rules, model: MappingFile, document: Document) -> Rules:
    """Returns the rules of a deal with phases: what is made in a project is said by these."""
    ids = {name: phase_id(phase) for phase in model.phase for name in (phase_id(phase), phase.name)}
    is_said = any(phase.takes_roles for phase in model.phase)
    phases = tuple(
        PhaseRule(
            id=phase_id(phase),
            name=phase.name,
            keeps_project=phase.keeps_project,
            when=phase.when,
            after=ids[phase.after] if phase.after else "",
            start=parse_offset(phase.start),
            takes_roles=bool(phase.takes_roles) if is_said else phase.keeps_project,
            rules=_of_phase(rules, phase, model, document, ("phase", number)),
            where=_where(document, ("phase", number)),
            has_id=bool(phase.id),
        )
        for number, phase in enumerate(model.phase)
    )
    return replace(rules, milestones=(), stories=(), phases=phases)


def _of_phase(
    rules: Rules, phase: PhaseTable, model: MappingFile, document: Document, at: KeyPath
) -> Rules:
    """Returns the rules of a phase's project: those of all projects, and what the phase adds."""
    known, named = rules.placeholders, {"title": phase.title, "template": phase.template}
    common = model.project.title
    named_in = "phase" in rules.title.names
    title = phase.title or (common if named_in else f"{common} – {literal(phase.name)}")
    template = rules.template if phase.template is None else phase.template
    milestones = [*model.milestone, *phase.milestone]
    places = {
        name: getattr(rules, f"{name}_at") if value is None else _where(document, (*at, name))
        for name, value in named.items()
    }
    return replace(
        rules,
        title=_template(title, known),
        title_at=places["title"],
        template=template,
        template_at=places["template"],
        tags=(*rules.tags, *_templates(phase.tags, known)),
        members=(*rules.members, *_members(document, at, phase.member)),
        demand=tuple(map(_demand, phase.role)),
        milestones=(*rules.milestones, *_milestones(document, at, phase.milestone, known)),
        stories=(*rules.stories, *_stories(document, at, phase.story, milestones, known)),
    )


def _facts(model: MappingFile, place: Callable[[Fact], int]) -> tuple[tuple[str, str], ...]:
    """Returns the fields that have a place among some facts, in their order, with their words."""
    placed = [(place(field.fact), field) for field in model.table if field.fact]
    shown = sorted((each for each in placed if each[0]), key=lambda each: each[0])
    return tuple((field.name, model.words.fact(field)) for _, field in shown)


def _look(document: Document, state: str, table: StateTable, known: _Known) -> StateRule:
    where = _where(document, ("project", state, "label"))
    return StateRule(table.label, _templates(table.tags, known), where)


def conditions(match: MatchTable, table: FieldTable = BUILT_IN) -> tuple[Condition, ...]:
    """Returns the fields that a mapping names, with the values that it accepts."""
    accepted: dict[str, list[str]] = {
        name: getattr(match, name) for name in type(match).model_fields
    }
    return tuple(
        Condition(name, frozenset(normalise(_compared(table, name, each)) for each in values))
        for name, values in accepted.items()
        if values
    )


def _compared(table: FieldTable, name: str, text: str) -> str:
    """Returns what a deal's value is compared with: in a field of the user's own, its normal form.

    What cannot be read is reported by the checks; it matches no deal.
    """
    if name not in table or not table[name].is_own:
        return text
    try:
        return read_own(table[name], text)
    except InvalidValue:
        return text


def milestone_id(milestone: MilestoneTable) -> str:
    """Returns what a milestone is known by."""
    return milestone.id or milestone.name


def story_id(story: StoryTable) -> str:
    """Returns what a story is known by: its id, or a slug of its subject's template."""
    return story.id or slug(story.subject) or normalise(story.subject)


def phase_id(phase: PhaseTable) -> str:
    """Returns what a phase is known by: its id, or a slug of its name; "" if that gives none."""
    return phase.id or slug(phase.name)[:LONGEST_ID].strip("-")


def literal(text: str) -> str:
    """Returns a text as it stands in a template, without placeholders."""
    return text.replace("{", "{{").replace("}", "}}")


def _where(document: Document, path: KeyPath) -> Where:
    return Where(document.file, document.places.value(path)[0])


def _template(source: str, known: _Known) -> Template:
    template, problems = parse_template(source, known)
    assert not problems, "texts are checked before rules are made of them"
    return template


def _templates(sources: Iterable[str], known: _Known) -> tuple[Template, ...]:
    return tuple(_template(source, known) for source in sources)


def stage_state(stage: StageTable) -> ProjectState:
    """Returns what becomes of the project at a stage, said or by its category."""
    return STATE_OF_CATEGORY[stage.category] if stage.project is None else stage.project


def _stage(document: Document, number: int, stage: StageTable, stale_after_days: int) -> StageRule:
    probability = stage.probability
    if probability is None:
        probability = PROBABILITY_OF_CATEGORY.get(stage.category)
    return StageRule(
        name=stage.name,
        aliases=tuple(stage.aliases),
        category=stage.category,
        probability=probability,
        state=stage_state(stage),
        requires=tuple(stage.requires),
        where=_where(document, ("stage", number)),
        decides=_where(
            document, ("stage", number, "category" if stage.project is None else "project")
        ),
        stale_after_days=stage.stale_after_days or stale_after_days,
    )


def _members(
    document: Document, at: KeyPath, members: Sequence[MemberTable]
) -> Iterable[MemberRule]:
    for number, each in enumerate(members):
        where = _where(document, (*at, "member", number))
        yield MemberRule(each.email, each.role, each.admin, each.when, where)


def _demand(role: RoleTable) -> RoleRule:
    demand = RoleDemand(
        role=role.role,
        hours_per_week=role.hours_per_week,
        weeks=role.weeks,
        start_week=parse_offset(role.start) // 7,
        skills=tuple(role.skills),
    )
    return RoleRule(demand, frozenset(map(normalise, role.services)), role.per_value)


def _milestones(
    document: Document, at: KeyPath, milestones: Sequence[MilestoneTable], known: _Known
) -> Iterable[MilestoneRule]:
    for number, milestone in enumerate(milestones):
        yield MilestoneRule(
            id=milestone_id(milestone),
            name=_template(milestone.name, known),
            start=parse_offset(milestone.start),
            finish=parse_offset(milestone.finish),
            when=milestone.when,
            where=_where(document, (*at, "milestone", number)),
        )


def _stories(
    document: Document,
    at: KeyPath,
    stories: Sequence[StoryTable],
    milestones: Sequence[MilestoneTable],
    known: _Known,
) -> Iterable[StoryRule]:
    ids = {milestone.name: milestone_id(milestone) for milestone in milestones}
    for number, story in enumerate(stories):
        yield StoryRule(
            id=story_id(story),
            subject=_template(story.subject, known),
            description=_template(story.description, known),
            when=story.when,
            milestone=ids.get(story.milestone, story.milestone) if story.milestone else "",
            tags=_templates(story.tags, known),
            where=_where(document, (*at, "story", number)),
            hours=None if story.hours is None else parse_hours(story.hours),
            assignee=None if story.assignee is None else parse_assignee(story.assignee),
        )


def _owners(table: OwnershipTable) -> Owners:
    """Returns the owner of each field. What is not in the table is not open to choice.

    Label, state and facts show the deal, so sales has the last word on them. What a target takes
    only at creation, and a role's name and a member's address, are delivery's afterwards.
    """
    return Owners(
        project={
            Project.STATE: Owner.SALES,
            Project.LABEL: Owner.SALES,
            Project.TITLE: table.title,
            Project.TAGS: table.tags,
            Project.TEXT: table.description,
            Project.DEAL_FACTS: Owner.SALES,
            Project.LOOKING_FOR_PEOPLE: table.looking_for_people,
            Project.LOOKING_FOR_PEOPLE_NOTE: table.looking_for_people,
            Project.TEMPLATE: Owner.DELIVERY,
            Project.COPIED_FROM: Owner.DELIVERY,
            Project.COPY_STARTS: Owner.DELIVERY,
            Project.PRIVATE: Owner.DELIVERY,
        },
        role={Role.NAME: Owner.DELIVERY},
        membership={
            Membership.EMAIL: Owner.DELIVERY,
            Membership.ROLE: table.member_role,
            Membership.ADMIN: Owner.DELIVERY,
        },
        milestone={
            Milestone.NAME: table.milestone_name,
            Milestone.START: table.milestone_dates,
            Milestone.FINISH: table.milestone_dates,
        },
        story={
            Story.SUBJECT: table.story_subject,
            Story.DESCRIPTION: table.story_description,
            Story.MILESTONE: Owner.DELIVERY,
            Story.TAGS: table.story_tags,
            Story.HOURS: table.story_hours,
            Story.ASSIGNED: table.story_assignee,
            Story.FACTS: Owner.SALES,
        },
        page={Wiki.TITLE: Owner.DELIVERY, Wiki.TEXT: Owner.DELIVERY, Wiki.FACTS: Owner.SALES},
        stage=table.stage,
        stage_is_stated="stage" in table.model_fields_set,
        card=table.card,
    )
