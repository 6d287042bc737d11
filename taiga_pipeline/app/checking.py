"""Everything that a run needs, looked at in advance; every problem at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from sync.clock import Clock
from sync.errors import Refused, Rejected, SyncError
from sync.records.model import DesiredGroup
from sync.run.lease import MayBeDenied, OffersLeases
from sync.run.server_identity import UNPROVEN, WAYS, is_proven, refuse_another
from sync.run.server_move import gather
from sync.source import Quarantined
from sync.state.store import StateStore
from sync.target import Foresees, Target
from taiga_pipeline.app.deals.own_fields import Unreadable, look_at_own_fields
from taiga_pipeline.app.engine import KnownTarget, make_source, make_target
from taiga_pipeline.app.expiry import expiring, last_day
from taiga_pipeline.app.notify.telling import channels, need_package
from taiga_pipeline.app.portfolio import PortfolioRefused
from taiga_pipeline.app.rotation.rotating import unfinished
from taiga_pipeline.app.soundness import (
    EXAMPLES,
    RESTORE,
    refuse_damaged_file,
    state_on_server,
    store_on_server,
)
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.trouble import Trouble, trouble_of
from taiga_pipeline.app.workspace import Workspace, shortest, sqlite_path
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.records import Project, is_portfolio
from taiga_pipeline.report.plan_text import quarantine_line
from taiga_pipeline.report.ways_out import finish_rotation, in_words
from taiga_pipeline.sources.port import Examined, going_through
from taiga_pipeline.targets.advice import Advises

STRANGE: Final = (
    "Projects without the marker are not written, and missing ones are not made again. Is "
    "target.url right? See 'Another server' in docs/operations.md, and look at a plan"
)
LOOK_SECONDS: Final = 60
"""How long the deals of a source are gone through."""
_Item = TypeVar("_Item")

_BETWEEN_LOOKS: Final = 100
"""Deals between two looks at the clock."""
_SHOWN_ROWS: Final = 100
_NO_LEASE: Final = (
    "{tool} does not keep a second machine out: let only one machine run this pipeline, or have "
    "all of them share one state on PostgreSQL (see 'Two machines' in docs/operations.md)"
)
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: a summary when all is well, else the problems.

    ``advice`` is what could be done, and need not be. ``overlooked`` are files that were probably
    meant to be mappings, and are not read. ``unreadable`` are the values of which the problems
    speak, one by one.
    """

    name: str
    summary: str = ""
    problems: tuple[str, ...] = ()
    trouble: Trouble | None = None
    advice: tuple[str, ...] = ()
    overlooked: tuple[Path, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is nothing to fix."""
        return not self.problems

    def to_json(self) -> dict[str, object]:
        """Returns the finding as JSON-compatible data."""
        return {
            "check": self.name,
            "ok": self.ok,
            "summary": self.summary,
            "problems": list(self.problems),
            "advice": list(self.advice),
        }


def check_all(workspace: Workspace, *, offline: bool = False) -> Iterator[Finding]:
    """Looks at the configuration, mappings, stores, the connection and the account's rights.

    Yields each finding as it is made; everything is looked at, whatever else is wrong. Nothing is
    changed. ``offline`` leaves the target alone.
    """
    config = _look("config", lambda: _config(workspace))
    yield config
    if not config.ok:
        return
    mappings = _look("mappings", lambda: _mappings(workspace))
    mappings = replace(mappings, overlooked=_overlooked(workspace))
    if offline and mappings.ok:
        mappings = replace(mappings, advice=_left_out(workspace, KnownTarget.of(workspace)))
    yield mappings
    source = _look_at_source(workspace, mapped=mappings.ok)
    yield source
    yield _look("state", lambda: _state(workspace))
    if _has_store(workspace):
        store = _look("store", lambda: _store(workspace))
        yield store
        if store.ok:
            yield from _own_fields(workspace)
    if workspace.settings.notify.is_wanted:
        yield _look("messages", lambda: _messages(workspace))
    if not offline:
        yield from _look_at_target(workspace, mapped=mappings.ok, is_readable=source.ok)


def _messages(workspace: Workspace) -> str:
    """Returns where messages go; nothing is sent."""
    to = channels(workspace)
    need_package()
    return f"{counted(len(to), 'channel')}: {', '.join(channel.name for channel in to)}"


def _look(name: str, what: Callable[[], str]) -> Finding:
    try:
        return Finding(name, what())
    except ProblemsError as error:
        problems = tuple(str(problem) for problem in error.problems)
        about = "portfolio" if isinstance(error, PortfolioRefused) else name
        return Finding(about, problems=problems, trouble=Trouble.USAGE)
    except SyncError as error:
        return Finding(name, problems=(in_words(error),), trouble=trouble_of(error))


def _config(workspace: Workspace) -> str:
    settings = workspace.settings
    address = urlsplit(settings.target.url)
    is_open = address.scheme == "http" and address.hostname not in LOOPBACK
    warning = "; target.url is not encrypted: anyone on the network path can read the password"
    return f"{workspace.config_path} (pipeline {settings.pipeline}){warning if is_open else ''}"


def _overlooked(workspace: Workspace) -> tuple[Path, ...]:
    from taiga_pipeline.mapping.load import overlooked

    return tuple(overlooked(shortest(workspace.settings.sync.mappings)))


def _mappings(workspace: Workspace) -> str:
    from taiga_pipeline.mapping.check import shortcomings

    rules = workspace.load_mappings().rules
    lacking = [problem for each in rules for problem in shortcomings(each)]
    if lacking:
        raise ProblemsError(lacking)
    return ", ".join(f"{rule.name} ({len(rule.stages)} stages)" for rule in rules)


def _source(workspace: Workspace) -> str:
    """Reads all deals through the mappings."""
    source = make_source(workspace)
    reading = source.read()
    phases: list[str] = []

    def is_deal(group: DesiredGroup) -> bool:
        if source.whole_of(group.key):
            phases.extend([] if group.retired else [group.key])
            return False
        return not is_portfolio(group.key)

    deals = _counted(reading.groups, workspace.clock, is_deal)
    _refuse_quarantined(reading.quarantined)
    besides = f", {counted(len(phases), 'project')} of other phases" if phases else ""
    without = sum(not is_portfolio(key) for key in reading.present)
    unmapped = f", {without} without a mapping" if without else ""
    return f"{deals}{besides}{unmapped}"


def _counted(
    deals: Iterable[_Item], clock: Clock, counts: Callable[[_Item], bool] = lambda item: True
) -> str:
    """Goes through deals for as long as a person waits; says how many there were.

    What does not ``count`` as one is gone through as well.
    """
    end, count = clock.monotonic() + LOOK_SECONDS, 0
    with going_through(deals) as each:
        for item in each:
            count += counts(item)
            if count % _BETWEEN_LOOKS == 0 and clock.monotonic() > end:
                return (
                    f"the first {count:,} deals are fine; the others were not checked within "
                    f"{LOOK_SECONDS} s (a run reads all)"
                )
    return counted(count, "deal")


def _refuse_quarantined(rows: Sequence[Quarantined]) -> None:
    if rows:
        problems = [Problem(quarantine_line(row)) for row in rows[:_SHOWN_ROWS]]
        if len(rows) > _SHOWN_ROWS:
            problems.append(Problem(f"and {len(rows) - _SHOWN_ROWS:,} more like these"))
        raise ProblemsError(problems)


def _look_at_source(workspace: Workspace, *, mapped: bool) -> Finding:
    advice: list[str] = []

    def look() -> str:
        source = workspace.make_deal_source()
        if isinstance(source, Examined):
            advice.extend(source.examine())
        return _source(workspace) if mapped else _deals(workspace)

    return replace(_look("source", look), advice=tuple(advice))


def _deals(workspace: Workspace) -> str:
    """Reads all deals, without mappings that could be used."""
    reading = workspace.make_deal_source().read()
    deals = _counted(reading.deals, workspace.clock)
    _refuse_quarantined(reading.quarantined)
    return deals


def _state(workspace: Workspace) -> str:
    """Looks whether the state store is sound, whole and consistent; changes nothing in it."""
    if not _has_state(workspace):
        return "not there yet; the first run creates it"
    path = sqlite_path(workspace.state_url)
    if path is not None:
        refuse_damaged_file(path)
    with state_to_read(workspace) as state:
        _refuse_dangling(state.dangling())
        followed = sum(row.is_followed for row in state.index().values())
        cut_off = len(state.open_intents())
    waiting = f"; {cut_off} writes of a run that was cut off are settled by the next run"
    kept = f"{counted(followed, 'project')} {'is' if followed == 1 else 'are'} kept in step"
    return f"{kept}{waiting if cut_off else ''}"


def _has_state(workspace: Workspace) -> bool:
    is_file = sqlite_path(workspace.state_url) is not None
    return workspace.has_state() if is_file else state_on_server(workspace.state_url)


def _has_store(workspace: Workspace) -> bool:
    """Whether there is a built-in store to look at; of one on a server, that is assumed."""
    source = workspace.settings.source
    if not workspace.has_store:
        return False
    try:
        path = sqlite_path(source.address(workspace.environment))
    except ProblemsError:  # reported where the deals are read
        return False
    return path is None or path.exists()


def _store(workspace: Workspace) -> str:
    url = workspace.settings.source.address(workspace.environment)
    path = sqlite_path(url)
    if path is None:
        return store_on_server(url)
    refuse_damaged_file(path)
    return f"{path.name} is sound"


def _own_fields(workspace: Workspace) -> Iterator[Finding]:
    """Looks whether what deals hold in fields of the user's own is of the kinds declared."""
    try:
        found = look_at_own_fields(workspace)
    except (ProblemsError, SyncError):  # which is reported where the deals are read
        return
    kept = tuple(
        f"{name}: in {counted(count, 'deal')}, and no [[field]] declares it; it is kept as it is"
        for name, count in found.undeclared.items()
    )
    wrong = [
        f"deal {each.deal}: {each.field}: {each.reason}; it is kept and shown as it is. Change it, "
        "or the field's kind"
        for each in found.unreadable
    ]
    if found.unreadable_count > len(wrong):
        wrong.append(f"and {found.unreadable_count - len(wrong):,} more like these")
    filled = ", ".join(f"{name} in {counted(n, 'deal')}" for name, n in found.filled.items())
    if filled or kept:
        trouble = Trouble.PARTIAL if wrong else None
        yield Finding(
            "fields",
            filled or "none of your own",
            tuple(wrong),
            trouble,
            kept,
            unreadable=found.unreadable,
        )


def _refuse_dangling(keys: Sequence[str]) -> None:
    if keys:
        raise ProblemsError(
            [
                Problem(
                    f"the state store knows parts of {len(keys)} deal(s) but not their projects: "
                    f"{', '.join(keys[:EXAMPLES])}. {RESTORE}"
                )
            ]
        )


def _look_at_target(workspace: Workspace, *, mapped: bool, is_readable: bool) -> Iterator[Finding]:
    """Looks whether the target lets the account in, and holds the projects that are known."""
    found: list[Target] = []
    advice: list[str] = []

    def look() -> str:
        target = make_target(workspace)
        account = target.connect()
        if isinstance(target, Advises):
            advice.extend(target.advice())
        found.append(target)
        if mapped:
            _refuse_copies(workspace, KnownTarget.of(workspace, target))
            advice.extend(_left_out(workspace, KnownTarget.of(workspace, target)))
        advice.extend(_about_leases(workspace, KnownTarget.of(workspace, target), target))
        if mapped and isinstance(target, Foresees):
            advice.extend(_refuse_unknown(workspace, target))
        url = workspace.settings.target.url
        return f"{target.name}{f' at {url}' if url else ''} lets {account} in"

    yield replace(_look("target", look), advice=tuple(advice))
    yield from _secrets(workspace, found)
    if found:
        deals = workspace.make_deal_source() if is_readable else None
        yield from _look_at_projects(workspace, found[0], deals, reads_deals=mapped and is_readable)


def _secrets(workspace: Workspace, connected: Sequence[Target]) -> Iterator[Finding]:
    """Yields the secrets that end soon or have ended, by the configuration and the target."""
    last_days: list[date] = []
    for target in connected:
        with suppress(SyncError):
            last_days += filter(None, [last_day(target)])
    ending = [*map(str, expiring(workspace, min(last_days, default=None)))]
    ending += map(finish_rotation, unfinished(workspace))
    if ending:
        summary = f"{counted(len(ending), 'secret')} to be renewed"
        yield Finding("secrets", summary, advice=tuple(ending))


def _look_at_projects(
    workspace: Workspace, target: Target, deals: object, *, reads_deals: bool
) -> Iterator[Finding]:
    """Looks at the projects of a state; where there is none yet, only at whose the deals are."""
    is_there = _has_state(workspace)
    look = partial(_projects, is_there=is_there, reads_deals=reads_deals)
    finding = _look("projects", lambda: look(workspace, target, deals))
    if is_there or not finding.ok:
        yield finding


def _projects(
    workspace: Workspace, target: Target, deals: object, *, is_there: bool, reads_deals: bool
) -> str:
    """Looks whether this is the server, and whether its projects are the ones, of the state."""
    with state_to_read(workspace, is_there=is_there) as store:
        refuse_another(store, target, deals)
        evidence = gather(store, target)
        proven = is_proven(store, target)
        if reads_deals and not evidence.bound and (evidence.found or store.bound_elsewhere()):
            _refuse_others_projects(workspace, store, target)
    if evidence.bound and not evidence.marked and not proven:
        raise Refused(f"{UNPROVEN} ({evidence})", ways_out=WAYS)
    breaches = evidence.breaches(workspace.settings.limits.by_name(), proven=proven)
    if breaches:
        limits = "; ".join(f"limits.{b.name}: {b.planned}, {b.allowed} allowed" for b in breaches)
        raise Refused(f"{evidence}. A run would be refused ({limits}). {STRANGE}")
    if evidence.unmarked or evidence.missing:
        raise Rejected(f"{evidence}. A run reports them. {STRANGE}")
    return str(evidence)


def _refuse_others_projects(workspace: Workspace, store: StateStore, target: Target) -> None:
    """Looks whether another name of the pipeline, or another account, has made the projects.

    :raises Refused: a run would be.
    """
    from sync.plan.pipeline_planner import PipelinePlanner, Rules

    settings = workspace.settings
    rules = Rules(settings.limits.by_name(), when_gone=settings.sync.when_gone)
    plan = PipelinePlanner(make_source(workspace), target, store, rules).plan().plan
    names = ("other_pipeline", "other_account")
    found = [breach for breach in plan.breaches if breach.name in names]
    if found:
        ways = [way for breach in found for way in breach.ways_out]
        raise Refused("; ".join(breach.message for breach in found), ways_out=ways)


def _about_leases(workspace: Workspace, known: KnownTarget, target: Target) -> Iterator[str]:
    """Yields what a target that keeps no lease means for those who asked for one."""
    if not workspace.settings.sync.lease_seconds:
        return
    board = target.leases if isinstance(target, OffersLeases) else None
    why = board.denied() if isinstance(board, MayBeDenied) else ""
    if why or not known.capabilities().leases:
        yield _NO_LEASE.format(tool=known.title) + (f". For a lease, {why}" if why else "")


def _left_out(workspace: Workspace, known: KnownTarget) -> tuple[str, ...]:
    """Returns what the mappings ask for and the target cannot hold."""
    try:
        return tuple(make_source(workspace, known).notes())
    except ProblemsError:  # which is reported where deals are read
        return ()


def _refuse_copies(workspace: Workspace, known: KnownTarget) -> None:
    """Makes sure that projects which mappings name as templates can be copied.

    :raises ProblemsError: the tool cannot copy any.
    """
    from taiga_pipeline.mapping.holding import NO_COPIES
    from taiga_pipeline.mapping.probes import templates

    if known.capabilities().copies_roots:
        return
    asked = [each for rules in workspace.load_mappings().rules for each in templates(rules)]
    copied = [each.origin() for each in asked if Project.COPIED_FROM in each.fields]
    words = NO_COPIES.format(tool=known.title)
    if copied:
        raise ProblemsError([Problem(f"{place}: {words}") for place in dict.fromkeys(copied)])


def _refuse_unknown(workspace: Workspace, target: Foresees) -> list[str]:
    """Asks the target what it would refuse of the mappings; returns what is doubtful.

    :raises ProblemsError: what it would refuse for each deal.
    """
    from taiga_pipeline.mapping.probes import probes

    asked = [each for rules in workspace.load_mappings().rules for each in probes(rules)]
    foreseen = target.foresee(asked)
    certain = [f"{each.record.origin()}: {each.message}" for each in foreseen if each.is_certain]
    if certain:
        raise ProblemsError([Problem(message) for message in dict.fromkeys(certain)])
    return [f"{each.record.origin()}: {each.message}" for each in foreseen]
