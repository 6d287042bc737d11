"""From a deal to the records that it asks for. Pure: no clock, no files, no target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from sync.records.model import (
    Desired,
    DesiredGroup,
    RecordKey,
    Reference,
    Value,
    WhenDropped,
)
from taiga_pipeline.mapping.dates import closed_day, project_start, shift
from taiga_pipeline.mapping.demand import (
    Member,
    Staffing,
    deal_demand,
    members,
    open_demand,
    written_demand,
)
from taiga_pipeline.mapping.facts import deal_facts
from taiga_pipeline.mapping.model import PagePhase, Phase, WhenUndated
from taiga_pipeline.mapping.page import SLUG, header_facts, page_lines
from taiga_pipeline.mapping.rules import (
    MilestoneRule,
    PhaseRule,
    Rules,
    StageRule,
    StateRule,
    StoryRule,
)
from taiga_pipeline.mapping.stories.crew import Crew, who_does
from taiga_pipeline.mapping.stories.hours import written_hours
from taiga_pipeline.mapping.template import Template
from taiga_pipeline.mapping.text import escape_markup, iso, normalise
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.pipeline.model import Category, Deal, RoleDemand
from taiga_pipeline.records import (
    Kind,
    Membership,
    Milestone,
    Project,
    ProjectState,
    Role,
    Story,
    Wiki,
)

UNDATED = (
    "the day they were won is unknown: enter it (deals edit KEY --closed-on DATE, or deals import "
    'with --default closed_on=DATE), or set when_undated = "create" in the mapping'
)
NO_START = "start and close are unknown, so the milestones wait until one is known"


@dataclass(frozen=True, slots=True)
class InPhase:
    """A phase of a deal: the key of its project, whom it needs, and when it starts.

    Its milestones are asked for from ``start`` on; ``first`` is its first day as people moved it.
    ``listed`` are all phases of the deal, in a line each.
    """

    rule: PhaseRule
    key: str
    demand: tuple[RoleDemand, ...]
    start: date | None
    first: date | None
    listed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A deal, the rules for it, and what both together come to.

    ``needed`` is the demand that the project shows as open; ``demand`` is all of it. ``phase`` is
    the phase whose project it is, None for the project of a deal without any.
    """

    view: DealView
    values: Values
    rules: Rules
    stage: StageRule
    state: ProjectState
    demand: tuple[RoleDemand, ...]
    needed: tuple[RoleDemand, ...]
    members: tuple[Member, ...]
    phase: InPhase | None = None
    staffing: Staffing = field(default_factory=Staffing)

    @property
    def key(self) -> str:
        """The project's key."""
        return self.phase.key if self.phase else self.deal.key

    @property
    def planned(self) -> date | None:
        """The day from which milestones are asked for: people's edits of them stay."""
        return self.phase.start if self.phase else self.view.start

    @property
    def deal(self) -> Deal:
        """The deal itself."""
        return self.view.deal

    @property
    def look(self) -> StateRule:
        """How the project looks in its state."""
        if self.state is ProjectState.TENTATIVE:
            return self.rules.tentative
        return self.rules.staffed if self.state is ProjectState.STAFFED else self.rules.retired

    @property
    def label(self) -> str:
        """What the project's title is labelled with."""
        if self.state is ProjectState.RETIRED and self.stage.category is not Category.LOST:
            return self.rules.label_open
        return self.look.label

    def has(self, when: Phase) -> bool:
        """Whether what is there from ``when`` on is there already."""
        return when is Phase.TENTATIVE or self.state is ProjectState.STAFFED


def desired_group(  # noqa: PLR0913, PLR0917 - a deal, all that is known of it, and its phase
    deal: Deal,
    rules: Rules,
    stage: StageRule,
    staffing: Staffing,
    today: date,
    phase: InPhase | None = None,
) -> DesiredGroup:
    """Returns the records that a deal at ``stage`` asks for, or one of its phases.

    ``today`` decides whether a won deal is too old to be begun with. A deal at a stage without a
    project asks for none; should it have one already, that is retired. The same holds for a phase
    that begins once the deal is won. ``rules`` are those of the phase.
    """
    case = make_case(deal, rules, stage, staffing, phase)
    follow = case.state is not ProjectState.RETIRED
    root, children = project_of(case), tuple(children_of(case)) if follow else ()
    is_own = phase is None or phase.rule.keeps_project  # of a deal, it is said once
    return DesiredGroup(
        root=root,
        children=children,
        create=follow and not closed_long_ago(deal, rules, stage, today),
        left_alone=left_alone(deal, rules, stage, today) if follow and is_own else "",
        follow_children=follow,
        when_retired=rules.how_retired,
        when_deleted=rules.when_deleted,
        likeness=likeness(deal, phase),
        when_dropped=when_dropped(rules),
        waiting=frozenset(waiting_in(case)) if follow else frozenset(),
        beside=dict(beside(root, children, rules)),
        watched=frozenset({Milestone.START, Milestone.FINISH}) if phase else frozenset(),
    )


def beside(
    root: Desired, children: Iterable[Desired], rules: Rules
) -> Iterator[tuple[RecordKey, Mapping[str, Value]]]:
    """Yields the page from sales with the facts that the description keeps beside it."""
    for each in children:
        if each.key.kind == Kind.WIKI and each.key.name == SLUG:
            facts = header_facts(str(root.fields[Project.DEAL_FACTS]), rules)
            yield each.key, {Project.DEAL_FACTS: facts}


def when_dropped(rules: Rules) -> dict[str, WhenDropped]:
    """Returns what becomes of children that are no longer asked for, in the order of removal.

    Roles come and go with people: they are never reported.
    """
    rule = rules.when_dropped
    of_roles = WhenDropped.KEEP if rule is WhenDropped.REPORT else rule
    return {Kind.STORY: rule, Kind.MILESTONE: rule, Kind.WIKI: rule, Kind.ROLE: of_roles}


def waiting_in(case: Case) -> Iterator[RecordKey]:
    """Yields the milestones whose dates are not known at present."""
    for rule in case.rules.milestones:
        if case.has(rule.when) and not all(milestone_dates(rule, case.planned)):
            yield RecordKey(case.key, Kind.MILESTONE, rule.id)


def likeness(deal: Deal, phase: InPhase | None = None) -> str:
    """Returns what a deal is recognised by when its key changes: its customer and its name.

    Projects of its phases are told apart by these.
    """
    name = normalise(deal.name)
    of_phase = f"\n{phase.rule.id}" if phase and not phase.rule.keeps_project else ""
    return f"{normalise(deal.customer)}\n{name}{of_phase}" if name else ""


def make_case(
    deal: Deal, rules: Rules, stage: StageRule, staffing: Staffing, phase: InPhase | None = None
) -> Case:
    """Works out everything that several fields are made of."""
    won = stage.category is Category.WON
    start = project_start(deal, won=won, lead_time_weeks=rules.lead_time_weeks)
    start = phase.first if phase else start
    chance = stage.chance(deal.probability)
    name = phase.rule.name if phase else ""
    view = DealView(deal, stage.name, stage.category, start, chance, name)
    state = _state(stage, phase)
    demand = phase.demand if phase else deal_demand(deal, rules)
    staffed = state is ProjectState.STAFFED and staffing.allocations
    needed = open_demand(demand, staffing, start) if staffed else demand
    return Case(
        view=view,
        values=Values(view, rules.placeholders),
        rules=rules,
        stage=stage,
        state=state,
        demand=demand,
        needed=() if state is ProjectState.RETIRED else needed,
        members=_everybody(rules, state, staffing, demand),
        phase=phase,
        staffing=staffing,
    )


def _state(stage: StageRule, phase: InPhase | None) -> ProjectState:
    if stage.state is ProjectState.NONE or (phase and awaits_staffing(stage, phase.rule)):
        return ProjectState.RETIRED
    return stage.state


def awaits_staffing(stage: StageRule, phase: PhaseRule) -> bool:
    """Whether a phase has no project yet, which the deal has in other phases."""
    return stage.state is ProjectState.TENTATIVE and phase.when is Phase.STAFFED


def _everybody(
    rules: Rules, state: ProjectState, staffing: Staffing, demand: tuple[RoleDemand, ...]
) -> tuple[Member, ...]:
    """Returns the members that every project has, then those who are staffed on this deal."""
    if state is ProjectState.RETIRED:
        return ()
    is_staffed = state is ProjectState.STAFFED
    always = {
        rule.email: Member(
            rule.email,
            rule.role,
            rule.admin,
            f"a member of every project ({rule.where})",
            f"{rule.where} (member)",
        )
        for rule in rules.members
        if is_staffed or rule.when is Phase.TENTATIVE
    }
    staffed = members(staffing, demand, rules.words) if is_staffed else ()
    return (*always.values(), *(each for each in staffed if each.email not in always))


def closed_long_ago(deal: Deal, rules: Rules, stage: StageRule, today: date) -> bool:
    """Whether the deal was decided too long ago for the mapping, or at an unknown time."""
    if not stage.category.is_closed:
        return False
    closed = closed_day(deal, today)
    if closed is None:
        return rules.when_undated is WhenUndated.LEAVE
    return (today - closed).days > rules.closed_within_days


def left_alone(deal: Deal, rules: Rules, stage: StageRule, today: date) -> str:
    """Returns why a won deal gets no project that a person may expect one for, "" for others."""
    undated = stage.category is Category.WON and closed_day(deal, today) is None
    return UNDATED if undated and rules.when_undated is WhenUndated.LEAVE else ""


def demand_of(case: Case) -> tuple[str, str]:
    """Returns the demand of a deal as it is written, and what of it is open."""
    words, start = case.rules.words, case.view.start
    demand = written_demand(case.demand, start, words)
    if case.needed is case.demand:
        return demand, demand
    return demand, written_demand(case.needed, start, words)


def project_of(case: Case) -> Desired:
    """Returns the project that a deal asks for."""
    rules, values, words = case.rules, case.values, case.rules.words
    demand, needed = demand_of(case)
    fields: dict[str, Value] = {
        Project.STATE: case.state.value,
        Project.LABEL: case.label,
        Project.TITLE: rules.title.render(values) or values["name"] or values["key"],
        Project.TAGS: _tags((*rules.tags, *case.look.tags), values),
        Project.TEXT: rules.description.render(values),
        Project.DEAL_FACTS: deal_facts(case.view, values, demand, rules),
        Project.LOOKING_FOR_PEOPLE: bool(case.needed),
        Project.LOOKING_FOR_PEOPLE_NOTE: f"{words.needs}: {needed}" if needed else "",
        Project.PRIVATE: rules.private,
    }
    fields |= template_fields(rules, case.planned)
    return Desired(
        key=RecordKey(case.key, Kind.PROJECT),
        fields=fields,
        owners=rules.owners.project,
        reason=_reason(case),
        origins=_origins(case),
        at_any_time={Project.TAGS: _tags_of_any_state(rules, values)},
        notes=(NO_START,) if _lacks_dates(case) else (),
    )


def template_fields(rules: Rules, start: date | None) -> dict[str, Value]:
    """Returns what a new project is made from: a template of the target's own, or a project."""
    copied = Project.template_project(rules.template)
    if copied:
        return {Project.COPIED_FROM: copied, Project.COPY_STARTS: iso(start) or None}
    return {Project.TEMPLATE: rules.template} if rules.template else {}


def _origins(case: Case) -> dict[str, str]:
    """Returns which lines of the mapping ask for what limits are about."""
    stage, look = case.stage, case.look
    return {
        "": f'{stage.decides} (stage "{stage.name}")',
        Project.LABEL: f"{look.where} (label of {case.state.value} projects)",
        Project.TITLE: f"{case.rules.title_at} (title)",
    }


def _reason(case: Case) -> str:
    phase = case.phase.rule if case.phase else None
    if phase and awaits_staffing(case.stage, phase):
        return f'the phase "{phase.name}" has a project once the deal is won ({phase.where})'
    return reason_of(case.stage)


def reason_of(stage: StageRule) -> str:
    """Says what a stage makes of a deal's project, and where the mapping says so."""
    none = stage.state is ProjectState.NONE
    effect = "is one without a project" if none else f"makes it {stage.state.value}"
    return f'the stage "{stage.name}" {effect} ({stage.where})'


def _lacks_dates(case: Case) -> bool:
    wanted = any(case.has(milestone.when) for milestone in case.rules.milestones)
    return wanted and case.view.start is None and case.state is not ProjectState.RETIRED


def _tags(templates: Iterable[Template], values: Values) -> frozenset[str]:
    """Returns the tags; one whose placeholders are all empty is left out."""
    rendered = (each.render(values) for each in templates if not each.is_void(values))
    return frozenset(tag for tag in rendered if tag)


def _tags_of_any_state(rules: Rules, values: Values) -> frozenset[str]:
    looks = (rules.tentative, rules.staffed, rules.retired)
    return _tags((*rules.tags, *(tag for look in looks for tag in look.tags)), values)


def children_of(case: Case) -> Iterator[Desired]:
    """Yields the children in the order in which one may refer to another."""
    yield from _roles(case)
    yield from _memberships(case)
    milestones = tuple(_milestones(case))
    yield from milestones
    made = {milestone.key.name for milestone in milestones}
    for story in case.rules.stories:
        if case.has(story.when):
            yield _story(case, story, made)
    yield from page_of(case)


def _roles(case: Case) -> Iterator[Desired]:
    origins = {member.role: member.origin for member in reversed(case.members)}
    for role in dict.fromkeys(member.role for member in case.members):
        yield Desired(
            key=RecordKey(case.key, Kind.ROLE, role),
            fields={Role.NAME: role},
            owners=case.rules.owners.role,
            reason="a member has this role",
            origins={"": origins[role]},
        )


def _memberships(case: Case) -> Iterator[Desired]:
    for member in case.members:
        yield Desired(
            key=RecordKey(case.key, Kind.MEMBERSHIP, member.email),
            fields={
                Membership.EMAIL: member.email,
                Membership.ROLE: member.role,
                Membership.ADMIN: member.admin,
            },
            owners=case.rules.owners.membership,
            reason=member.reason,
            origins={"": member.origin},
            when_dropped=WhenDropped.REMOVE,
        )


def _milestones(case: Case) -> Iterator[Desired]:
    for rule in case.rules.milestones:
        start, finish = milestone_dates(rule, case.planned)
        if case.has(rule.when) and start and finish:
            yield Desired(
                key=RecordKey(case.key, Kind.MILESTONE, rule.id),
                fields={
                    Milestone.NAME: rule.name.render(case.values) or rule.id,
                    Milestone.START: start,
                    Milestone.FINISH: finish,
                },
                owners=case.rules.owners.milestone,
                reason=f"each {case.state.value} project has it ({rule.where})",
                origins={"": f"{rule.where} (milestone)"},
            )


def milestone_dates(rule: MilestoneRule, start: date | None) -> tuple[str, str]:
    """Returns the first and the last day, ISO 8601, "" where there is none."""
    return iso(shift(start, rule.start)), iso(shift(start, rule.finish))


def _story(case: Case, rule: StoryRule, milestones: set[str]) -> Desired:
    text = rule.description.render(case.values, escape_markup)
    fields: dict[str, Value] = {
        Story.SUBJECT: rule.subject.render(case.values) or rule.id,
        Story.DESCRIPTION: text,
        Story.MILESTONE: rule.milestone if rule.milestone in milestones else "",
        Story.TAGS: _tags(rule.tags, case.values),
    }
    instead: dict[str, Mapping[str, Value]] = {}
    if rule.hours:
        hours = written_hours(rule.hours.of(case.demand, case.deal.own))
        fields[Story.HOURS] = hours
        word = case.rules.words.story_hours
        said = f"{word}: {hours}" if hours else ""
        instead[Story.HOURS] = {
            Story.DESCRIPTION: "\n\n".join(filter(None, (text, said))),
            Story.FACTS: f"- {escape_markup(word)}: {hours}" if hours else "",
        }
    refers: dict[str, Reference] = {}
    if rule.assignee:
        crew = Crew(case.key, case.deal, case.staffing, case.members)
        refers[Story.ASSIGNED] = found = who_does(rule.assignee, crew)
        fields[Story.ASSIGNED] = found.key.name if found.key else None
    return Desired(
        key=RecordKey(case.key, Kind.STORY, rule.id),
        fields=fields,
        owners=case.rules.owners.story,
        reason=f"each {case.state.value} project has it ({rule.where})",
        origins={"": f"{rule.where} (story)"},
        instead=instead,
        refers=refers,
    )


def page_text(case: Case) -> Iterator[str]:
    """Yields the lines of the page with what sales knows."""
    words = case.rules.words
    demand = [written_demand([each], case.view.start, words) for each in case.demand]
    phases = case.phase.listed if case.phase else ()
    yield from page_lines(case.deal, case.values, case.rules, demand, phases)


def page_of(case: Case) -> Iterator[Desired]:
    """Yields the page with what sales knows, if the mapping asks for it in this state."""
    phase = case.rules.page
    if phase is PagePhase.NEVER or not case.has(Phase(phase.value)):
        return
    words = case.rules.words
    yield Desired(
        key=RecordKey(case.key, Kind.WIKI, SLUG),
        fields={
            Wiki.TITLE: words.from_sales,
            Wiki.TEXT: "",
            Wiki.FACTS: "\n".join(page_text(case)),
        },
        owners=case.rules.owners.page,
        reason=f"each {case.state.value} project has it (project.from_sales_page)",
        origins={"": f"{case.rules.page_at} (from_sales_page)"},
    )
