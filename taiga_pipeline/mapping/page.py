"""The wiki page on which a project's people read what sales knows, as lines of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sync.records.model import Desired, DesiredGroup, RecordKey
from taiga_pipeline.mapping.facts import BREAK
from taiga_pipeline.mapping.model import WordsTable
from taiga_pipeline.mapping.rules import Rules
from taiga_pipeline.mapping.text import escape_markup, iso, one_line
from taiga_pipeline.mapping.values import Values
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Contact, ContactPart, Deal, Note, StageMove
from taiga_pipeline.records import Kind, Wiki

SLUG: Final = "from-sales"
"""The page's address within the wiki, in every language."""

OF_JOINED: Final = "## "
"""What the heading begins with above a deal that was joined to the project."""

MAX_NOTES: Final = 30
MAX_STAGES: Final = 30
"""Moves that stand on the page: the newest."""

MAX_CHARACTERS: Final = 20_000
"""How much of the log of notes stands on the page: the newest notes. The very first is there in any
case; what no wiki page holds, its target cuts."""


def page_lines(
    deal: Deal,
    values: Values,
    rules: Rules,
    demand: Sequence[str] = (),
    phases: Sequence[str] = (),
) -> Iterator[str]:
    """Yields the page. What the deal brings in is shown as plain text, each value on one line.

    ``demand`` is what the deal asks for, a line for each role; ``phases`` are its phases, a line
    each. What the page says is not said again in the project's description; see `header_facts`.
    """
    words = rules.words
    if stage := _stage(deal, values, words):
        yield f"- {stage}"
    if step := _next_step(deal):
        yield f"- {escape_markup(words.next_step)}: {step}"
    for name, word in rules.page_facts:
        if values[name]:
            yield f"- {escape_markup(word)}: {escape_markup(values[name])}"
    yield from _section(words.phases, list(map(_plain, phases)))
    parts = {
        ContactPart.DECISION_MAKER: words.decision_maker,
        ContactPart.INFLUENCER: words.influencer,
        ContactPart.USER: words.user,
    }
    yield from _section(words.fact(BUILT_IN["roles"]), list(map(_plain, demand)))
    # Whoever decides is what a planner looks for first.
    order = list(parts)
    people = sorted(
        deal.contacts, key=lambda each: order.index(each.part) if each.part in order else 9
    )
    yield from _section(
        words.fact(BUILT_IN["contacts"]), [_contact(each, parts.get(each.part)) for each in people]
    )
    yield from _section(words.agreed, sorted(map(_plain, deal.done)))
    yield from _notes(deal.notes, words)


@dataclass(frozen=True, slots=True)
class PageMoney:
    """What a deal comes to in money, as text in one line each; "" where it is unknown.

    ``budget``, ``reported`` and ``left`` are numbers of hours.
    """

    revenue: str = ""
    cost: str = ""
    margin: str = ""
    budget: str = ""
    reported: str = ""
    left: str = ""


def with_money(group: DesiredGroup, money: PageMoney, words: WordsTable) -> DesiredGroup:
    """Returns the group of a deal whose page, if it has one, shows money as well."""
    return _with_section(group, list(_money(money, words)))


def _with_section(group: DesiredGroup, lines: Sequence[str]) -> DesiredGroup:
    def shown(child: Desired) -> Desired:
        if not lines or not is_page(child.key):
            return child
        shown = str(child.fields[Wiki.FACTS]).split("\n")
        # What deals that were joined bring comes last, under headings of their own. A blank line
        # ends the quotation of notes.
        at = next((n for n, line in enumerate(shown) if line.startswith(OF_JOINED)), None)
        parts = [*shown, "", *lines] if at is None else [*shown[:at], *lines, "", *shown[at:]]
        text = "\n".join(parts).lstrip("\n")
        return replace(child, fields={**child.fields, Wiki.FACTS: text})

    return replace(group, children=tuple(shown(child) for child in group.children))


def with_stages(group: DesiredGroup, moves: Sequence[StageMove], words: WordsTable) -> DesiredGroup:
    """Returns the group of a deal whose page, if it has one, shows when it reached which stage.

    ``moves`` are in the order of their times; days are in UTC.
    """
    stages = [f"{move.at:%Y-%m-%d}: {_plain(move.to_stage)}" for move in moves[-MAX_STAGES:]]
    return _with_section(group, list(_section(words.stages, stages)))


def with_page_at_rest(group: DesiredGroup) -> DesiredGroup:
    """Returns the group of a deal whose page stays as it is, as its money is not known now."""
    pages = {child.key for child in group.children if is_page(child.key)}
    children = tuple(child for child in group.children if child.key not in pages)
    return replace(group, children=children, waiting=group.waiting | pages)


def is_page(key: RecordKey) -> bool:
    """Whether a record is the page from sales."""
    return (key.kind, key.name) == (Kind.WIKI, SLUG)


def _money(money: PageMoney, words: WordsTable) -> Iterator[str]:
    hours = (
        (words.plan_budget, money.budget),
        (words.plan_reported, money.reported),
        (words.plan_left, money.left),
    )
    named = [
        (words.plan_revenue, money.revenue),
        (words.plan_cost, money.cost),
        (words.plan_margin, money.margin),
        *((name, f"{each} {words.plan_hours}") for name, each in hours if each),
    ]
    lines = [f"{escape_markup(name)}: {_plain(text)}" for name, text in named if text]
    yield from _section(words.plan_money, lines)


def _stage(deal: Deal, values: Values, words: WordsTable) -> str:
    """Returns the stage, and since when the deal is there, in UTC."""
    if not (values["stage"] and deal.stage_since):
        return ""
    since = f"{escape_markup(words.in_stage_since)} {deal.stage_since:%Y-%m-%d}"
    name = escape_markup(words.fact(BUILT_IN["stage"]))
    return f"{name}: {escape_markup(values['stage'])}, {since}"


def _next_step(deal: Deal) -> str:
    parts = (iso(deal.next_step_on), _plain(deal.next_step), _plain(deal.next_step_by))
    return ", ".join(filter(None, parts))


def header_facts(facts: str, rules: Rules) -> str:
    """Returns the facts of a description without those that stand on the page beside it.

    What a planner looks for first stays: state, chance, value, dates and roles, and fields of the
    user's own, as someone chose to show them.
    """
    alone = (word for name, word in rules.page_facts if name in BUILT_IN)
    said = {rules.words.fact(BUILT_IN["contacts"]), *alone}
    kept = [line for line in facts.split(BREAK) if line.partition(": ")[0] not in said]
    return BREAK.join(kept)


def _contact(contact: Contact, part: str | None) -> str:
    name = _plain(contact.name) + (f" ({escape_markup(part)})" if part else "")
    return ", ".join(each for each in (name, _plain(contact.email), _plain(contact.phone)) if each)


def _notes(notes: Sequence[Note], words: WordsTable) -> Iterator[str]:
    """Yields the log, the newest note first, as far as a page may be long."""
    shown, room = 0, MAX_CHARACTERS
    for note in notes[:MAX_NOTES]:
        lines = list(_note(note))
        room -= sum(map(len, lines))
        if not lines or (shown and room < 0):
            break
        # A blank line ends the quotation before it.
        yield "" if shown else f"### {escape_markup(words.notes)}"
        yield from lines
        shown += 1
    if shown and (older := len(notes) - shown):
        yield ""
        yield f"{escape_markup(words.older_notes)}: {older}"


def _note(note: Note) -> Iterator[str]:
    lines = [line for line in map(_plain, note.text.splitlines()) if line]
    when = f"{note.at:%Y-%m-%d %H:%M} UTC" if note.at else ""
    head = ", ".join(filter(None, (when, _plain(note.by))))
    if lines and head:
        yield f"{head}:"
    yield from (f"> {line}" for line in lines)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"### {escape_markup(title)}"
        yield from (f"- {line}" for line in lines if line)


def _plain(text: str) -> str:
    return escape_markup(one_line(text))
