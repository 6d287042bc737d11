"""Read-only web pages for people: the list of projects, and one page per project.

Everything that comes from the store is escaped; nothing is loaded from elsewhere, and no script
runs.
"""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from urllib.parse import quote, unquote

from taiga_pipeline.sandbox.models import Membership, Milestone, Project, Story, WikiPage
from taiga_pipeline.sandbox.people import color, members
from taiga_pipeline.sandbox.serving.style import STYLE
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
            return _page("Projects", _index(store, request))
        if request.path.startswith("/project/"):
            slug = unquote(request.path.removeprefix("/project/").removesuffix("/"))
            project = store.projects.by_slug.get(slug)
            if project is not None:
                return _page(project.name, _project(store, project))
    return None


def _page(title: str, body: str) -> Response:
    html = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} – sandbox</title><style>{STYLE}</style></head><body>"
        '<header><a class="brand" href="/">Taiga sandbox</a>'
        '<span class="hint">read-only view of what the API serves</span></header>'
        f"<main>{body}</main></body></html>\n"
    )
    encoded = html.encode("utf-8", "replace")
    return Response(200, encoded, "text/html; charset=utf-8", dict(SECURITY_HEADERS))


def _index(store: Store, request: Request) -> str:
    words = request.query.get("q", "").strip()
    found = [row for row in store.projects.in_order() if _found(row, words.lower())]
    shown = sorted(found, key=_last_activity, reverse=True)[:PAGE_LIMIT]
    cards = "".join(_card(store, project) for project in shown)
    return (
        f"<h1>Projects <small>{len(found)}</small></h1>"
        f'<form class="search" action="/" method="get" role="search">'
        f'<input type="search" name="q" value="{escape(words)}" placeholder="Name or tag" '
        f'aria-label="Find projects by name or tag"><button>Find</button></form>'
        f"{_more(len(found), len(shown))}"
        + (f'<div class="cards">{cards}</div>' if cards else _empty("No projects here yet."))
    )


def _found(project: Project, words: str) -> bool:
    return not words or words in " ".join((project.name, *project.tags)).lower()


def _more(found: int, shown: int) -> str:
    if found <= shown:
        return ""
    return f'<p class="note">The {shown} of {found} that changed last; search for the others.</p>'


def _empty(text: str) -> str:
    return f'<p class="empty">{escape(text)}</p>'


def _last_activity(project: Project) -> datetime:
    return max(project.modified_date, project.totals_updated_datetime)


def _when(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M} UTC</time>'


def _tags(project: Project) -> str:
    return "".join(f'<span class="tag">{escape(tag)}</span>' for tag in project.tags)


def _looking(project: Project) -> str:
    if not project.is_looking_for_people:
        return ""
    note = project.looking_for_people_note
    text = f'<p class="people-note">{escape(note)}</p>' if note else ""
    return f'<div class="looking"><span class="badge">Looking for people</span>{text}</div>'


def _locked(project: Project) -> str:
    codes = (("archived", project.archived_code), ("blocked", project.blocked_code))
    return "".join(f'<span class="badge locked">{name}</span>' for name, code in codes if code)


def _avatars(store: Store, project: Project) -> str:
    rows = members(store, project)
    dots = "".join(_avatar(store, row) for row in rows[:8])
    rest = f'<span class="rest">+{len(rows) - 8}</span>' if len(rows) > 8 else ""
    return f'<div class="avatars">{dots}{rest}</div>'


def _avatar(store: Store, row: Membership) -> str:
    user = store.users.get(row.user)
    if user is None:
        return '<span class="avatar invited" title="invited">?</span>'
    initials = "".join(word[0] for word in user.full_name.split()[:2]) or "?"
    return (
        f'<span class="avatar" style="--tone:{escape(color(user))}" '
        f'title="{escape(user.full_name)}">{escape(initials)}</span>'
    )


def _card(store: Store, project: Project) -> str:
    url = quote(project.slug, safe="")
    text = project.description[:EXCERPT] + ("…" if len(project.description) > EXCERPT else "")
    return (
        f'<article class="card"><h2><a href="/project/{url}">{escape(project.name)}</a></h2>'
        f'<div class="tags">{_locked(project)}{_tags(project)}</div>'
        f"<p>{escape(text)}</p>{_looking(project)}"
        f"<footer>{_avatars(store, project)}{_when(_last_activity(project))}</footer></article>"
    )


def _project(store: Store, project: Project) -> str:
    stories = store.stories.of(project.id)
    return (
        f'<nav><a href="/">All projects</a></nav><h1>{escape(project.name)}</h1>'
        f'<div class="tags">{_locked(project)}{_tags(project)}</div>{_looking(project)}'
        f'<p class="meta">{_owner(store, project)} · last activity '
        f"{_when(_last_activity(project))}</p>"
        f'<pre class="text">{escape(project.description)}</pre>'
        + _section("Team", _team(store, project))
        + _section("Milestones", _milestones(store, project))
        + _section("Board", _board(store, project, stories))
        + _section("Wiki", "".join(map(_wiki, store.wiki_pages.of(project.id))))
    )


def _owner(store: Store, project: Project) -> str:
    owner = store.users.get(project.owner)
    return f"owned by {escape(owner.full_name)}" if owner else "without an owner"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content or _empty('None.')}</section>"


def _team(store: Store, project: Project) -> str:
    rows = store.memberships.of(project.id)
    items = "".join(_member(store, row) for row in rows)
    return f'<ul class="team">{items}</ul>' if rows else ""


def _member(store: Store, row: Membership) -> str:
    user, role = store.users.get(row.user), store.roles.get(row.role)
    name = user.full_name if user else f"{row.email} (invited)"
    marks = '<span class="badge quiet">admin</span>' if row.is_admin else ""
    return (
        f"<li>{_avatar(store, row)}<span><b>{escape(name)}</b>{marks}"
        f"<small>{escape(role.name if role else 'no role')}</small></span></li>"
    )


def _milestones(store: Store, project: Project) -> str:
    rows = sorted(store.milestones.of(project.id), key=lambda row: (row.estimated_start, row.id))
    if not rows:
        return ""
    lines = "".join(_milestone(store, row) for row in rows)
    head = "<tr><th>Milestone</th><th>Start</th><th>Finish</th><th>Stories closed</th></tr>"
    return f'<div class="wide"><table>{head}{lines}</table></div>'


def _milestone(store: Store, row: Milestone) -> str:
    stories = [story for story in store.stories.of(row.project) if story.milestone == row.id]
    closed = sum(story.is_closed for story in stories)
    mark = ' <span class="badge quiet">closed</span>' if row.closed else ""
    return (
        f"<tr><td>{escape(row.name)}{mark}</td><td>{escape(row.estimated_start)}</td>"
        f"<td>{escape(row.estimated_finish)}</td><td>{closed} of {len(stories)}</td></tr>"
    )


def _board(store: Store, project: Project, stories: list[Story]) -> str:
    if not stories:
        return ""
    columns = []
    for status in status_rows(project):
        rows = [story for story in stories if story.status == status["id"]]
        if rows or not status["is_archived"]:
            columns.append(_column(store, project, status["name"], status["color"], rows))
    return f'<div class="board">{"".join(columns)}</div>'


def _column(store: Store, project: Project, name: str, tone: str, stories: Iterable[Story]) -> str:
    rows = sorted(stories, key=lambda story: (story.kanban_order, story.id))
    cards = "".join(_story(store, project, story) for story in rows)
    return (
        f'<div class="column" style="--tone:{escape(tone)}"><h3>{escape(name)} '
        f"<small>{len(rows)}</small></h3>{cards}</div>"
    )


def _story(store: Store, project: Project, story: Story) -> str:
    milestone = store.milestones.get(story.milestone)
    assignee = store.users.get(story.assigned_to)
    total = story_total(project, story)
    facts = [
        milestone.name if milestone else "",
        f"due {story.due_date}" if story.due_date else "",
        assignee.full_name if assignee else "",
        f"{total:g} points" if total is not None else "",
    ]
    text = " · ".join(fact for fact in facts if fact)
    tags = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in story.tags)
    return (
        f'<div class="story"><span class="ref">#{story.ref}</span> {escape(story.subject)}'
        f'<div class="tags">{tags}</div><small>{escape(text)}</small></div>'
    )


def _wiki(page: WikiPage) -> str:
    return (
        f"<details><summary>{escape(page.slug)} <small>version {page.version}, "
        f"{_when(page.modified_date)}</small></summary>"
        f'<pre class="text">{escape(page.content)}</pre></details>'
    )
