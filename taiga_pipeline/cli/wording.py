"""What a terminal says of errors that carry their reasons: the message, and the way out.

The way out is a command or an option. One table: a class of `taiga_pipeline.pipeline.errors` or of
a use case, and its words. An error of the engine carries its ways out
(`taiga_pipeline.report.ways_out`); any other is reported as its message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.hints import command
from taiga_pipeline.language import marked, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.report.ways_out import in_words

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.filters import UnknownFilters, UnreadableFilters
    from taiga_pipeline.app.deals.own_fields import Unreadable
    from taiga_pipeline.app.starting import SampleNeedsStore, StoreThere
    from taiga_pipeline.pipeline.errors import (
        AddressTaken,
        DealRemoved,
        EditConflict,
        FixedFields,
        GateClosed,
        InvalidFields,
        JoinsItself,
        KeyTaken,
        NothingToChange,
        NotMappedDeal,
        UnknownDeal,
        UnknownPerson,
    )
    from taiga_pipeline.pipeline.importing.rows import BadRow
    from taiga_pipeline.problems import ProblemsError


def words(error: BaseException) -> str:
    """Returns what a terminal says of an error."""
    for kind in type(error).__mro__:
        if kind.__name__ in _WORDS:
            return _WORDS[kind.__name__](error)
    return in_words(error)


def row_words(row: BadRow) -> str:
    """Returns why a row was left out, and the way out."""
    if row.missing:
        return f"{translated(row.reason)}. {_way_through(row.key)}"
    if row.unknown_person:
        return f"{translated(row.reason)}{_way_in(row.unknown_person)}"
    return translated(row.reason)


def flag(field: str) -> str:
    """Returns the option of a field: ``--expected-close``; of one of the user's own, ``--set``."""
    if field not in BUILT_IN:
        return _("--set {field}", field=field)
    return "--" + ("contact" if field == "contacts" else field.replace("_", "-"))


def value_way(value: Unreadable) -> str:
    """Returns the command that corrects what a deal holds in a field of the user's own."""
    return command("deals edit", value.deal, options=f"--set {value.field}=...")


def _gate_closed(error: GateClosed) -> str:
    return f"{translated(str(error))}. {_way_through(error.deal)}"


def _way_through(deal: str) -> str:
    return _(
        "Check an action off with: {command}; or move it anyway with --force, which is recorded",
        command=command("deals done", deal, "ACTION"),
    )


def _joins_itself(error: JoinsItself) -> str:
    if error.other == error.deal:
        return translated(str(error))
    return _(
        "{error}; let it stand for itself first: {command}",
        error=translated(str(error)),
        command=command("join", error.other, options="--undo"),
    )


def _key_taken(error: KeyTaken) -> str:
    if error.other != error.key:
        return str(error)
    return _(
        "{error}; change it with: {command}",
        error=translated(str(error)),
        command=command("deals edit", error.key),
    )


def _address_taken(error: AddressTaken) -> str:
    if error.wanted_by:
        way = command("people remove", error.wanted_by)
        return _(
            "{error}; if they are one person, take one off first: {way} (with "
            "time off and allocations)",
            error=translated(str(error)),
            way=way,
        )
    return _(
        "{error}; change it with: {command}",
        error=translated(str(error)),
        command=command("people edit", error.email),
    )


def _unknown_deal(error: UnknownDeal) -> str:
    return (
        translated(str(error))
        if error.nearest
        else _(
            "{error}; see {command}", error=translated(str(error)), command=command("deals list")
        )
    )


def _deal_removed(error: DealRemoved) -> str:
    said = translated(str(error))
    return _("{error}; see {command}", error=said, command=command("history", error.name))


def _unknown_person(error: UnknownPerson) -> str:
    said = translated(str(error))
    return said if error.nearest else f"{said}{_way_in(error.name)}"


def _way_in(email: str) -> str:
    return _("; add them with: {command}", command=command("people add", email, "NAME"))


def _empty_roster(error: BaseException) -> str:
    return _(
        "{error}; add people with: {command}, or {file_command}",
        error=translated(str(error)),
        command=command("people add", "EMAIL", "NAME", options="--role ROLE"),
        file_command=command("people import", "FILE"),
    )


def _not_mapped(error: NotMappedDeal) -> str:
    return _(
        "{error}; see: {command}",
        error=translated(str(error)),
        command=command("mapping explain", error.deal),
    )


def _fixed_fields(error: FixedFields) -> str:
    ways = dict.fromkeys(_own_way(name) for name in error.fields)
    return f"{translated(str(error))}: {'; '.join(ways)}"


def _own_way(field: str) -> str:
    """Returns how a field is changed that is not edited."""
    if field == "key":
        return _("a deal's key is permanent")
    if field == "stage":
        return _("move the deal with: {command}", command=command("deals move", "KEY", "STAGE"))
    if field == "done":
        way = command("deals done", "KEY", "ACTION")
        return _("check actions off with: {command}", command=way)
    if field == "part_of":
        way = command("join", "DEAL", "PROJECT_DEAL")
        return _("make the deal a part of another one's project with: {command}", command=way)
    return _("the time is noted when the deal is moved or changed")


def _nothing_to_change(error: NothingToChange) -> str:
    return _(
        "{error}, such as {of}",
        error=translated(str(error)),
        of="--role Design" if error.of == "person" else "--value 1200",
    )


def _invalid_fields(error: InvalidFields) -> str:
    return "\n".join(
        f"{' and '.join(flag(each) for each in name.split('+'))}: {translated(message)}"
        for name, messages in error.fields.items()
        for message in messages
    )


def _unknown_filters(error: UnknownFilters) -> str:
    return "\n".join(f"{_filter(each.field)}: {translated(str(each))}" for each in error.unknown)


def _unreadable_filters(error: UnreadableFilters) -> str:
    return "\n".join(
        f"{_filter(name)}: {translated(message)}"
        for name, messages in error.fields.items()
        for message in messages
    )


def _filter(field: str) -> str:
    return f"--{field}" if field in ("stage", "team", "owner") else f"--where {field}"


def _edit_conflict(error: EditConflict) -> str:
    return _(
        "{error}. Look at it again with: {command}",
        error=translated(str(error)),
        command=command("deals show", error.deal),
    )


def _sample_needs_store(error: SampleNeedsStore) -> str:
    return _("--sample fills the built-in store, not {title}", title=error.title)


def _store_there(error: StoreThere) -> str:
    return _("{path} is there already: --sample is for a new one", path=error.path)


def _with_options(options: str) -> Callable[[BaseException], str]:
    return lambda error: f"{translated(str(error))}; {_(options)}"


def _then(*parts: str, options: str = "") -> Callable[[BaseException], str]:
    return lambda error: _(
        "{error}; make one with: {command}",
        error=translated(str(error)),
        command=command(*parts, options=options),
    )


def _unknown_limits(error: ProblemsError) -> str:
    return "\n".join(
        _("--allow: {problem}", problem=translated(str(problem))) for problem in error.problems
    )


def _no_history(error: BaseException) -> str:
    return _(
        "{error} with: {command}",
        error=translated(str(error)),
        command=command("deals import", "FILE"),
    )


def _day_to_come(error: BaseException) -> str:
    return _("--as-of {error}", error=translated(str(error)))


_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "AddressTaken": _address_taken,
    "DayToCome": _day_to_come,
    "EditConflict": _edit_conflict,
    "FixedFields": _fixed_fields,
    "EmptyRoster": _empty_roster,
    "GateClosed": _gate_closed,
    "InvalidFields": _invalid_fields,
    "JoinsItself": _joins_itself,
    "KeyTaken": _key_taken,
    "NotMappedDeal": _not_mapped,
    "NoHistory": _no_history,
    "NoSuggestion": _then("staff suggest"),
    "NotASavedPlan": _then("plan", options="--out FILE"),
    "NothingSupposed": _with_options(marked("add --win, --lose, --delay, --resize, --hire ...")),
    "NothingToChange": _nothing_to_change,
    "SampleNeedsStore": _sample_needs_store,
    "ScenarioThere": _with_options(marked("replace it with --replace")),
    "StoreThere": _store_there,
    "SuggestionOutdated": _then("staff suggest"),
    "DealRemoved": _deal_removed,
    "UnknownDeal": _unknown_deal,
    "UnknownFilters": _unknown_filters,
    "UnknownLimits": _unknown_limits,
    "UnknownPerson": _unknown_person,
    "UnreadableFilters": _unreadable_filters,
    "WeekNotShown": _with_options(marked("see --from and --weeks")),
}
