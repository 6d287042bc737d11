"""What people can do about an issue, a refusal or an error of the engine, in words.

The engine says what is wrong, and which ways out there are (`sync.ways_out`). Here is what each of
them is called, and by which command or setting it is gone: the one place for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sync.errors import NotLinked
from sync.ways_out import (
    Adopt,
    Adoption,
    AllowOnce,
    CopyStores,
    CorrectAddress,
    DeleteInTarget,
    Effect,
    Explained,
    FindCause,
    GrantAccess,
    ListOpen,
    MoveBack,
    MoveState,
    RaiseLimit,
    RemoveMarker,
    Resolve,
    RestoreKey,
    RetireGone,
    SaveNewPlan,
    ServerIs,
    Side,
    Statement,
    TakeOver,
    TakeOverAll,
    Unlink,
    UnlinkElsewhere,
    Upgrade,
    UseAccount,
    Wait,
    WayOut,
)
from taiga_pipeline.hints import command, word


@dataclass(frozen=True, slots=True)
class Words:
    """A way out in words.

    ``lead`` says when, or what for. ``command`` is what to type, "" if it is nothing that can be
    typed: then ``lead`` says everything. ``note`` is what stands behind the command in a list.
    """

    lead: str
    command: str = ""
    note: str = ""

    @property
    def sentence(self) -> str:
        """The way out as a sentence, without its full stop."""
        return f"{self.lead}: '{self.command}'" if self.command else self.lead


def words_of(way: WayOut) -> Words:
    """Returns a way out in words."""
    return _WORDS[type(way)](way)


def in_words(what: Explained | BaseException, hint: str = "") -> str:
    """Returns what is wrong, and what can be done about it, as sentences.

    ``hint`` is put behind what is wrong. A message that an earlier version wrote names the command
    itself: it is not repeated.
    """
    message = _message(what)
    ways = [words_of(way) for way in _ways(what)]
    said = [each.sentence for each in ways if not (each.command and each.command in message)]
    return ". ".join([f"{message}{hint}".removesuffix("."), *said]) if said else f"{message}{hint}"


def advice(ways: Iterable[WayOut]) -> tuple[str, ...]:
    """Returns the ways out that cannot be typed, as sentences without their full stop."""
    return tuple(each.lead for each in map(words_of, ways) if not each.command)


def commands(ways: Iterable[WayOut]) -> tuple[str, ...]:
    """Returns the commands among which a person chooses, each with what comes of it."""
    typed = [each for each in map(words_of, ways) if each.command]
    width = max((len(each.command) for each in typed if each.note), default=0)
    return tuple(f"{e.command:<{width}}    # {e.note}" if e.note else e.command for e in typed)


def ways_json(what: Explained | BaseException) -> list[dict[str, object]]:
    """Returns ways out as JSON-compatible data: what they are for, and the command ("" if none)."""
    every = [(type(way).__name__, words_of(way)) for way in _ways(what)]
    return [{"way": name, "text": each.sentence, "command": each.command} for name, each in every]


def kept_words(summary: Mapping[str, object]) -> dict[str, object]:
    """Returns what the state store keeps of a run, with what was reported in it as text."""
    return {name: _kept(name, value) for name, value in summary.items()}


def _kept(name: str, value: object) -> object:
    if name == "refusal" and isinstance(value, list):
        return "\n".join(in_words(Statement.read(each)) for each in value)
    if name in ("error", "stopped_by") and isinstance(value, Mapping):
        return in_words(Statement.read(value))
    return value


def _message(what: Explained | BaseException) -> str:
    if isinstance(what, NotLinked):
        return f"{what.group}: no project is kept in step with this deal"
    return str(what) if isinstance(what, BaseException) else what.message


def _ways(what: Explained | BaseException) -> Sequence[WayOut]:
    return getattr(what, "ways_out", ())


# --- the words, type by type


def _resolve(way: Resolve) -> Words:
    field = f"--field {word(way.field)} " if way.field else ""
    typed = command("resolve", str(way.key), options=f"{field}--take {way.side}")
    lead, note = _EFFECTS[way.effect, way.side]
    return Words(lead, typed, note)


_EFFECTS: Final[Mapping[tuple[Effect, Side], tuple[str, str]]] = {
    (Effect.VALUE, Side.SALES): ("To write what sales want", ""),
    (Effect.VALUE, Side.DELIVERY): ("To keep what is there", ""),
    (Effect.MAKE_AGAIN, Side.SALES): ("To make it again", "make it again"),
    (Effect.STAY_AWAY, Side.DELIVERY): ("To keep it deleted", "keep it deleted"),
    (Effect.REMOVE, Side.SALES): ("To have it removed", "have it removed"),
    (Effect.LEAVE, Side.DELIVERY): ("To leave it as it is", "leave it as it is"),
    (Effect.REMOVED, Side.DELIVERY): ("Once it was removed", "once it was removed"),
}


def _adopt(way: Adopt) -> Words:
    typed = command("adopt", way.group, way.root_id or "PROJECT")
    if way.why is Adoption.MARK:
        note = "it is this deal's: mark it"
        return Words(f"If project {way.root_id} is this deal's, mark it", typed, note)
    if way.why is Adoption.INSTEAD:
        return Words(f"To follow project {way.root_id} instead", typed, "follow this one instead")
    return Words("To choose one", typed)


def _unlink(way: Unlink) -> Words:
    if not way.group:
        return Words("To stop following the other deal", command("unlink", "DEAL"))
    options = "--clean" if way.clean else ""
    lead = f"To stop following {way.group}"
    return Words(lead, command("unlink", way.group, options=options), "stop following the deal")


def _take_over(way: TakeOver) -> Words:
    typed = command("adopt", way.group or "NEW", options=f"--from {word(way.former)}")
    lead = "If the deal has a new key" if not way.group else "If it is the same deal"
    return Words(f"{lead}, take its project along", typed, "take its project along")


def _delete(way: DeleteInTarget) -> Words:
    ids = " and ".join(way.ids)
    if not way.is_named:
        return Words(f"Delete the copy ({ids}) in the target")
    return Words(
        f"Look at both, and delete {ids} in the target, or take its reference or name away if it "
        "is to stay"
    )


def _move_state(way: MoveState) -> Words:
    lead = {
        ServerIs.SAME: "If it is the same server after all, with the same projects",
        ServerIs.NEW: "If the projects are to be made again here (from a trial to production)",
        ServerIs.RESTORED: "If it was restored from an older backup",
    }[way.server]
    options = {
        ServerIs.SAME: "--same-server",
        ServerIs.NEW: "--new-server",
        ServerIs.RESTORED: "--restored",
    }[way.server]
    return Words(lead, command("state move", options=options))


def _grant_access(way: GrantAccess) -> Words:
    if way.account:
        return Words(
            f"If {way.account} takes over, make it an administrator of every project first"
        )
    return Words("If the account does not see its projects, make it a member of them first")


_LOOK: Final = f"Look at the list with '{command('plan')}'"
_MOVES: Final = f"'{command('state move', options='--help')}' has the ways on"
_USUAL: Final = "is the usual cause"

CAUSES: Final[Mapping[str, str]] = {
    "create": f"{_LOOK}; if old won deals flood in, lower closed_within_days in the mapping",
    "retire": f"{_LOOK}; a changed stage or mapping {_USUAL}",
    "staff": f"{_LOOK}; a stage with another category in the mapping {_USUAL}",
    "children": f"{_LOOK}; a changed milestone, story, member or page in the mapping, or a stage "
    f"with another category, {_USUAL}",
    "remove_member": f"{_LOOK}; changed allocations or members are the usual cause",
    "rename": f"{_LOOK}; a changed title or label in the mapping {_USUAL}",
    "mails": f"{_LOOK}; the tool mails everyone once for each project that they are added to, and "
    "cannot be asked not to; 'when = \"staffed\"' below a [[member]] adds them later",
    "source_shrink": "Check that the source is whole; nothing is retired because it is missing",
    "other_pipeline": "Another pipeline has made a project for each of these deals already; if "
    "this pipeline was renamed, give it its old name again",
    "swapped": "Names and customers changed places among keys, as they do where a key is the "
    "number of a row: each project would become another deal's. If a file brought them under wrong "
    "keys, import it again with '--value key:THEIRS=OURS' for each (the import says), and use "
    "keys that stay with a deal. If the deals have these keys for good, 'pipeline-sync unlink KEY' "
    "each, then 'pipeline-sync adopt KEY PROJECT' with the project named here. Allow it if the "
    "projects are to become the other deals'",
    "other_account": "Two accounts on one pipeline do not see each other's projects, and make each "
    "a second time: use the account that made them, or allow it if that one was given up",
    "unmarked": "Nothing is ever written to them. Is target.url right? Was the server restored "
    f"from an older backup, and gives numbers out again? {_MOVES}; with the limit lifted all "
    "others are kept in step, and these are reported",
    "missing": "Is target.url right, is the account still a member of them, was the server "
    f"restored from an older backup? {_MOVES}; with the limit lifted they count as deleted by "
    "people",
}
"""What usually makes a plan exceed a limit, by the limit's name."""

_WORDS: Final[Mapping[type[WayOut], Callable[[Any], Words]]] = {
    Resolve: _resolve,
    Adopt: _adopt,
    Unlink: _unlink,
    UnlinkElsewhere: lambda way: Words(f"Unlink it in the pipeline '{way.pipeline}' first"),
    TakeOver: _take_over,
    TakeOverAll: lambda _: Words(
        "For all such deals at once", command("adopt", options="--renumbered"), "all such deals"
    ),
    RestoreKey: lambda _: Words("If it is the same deal, write its key as before"),
    RemoveMarker: lambda way: Words(
        "To take the marker off the copy",
        command("unlink", way.group, options=f"--project {word(way.root_id)}"),
        "take the marker off the copy",
    ),
    DeleteInTarget: _delete,
    MoveBack: lambda _: Words("Move it back in the target"),
    RetireGone: lambda _: Words('To have it retired: when_gone = "retire" under [sync]'),
    ListOpen: lambda _: Words("To see what waits", command("conflicts"), "what waits"),
    FindCause: lambda way: Words(CAUSES[way.limit]),
    AllowOnce: lambda way: Words(f"To allow it once: --allow {way.limit}"),
    RaiseLimit: lambda way: Words(
        f"To allow it always: set {way.limit} under [limits] in the configuration"
    ),
    SaveNewPlan: lambda _: Words(f"Look at '{command('plan')}' again, and save a new plan"),
    MoveState: _move_state,
    CorrectAddress: lambda _: Words(
        "If target.url (or the account) was changed by mistake, change it back"
    ),
    UseAccount: lambda way: Words(f"Log in as {way.account} again"),
    GrantAccess: _grant_access,
    Wait: lambda _: Words("Wait: the other run does what there is to do"),
    Upgrade: lambda _: Words("Upgrade pipeline-sync on this machine"),
    CopyStores: lambda _: Words("To copy everything there", command("store copy")),
}
