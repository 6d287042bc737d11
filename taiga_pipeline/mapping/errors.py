"""Why a deal cannot be mapped. Other deals are not concerned."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from sync.errors import SyncError
from taiga_pipeline.mapping.rules import Rules
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.problems import did_you_mean


class NotMapped(SyncError):
    """A deal that no project can be made of. ``place`` is the file to edit, "" for none."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


class NoMapping(NotMapped):
    """No mapping matches the deal."""

    def __init__(self) -> None:
        super().__init__("no mapping matches this deal; a mapping without a match is for all deals")


class MappingTie(NotMapped):
    """Several mappings match the deal equally well."""

    def __init__(self, rules: Sequence[Rules]) -> None:
        names = " and ".join(f'"{rule.name}" ({rule.file})' for rule in rules)
        message = (
            f"the mappings {names} match this deal equally well; name one more field in the match "
            "of one of them, or give it a priority"
        )
        super().__init__(message, rules[0].file)


class JoinedInPhases(NotMapped):
    """Deals are in one project, and the mapping of one of them gives it several."""

    def __init__(self, key: str, rules: Rules, others: Sequence[str]) -> None:
        undo = " / ".join(f"pipeline-sync join {shlex.quote(other)} --undo" for other in others)
        message = (
            f"{key} has several projects ([[phase]] in {rules.file}), and cannot be in one with "
            f"other deals: let each stand for itself with: {undo}"
        )
        super().__init__(message, rules.file)


class UnknownStage(NotMapped):
    """The deal's stage is not in its mapping."""


def unknown_stage(stage: str, rules: Rules) -> str:
    """Says that a stage is unknown, which one may be meant, and which file to edit."""
    stage = one_line(stage)
    names = [rule.name for rule in rules.stages]
    # A stage that was renamed is never a loss: acting on that would put projects away.
    meant = [rule for rule in rules.stages if rule.category is not Category.LOST]
    if not stage:
        return f"the deal has no stage; {rules.file} has {', '.join(names)}"
    likely = [name for rule in meant for name in (*rule.aliases, rule.name)]
    near = did_you_mean(stage, likely).replace("'", '"')
    known = near or f"; known are {', '.join(names)}"
    return (
        f'the stage "{stage}" is not in {rules.file}{known}; if a stage was renamed, add the '
        f'alias "{stage}" to its [[stage]] there; else correct the deal'
    )
