"""What may be in a mapping file: the model that checks it, and that the JSON Schema is made of.

Every key is described here, once: editors show the descriptions, messages name the keys.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

from sync.records.model import Owner, WhenDeleted, WhenRetired
from taiga_pipeline.mapping.kinds import (
    Accepted,
    Address,
    Assignee,
    Hours,
    Offset,
    PhaseId,
    Probability,
    StoryHours,
    Switch,
    Text,
    Texts,
    Weeks,
    WholeNumber,
    Worth,
)
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.records import ProjectState


class Phase(StrEnum):
    """From which project state on something is there."""

    TENTATIVE = "tentative"
    STAFFED = "staffed"


class WhenLeft(StrEnum):
    """What happens to a milestone, story or page that a mapping no longer asks for."""

    REPORT = "report"
    REMOVE_IF_UNTOUCHED = "remove-if-untouched"


class WhenUndated(StrEnum):
    """What happens to won deals without the day of the decision."""

    LEAVE = "leave"
    CREATE = "create"


class PagePhase(StrEnum):
    """From which project state on a project has a page."""

    NEVER = "never"
    TENTATIVE = "tentative"
    STAFFED = "staffed"


class Table(BaseModel):
    """A table of a mapping file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Table = TypeVar("_Table", bound=Table)


class MatchTable(Table):
    """Which deals a mapping is for: fields of a deal, and the values that are accepted."""


class MappingTable(Table):
    """What the mapping is called, and which deals it is for."""

    name: Text = Field(description="The mapping's name in messages; no two files share one.")
    match: MatchTable = Field(
        MatchTable(),
        description=(
            "Which deals: each field with a list of accepted values, in any letter case. Every "
            "named field must match. Of several mappings, the one that names the most fields "
            "wins. One that names none is for all deals without another mapping."
        ),
    )
    priority: Annotated[WholeNumber, Field(ge=-1_000_000, le=1_000_000)] = Field(
        0,
        description="Decides between mappings that name the same number of fields: the highest "
        "wins.",
    )
    closed_within_days: Annotated[WholeNumber, Field(ge=0, le=36_500)] = Field(
        90,
        description=("Deals that were won longer ago than this and never synced are left alone."),
    )
    stale_after_days: Annotated[WholeNumber, Field(ge=1, le=3_650)] = Field(
        60,
        description=(
            "A deal that has been in its stage for more days is stale, until five won deals tell "
            "how long that stage usually takes."
        ),
    )
    when_undated: WhenUndated = Field(
        WhenUndated.LEAVE,
        description=(
            "Won deals without the day of the decision that were never synced: leave them alone, "
            "or make projects for them (create)."
        ),
    )
    when_deleted: WhenDeleted = Field(
        WhenDeleted.REPORT,
        description="When people delete a project: report it, or make it again (recreate).",
    )
    when_dropped: WhenLeft = Field(
        WhenLeft.REPORT,
        description=(
            "A milestone, story or page that is no longer wanted (it left the mapping, or the "
            "deal went back): report it, or remove it if only the connector has touched it "
            "(remove-if-untouched; also roles without a member). What people touched stays, and "
            "is reported."
        ),
    )
    lead_time_weeks: Annotated[WholeNumber, Field(ge=0, le=520)] = Field(
        0,
        description=(
            "Weeks from a deal's close to the project's start, for deals that state no start."
        ),
    )


class StageTable(Table):
    """A stage of the funnel. The order of the stages is the order of the funnel."""

    name: Text = Field(description="The stage's name, as the pipeline has it.")
    aliases: Texts = Field([], description="Other names of the same stage. Case does not matter.")
    category: Category = Field(description="Which part of a funnel the stage belongs to.")
    probability: Probability | None = Field(
        None,
        description=(
            "Chance to win, 0 to 1 (0.5 is 50 %), of deals without their own. Left out: unknown. "
            "A decided deal has 1 (won) or 0 (lost), whatever is stated."
        ),
    )
    project: ProjectState | None = Field(
        None,
        description=(
            "What becomes of the deal's project: none, tentative, staffed or retired. Left out: "
            "tentative for proposal, staffed for won, retired for lost, none for the others."
        ),
    )
    requires: Texts = Field(
        [], description="Actions to check off before a deal may leave this stage."
    )
    stale_after_days: Annotated[WholeNumber, Field(ge=1, le=3_650)] | None = Field(
        None,
        description="As that of the mapping, for this stage.",
    )


class StateTable(Table):
    """How a project looks in one of its states."""

    label: str = Field("", description='Shown before the title; "" for none. Fixed text.')
    tags: Texts = Field([], description="Tags that it carries in this state, with placeholders.")


class TentativeTable(StateTable):
    """How a project looks while its deal is not decided."""

    label: str = Field(
        "(tentative)", description='Shown before the title; "" for none. Fixed text.'
    )


class StaffedTable(StateTable):
    """How a project looks once its deal is won."""


class RetiredTable(StateTable):
    """How a project is retired when its deal is lost, or back at an earlier stage."""

    label: str = Field(
        "(lost)", description='Shown before the title of a lost deal; "" for none. Fixed text.'
    )
    label_open: str = Field(
        "(on hold)",
        description="The label when the deal is not lost, but at a stage without a project.",
    )
    label_gone: str = Field(
        "(gone)", description="The label when the deal is no longer in the pipeline at all."
    )
    how: WhenRetired = Field(
        WhenRetired.MARK,
        description=(
            "mark: show it by label and tags. delete-if-untouched: delete a project that only the "
            "connector ever changed, and mark any other."
        ),
    )


class ProjectTable(Table):
    """How a deal's project looks. Texts may hold placeholders such as {customer}."""

    title: Text = Field("{customer}: {name}", description="The project's title, with placeholders.")
    template: str = Field(
        "",
        description=(
            'The target\'s template for new projects; "" for its own default. "project:" and a '
            "project's number or name in addresses, or its address, has that project copied."
        ),
    )
    tags: Texts = Field([], description="Tags in every state, with placeholders.")
    description: str = Field(
        "",
        description=(
            "How the people's part of the description begins, with placeholders. The deal's facts "
            "stand below it and are kept current; this part belongs to people."
        ),
    )
    from_sales_page: PagePhase = Field(
        PagePhase.NEVER,
        description=(
            "From which state on the project has a wiki page with what sales knows: contacts, "
            "agreements that were checked off, notes. Targets without a wiki skip it."
        ),
    )
    money_on_page: Switch = Field(
        False,
        description=(
            "Whether that page also shows revenue, cost and margin of the plan, and the hours of "
            "the budget. Everyone who sees the project reads them."
        ),
    )
    private: Switch = Field(True, description="Whether only members see a new project.")
    tentative: TentativeTable = Field(
        TentativeTable(), description="Its looks while the deal is not decided."
    )
    staffed: StaffedTable = Field(StaffedTable(), description="Its looks once the deal is won.")
    retired: RetiredTable = Field(
        RetiredTable(), description="Its looks when the deal is lost or postponed."
    )


class RoleTable(Table):
    """People that a deal needs, if it does not say itself what it needs."""

    role: Text = Field(description='The role ("Back", "Design").')
    hours_per_week: Hours = Field(
        description="Hours per week, of all people in this role together."
    )
    weeks: Weeks = Field(description="Number of weeks.")
    start: Offset = Field(
        "+0w", description='First week: whole weeks from the project\'s start ("+2w").'
    )
    skills: Texts = Field([], description="Required skills.")
    services: Texts = Field(
        [], description="Only for deals of these services. Left out: for deals of any service."
    )
    per_value: Worth | None = Field(
        None,
        description=(
            "The hours are for a deal of this value, and in proportion for others. It is in "
            "planning.currency; values in other currencies are converted by planning.rates. A deal "
            "without a value, or in a currency without a rate, gets the hours as they are. Without "
            "planning.currency, it is in whatever currency a deal has."
        ),
    )


class MemberTable(Table):
    """Someone who is in every project of this mapping, such as its project manager.

    Who is staffed on a single deal is reported by allocations, not here. Most tools mail each new
    member of each project.
    """

    email: Address = Field(description="The person's e-mail address in the target.")
    role: Text = Field(
        "Product Owner", description="The person's role there; made if the project lacks it."
    )
    admin: Switch = Field(
        True, description="Whether the person may administer (rename, re-plan) the project."
    )
    when: Phase = Field(Phase.TENTATIVE, description="From which state on the person is in it.")


class MilestoneTable(Table):
    """A milestone (a sprint) with its dates, counted from the project's start."""

    id: Text | None = Field(
        None,
        description=(
            "Identifies it when its name changes. Left out: the name (a new name counts as a "
            "rename where the dates are the same, or the names similar)."
        ),
    )
    name: Text = Field(description="The milestone's name, with placeholders.")
    start: Offset = Field("+0w", description='First day, from the project\'s start ("+2w", "-3d").')
    finish: Offset = Field(description='Last day, from the project\'s start ("+4w", "+10d").')
    when: Phase = Field(Phase.STAFFED, description="The state from which on it exists.")


class StoryTable(Table):
    """A user story that each project begins with."""

    id: Text | None = Field(
        None,
        description=(
            "Identifies it when its subject changes. Left out: made of the subject (a new one "
            "counts as a rename where the two are similar)."
        ),
    )
    subject: Text = Field(description="The story's subject, with placeholders.")
    description: str = Field(
        "",
        description=(
            "Its description, with placeholders; Markdown where the target knows it. What the "
            "placeholders bring in is shown as plain text."
        ),
    )
    when: Phase = Field(Phase.STAFFED, description="The state from which on it exists.")
    milestone: Text | None = Field(
        None, description="The id or name of the [[milestone]] it is put into when it is made."
    )
    tags: Texts = Field([], description="Its tags, with placeholders.")
    hours: StoryHours | None = Field(
        None,
        description=(
            "Planned hours: a number; hours of a role that the project needs "
            '("role:Back", "25 % of role:Back", "role:*" for all roles); or a field of your own '
            'that is a number ("{planned_hours}"). Left out: what people enter is left alone.'
        ),
    )
    assignee: Assignee | None = Field(
        None,
        description=(
            'Who does it: who is staffed in a role ("role:Back"), the first [[member]] who '
            'administers the project ("{manager}"), whom a field names ("{owner}"), or an e-mail '
            "address. It has to be a member of the project. Left out: whom people assign it to is "
            "left alone."
        ),
    )


class PhaseTable(Table):
    """A phase of a deal with a project of its own, such as discovery, build and support.

    With phases, `[project]`, `[[member]]`, `[[milestone]]` and `[[story]]` are for the project of
    each phase; a phase adds its own. What a deal asks for itself (its roles, or else `[[role]]`)
    is for the phase that takes them.
    """

    name: Text = Field(description="The phase's name: the placeholder {phase} in its texts.")
    id: PhaseId | None = Field(
        None,
        description=(
            "Identifies it: small letters, digits and dashes, forty at most. Left out: made of the "
            "name. Another id is another phase."
        ),
    )
    keeps_project: Switch = Field(
        False,
        description=(
            "The one phase whose project is the deal's own: the one that a deal has before its "
            "mapping has phases, and after. Exactly one phase says true; leave it there."
        ),
    )
    when: Phase = Field(
        Phase.TENTATIVE, description="The state of the deal from which on the phase has a project."
    )
    after: Text | None = Field(
        None,
        description=(
            "The id or name of the phase after whose end it starts. Left out: it starts with the "
            "deal."
        ),
    )
    start: Offset = Field(
        "+0w",
        description=(
            'First day, from the start of the deal or from the end of the phase before ("+2w").'
        ),
    )
    takes_roles: Switch | None = Field(
        None,
        description=(
            "Whether the roles that a deal states itself, or else those under `[[role]]`, are for "
            "this phase. One phase says true; left out everywhere: the one that keeps the project."
        ),
    )
    title: Text | None = Field(
        None,
        description="Its project's title. Left out: that of `[project]` with the phase's name.",
    )
    template: str | None = Field(
        None, description="The target's template for its project. Left out: that of `[project]`."
    )
    tags: Texts = Field([], description="Tags of its project, beside those of `[project]`.")
    member: list[MemberTable] = Field([], description="Who is in this phase's project besides.")
    role: list[RoleTable] = Field([], description="Roles that the phase needs.")
    milestone: list[MilestoneTable] = Field([], description="Milestones of this phase.")
    story: list[StoryTable] = Field([], description="Stories that this phase begins with.")


class OwnershipTable(Table):
    """Who has the last word on a field that both sides changed: sales, delivery or shared.

    sales: the deal wins, people's edits are written over and reported. delivery: people win, the
    deal's value is written at creation only. shared: each edit reaches the other side, and two
    that collide wait as a conflict.
    """

    stage: Owner = Field(
        Owner.SALES,
        description=(
            "The column of the deal's card on the portfolio's board. With sales, a card that "
            "people move goes back; with delivery or shared, it moves the deal, if its gate "
            "is open."
        ),
    )
    title: Owner = Field(Owner.SHARED, description="The project's title.")
    description: Owner = Field(Owner.DELIVERY, description="The people's part of the description.")
    tags: Owner = Field(Owner.SALES, description="The project's tags (those that came from here).")
    looking_for_people: Owner = Field(
        Owner.SALES, description="Whether roles are open, and the note that lists them."
    )
    member_role: Owner = Field(Owner.SHARED, description="The role that a member has.")
    milestone_name: Owner = Field(Owner.DELIVERY, description="The names of milestones.")
    milestone_dates: Owner = Field(Owner.SHARED, description="The dates of milestones.")
    story_subject: Owner = Field(Owner.SHARED, description="The subjects of stories.")
    story_description: Owner = Field(Owner.DELIVERY, description="The descriptions of stories.")
    story_tags: Owner = Field(Owner.DELIVERY, description="The tags of stories.")
    story_hours: Owner = Field(Owner.SHARED, description="The planned hours of stories.")
    story_assignee: Owner = Field(Owner.SHARED, description="Who does stories.")
    card: dict[str, Owner] = Field(
        {},
        description=(
            "Fields of a deal on its card, where people may edit cards: who decides, by the "
            'field\'s name ({ value = "sales" }). Those that are left out are shared.'
        ),
    )


class WordsTable(Table):
    """The connector's own words in projects, for those who work in another language."""

    names_of_facts: ClassVar[frozenset[str]] = frozenset()
    """The keys that name facts: fields of a deal."""

    from_sales: Text = Field("From sales", description="Title of the page with what sales knows.")
    agreed: Text = Field("Agreed", description="Heading above gate actions that were checked off.")
    notes: Text = Field("Notes and promises", description="Heading above the deal's notes.")
    older_notes: Text = Field(
        "Older notes, kept with the deal", description="Below the newest notes: before how many."
    )
    stages: Text = Field("Stages", description="Heading above the days on which it reached them.")
    looking_back: Text = Field(
        "Looking back", description="Title of the page that asks what an ended project taught."
    )
    looking_back_hint: Text = Field(
        "Write your answer below each question. Sales read it before the next offer.",
        description="On the page that asks what an ended project taught.",
    )
    plan_money: Text = Field(
        "Money of the plan", description="Heading above revenue, cost and margin."
    )
    plan_revenue: Text = Field("Revenue", description="What the deal brings in.")
    plan_cost: Text = Field("Cost", description="Planned hours at cost rates.")
    plan_margin: Text = Field("Margin", description="Revenue less cost.")
    plan_budget: Text = Field("Budget", description="Planned hours.")
    plan_reported: Text = Field("Reported", description="Hours that were reported.")
    plan_left: Text = Field("Left", description="Hours of the budget that were not reported yet.")
    plan_hours: Text = Field("h", description='As in "320 h".')
    also_in_project: Text = Field(
        "Also in this project", description="Before a deal that was joined to the project."
    )
    next_step: Text = Field("Next step", description="Name of the fact on the page from sales.")
    in_stage_since: Text = Field("since", description='As in "Stage: Proposal, since 2026-11-01".')
    phase: Text = Field("Phase", description="Name of the fact: the phase of the project.")
    phases: Text = Field("Phases", description="Heading above the phases of the deal.")
    this_project: Text = Field("this project", description="Behind the phase of the project.")
    project: Text = Field("Project", description="Name of the fact: the deal's project.")
    story_hours: Text = Field(
        "Planned hours",
        description="Before the hours of a story, in a tool whose stories have no hours.",
    )
    needs: Text = Field("Needs", description="Begins the note that lists open roles.")
    hours_per_week: Text = Field("h/week", description='As in "30 h/week".')
    week: Text = Field("week", description='As in "1 week".')
    weeks: Text = Field("weeks", description='As in "10 weeks".')
    from_date: Text = Field("from", description='As in "from 2026-12-01".')
    member: Text = Field("Member", description="Role of people who are staffed without a role.")
    decision_maker: Text = Field("decision maker", description="Part of a contact.")
    influencer: Text = Field("influencer", description="Part of a contact.")
    user: Text = Field("user", description="Part of a contact.")
    yes: Text = Field("yes", description="Of a field of your own that is yes or no.")
    no: Text = Field("no", description="Of a field of your own that is yes or no.")
    late: Text = Field("late", description="Tag of a card whose day has passed.")

    def fact(self, field: DealField) -> str:
        """Returns the name of a fact."""
        return str(getattr(self, field.name)) if field.name in self.names_of_facts else field.label


class MappingFile(Table):
    """A mapping file of pipeline-sync: the rules from a deal's stage to its project."""

    table: ClassVar[FieldTable] = BUILT_IN
    """The fields that deals have."""

    mapping: MappingTable = Field(description="What the mapping is called, and for which deals.")
    stage: Annotated[list[StageTable], Field(min_length=1)] = Field(
        description="The stages, in the order of the funnel."
    )
    project: ProjectTable = Field(ProjectTable(), description="How a deal's project looks.")
    member: list[MemberTable] = Field([], description="Who is in every project from the start.")
    role: list[RoleTable] = Field([], description="Roles for deals that state none.")
    milestone: list[MilestoneTable] = Field([], description="Milestones of each project.")
    story: list[StoryTable] = Field([], description="Stories that each project begins with.")
    phase: list[PhaseTable] = Field([], description="Phases of a deal, each with its own project.")
    ownership: OwnershipTable = Field(
        OwnershipTable(), description="Which side decides on which field."
    )
    words: WordsTable = Field(
        WordsTable(), description="The connector's own words, for another language than English."
    )


@lru_cache(maxsize=16)
def mapping_model(table: FieldTable = BUILT_IN) -> type[MappingFile]:
    """Returns the model of a mapping file for deals that have these fields."""
    matched = {field.name: _accepted(field) for field in table if field.match}
    matched["key_prefix"] = Texts, Field([], description=_KEY_PREFIX)
    match = _extended(MatchTable, matched)
    mapping = _extended(MappingTable, {"match": _replaced(MappingTable, "match", match)})
    named = {
        field.name: (Text, Field(fact.word, description=f"Name of the fact: {fact.about}."))
        for field in table
        if (fact := field.fact) and not _is_word(field.name)
    }
    words = _extended(WordsTable, named)
    words.names_of_facts = frozenset(named)
    made = _extended(
        MappingFile,
        {
            "mapping": (mapping, MappingFile.model_fields["mapping"]),
            "words": _replaced(MappingFile, "words", words),
        },
    )
    made.table = table
    return made


def _is_word(name: str) -> bool:
    """Whether a key of ``[words]`` has this name already."""
    return name in WordsTable.model_fields or hasattr(WordsTable, name)


_KEY_PREFIX: Final = 'What a deal\'s key may begin with ("SE-").'


def _accepted(field: DealField) -> tuple[Any, Any]:
    return Accepted if field.is_own else Texts, Field([], description=field.match)


def _replaced(model: type[Table], name: str, kind: type[Table]) -> tuple[Any, Any]:
    """Returns a key of a table with another table in it."""
    return kind, Field(kind(), description=model.model_fields[name].description)


def _extended(model: type[_Table], keys: dict[str, Any]) -> type[_Table]:
    """Returns a table with more keys, under the same name."""
    return create_model(model.__name__, __base__=model, __doc__=model.__doc__, **keys)
