"""What goes wrong with deals and people because of what someone asked for.

Each error carries what a surface needs to say it in its own words, and to offer the way out: names,
the nearest known name, open actions, both sides of an edit. The message is plain: it names no
command, no option and no button.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from taiga_pipeline.problems import Problem, ProblemsError, nearest


class RequestError(ProblemsError):
    """A request that cannot be fulfilled as it stands; nothing was changed."""

    def __init__(self, *messages: str) -> None:
        super().__init__([Problem(message) for message in messages])


class UnknownName(RequestError):
    """A deal, person or allocation that does not exist.

    ``name`` is what was asked for, ``nearest`` the known name that is most like it ("": none is),
    ``known`` are those that could have been meant, as far as they are few enough to list.
    """

    def __init__(
        self, message: str, name: str = "", nearest: str = "", known: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.name, self.nearest, self.known = name, nearest, tuple(known)


class UnknownDeal(UnknownName):
    """No deal has this key."""

    def __init__(self, key: str, nearest: str = "") -> None:
        super().__init__(f"there is no deal {key!r}{_meant(nearest)}", key, nearest)


class DealRenamed(UnknownDeal):
    """No deal has this key any more: the deal that had it was given another one."""

    def __init__(self, key: str, new: str) -> None:
        UnknownName.__init__(self, f"deal {key!r} has the key {new!r} now", key, new)


class DealRemoved(UnknownDeal):
    """No deal has this key any more: the deal that had it was removed."""

    def __init__(self, key: str) -> None:
        UnknownName.__init__(self, f"deal {key!r} was removed; its history is kept", key)


class UnknownPerson(UnknownName):
    """No person on the roster has this address."""

    def __init__(self, email: str, nearest: str = "") -> None:
        super().__init__(f"no person has the address {email!r}{_meant(nearest)}", email, nearest)


class UnknownStage(UnknownName):
    """A mapping has no stage of this name. ``file`` is the mapping's, ``known`` are its stages."""

    def __init__(self, name: str, file: str, known: Sequence[str], meant: Iterable[str]) -> None:
        near = nearest(name, meant)
        stages = ", ".join(known)
        super().__init__(
            f"{file} has no stage {name!r}{_meant(near)} (stages: {stages})", name, near, known
        )
        self.file = file


class UnknownAction(UnknownName):
    """No stage of a mapping requires this action. ``file`` is the mapping's."""

    def __init__(self, name: str, file: str, known: Sequence[str]) -> None:
        near = nearest(name, known)
        listed = ", ".join(repr(action) for action in known) or "none"
        super().__init__(
            f"no stage in {file} requires {name!r}{_meant(near)} (actions: {listed})",
            name,
            near,
            known,
        )
        self.file = file


class NotDone(UnknownName):
    """A gate action that is to be removed was never checked off. ``known`` are those done."""

    def __init__(self, deal: str, action: str, done: Iterable[str]) -> None:
        finished = sorted(done)
        listed = ", ".join(finished) or "nothing"
        super().__init__(
            f"{action!r} is not checked off for deal {deal}; done: {listed}",
            action,
            nearest(action, finished),
            finished,
        )
        self.deal = deal


class AlreadyThere(RequestError):
    """A deal or person that exists already."""


class KeyTaken(AlreadyThere):
    """A deal has this key, or one that differs only in case or Unicode form (``other``)."""

    def __init__(self, key: str, other: str) -> None:
        like = f"differs only in case or Unicode form from {other}, which exists already"
        super().__init__(f"deal {key} {'exists already' if other == key else like}")
        self.key, self.other = key, other


class KeyWasRenamed(AlreadyThere):
    """A deal had this key before it got another one (``new``)."""

    def __init__(self, key: str, new: str) -> None:
        super().__init__(f"{key} was the key of the deal that is called {new} now; choose another")
        self.key, self.new = key, new


class AddressTaken(AlreadyThere):
    """Someone on the roster has this address. ``name`` is theirs.

    ``wanted_by`` is the present address of who was to get it, "" for someone new.
    """

    def __init__(self, email: str, name: str, wanted_by: str = "") -> None:
        super().__init__(f"{email} is on the roster already{f' ({name})' if wanted_by else ''}")
        self.email, self.name, self.wanted_by = email, name, wanted_by


class InvalidValue(RequestError):
    """A value that a field cannot hold."""


class EmptyRoster(InvalidValue):
    """Nobody is on the roster, so that nothing can be said of who does what."""

    def __init__(self) -> None:
        super().__init__("the roster is empty")


class InvalidFields(InvalidValue):
    """Texts that cannot be read as the fields' values. ``fields`` has what is wrong, by field.

    A key of two fields, joined by a plus sign, says that they contradict each other.
    """

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        super().__init__(
            *(
                f"{name.replace('_', ' ').replace('+', ' and ')}: {message}"
                for name, messages in fields.items()
                for message in messages
            )
        )
        self.fields = {name: tuple(messages) for name, messages in fields.items()}


class FixedFields(InvalidValue):
    """Fields that have their own ways of changing: a stage is moved, an action checked off."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(f"{', '.join(fields)} cannot be edited")
        self.fields = tuple(fields)


class NothingToChange(InvalidValue):
    """An edit that names no field. ``of`` is what was to be edited: a deal, or a person."""

    def __init__(self, of: str = "deal") -> None:
        super().__init__("nothing to change: name a field")
        self.of = of


class NotMappedDeal(InvalidValue):
    """No mapping is for a deal, so that its stages are not known."""

    def __init__(self, deal: str, team: str, service: str) -> None:
        super().__init__(
            f"no mapping matches deal {deal} (team {team!r}, service {service!r}), so its stages "
            "are not known"
        )
        self.deal, self.team, self.service = deal, team, service


class AlreadyInStage(InvalidValue):
    """A deal is to be moved to the stage that it is in."""

    def __init__(self, deal: str, stage: str) -> None:
        super().__init__(f"deal {deal} is in stage {stage!r} already")
        self.deal, self.stage = deal, stage


class JoinsItself(InvalidValue):
    """A deal is to be a part of itself, or of a deal (``other``) that is in its own project."""

    def __init__(self, deal: str, other: str) -> None:
        is_same = deal == other
        super().__init__(
            f"deal {deal} cannot be a part of itself"
            if is_same
            else f"deal {other} is part of the project of {deal}"
        )
        self.deal, self.other = deal, other


class HasPhases(InvalidValue):
    """A deal that has several projects by its mapping is to be in one with other deals."""

    def __init__(self, deal: str, file: str) -> None:
        super().__init__(
            f"deal {deal} has a project for each of its phases ([[phase]] in {file}), and cannot "
            "be in one project with other deals"
        )
        self.deal = deal


class StandsAlone(InvalidValue):
    """A deal is to leave the project of another one, and is part of none."""

    def __init__(self, deal: str) -> None:
        super().__init__(f"deal {deal} is not part of another deal's project")
        self.deal = deal


class GateClosed(RequestError):
    """A deal may not leave its stage: actions are open. ``missing`` lists them, in their order."""

    def __init__(self, deal: str, stage: str, missing: Sequence[str]) -> None:
        actions = ", ".join(repr(action) for action in missing)
        super().__init__(f"deal {deal} may not leave {stage!r} yet, still to be done: {actions}")
        self.deal, self.stage, self.missing = deal, stage, tuple(missing)


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """A field that two people changed apart: what it held (``base``), holds now (``theirs``), and
    was to hold (``ours``), as the text of a CSV cell."""

    field: str
    base: str
    theirs: str
    ours: str


class EditConflict(RequestError):
    """A deal was changed by another person since it was looked at; nothing of the edit was kept."""

    def __init__(self, deal: str, fields: Sequence[FieldConflict]) -> None:
        differences = "; ".join(
            f"{each.field.replace('_', ' ')} is now {each.theirs or 'empty'!r}, "
            f"was {each.base or 'empty'!r}"
            for each in fields
        )
        super().__init__(f"deal {deal} was changed in the meantime: {differences}")
        self.deal, self.fields = deal, tuple(fields)


def _meant(name: str) -> str:
    return f"; did you mean {name!r}?" if name else ""
