"""Holds an adapter to the port: what it answers is checked where it comes in.

Adapters are other people's programs. A value of a wrong type would be stored, and be met by every
later run; a list that repeats a row would make one object look like two. So nothing reaches the
engine that is not as `sync.target` says, and every error names the adapter:

=======================================  ========================================================
what an adapter does                     what comes of it
=======================================  ========================================================
raises something else than `SyncError`   `Malformed`; of a write `OutcomeUnknown`: it is looked for
answers with another type                the same
a row is not as it should be             the row is `unreadable`: that group's trouble alone
a row comes twice                        it counts once
a fact is not JSON                       it is left out, and logged
=======================================  ========================================================
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from sync.errors import Malformed, OutcomeUnknown, SyncError, in_words
from sync.held_adapter import HeldAdapter, answering, asked, handed_on, is_cut, type_name
from sync.records.model import Desired, Marker, Observed
from sync.run.server_identity import Identity
from sync.target import Capabilities, Target, Written, unreadable

log = logging.getLogger(__name__)

_NEEDED: Final = sorted(name for name in vars(Target) if not name.startswith("_"))
_WRITES: Final = ("mark", "unmark", "reassign", "remove", "complete_root", "complete_child")
_READS: Final = (
    *("mails", "foresee", "unseen", "advice", "hides_root", "leftover"),
    *("claim_card", "comment_on", "comments_on", "editors"),
)
_TEXTS: Final = ("kind", "id", "identity", "change_token", "obstacle", "group", "maker")


def checked(target: Target) -> Target:
    """Returns ``target``, held to the port. What it offers besides is offered as before.

    :raises Malformed: it lacks what every target has.
    """
    there = {name for name in dir(target) if not name.startswith("_")}
    lacking = [name for name in _NEEDED if name not in there]
    if lacking:
        whose = getattr(target, "name", None) or type(target).__name__
        raise Malformed(f"the adapter for {whose} is not a target: it lacks {', '.join(lacking)}")
    members: dict[str, Any] = {name: handed_on(name) for name in there}
    members |= {name: asked(name) for name in _READS if name in there}
    members |= {name: asked(name, OutcomeUnknown) for name in _WRITES if name in there}
    members |= {name: made for name, made in _checks().items() if name in there}
    kind = type(f"Checked{type(target).__name__}", (_Checked,), members)
    return cast(Target, kind(target))


class _Checked(HeldAdapter):
    """A target behind what it is held to."""

    def __init__(self, target: Any) -> None:
        super().__init__(target, lambda: str(target.name))
        self._left_out: set[str] = set()

    def row(self, method: str, row: object) -> Observed:
        """Returns a row as it is, or as one that could not be understood.

        :raises Malformed: it is not even clear which object it is about.
        """
        if not isinstance(row, Observed) or not isinstance(row.id, str):
            what = f"{type_name(row)} where an Observed belongs"
            if isinstance(row, Observed):
                what = f"{type_name(row.id)} for an id, which is text"
            raise Malformed(self.fault(method, f"answers with {what}"))
        trouble = _trouble(row)
        if trouble:
            return self._unreadable(method, row, trouble)
        facts = {name: value for name, value in row.facts.items() if _is_json(value)}
        if len(facts) < len(row.facts):
            self._note(method, row.facts.keys() - facts.keys())
            return replace(row, facts=facts)
        return row

    def _unreadable(self, method: str, row: Observed, trouble: str) -> Observed:
        markers = row.markers if _are_markers(row.markers) else None
        found = unreadable(str(row.kind), row.id, "", markers)
        return replace(found, obstacle=self.fault(method, f"answers with {trouble}"))

    def _note(self, method: str, names: Iterable[str]) -> None:
        """Logs facts that are left out, each once."""
        for name in sorted(map(str, set(names) - self._left_out)):
            self._left_out.add(name)
            log.warning(self.fault(method, f"answers with a fact that is not JSON: {name!r}"))

    def rows(self, method: str, rows: object) -> Iterator[Observed]:
        """Yields the rows of a list, each once."""
        seen: set[tuple[str, str]] = set()
        for each in self.each(method, rows):
            row = self.row(method, each)
            if (row.kind, row.id) not in seen:
                seen.add((row.kind, row.id))
                yield row

    def contents(self, method: str, root_id: str, rows: object) -> Sequence[Observed]:
        """Returns the children of one root; one that is not as it should be stands for all."""
        try:
            return list(self.rows(method, rows))
        except Malformed as error:
            return [replace(unreadable("", root_id, ""), obstacle=str(error))]

    def written(self, method: str, record: Desired | Observed, answer: object) -> Written:
        """Returns the answer to a write, if it is one.

        :raises OutcomeUnknown: it is not: what became of it is looked at.
        """
        kind = record.kind if isinstance(record, Observed) else record.key.kind
        if not isinstance(answer, Written) or not isinstance(answer.record, Observed):
            what = f"answers with {type_name(answer)} where a Written belongs"
            raise _lost(self.fault(method, what))
        try:
            row = self.row(method, answer.record)
            children = tuple(self.rows(method, answer.children))
        except Malformed as error:
            raise _lost(str(error)) from error
        wrong = [each.obstacle for each in (row, *children) if not each.readable]
        if wrong:
            raise _lost(wrong[0])
        if row.kind != kind:
            what = f"answers with a {row.kind!r} where a {kind!r} was asked for"
            raise _lost(self.fault(method, what))
        return replace(answer, record=row, children=children)

    def fields(self, method: str, fields: object) -> Mapping[str, Any]:
        """Returns fields, if that is what they are.

        :raises Malformed: they are not.
        """
        trouble = _trouble_of_fields(fields)
        if trouble:
            raise Malformed(self.fault(method, f"answers with {trouble}"))
        return cast(Mapping[str, Any], fields)


def _lost(message: str) -> OutcomeUnknown:
    """Returns the error for an answer of no use; logged, for what was made is found again."""
    log.warning("%s", message)
    return OutcomeUnknown(message)


def _checks() -> dict[str, Any]:
    """Returns the members whose answers are looked at."""

    def listing(name: str) -> Callable[..., Iterator[Observed]]:
        def method(self: _Checked, *arguments: object) -> Iterator[Observed]:
            yield from self.rows(name, self.ask(name, *arguments))

        return method

    def writing(name: str) -> Callable[..., Written]:
        def method(self: _Checked, record: Any, *arguments: object, **named: Any) -> Written:
            answer = self.ask(name, record, *arguments, lost=OutcomeUnknown, **named)
            return self.written(name, record, answer)

        return method

    return {
        "connect": answering("connect", str),
        "identity": answering("identity", (Identity, type(None))),
        "untouched": answering("untouched", bool),
        "untouched_child": answering("untouched_child", bool),
        "observe_roots": listing("observe_roots"),
        "observe_own": listing("observe_own"),
        "create_root": writing("create_root"),
        "create_child": writing("create_child"),
        "update": writing("update"),
        "capabilities": property(_capabilities),
        "request_count": property(_request_count),
        "observe_root": _observe_root,
        "observe_children": _observe_children,
        "find_roots": _find_roots,
        "fit": _fit,
        "split": _split,
    }


def _capabilities(self: _Checked) -> Capabilities:
    try:
        found = self._adapter.capabilities
    except SyncError:
        raise
    except Exception as error:
        what = f"cannot be read ({in_words(error)})"
        raise Malformed(self.fault("capabilities", what)) from error
    if not isinstance(found, Capabilities):
        raise Malformed(self.fault("capabilities", f"are {type_name(found)}"))
    return found


def _request_count(self: _Checked) -> int:
    """Only a figure for people: a wrong one ends nothing."""
    try:
        found = self._adapter.request_count
    except Exception as error:
        log.debug("%s", self.fault("request_count", f"failed ({in_words(error)})"))
        return 0
    return found if isinstance(found, int) else 0


def _observe_root(self: _Checked, root_id: str) -> Observed | None:
    found = self.ask("observe_root", root_id)
    return None if found is None else self.row("observe_root", found)


def _observe_children(self: _Checked, root_ids: Any) -> Mapping[str, Sequence[Observed]]:
    method = "observe_children"
    found = self.ask(method, root_ids)
    if not isinstance(found, Mapping):
        raise Malformed(self.fault(method, f"answers with {type_name(found)} where a dict belongs"))
    wrong = [key for key in found if not isinstance(key, str)]
    if wrong:
        raise Malformed(
            self.fault(method, f"answers with {type_name(wrong[0])} for an id, which is text")
        )
    return {root_id: self.contents(method, root_id, rows) for root_id, rows in found.items()}


def _find_roots(self: _Checked, marker: Marker) -> Sequence[Observed]:
    return list(self.rows("find_roots", self.ask("find_roots", marker)))


def _fit(self: _Checked, desired: Desired) -> Desired:
    fitted = self.ask("fit", desired)
    if not isinstance(fitted, Desired) or fitted.key != desired.key:
        raise Malformed(self.fault("fit", f"answers with {type_name(fitted)}, not with the record"))
    self.fields("fit", fitted.fields)
    return fitted


def _split(self: _Checked, observed: Observed, hints: Any) -> Mapping[str, Any]:
    return self.fields("split", self.ask("split", observed, hints))


def _trouble(row: Observed) -> str:
    """Returns what a row holds that it must not, "" if nothing."""
    for name in _TEXTS:
        value = getattr(row, name)
        if not isinstance(value, str):
            return f"{type_name(value)} in {name!r}"
        if is_cut(value):
            return f"half a character in {name!r}"
    if not _are_markers(row.markers):
        return "markers that are not a tuple of Marker"
    if not isinstance(row.facts, Mapping):
        return f"{type_name(row.facts)} for facts"
    return _trouble_of_fields(row.fields)


def _trouble_of_fields(fields: object) -> str:
    if not isinstance(fields, Mapping):
        return f"{type_name(fields)} for fields"
    for name, value in fields.items():
        if isinstance(value, str):
            if is_cut(value):
                return f"half a character in the field {name!r}"
        elif value is not None and not isinstance(value, int) and not _is_set(value):
            return f"{type_name(value)} in the field {name!r}"
    return ""


def _is_set(value: object) -> bool:
    return isinstance(value, frozenset) and all(
        isinstance(each, str) and not is_cut(each) for each in value
    )


def _are_markers(markers: object) -> bool:
    return isinstance(markers, tuple) and all(isinstance(each, Marker) for each in markers)


def _is_json(value: object) -> bool:
    if value is None or isinstance(value, bool | int):
        return True
    if isinstance(value, str):
        return not is_cut(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(isinstance(key, str) for key in value) and all(map(_is_json, value.values()))
    return isinstance(value, list | tuple) and all(map(_is_json, value))
