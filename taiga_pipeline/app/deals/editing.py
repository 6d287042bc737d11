"""Deals are added, edited and moved through their gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.app.deals.funnel import action_in, asked_by, required_by, rules_of, stage_in
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue, NothingToChange
from taiga_pipeline.pipeline.fields.field import held, with_values
from taiga_pipeline.pipeline.gates import open_actions
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.pipeline.text import folded

if TYPE_CHECKING:
    from taiga_pipeline.mapping.rules import Rules
    from taiga_pipeline.pipeline.model import StageMove
    from taiga_pipeline.pipeline.versions import Version


NEVER_SEEN: Final = "v0-000000000000"
"""A version that no deal ever had: an edit that was made from it overwrites nothing."""

PROPOSED: Final = ("service", "team", "roles", "value", "currency")
"""What a new deal has from one that it begins from. Never its key, dates, notes or actions."""


@dataclass(frozen=True, slots=True)
class Added:
    """A new deal. ``counted_as_done`` are the actions of the stages before its own.

    ``taken`` are the fields that it has from the deal that it is like.
    """

    deal: Deal
    counted_as_done: tuple[str, ...]
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edited:
    """A deal after an edit. ``changed`` are the fields that hold something else than before."""

    deal: Deal
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """What a deal's stage asks for before it may go on, and what of that is open."""

    deal: Deal
    requires: tuple[str, ...]
    open: tuple[str, ...]


def add_deal(
    workspace: Workspace,
    key: str,
    name: str,
    *,
    by: str,
    stage: str = "",
    values: Mapping[str, Any] | None = None,
    card: str = "",
    like: str = "",
) -> Added:
    """Adds a deal at a stage ("": the first one of its mapping).

    Without a ``key`` ("") it gets the next one by the rule in the configuration (``[deals] key``).

    ``values`` are its other fields, as `read_fields` returns them. ``card`` is the card that it is
    made of, as `taiga_pipeline.pipeline.card_store` names cards, "" for none. ``like`` is the key
    of a deal that it begins from: where ``values`` have none, it has its service, team, roles and
    value.

    :raises KeyTaken: a deal has this key.
    :raises UnknownStage: its mapping has no such stage.
    :raises NotMappedDeal: no mapping is for it.
    :raises InvalidValue: fields that cannot be stored.
    """
    given = dict(values or {})
    taken = _proposed(workspace, like, given) if like else {}
    deal = with_values(Deal(key=key, name=name), {**taken, **given})
    rules = rules_of(workspace, deal)
    at = stage_in(rules, stage) if stage else rules.stages[0]
    passed = asked_by(rules, "", at)
    placed = replace(deal, stage=at.name, done=deal.done | frozenset(passed))
    rule = workspace.settings.deals.key
    with deal_store(workspace, create=True) as store:
        return Added(store.add(placed, by=by, rule=rule, card=card), passed, tuple(taken))


def _proposed(workspace: Workspace, like: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a new deal takes from the deal that it begins from, where nothing is given.

    A value is of its own currency: it is not taken where another one is given.

    :raises UnknownDeal: there is no such deal.
    """
    with deal_store(workspace) as store:
        model = store.get(like)
    taken = {name: getattr(model, name) for name in PROPOSED if name not in given}
    if "value" not in taken or given.get("currency") not in (None, "", model.currency):
        for name in ("value", "currency"):
            taken.pop(name, None)
    return {name: value for name, value in taken.items() if value not in (None, "", ())}


def rename_deal(workspace: Workspace, key: str, new: str, *, by: str) -> Deal:
    """Gives a deal another key; its past, notes, people and project stay its own.

    The next run writes the new key into the project. The former one is not given to another deal.

    :raises UnknownDeal: there is no such deal.
    :raises KeyTaken: another deal has the key.
    :raises KeyWasRenamed: another deal had it before.
    :raises InvalidValue: it cannot be a key.
    """
    with deal_store(workspace) as store:
        return store.rename(key, new, by=by)


def remove_deal(workspace: Workspace, key: str, *, by: str) -> Deal:
    """Removes a deal that was a mistake, and returns it. What it held is kept in the history.

    Its project is retired by the next run, within the limits: nothing there is deleted.

    :raises UnknownDeal: there is no such deal.
    """
    with deal_store(workspace) as store:
        return store.remove(key, by=by)


def edit_deal(
    workspace: Workspace, key: str, values: Mapping[str, Any], *, by: str, seen: str = ""
) -> Edited:
    """Changes fields of a deal; ``values`` are as `read_fields` returns them.

    ``seen`` is the deal's version (`DealDetails.version`) that the edit was made from. With it, a
    field that the edit leaves as it was then keeps what another person wrote since.

    :raises NothingToChange: there are no values.
    :raises UnknownDeal: there is no such deal.
    :raises EditConflict: another person changed one of the fields since, to something else.
    :raises InvalidValue: values that cannot be stored.
    """
    if not values:
        raise NothingToChange
    version = _version(seen) if seen else None
    with deal_store(workspace) as store:
        before = store.get(key)
        after = store.edit(key, values, by=by, seen=version)
    return _edited(before, after, values)


def edit_deals(
    workspace: Workspace, keys: Sequence[str], values: Mapping[str, Any], *, by: str
) -> tuple[Edited, ...]:
    """Changes the same fields of several deals: of all of them, or of none.

    :raises NothingToChange: there are no values.
    :raises UnknownDeal: one of them is not there.
    :raises InvalidValue: values that cannot be stored.
    """
    if not values:
        raise NothingToChange
    with deal_store(workspace) as store:
        before = {deal.key: deal for deal in map(store.get, keys)}
        store.edit_with(dict.fromkeys(before, values), lambda _: None, by=by)
        after = [store.get(key) for key in before]
    return tuple(_edited(before[deal.key], deal, values) for deal in after)


def _edited(before: Deal, after: Deal, values: Mapping[str, Any]) -> Edited:
    changed = (name for name in values if held(before, name) != held(after, name))
    return Edited(after, tuple(changed))


def _version(text: str) -> Version:
    from taiga_pipeline.pipeline.versions import read_version

    version = read_version(text)
    if version is None:
        raise InvalidValue(f"{text[:40]!r} is not a version of a deal")
    return version


def move_deal(
    workspace: Workspace,
    key: str,
    stage: str,
    *,
    by: str,
    force: bool = False,
    closed_on: date | None = None,
    lost_reason: str = "",
    seen_stage: str | None = None,
) -> StageMove:
    """Moves a deal to another stage of its mapping, by its name or an alias.

    ``force`` skips open actions, which is recorded. ``closed_on`` is when it was won or lost, None
    for today. ``seen_stage`` is the stage in which it was when someone decided this, None for the
    one in which it is.

    :raises UnknownDeal: there is no such deal.
    :raises UnknownStage: its mapping has no such stage.
    :raises GateClosed: actions of the stages on its way are open.
    :raises EditConflict: another person moved it since.
    :raises InvalidValue: it is in this stage already.
    """
    from taiga_pipeline.pipeline.destination import Destination

    with deal_store(workspace) as store:
        deal = store.get(key)
        rules = rules_of(workspace, deal)
        to = stage_in(rules, stage)
        destination = Destination(
            to.name,
            to.category,
            asked_by(rules, deal.stage, to),
            closed_on,
            lost_reason,
            start=deal.stage if seen_stage is None else seen_stage,
        )
        return store.move(key, destination, force=force, by=by)


def spelled_otherwise(workspace: Workspace, owner: str) -> tuple[str, ...]:
    """Returns owners of deals who are probably the one that a single deal names so: in other letter
    case, or with more or fewer of their names."""
    with deal_store(workspace) as store:
        known = store.owners()
    mine = set(folded(owner).split())
    if not mine or known.get(owner, 0) > 1:
        return ()
    names = {each: set(folded(each).split()) for each in known if each != owner}
    return tuple(sorted(each for each, its in names.items() if its <= mine or mine <= its))


def lacks_reason(workspace: Workspace, key: str) -> bool:
    """Whether a deal is lost, and nobody said why.

    :raises UnknownDeal: there is no such deal.
    """
    with deal_store(workspace) as store:
        deal = store.get(key)
    if deal.lost_reason:
        return False
    stage = rules_of(workspace, deal).find_stage(deal.stage)
    return stage is not None and stage.category is Category.LOST


def gate_of(workspace: Workspace, key: str) -> Gate:
    """Returns what a deal's stage asks for.

    :raises UnknownDeal: there is no such deal.
    :raises NotMappedDeal: no mapping is for it.
    """
    return check_off(workspace, key, (), by="")


def check_off(workspace: Workspace, key: str, actions: Sequence[str], *, by: str) -> Gate:
    """Checks off gate actions of a deal, and returns what its stage asks for after that.

    :raises UnknownDeal: there is no such deal.
    :raises UnknownAction: no stage of its mapping requires one of them; none is checked off.
    """
    with deal_store(workspace) as store:
        deal = store.get(key)
        rules = rules_of(workspace, deal)
        for action in [action_in(rules, name) for name in actions]:
            deal = store.done(key, action, by=by)
    return _gate(rules, deal)


def take_back(workspace: Workspace, key: str, actions: Sequence[str], *, by: str) -> Gate:
    """Takes back that gate actions were checked off, and returns what the deal's stage asks for.

    :raises UnknownDeal: there is no such deal.
    :raises NotDone: one was not checked off.
    """
    with deal_store(workspace) as store:
        deal = store.get(key)
        rules = rules_of(workspace, deal)
        for action in actions:
            deal = store.undone(key, action, by=by)
    return _gate(rules, deal)


def _gate(rules: Rules, deal: Deal) -> Gate:
    requires = required_by(rules, deal.stage)
    return Gate(deal, requires, open_actions(requires, deal.done))
