"""A plan as lines of text for people: what would happen to which deal, field by field, and why."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Final

from sync.plan.counting import name_some
from sync.plan.model import Action, ActionType, Change, GroupPlan, Issue, IssueKind, Plan
from sync.records.composite_text import join_label
from sync.records.merge import Verdict
from sync.records.model import RecordKey, Value
from sync.source import Quarantined
from taiga_pipeline.hints import command
from taiga_pipeline.language import counted, marked, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.records import Project
from taiga_pipeline.report.terminal import safe
from taiga_pipeline.report.ways_out import advice, commands, in_words


class Tone(StrEnum):
    """What a piece of text means; the command line gives it a colour."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    WARNING = "warning"
    QUIET = "quiet"
    STRONG = "strong"


Paint = Callable[[str, Tone], str]
"""Colours a piece of text, or leaves it as it is."""

SYMBOLS: Final[Mapping[ActionType, tuple[str, Tone]]] = {
    ActionType.CREATE: ("+", Tone.ADD),
    ActionType.ADOPT: ("&", Tone.ADD),
    ActionType.UPDATE: ("~", Tone.CHANGE),
    ActionType.RETIRE: ("-", Tone.REMOVE),
    ActionType.RESTORE: ("^", Tone.ADD),
    ActionType.REMOVE: ("-", Tone.REMOVE),
}
_TO_DO: Final = {
    "create": marked("{number} to create"),
    "adopt": marked("{number} to adopt"),
    "update": marked("{number} to update"),
    "retire": marked("{number} to retire"),
    "restore": marked("{number} to restore"),
    "remove": marked("{number} to remove"),
}
INDENT: Final = "    "
LONGEST: Final = 160
"""Longer values are cut: the whole is in ``--json``."""
MANY_MAILED: Final = 10
"""So many people are named whom the tool will mail."""
LONGEST_COMPARED: Final = 20_000
"""Longer texts are not compared line by line."""


def plain(text: str, _unused: Tone) -> str:
    """Returns ``text`` as it is."""
    return text


def plan_lines(plan: Plan, target: str, paint: Paint = plain) -> Iterator[str]:
    """Yields the lines of a plan; ``target`` is the tool's name."""
    for group in plan.groups:
        if group.actions:
            yield from group_lines(group, paint)
            yield ""
    yield from issue_lines(plan.issues, target, paint)
    yield from taken_lines(unreported(plan.taken_away, plan.issues), paint)
    for breach in plan.breaches:
        yield _(
            "{paint} refused     {in_words}",
            paint=paint("!", Tone.WARNING),
            in_words=safe(in_words(breach)),
        )
    if plan.mails:
        yield mails_line(plan.mails)
    for why, keys in plan.left_alone.items():
        yield _(
            "Skipped: {count:,} ({name_some}): {why}.",
            count=len(keys),
            name_some=safe(name_some(keys)),
            why=safe(translated(why)),
        )
    yield from map(note_line, plan.notes)
    yield summary_line(plan)


def note_line(note: str) -> str:
    """Returns a remark about the whole."""
    return _("Note: {note}", note=safe(translated(note)))


def mails_line(mails: Mapping[str, int]) -> str:
    """Returns whom the tool will mail how often: ``Mails to: petra@example.com 30.``"""
    shown_ = [f"{safe(address)} {count}" for address, count in islice(mails.items(), MANY_MAILED)]
    more = len(mails) - len(shown_)
    return _(
        "Mails to: {shown}{more}.",
        shown=", ".join(shown_),
        more=_(" and {more} more", more=more) if more > 0 else "",
    )


def quarantine_line(row: Quarantined) -> str:
    """Returns which record was left out, where it stands, and why."""
    place = row.place if row.place not in row.reason else ""
    subject = f"{row.key} ({place})" if row.key and place else row.key or place
    reason = in_words(row)
    return safe(f"{subject}: {reason}" if subject else reason)


def group_lines(group: GroupPlan, paint: Paint = plain, *, brief: bool = False) -> Iterator[str]:
    """Yields what happens to one deal's project and to what is in it.

    ``brief`` leaves out what a new record is filled with, and why.
    """
    root = next((action for action in group.actions if action.key.is_root), None)
    kind = root.type if root else ActionType.UPDATE
    yield f"{_headline(kind, group.key, paint)}  {_title(group)}".rstrip()
    if root is not None:
        if root.reason and not brief:
            reason = _("because {reason}", reason=safe(translated(root.reason)))
            yield f"{INDENT}{paint(reason, Tone.QUIET)}"
        yield from _change_lines(root, INDENT, paint, brief=brief)
        yield from _note_lines(root, INDENT, paint)
    children = [action for action in group.actions if action is not root]
    if brief and kind is ActionType.CREATE:
        if children:
            yield INDENT + _("with {children}", children=_counted(children))
        for child in children:
            yield from _note_lines(child, INDENT, paint)
        return
    for child in children:
        yield from _child_lines(child, paint, brief=brief)


def _counted(children: Iterable[Action]) -> str:
    counts = Counter(child.key.kind for child in children)
    return ", ".join(counted(n, kind) for kind, n in counts.items())


def _child_lines(action: Action, paint: Paint, *, brief: bool) -> Iterator[str]:
    symbol, tone = SYMBOLS[action.type]
    line = f"{INDENT}{paint(symbol, tone)} {safe(_(action.key.kind))} {safe(action.key.name)}"
    if action.reason and not brief:
        line += paint(_("  because {reason}", reason=safe(translated(action.reason))), Tone.QUIET)
    yield line
    yield from _change_lines(action, INDENT * 2, paint, brief=brief)
    yield from _note_lines(action, INDENT * 2, paint)


def _note_lines(action: Action, indent: str, paint: Paint) -> Iterator[str]:
    """Yields how the values that are written were made to fit the target."""
    record = "" if action.key.is_root else f"{_(action.key.kind)} {action.key.name}: "
    for note in action.notes:
        said = _("note: {notice}", notice=record + translated(note))
        yield f"{indent}{paint(_cut(safe(said)), Tone.WARNING)}"


def _headline(kind: ActionType, key: str, paint: Paint) -> str:
    symbol, tone = SYMBOLS[kind]
    return f"{paint(symbol, tone)} {_(kind.value):<8} {paint(safe(key), Tone.STRONG)}"


def _title(group: GroupPlan) -> str:
    fields: Mapping[str, Value] = {}
    if group.desired is not None:
        fields = group.desired.root.fields
    elif group.root is not None:
        fields = group.root.fields
    label, title = (str(fields.get(name) or "") for name in (Project.LABEL, Project.TITLE))
    return _cut(safe(join_label(label, title)))


def _change_lines(action: Action, indent: str, paint: Paint, *, brief: bool) -> Iterator[str]:
    if action.type is not ActionType.CREATE:
        for change in action.changes:
            yield from _moved_lines(change, indent, paint)
    elif not brief:
        for change in action.changes:
            if _has_content(change, action):
                yield from _filled_lines(change, indent)


def _has_content(change: Change, action: Action) -> bool:
    """Whether a new record's field says more than the line above it."""
    if change.desired in (None, "", False, frozenset()):
        return False
    in_headline = change.field in (Project.LABEL, Project.TITLE) and action.key.is_root
    return not in_headline and change.desired != action.key.name


def _filled_lines(change: Change, indent: str) -> Iterator[str]:
    value = change.desired
    if isinstance(value, str) and "\n" in value:
        yield f"{indent}{safe(change.field)}:"
        for line in value.splitlines():
            yield f"{indent}{INDENT}{_cut(safe(line))}".rstrip()
    else:
        yield f"{indent}{safe(change.field)}: {shown(value)}"


def _moved_lines(change: Change, indent: str, paint: Paint) -> Iterator[str]:
    note = paint(f"({_note(change)})", Tone.QUIET)
    old, new = change.observed, change.decision.value
    if isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        yield f"{indent}{safe(change.field)}:  {note}"
        yield from _text_difference(old, new, indent + INDENT, paint)
    elif isinstance(new, frozenset):
        before = old if isinstance(old, frozenset) else frozenset()
        signs = [f"+{safe(element)}" for element in sorted(new - before)]
        signs += [f"-{safe(element)}" for element in sorted(before - new)]
        yield f"{indent}{safe(change.field)}: {_cut(' '.join(signs))}  {note}"
    else:
        yield f"{indent}{safe(change.field)}: {shown(old)} -> {shown(new)}  {note}"


def _note(change: Change) -> str:
    if change.decision.verdict is Verdict.WRITE_BACK:
        return _("{owner} decides: an edit there is undone", owner=_(change.owner.value))
    return _(change.owner.value)


def _text_difference(old: str, new: str, indent: str, paint: Paint) -> Iterator[str]:
    tones = {"+": Tone.ADD, "-": Tone.REMOVE}
    before, after = old.splitlines(), new.splitlines()
    if len(old) + len(new) > LONGEST_COMPARED:  # finding out what is alike takes too long
        yield indent + _(
            "{old:,} -> {new:,} characters",
            old=len(old),
            new=len(new),
        )
        return
    # Not ndiff: it looks for likeness within lines, and takes a minute for a few hundred of them.
    for line in islice(difflib.unified_diff(before, after, n=0), 2, None):
        if line[0] in tones and line[1:].strip():
            yield f"{indent}{paint(line[0], tones[line[0]])} {_cut(safe(line[1:]))}"


def shown(value: Value) -> str:
    """Returns a field's value as people read it, on one line."""
    if value is None or value == "":
        return _("(nothing)")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, frozenset):
        return _cut(", ".join(safe(element) for element in sorted(value))) or _("(nothing)")
    return _cut(safe(" / ".join(str(value).split("\n"))))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def issue_lines(issues: Iterable[Issue], target: str, paint: Paint = plain) -> Iterator[str]:
    """Yields what stands in the way, each with the commands that settle it."""
    for issue in issues:
        key = paint(safe(issue.key.group), Tone.STRONG)
        sign = paint("!", Tone.WARNING)
        child = "" if issue.key.is_root else f" {safe(f'{_(issue.key.kind)} {issue.key.name}')}"
        field = f" {safe(issue.field)}" if issue.field else ""
        yield f"{sign} {_(issue.kind.value):<11} {key}{child}{field}: {safe(_message(issue))}"
        if issue.kind is IssueKind.CONFLICT:
            yield INDENT + _(
                "was {base}; sales: {desired}; {target}: {observed}",
                base=shown(issue.base),
                desired=shown(issue.desired),
                target=target,
                observed=shown(issue.observed),
            )
        for way in commands(issue.ways_out):
            yield f"{INDENT}{way}"


def unreported(taken: Iterable[RecordKey], issues: Iterable[Issue]) -> list[RecordKey]:
    """Returns what people took away, without the projects that an issue is about anyway."""
    reported = {issue.key for issue in issues if issue.kind is IssueKind.DELETED}
    return [key for key in taken if key not in reported]


def taken_lines(taken: Iterable[RecordKey], paint: Paint = plain) -> Iterator[str]:
    """Yields what people took away in the target, each with the command that makes it again."""
    for key in taken:
        sign, deal = paint("!", Tone.WARNING), paint(safe(key.group), Tone.STRONG)
        what = _("project") if key.is_root else safe(f"{_(key.kind)} {key.name}")
        yield _(
            "{sign} {value:<11} {deal} {what}: people removed it; it is not made again",
            sign=sign,
            value=_("taken away"),
            deal=deal,
            what=what,
        )
        if not key.is_root:
            again = command("resolve", str(key), options="--take sales")
            yield f"{INDENT}{again}    # {_('make it again')}"


def _message(issue: Issue) -> str:
    """Returns what an issue says, without a beginning that the line says anyway.

    What cannot be typed is reported here; the commands have lines of their own.
    """
    place, _unused, reason = issue.message.partition(": ")
    is_said = reason and (place == issue.key.group or place in reason or place == str(issue.key))
    whole = translated(issue.message)
    message = whole.removeprefix(f"{place}: ") if is_said else whole
    if message == reason:  # it may be known without its beginning
        message = translated(reason)
    said = advice(issue.ways_out)
    return ". ".join([message.removesuffix("."), *said]) if said else message


def summary_line(plan: Plan) -> str:
    """Returns the counts in one line: ``2 to create, 1 to update, 40 unchanged.``"""
    counts = plan.summary()
    parts = [_(_TO_DO[name], number=n) for name, n in counts.items() if n and name != "unchanged"]
    parts.append(_("{unchanged} unchanged", unchanged=counts["unchanged"]))
    waiting = len(plan.conflicts)
    if waiting:
        parts.append(_("{waiting} waiting for a decision", waiting=waiting))
    dropped = sum(issue.kind is IssueKind.DROPPED for issue in plan.issues)
    if dropped:
        parts.append(_("{dropped} in projects that are no longer wanted", dropped=dropped))
    if plan.quarantined:
        parts.append(_("{count} left out of it", count=len(plan.quarantined)))
    return ", ".join(parts) + "."
