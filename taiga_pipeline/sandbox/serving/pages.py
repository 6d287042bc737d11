"""Read-only web pages for people: the list of projects, and one page per project.

Templates escape everything that comes from the store; nothing is loaded from elsewhere, and no
script runs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader, StrictUndefined

from taiga_pipeline.sandbox.models import Membership, Milestone, Project, Story, User
from taiga_pipeline.sandbox.people import color, members
from taiga_pipeline.sandbox.serving.wire import Request, Response
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.story_view import status_rows, story_total

PAGE_LIMIT = 200
EXCERPT = 180
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def render(store: Store, request: Request) -> Response | None:
    """The page at a path, or None if there is none of that name."""
    if request.method not in ("GET", "HEAD"):
        return None
    with store.lock:
        if request.path == "/":
            return _page("index.html.j2", title="Projects", **_index(store, request))
        if request.path.startswith("/project/"):
            slug = unquote(request.path.removeprefix("/project/").removesuffix("/"))
            project = store.projects.by_slug.get(slug)
            if project is not None:
                return _page("project.html.j2", title=project.name, **_project(store, project))
    return None


@cache
def templates() -> Environment:
    """The pages' templates. They escape whatever they show, and cannot be told not to."""
    found = Environment(
        loader=PackageLoader("taiga_pipeline.sandbox.serving"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    del found.filters["safe"]
    found.filters.update(color=color, initials=_initials)
    return found


def _page(name: str, **shown: Any) -> Response:
    html = templates().get_template(name).render(shown)
    encoded = html.encode("utf-8", "replace")
    return Response(200, encoded, "text/html; charset=utf-8", dict(SECURITY_HEADERS))


@dataclass(frozen=True, slots=True)
class Card:
    """A project in the list."""

    project: Project
    excerpt: str
    people: list[User | None]
    last_activity: datetime


def _index(store: Store, request: Request) -> dict[str, Any]:
    words = request.query.get("q", "").strip()
    found = [row for row in store.projects.in_order() if _found(row, words.lower())]
    shown = sorted(found, key=_last_activity, reverse=True)[:PAGE_LIMIT]
    return {
        "words": words,
        "found": len(found),
        "cards": [_card(store, project) for project in shown],
    }


def _found(project: Project, words: str) -> bool:
    return not words or words in " ".join((project.name, *project.tags)).lower()


def _last_activity(project: Project) -> datetime:
    return max(project.modified_date, project.totals_updated_datetime)


def _card(store: Store, project: Project) -> Card:
    text = project.description[:EXCERPT] + ("…" if len(project.description) > EXCERPT else "")
    people = [store.users.get(row.user) for row in members(store, project)]
    return Card(project, text, people, _last_activity(project))


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]) or "?"


def _project(store: Store, project: Project) -> dict[str, Any]:
    milestones = store.milestones.of(project.id)
    return {
        "project": project,
        "owner": store.users.get(project.owner),
        "last_activity": _last_activity(project),
        "team": [_member(store, row) for row in store.memberships.of(project.id)],
        "milestones": [
            _milestone(store, row)
            for row in sorted(milestones, key=lambda row: (row.estimated_start, row.id))
        ],
        "columns": list(_columns(store, project)),
        "wiki": store.wiki_pages.of(project.id),
    }


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a project; ``user`` is None while an invitation is open."""

    user: User | None
    name: str
    role: str
    is_admin: bool


def _member(store: Store, row: Membership) -> Member:
    user, role = store.users.get(row.user), store.roles.get(row.role)
    name = user.full_name if user else f"{row.email} (invited)"
    return Member(user, name, role.name if role else "no role", row.is_admin)


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """A milestone, and how many of its stories are closed."""

    milestone: Milestone
    closed: int
    stories: int


def _milestone(store: Store, row: Milestone) -> MilestoneRow:
    stories = [story for story in store.stories.of(row.project) if story.milestone == row.id]
    return MilestoneRow(row, sum(story.is_closed for story in stories), len(stories))


@dataclass(frozen=True, slots=True)
class StoryCard:
    """A story on the board, and what is known about it."""

    story: Story
    facts: list[str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the board."""

    name: str
    tone: str
    cards: list[StoryCard]


def _columns(store: Store, project: Project) -> Iterator[Column]:
    """Yields the board's columns; none where there is no story at all."""
    stories = store.stories.of(project.id)
    for status in status_rows(project) if stories else ():
        rows = [story for story in stories if story.status == status["id"]]
        if rows or not status["is_archived"]:
            rows.sort(key=lambda story: (story.kanban_order, story.id))
            cards = [_story(store, project, story) for story in rows]
            yield Column(status["name"], status["color"], cards)


def _story(store: Store, project: Project, story: Story) -> StoryCard:
    milestone = store.milestones.get(story.milestone)
    assignee = store.users.get(story.assigned_to)
    total = story_total(project, story)
    facts = [
        milestone.name if milestone else "",
        f"due {story.due_date}" if story.due_date else "",
        assignee.full_name if assignee else "",
        f"{total:g} points" if total is not None else "",
    ]
    return StoryCard(story, [fact for fact in facts if fact])
