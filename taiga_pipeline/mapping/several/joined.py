"""Several deals in one project: an extension or a change order beside what was sold first.

The project is that of its *main deal*. What the other deals ask for is written beside it: demand,
value, people, milestones and stories add up. A deal that is lost takes its own part away, and
nothing else. Pure, as `taiga_pipeline.mapping.desired` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sync.records.model import Desired, DesiredGroup, RecordKey, Value, WhenDropped
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.desired import (
    Case,
    beside,
    children_of,
    closed_long_ago,
    demand_of,
    desired_group,
    left_alone,
    likeness,
    make_case,
    page_of,
    page_text,
    project_of,
    reason_of,
    waiting_in,
    when_dropped,
)
from taiga_pipeline.mapping.facts import BREAK, deal_facts
from taiga_pipeline.mapping.page import OF_JOINED, is_page
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.mapping.text import amount, escape_markup
from taiga_pipeline.mapping.values import Values
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.tables.joins import BESIDE, title_of
from taiga_pipeline.records import Kind, Milestone, Project, ProjectState, Story, Wiki


@dataclass(frozen=True, slots=True)
class Part:
    """A deal with all that its records are worked out from."""

    deal: Deal
    rules: Rules
    stage: StageRule
    staffing: Staffing

    def alone(self, today: date) -> DesiredGroup:
        """Returns the records that the deal asks for by itself."""
        return desired_group(self.deal, self.rules, self.stage, self.staffing, today)


def joined_group(main: Part, others: Sequence[Part], today: date) -> DesiredGroup:
    """Returns the records of a project to which other deals were joined.

    Its state is the furthest of all: a project is staffed as soon as one of its deals is. Its
    looks, and what people may decide in it, are those of the main deal's mapping.
    """
    parts = (main, *others)
    cases = {part.deal.key: make_case(*_asked(part)) for part in parts}
    own = cases[main.deal.key]
    going = [part for part in parts if cases[part.deal.key].state is not ProjectState.RETIRED]
    joined = [cases[part.deal.key] for part in others if part in going]
    if not joined:
        return main.alone(today)
    live = [cases[part.deal.key] for part in going]
    whole = _whole(own, live)
    root = _root(whole, live, joined)
    children = tuple(_children(own, whole, live, joined))
    made = [part for part in going if not closed_long_ago(*_timed(part, today))]
    alone = [left_alone(*_timed(part, today)) for part in going]
    return DesiredGroup(
        root=root,
        children=children,
        create=bool(made),
        left_alone="" if made else next(filter(None, alone), ""),
        when_retired=main.rules.how_retired,
        when_deleted=main.rules.when_deleted,
        likeness=likeness(main.deal),
        when_dropped=when_dropped(main.rules),
        waiting=frozenset(_waiting(own, live)),
        beside=dict(beside(root, children, main.rules)),
    )


def given_to(part: Part, main: str, today: date) -> DesiredGroup:
    """Returns what becomes of the own project of a deal that joined the one of deal ``main``.

    One that is there is retired, as it is: nothing in it is removed.
    """
    resting = replace(part.stage, state=ProjectState.NONE)
    group = replace(part, stage=resting).alone(today)
    reason = f"the deal is part of the project of {main}"
    return replace(group, root=replace(group.root, reason=reason))


def _asked(part: Part) -> tuple[Deal, Rules, StageRule, Staffing]:
    return part.deal, part.rules, part.stage, part.staffing


def _timed(part: Part, today: date) -> tuple[Deal, Rules, StageRule, date]:
    return part.deal, part.rules, part.stage, today


def _whole(own: Case, live: Sequence[Case]) -> Case:
    """Returns the main deal's case as the project shows it."""
    staffed = any(case.state is ProjectState.STAFFED for case in live)
    state = ProjectState.STAFFED if staffed else ProjectState.TENTATIVE
    values = Values(own.view, own.rules.placeholders)
    values["value"] = " + ".join(_amounts(case.deal for case in live))
    return replace(own, state=state, values=values)


def _amounts(deals: Iterable[Deal]) -> Iterator[str]:
    """Yields what deals are worth together, currency by currency."""
    sums: dict[str, Decimal] = {}
    for deal in deals:
        if deal.value is not None:
            sums[deal.currency] = sums.get(deal.currency, Decimal(0)) + deal.value
    for currency, value in sums.items():
        yield amount(value, currency)


def _root(whole: Case, live: Sequence[Case], joined: Sequence[Case]) -> Desired:
    words = whole.rules.words
    written = [demand_of(case) for case in live]
    demand = "; ".join(filter(None, (all_of_it for all_of_it, _ in written)))
    needed = "; ".join(filter(None, (still_open for _, still_open in written)))
    alone = [project_of(case) for case in (whole, *joined)]
    facts = deal_facts(whole.view, whole.values, demand, whole.rules)
    lines = (f"{words.also_in_project}: {_summary(case)}" for case in joined)
    fields: dict[str, Value] = {
        **alone[0].fields,
        Project.TAGS: _union(each.fields[Project.TAGS] for each in alone),
        Project.DEAL_FACTS: BREAK.join([*filter(None, [facts]), *lines]),
        Project.LOOKING_FOR_PEOPLE: bool(needed),
        Project.LOOKING_FOR_PEOPLE_NOTE: f"{words.needs}: {needed}" if needed else "",
    }
    furthest = next((case for case in live if case.state is whole.state), whole)
    return replace(
        alone[0],
        fields=fields,
        reason=f"{reason_of(furthest.stage)}; {_named(joined)}",
        at_any_time={
            Project.TAGS: _union(each.at_any_time.get(Project.TAGS) for each in alone),
        },
        notes=tuple(dict.fromkeys(note for each in alone for note in each.notes)),
    )


def _named(joined: Sequence[Case]) -> str:
    keys = ", ".join(case.deal.key for case in joined)
    return f"{keys} {'is' if len(joined) == 1 else 'are'} part of it"


def _union(sets: Iterable[Value | frozenset[str]]) -> frozenset[str]:
    return frozenset(each for some in sets if isinstance(some, frozenset) for each in some)


def _summary(case: Case) -> str:
    """Returns a joined deal in a line: name and key, stage, chance, value, start."""
    values = case.values
    parts = [values[name] for name in ("stage", "probability", "value", "start")]
    return ", ".join(filter(None, (title_of(case.deal), *parts)))


def _children(
    own: Case, whole: Case, live: Sequence[Case], joined: Sequence[Case]
) -> Iterator[Desired]:
    """Yields the children of all; the page of the main deal shows the others too."""
    taken: set[RecordKey] = set()
    for case in live:
        for child in children_of(case):
            mine = child if case is own else _moved(child, case.deal, own.deal.key)
            if not is_page(child.key) and mine.key not in taken:
                taken.add(mine.key)
                yield mine
    for page in page_of(whole):
        text = "\n".join([str(page.fields[Wiki.FACTS]), *_sections(joined)]).lstrip("\n")
        yield replace(page, fields={**page.fields, Wiki.FACTS: text})


def _sections(joined: Sequence[Case]) -> Iterator[str]:
    for case in joined:
        # A blank line ends the quotation of notes.
        yield ""
        yield f"{OF_JOINED}{escape_markup(title_of(case.deal))}"
        yield from page_text(case)


def _moved(child: Desired, deal: Deal, main: str) -> Desired:
    """Returns a child of a joined deal as one of the main deal's project.

    People and their roles are there once; what each deal brings itself is named after it.
    """
    if child.key.kind in (Kind.ROLE, Kind.MEMBERSHIP):
        return replace(child, key=replace(child.key, group=main))
    fields = dict(child.fields)
    for name in (Milestone.NAME, Story.SUBJECT):
        if name in fields:
            fields[name] = f"{fields[name]}{BESIDE}{title_of(deal)}"
    if fields.get(Story.MILESTONE):
        fields[Story.MILESTONE] = _name(str(fields[Story.MILESTONE]), deal)
    refers = {
        name: replace(each, key=each.key and replace(each.key, group=main))
        for name, each in child.refers.items()
    }
    return replace(
        child,
        key=RecordKey(main, child.key.kind, _name(child.key.name, deal)),
        fields=fields,
        refers=refers,
        when_dropped=WhenDropped.REMOVE_IF_UNTOUCHED,
    )


def _name(name: str, deal: Deal) -> str:
    return f"{name}{BESIDE}{deal.key}"


def _waiting(own: Case, live: Sequence[Case]) -> Iterator[RecordKey]:
    for case in live:
        for key in waiting_in(case):
            yield (
                key
                if case is own
                else RecordKey(own.deal.key, key.kind, _name(key.name, case.deal))
            )
