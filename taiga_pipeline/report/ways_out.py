"""What people can do about an issue, a refusal or an error of the engine, in words.

The engine says what is wrong, and which ways out there are (`sync.ways_out`). Here is what each of
them is called, and by which command or setting it is gone: the one place for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sync.errors import NotLinked
from sync.way_out import Upgrade, WayOut
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
    MakeNameable,
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
    UseAccount,
    Wait,
)
from taiga_pipeline.hints import command, word
from taiga_pipeline.language import marked, translated
from taiga_pipeline.language import text as _


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
        return _("{group}: no project is kept in step with this deal", group=what.group)
    return translated(str(what) if isinstance(what, BaseException) else what.message)


def _ways(what: Explained | BaseException) -> Sequence[WayOut]:
    return getattr(what, "ways_out", ())


# --- the words, type by type


def _resolve(way: Resolve) -> Words:
    field = f"--field {word(way.field)} " if way.field else ""
    typed = command("resolve", str(way.key), options=f"{field}--take {way.side}")
    lead, note = _EFFECTS[way.effect, way.side]
    return Words(_(lead), typed, _(note))


_EFFECTS: Final[Mapping[tuple[Effect, Side], tuple[str, str]]] = {
    (Effect.VALUE, Side.SALES): (marked("To write what sales want"), ""),
    (Effect.VALUE, Side.DELIVERY): (marked("To keep what is there"), ""),
    (Effect.MAKE_AGAIN, Side.SALES): (marked("To make it again"), marked("make it again")),
    (Effect.STAY_AWAY, Side.DELIVERY): (marked("To keep it deleted"), marked("keep it deleted")),
    (Effect.REMOVE, Side.SALES): (marked("To have it removed"), marked("have it removed")),
    (Effect.LEAVE, Side.DELIVERY): (marked("To leave it as it is"), marked("leave it as it is")),
    (Effect.REMOVED, Side.DELIVERY): (marked("Once it was removed"), marked("once it was removed")),
}


def _adopt(way: Adopt) -> Words:
    typed = command("adopt", way.group, way.root_id or "PROJECT")
    if way.why is Adoption.MARK:
        note = _("it is this deal's: mark it")
        return Words(
            _("If project {root_id} is this deal's, mark it", root_id=way.root_id), typed, note
        )
    if way.why is Adoption.INSTEAD:
        return Words(
            _("To follow project {root_id} instead", root_id=way.root_id),
            typed,
            _("follow this one instead"),
        )
    return Words(_("To choose one"), typed)


def _unlink(way: Unlink) -> Words:
    if not way.group:
        return Words(_("To stop following the other deal"), command("unlink", "DEAL"))
    options = "--clean" if way.clean else ""
    lead = _("To stop following {group}", group=way.group)
    return Words(lead, command("unlink", way.group, options=options), _("stop following the deal"))


def _take_over(way: TakeOver) -> Words:
    typed = command("adopt", way.group or "NEW", options=f"--from {word(way.former)}")
    lead = _("If the deal has a new key") if not way.group else _("If it is the same deal")
    return Words(_("{lead}, take its project along", lead=lead), typed, _("take its project along"))


def _delete(way: DeleteInTarget) -> Words:
    ids = " and ".join(way.ids)
    if not way.is_named:
        return Words(_("Delete the copy ({ids}) in the target", ids=ids))
    return Words(
        _(
            "Look at both, and delete {ids} in the target, or take its "
            "reference or name away if it is to stay",
            ids=ids,
        )
    )


def _move_state(way: MoveState) -> Words:
    lead = {
        ServerIs.SAME: _("If it is the same server after all, with the same projects"),
        ServerIs.NEW: _("If the projects are to be made again here (from a trial to production)"),
        ServerIs.RESTORED: _("If it was restored from an older backup"),
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
            _(
                "If {account} takes over, make it an administrator of every project first",
                account=way.account,
            )
        )
    return Words(_("If the account does not see its projects, make it a member of them first"))


_USUAL: Final = {
    "create": marked("if old won deals flood in, lower closed_within_days in the mapping"),
    "retire": marked("a changed stage or mapping is the usual cause"),
    "staff": marked("a stage with another category in the mapping is the usual cause"),
    "children": marked(
        "a changed milestone, story, member or page in the mapping, or a stage with another "
        "category, is the usual cause"
    ),
    "remove_member": marked("changed allocations or members are the usual cause"),
    "rename": marked("a changed title or label in the mapping is the usual cause"),
    "cleared": marked(
        "a column that the source does not hold any more, or a fact taken out of the mapping, is "
        "the usual cause"
    ),
    "mails": marked(
        "the tool mails everyone once for each project that they are added to, and cannot be "
        "asked not to; 'when = \"staffed\"' below a [[member]] adds them later"
    ),
}
"""What usually makes a plan exceed a limit: a look at the plan shows it."""

_CAUSES: Final[Mapping[str, str]] = {
    "source_shrink": marked(
        "Check that the source is whole; nothing is retired because it is missing"
    ),
    "other_pipeline": marked(
        "Another pipeline has made a project for each of these deals already; if "
        "this pipeline was renamed, give it its old name again"
    ),
    "swapped": marked(
        "Names and customers changed places among keys, as they do where a key is the "
        "number of a row: each project would become another deal's. If a file brought them "
        "under wrong keys, import it again with '--value key:THEIRS=OURS' for each (the import "
        "says), and use keys that stay with a deal. If the deals have these keys for good, "
        "'pipeline-sync unlink KEY' "
        "each, then 'pipeline-sync adopt KEY PROJECT' with the project named here. Allow it if the "
        "projects are to become the other deals'"
    ),
    "other_account": marked(
        "Two accounts on one pipeline do not see each other's projects, and make each "
        "a second time: use the account that made them, or allow it if that one was given up"
    ),
    "unmarked": marked(
        "Nothing is ever written to them. Is target.url right? Was the server restored from an "
        "older backup, and gives numbers out again? '{command}' has the ways on; with the limit "
        "lifted all others are kept in step, and these are reported"
    ),
    "missing": marked(
        "Is target.url right, is the account still a member of them, was the server restored from "
        "an older backup? '{command}' has the ways on; with the limit lifted they count as deleted "
        "by people"
    ),
}
"""The same where the plan does not show it, by the limit's name."""


def cause(limit: str) -> str:
    """Returns what usually makes a plan exceed a limit."""
    if limit in _USUAL:
        looking = _("Look at the list with '{command}'", command=command("plan"))
        return f"{looking}; {_(_USUAL[limit])}"
    return _(_CAUSES[limit], command=command("state move", options="--help"))


_WORDS: Final[Mapping[type[WayOut], Callable[[Any], Words]]] = {
    Resolve: _resolve,
    Adopt: _adopt,
    Unlink: _unlink,
    UnlinkElsewhere: lambda way: Words(
        _("Unlink it in the pipeline '{pipeline}' first", pipeline=way.pipeline)
    ),
    TakeOver: _take_over,
    TakeOverAll: lambda _unused: Words(
        _("For all such deals at once"),
        command("adopt", options="--renumbered"),
        _("all such deals"),
    ),
    RestoreKey: lambda _unused: Words(_("If it is the same deal, write its key as before")),
    RemoveMarker: lambda way: Words(
        _("To take the marker off the copy"),
        command("unlink", way.group, options=f"--project {word(way.root_id)}"),
        _("take the marker off the copy"),
    ),
    DeleteInTarget: _delete,
    MoveBack: lambda _unused: Words(_("Move it back in the target")),
    MakeNameable: lambda way: Words(
        _(
            "Make {name} a member who can be given work (staff them on the deal, list them under "
            "[[member]], or add them in the target); the next run that compares the project does "
            "the rest, 'run --full' at once",
            name=way.name,
        )
    ),
    RetireGone: lambda _unused: Words(_('To have it retired: when_gone = "retire" under [sync]')),
    ListOpen: lambda _unused: Words(_("To see what waits"), command("conflicts"), _("what waits")),
    FindCause: lambda way: Words(cause(way.limit)),
    AllowOnce: lambda way: Words(_("To allow it once: --allow {limit}", limit=way.limit)),
    RaiseLimit: lambda way: Words(
        _("To allow it always: set {limit} under [limits] in the configuration", limit=way.limit)
    ),
    SaveNewPlan: lambda _unused: Words(
        _("Look at '{command}' again, and save a new plan", command=command("plan"))
    ),
    MoveState: _move_state,
    CorrectAddress: lambda _unused: Words(
        _("If target.url (or the account) was changed by mistake, change it back")
    ),
    UseAccount: lambda way: Words(_("Log in as {account} again", account=way.account)),
    GrantAccess: _grant_access,
    Wait: lambda _unused: Words(_("Wait: the other run does what there is to do")),
    Upgrade: lambda _unused: Words(_("Upgrade pipeline-sync on this machine")),
    CopyStores: lambda _unused: Words(_("To copy everything there"), command("store copy")),
}


def finish_rotation(section: str) -> str:
    """Returns what to do about a rotation of a secret that was cut off."""
    return _(
        "{section}: a rotation of the secret was cut off; '{command}' finishes it",
        section=section,
        command=command("secrets rotate", section),
    )
