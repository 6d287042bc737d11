"""All mappings together: which one is for a deal, and what the deal asks for under it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final

from sync.records.model import RETIRED, Desired, DesiredGroup, RecordKey, Value, WhenRetired
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.desired import desired_group
from taiga_pipeline.mapping.errors import (
    JoinedInPhases,
    MappingTie,
    NoMapping,
    UnknownStage,
    unknown_stage,
)
from taiga_pipeline.mapping.rules import Condition, Rules, StageRule
from taiga_pipeline.mapping.several.joined import Part, given_to, joined_group
from taiga_pipeline.mapping.several.phase_dates import Dates
from taiga_pipeline.mapping.several.phases import keys_of, phase_groups
from taiga_pipeline.mapping.template import Template
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.pipeline.fields.field import held
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.records import Kind, Project

KEY_PREFIX: Final = "key_prefix"
"""What is not a field of a deal, and can be matched."""

MANY: Final = 1000
"""How many messages about unknown stages are kept, as a nearest name takes time to find."""


def matched(condition: Condition, deal: Deal) -> str:
    """Returns what a deal holds in the field that a condition is about."""
    return deal.key if condition.field == KEY_PREFIX else str(held(deal, condition.field))


def matches(condition: Condition, deal: Deal) -> bool:
    """Tells whether a deal's field has one of the accepted values."""
    value = normalise(matched(condition, deal))
    if condition.field == KEY_PREFIX:
        return value.startswith(tuple(condition.accepted))
    return value in condition.accepted


class MappingSet:
    """The mappings in force. Made by `taiga_pipeline.mapping.load.load_mappings`."""

    def __init__(self, rules: tuple[Rules, ...]) -> None:
        self.rules = rules
        self._by_specificity = sorted(rules, key=lambda rule: rule.specificity, reverse=True)
        is_for_all = len(rules) == 1 and not rules[0].conditions
        self._for_all = rules[0] if is_for_all else None
        self._unknown_stages: dict[tuple[str, str], str] = {}
        looks = [look for rule in rules for look in (rule.tentative, rule.staffed, rule.retired)]
        of_phases = (phase.rules for rule in rules for phase in rule.phases)
        templates = [rule.tags for rule in (*rules, *of_phases)]
        templates += [look.tags for look in looks]
        self._fixed_tags = fixed_tags(tag for tags in templates for tag in tags)

    def with_rates(self, rates: Rates) -> MappingSet:
        """Returns the same mappings, with values of deals in other currencies converted so."""
        return MappingSet(tuple(rule.with_rates(rates) for rule in self.rules))

    @property
    def has_phases(self) -> bool:
        """Whether any deal may have more than one project."""
        return any(rule.phases for rule in self.rules)

    def choose(self, deal: Deal) -> Rules | None:
        """Returns the mapping that is for a deal: the most specific one; None if none matches.

        :raises MappingTie: several match equally well.
        """
        if self._for_all is not None:
            return self._for_all
        matching = self._matching(deal)
        best = next(matching, None)
        if best is None:
            return None
        tied = [rule for rule in matching if rule.specificity == best.specificity]
        if tied:
            raise MappingTie([best, *tied])
        return best

    def _matching(self, deal: Deal) -> Iterator[Rules]:
        for rule in self._by_specificity:
            if not rule.conditions or all(matches(each, deal) for each in rule.conditions):
                yield rule

    def stage_of(self, deal: Deal) -> tuple[Rules, StageRule]:
        """Returns the mapping that is for a deal, and the stage that the deal is at.

        :raises NotMapped: no mapping, several equally good ones, or a stage unknown to it.
        """
        rules = self.choose(deal)
        if rules is None:
            raise NoMapping
        return rules, self._stage(deal, rules)

    def _stage(self, deal: Deal, rules: Rules) -> StageRule:
        stage = rules.find_stage(deal.stage)
        if stage is None:
            raise UnknownStage(self._unknown_stage(deal.stage, rules), rules.file)
        return stage

    def _unknown_stage(self, stage: str, rules: Rules) -> str:
        known, key = self._unknown_stages, (rules.file, stage)
        if key not in known:
            if len(known) >= MANY:
                known.clear()
            known[key] = unknown_stage(stage, rules)
        return known[key]

    def desired(self, deal: Deal, staffing: Staffing, today: date) -> DesiredGroup | None:
        """Returns the records of a deal's own project; None if no mapping is for it.

        Of a deal with phases, that is the project of the one that keeps it.

        :raises NotMapped: several mappings are, or the stage is unknown.
        """
        groups = self.desired_groups(deal, staffing, today)
        return next((group for group in groups if group.key == deal.key), None)

    def desired_groups(
        self,
        deal: Deal,
        staffing: Staffing,
        today: date,
        dates: Mapping[str, Dates] = MappingProxyType({}),
    ) -> list[DesiredGroup]:
        """Returns the records that a deal asks for, a group for each project; none if no mapping
        is for it.

        ``dates`` are those of milestones in projects that are there, by the projects' keys: phases
        follow what people made of the phase before.

        :raises NotMapped: several mappings are, or the stage is unknown.
        """
        rules = self.choose(deal)
        if rules is None:
            return []
        asked = deal, rules, self._stage(deal, rules), staffing, today
        groups = phase_groups(*asked, dates) if rules.phases else [desired_group(*asked)]
        return [self._ready(group) for group in groups]

    def keys_of(self, deal: Deal) -> tuple[str, ...]:
        """Returns the keys of the projects of a deal's phases; none where it has no phases."""
        try:
            return keys_of(deal, self.choose(deal))
        except MappingTie:
            return ()

    def desired_together(
        self, deals: Sequence[tuple[Deal, Staffing]], today: date
    ) -> list[DesiredGroup]:
        """Returns what deals in one project ask for, the main one first, a group for each of them.

        :raises NotMapped: one of them has no mapping, several, or an unknown stage; or it has
            phases, and so more projects than one.
        """
        parts = [Part(deal, *self.stage_of(deal), staffing) for deal, staffing in deals]
        for part in parts:
            if part.rules.phases:
                joined = [each.deal.key for each in parts[1:]]
                raise JoinedInPhases(part.deal.key, part.rules, joined)
        main, *others = parts
        groups = [joined_group(main, others, today)]
        groups += [given_to(each, main.deal.key, today) for each in others]
        return [self._ready(group) for group in groups]

    def _ready(self, group: DesiredGroup) -> DesiredGroup:
        return self._with_all_tags(group) if len(self.rules) > 1 else group

    def _with_all_tags(self, group: DesiredGroup) -> DesiredGroup:
        """Adds the tags of the mappings that the deal may have come under before."""
        ever = group.root.at_any_time.get(Project.TAGS, frozenset()) | self._fixed_tags
        return replace(group, root=replace(group.root, at_any_time={Project.TAGS: ever}))

    def labels(self) -> frozenset[str]:
        """Returns every label that a project may carry before its title (never "")."""
        return frozenset(label for rule in self.rules for label in rule.labels() if label)

    def retired(
        self, key: str, base: Mapping[str, Value], *, has_ended: bool = False
    ) -> DesiredGroup:
        """Returns how the project of a deal that is gone from the source is retired.

        ``base`` holds the project's fields as last desired. Which mapping the deal had is no
        longer known, so the least specific one lends its looks, and nothing is ever deleted.
        ``has_ended`` says that the deal is there and has ended, and the phase has left its mapping.
        """
        rules = self._by_specificity[-1]
        fields = dict(base) | {
            Project.STATE: RETIRED,
            Project.LABEL: rules.retired.label if has_ended else rules.label_gone,
            Project.TAGS: self._tags_of_gone(base, rules),
            Project.LOOKING_FOR_PEOPLE: False,
            Project.LOOKING_FOR_PEOPLE_NOTE: "",
        }
        root = Desired(
            key=RecordKey(key, Kind.PROJECT),
            fields=fields,
            owners=rules.owners.project,
            reason="the deal has ended" if has_ended else "the deal is no longer in the pipeline",
        )
        return DesiredGroup(
            root=root,
            create=False,
            follow_children=False,
            when_retired=WhenRetired.MARK,
            when_deleted=rules.when_deleted,
        )

    def _tags_of_gone(self, base: Mapping[str, Value], rules: Rules) -> frozenset[str]:
        """Exchanges the tags of other states for those of retired projects."""
        tags = base.get(Project.TAGS)
        kept = tags if isinstance(tags, frozenset) else frozenset()
        looks = [look for rule in self.rules for look in (rule.tentative, rule.staffed)]
        others = {
            normalise(tag) for look in looks for tag in fixed_tags(look.tags)
        }  # targets may have changed the letter case
        remaining = {tag for tag in kept if normalise(tag) not in others}
        return frozenset(remaining) | fixed_tags(rules.retired.tags)


def fixed_tags(tags: Iterable[Template]) -> frozenset[str]:
    """Returns those tags that are the same for every deal."""
    return frozenset(tag.render({}) for tag in tags if not tag.names)
