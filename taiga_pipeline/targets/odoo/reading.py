"""Reads projects and what lives in them, in as few requests as there are models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final

from sync.records.model import Observed, digest
from taiga_pipeline.odoo.lists import ALL, Asked, Row, from_start, id_of, records
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.marks import Line, mark_prefix
from taiga_pipeline.targets.odoo import children, projects, tasks
from taiga_pipeline.targets.odoo.context import TASK, Context
from taiga_pipeline.targets.odoo.projects import Seen

WINDOW: Final = timedelta(hours=26)
"""How long ago a task may have moved to count as moved lately: longer than the day after which
everything is compared anyway."""

PAGE: Final = 2_000
_AT_ONCE: Final = 200
"""Projects whose children are asked for together."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What lately happened to the tasks of a project: when the last one moved (UTC), and a digest
    of those that did."""

    last: str = ""
    digest: str = ""


def moved_lately(context: Context, now: datetime, roots: Collection[int] = ()) -> dict[int, Lately]:
    """Returns what lately happened to tasks, by project; one where nothing did is missing.

    A project itself does not move with its tasks.
    """
    since = (now - WINDOW).strftime("%Y-%m-%d %H:%M:%S")
    domain: list[object] = [["write_date", ">=", since], ["project_id", "!=", False]]
    if roots:
        domain.append(["project_id", "in", sorted(roots)])
    fields = ["project_id", "name", "stage_id", "active", "write_date"]
    moved: dict[int, list[Row]] = defaultdict(list)
    for rows in from_start(context.client, Asked(TASK, fields, domain, ALL, PAGE)):
        for row in rows:
            moved[id_of(row["project_id"])].append(row)
    return {
        root: Lately(max(str(row["write_date"]) for row in rows), digest([*map(dict, rows)]))
        for root, rows in moved.items()
    }


def external_names(context: Context, ids: Collection[int] = ()) -> dict[int, str]:
    """Returns the names of our external ids of projects, by the projects' ids."""
    external = context.external_ids
    return external.of(projects.MODEL, ids) if ids else external.of_all(projects.MODEL)


def seen(
    rows: Sequence[Row],
    context: Context,
    now: datetime,
    names: Mapping[int, str],
    only: Collection[int] = (),
) -> list[Seen]:
    """Returns projects with what is said of them elsewhere: the ``names`` of their external ids,
    and which tasks moved lately, of any project or of ``only`` some."""
    lately = moved_lately(context, now, only)
    tags = context.tag_names(rows) if context.is_recent else None
    return [_seen(row, names, lately, tags) for row in rows]


def _seen(
    row: Row,
    names: Mapping[int, str],
    lately: Mapping[int, Lately],
    tags: Mapping[int, str] | None,
) -> Seen:
    recent = lately.get(row["id"], Lately())
    shown = None if tags is None else frozenset(tags[n] for n in row.get("tag_ids") or ())
    return Seen(row, names.get(row["id"], ""), shown, recent.digest, recent.last)


def project_fields(context: Context) -> list[str]:
    """Returns the fields to read of projects."""
    return [*projects.FIELDS, *(["tag_ids"] if context.is_recent else [])]


def project_rows(context: Context, ids: Collection[int], or_named: str = "") -> list[Row]:
    """Returns projects by their ids, archived ones too, and those whose description may name the
    pipeline ``or_named`` on the connector's line, if there is one."""
    found: dict[int, Row] = {}
    every = sorted(ids)
    for at in range(0, max(len(every), 1), PAGE):
        domain: list[object] = [["id", "in", every[at : at + PAGE]]]
        if or_named and not at:
            line = escape(str(Line(mark_prefix(or_named))))
            domain = ["|", *domain, ["description", "ilike", line]]
        asked = Asked(projects.MODEL, project_fields(context), domain, ALL, PAGE)
        found.update({row["id"]: row for rows in from_start(context.client, asked) for row in rows})
    return list(found.values())


def read_children(root_ids: Collection[str], context: Context) -> dict[str, Sequence[Observed]]:
    """Returns the children of each project; one that is not there is missing.

    One of a project's children has the project's own kind and id: it carries the delivery facts
    that only its children tell (team, members, progress, milestones, spent hours).
    """
    roots = sorted({int(root) for root in root_ids if root.isdecimal()})
    found: dict[str, Sequence[Observed]] = {}
    for at in range(0, len(roots), _AT_ONCE):
        found |= _children_of(roots[at : at + _AT_ONCE], context)
    return found


def _children_of(roots: Sequence[int], context: Context) -> dict[str, Sequence[Observed]]:
    there = {row["id"] for row in records(context.client, projects.MODEL, ["id"], _in(roots))}
    stories = _by_project(tasks.rows_of(roots, context))
    following = _by(children.followers(roots, context), "res_id")
    marked = _by_project(children.milestones(roots, context))
    stages = list(children.columns(roots, context))
    return {
        str(root): _family(
            root, stories[root], following[root], marked[root], _of(root, stages), context
        )
        for root in roots
        if root in there
    }


def _in(roots: Sequence[int]) -> list[object]:
    return [["id", "in", list(roots)]]


def _family(  # noqa: PLR0913, PLR0917 - one list for each kind
    root: int,
    stories: Sequence[Row],
    following: Sequence[Row],
    marked: Sequence[Row],
    stages: Sequence[Row],
    context: Context,
) -> list[Observed]:
    members = [found for row in following if (found := children.member(row, context))]
    deadlines = [children.milestone(row) for row in marked]
    observed = [tasks.observe(row, context) for row in stories]
    facts = _facts(members, deadlines, stories, context)
    return [
        Observed(Kind.PROJECT, str(root), {}, facts=facts),
        *members,
        *deadlines,
        *(children.column(row) for row in stages),
        *(story for story in observed if story.identity),  # people's own can never be bound
    ]


def _facts(
    members: Iterable[Observed],
    deadlines: Iterable[Observed],
    stories: Sequence[Row],
    context: Context,
) -> dict[str, object]:
    """Returns what sales wants to know of a project and only its children tell."""
    own = context.people.by_id.get(context.client.uid)
    others = [each for each in members if own is None or each.identity != own.email]
    facts: dict[str, object] = {
        "team": sorted(str(each.facts["name"]) for each in others),
        "members": sorted(each.identity for each in others),
        "progress": progress(stories),
        "milestones": [dict(each.facts) for each in deadlines],
    }
    if context.has("effective_hours"):
        facts["spent_hours"] = round(sum(float(row["effective_hours"]) for row in stories), 2)
    return facts


def progress(stories: Sequence[Row]) -> float | None:
    """Returns the share of tasks that are done, 0 to 1; None without tasks. Subtasks are part of
    theirs."""
    main = [row for row in stories if not row["parent_id"]]
    done = [tasks.is_closed(row) for row in main]
    return round(sum(done) / len(done), 4) if done else None


def _by_project(rows: Iterable[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[id_of(row["project_id"])].append(row)
    return grouped


def _by(rows: Iterable[Row], name: str) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[int(row[name])].append(row)
    return grouped


def _of(root: int, stages: Iterable[Row]) -> list[Row]:
    return [row for row in stages if root in row["project_ids"]]


def all_projects(context: Context) -> Iterator[list[Row]]:
    """Yields every project, archived ones too, page by page. Nobody counts them: whoever asks looks
    whether those are among them that have to be."""
    yield from from_start(
        context.client, Asked(projects.MODEL, project_fields(context), (), ALL, PAGE)
    )
