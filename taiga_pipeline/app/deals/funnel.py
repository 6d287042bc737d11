"""What the mappings know about a deal's stages, for the commands that move deals."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import (
    InvalidValue,
    NotMappedDeal,
    UnknownAction,
    UnknownStage,
)
from taiga_pipeline.pipeline.gates import asked_on_the_way
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.problems import ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.mapping.rules import Rules, StageRule
    from taiga_pipeline.pipeline.importing.options import Funnel
    from taiga_pipeline.pipeline.model import Deal


def rules_of(workspace: Workspace, deal: Deal) -> Rules:
    """Returns the mapping that is for a deal.

    :raises RequestError: none is, or several are.
    """
    from taiga_pipeline.mapping.errors import NotMapped

    try:
        rules = workspace.load_mappings().choose(deal)
    except NotMapped as error:
        raise InvalidValue(str(error)) from error
    if rules is None:
        raise NotMappedDeal(deal.key, deal.team, deal.service)
    return rules


def stage_in(rules: Rules, name: str) -> StageRule:
    """Returns the stage of a mapping by its name or an alias.

    :raises UnknownStage: there is none; names the nearest.
    """
    stage = rules.find_stage(name)
    if stage is None:
        known = [each.name for each in rules.stages]
        meant = [each for each in rules.stages if each.category is not Category.LOST]
        names = [name for each in meant for name in (each.name, *each.aliases)]
        raise UnknownStage(name, rules.file, known, names)
    return stage


def asked_by(rules: Rules, stage: str, to: StageRule) -> tuple[str, ...]:
    """Returns the actions that a move from ``stage`` asks for; see `gates.asked_on_the_way`."""
    return asked_on_the_way(rules.stages, rules.find_stage(stage), to)


def required_by(rules: Rules, stage: str) -> tuple[str, ...]:
    """Returns the gate actions of a stage; of one that the mapping does not know, none."""
    found = rules.find_stage(stage)
    return found.requires if found else ()


def chance_of(workspace: Workspace) -> Callable[[Deal], Decimal | None]:
    """Returns what tells a deal's chance to win: its own, or 1 or 0 once it is decided.

    A deal that no mapping knows has the one that it states.
    """
    from taiga_pipeline.mapping.errors import NotMapped

    try:
        mappings = workspace.load_mappings()
    except ProblemsError:  # a list of deals is right without it
        return lambda deal: deal.probability

    def chance(deal: Deal) -> Decimal | None:
        try:
            _, stage = mappings.stage_of(deal)
        except NotMapped:
            return deal.probability
        return stage.chance(deal.probability) if stage.category.is_closed else deal.probability

    return chance


def action_in(rules: Rules, name: str) -> str:
    """Returns a gate action as the mapping writes it.

    :raises UnknownAction: no stage of the mapping requires it; names the nearest.
    """
    known = dict.fromkeys(action for stage in rules.stages for action in stage.requires)
    for action in known:
        if folded(action) == folded(line(name)):
            return action
    raise UnknownAction(name, rules.file, tuple(known))


def funnel_of(workspace: Workspace) -> Funnel:
    """Returns what all mappings together know about stages.

    :raises MappingErrors: a mapping has problems.
    """
    from taiga_pipeline.mapping.errors import NotMapped
    from taiga_pipeline.pipeline.importing.options import Funnel

    mappings = workspace.load_mappings()

    def stages(name: str) -> list[StageRule]:
        found = (rules.find_stage(name) for rules in mappings.rules)
        return [stage for stage in found if stage is not None]

    def asks(deal: Deal, start: str) -> tuple[str, ...]:
        try:
            rules, to = mappings.stage_of(deal)
        except NotMapped:
            return ()
        return asked_by(rules, start, to)

    def decided(category: Category, stage: str) -> str:
        """Names the stage of that category in the mapping that knows the deal's own stage."""
        knows = [rules for rules in mappings.rules if rules.find_stage(stage)] or mappings.rules
        names = (each.name for rules in knows for each in rules.stages if each.category is category)
        return next(names, by_name.decided(category, stage))

    by_name = Funnel()
    return Funnel(
        is_known=lambda name: bool(stages(name)),
        is_closed=lambda name: (
            any(stage.category.is_closed for stage in found)
            if (found := stages(name))
            else by_name.is_closed(name)
        ),
        asks=asks,
        decided=decided,
    )
