"""Wiki pages and the links of the wiki's navigation."""

import re
from html import escape

from taiga_pipeline.sandbox import access, history
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import invalid, invalid_pk, no_match, server_error
from taiga_pipeline.sandbox.models import Project, WikiLink, WikiPage
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response, timestamp
from taiga_pipeline.sandbox.slugs import slugify
from taiga_pipeline.sandbox.store import Store, unique_slug
from taiga_pipeline.sandbox.story_view import project_card

SLUG_LIMIT = 500
_SLUG = re.compile(r"[-\w]+\Z")
_BAD_SLUG = "Enter a valid “slug” consisting of Unicode letters, numbers, underscores, or hyphens."
_TAKEN = "Wiki page with this Project and Slug already exists."


def _view(store: Store, page: WikiPage) -> dict[str, Json]:
    """The sandbox does not render Markdown; `html` is the source as escaped text."""
    escaped = escape(page.content, quote=False)
    return {
        "project": page.project,
        "project_extra_info": project_card(store.projects.rows[page.project]),
        "is_watcher": False,
        "total_watchers": 0,
        "id": page.id,
        "slug": page.slug,
        "content": page.content,
        "owner": page.owner,
        "last_modifier": page.last_modifier,
        "created_date": timestamp(page.created_date),
        "modified_date": timestamp(page.modified_date),
        "html": f"<p>{escaped}</p>" if escaped else "",
        "editions": len(page.history),
        "version": page.version,
    }


def list_pages(context: RequestContext) -> Response:
    """GET /wiki: `project` and `slug` filter, dates of change do not."""
    store = context.store
    project_id = context.query_number("project")
    wanted = access.project_ids_with(store, context.user, "view_wiki_pages", project_id)
    rows = [page for each in sorted(wanted) for page in store.wiki_pages.of(each)]
    if "slug" in context.query:
        rows = [page for page in rows if page.slug == context.query["slug"]]
    rows.sort(key=lambda page: (page.project, page.slug))
    return context.page(rows, lambda page: _view(store, page))


def _visible(context: RequestContext, page: WikiPage | None) -> WikiPage:
    project = context.store.projects.get(page.project) if page else None
    if page is None or project is None:
        raise no_match("WikiPage")
    access.require(context.store, context.user, project, "view_wiki_pages")
    return page


def get_page(context: RequestContext) -> Response:
    """GET /wiki/{id}."""
    page = _visible(context, context.store.wiki_pages.get(context.number()))
    return json_response(_view(context.store, page))


def get_by_slug(context: RequestContext) -> Response:
    """GET /wiki/by_slug?slug=&project=."""
    rows = context.store.wiki_pages.of(context.query_number("project") or 0)
    page = next((row for row in rows if row.slug == context.query.get("slug")), None)
    return json_response(_view(context.store, _visible(context, page)))


def create_page(context: RequestContext) -> Response:
    """POST /wiki: unique by project and slug."""
    store = context.store
    user = access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    slug = form.text("slug", required=True, limit=SLUG_LIMIT)
    if slug and not _SLUG.match(slug):
        form.fail("slug", _BAD_SLUG)
    content = form.text("content")
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    form.check()
    if any(page.slug == slug for page in store.wiki_pages.of(project_id or 0)):
        raise invalid({"__all__": [_TAKEN]})
    project = access.writable(access.require(store, user, project, "add_wiki_page"))
    return json_response(_view(store, _new_page(context, project, slug, content)), 201)


def _new_page(context: RequestContext, project: Project, slug: str, content: str) -> WikiPage:
    store, user = context.store, access.require_user(context.user)
    now = store.clock.tick()
    page = WikiPage(
        store.wiki_pages.next_id(), project.id, slug, content, user.id, user.id, now, now
    )
    store.wiki_pages.add(page)
    history.record(store, user, page, {}, history.CREATE)
    return page


def _writable_page(context: RequestContext, permission: str) -> tuple[WikiPage, Project]:
    page = context.store.wiki_pages.get(context.number())
    project = context.store.projects.get(page.project) if page else None
    project = access.require(context.store, context.user, project, permission)
    assert page is not None  # its project was found through it
    return page, access.writable(project)


def patch_page(context: RequestContext) -> Response:
    """PATCH /wiki/{id}: needs the version."""
    page, project = _writable_page(context, "modify_wiki_page")
    store, user = context.store, access.require_user(context.user)
    form = context.form(partial=True)
    slug = form.text("slug", limit=SLUG_LIMIT)
    if slug and not _SLUG.match(slug):
        form.fail("slug", _BAD_SLUG)
    form.check()
    others = (row for row in store.wiki_pages.of(project.id) if row is not page)
    if any(row.slug == slug for row in others):
        raise invalid({"__all__": [_TAKEN]})
    history.check_version(page, form)
    if page.poisoned:
        raise server_error()
    before = history.snapshot(page, ("slug", "content"))
    page.slug = slug or page.slug
    page.content = form.text("content") if "content" in form else page.content
    page.version += 1
    page.last_modifier = user.id
    page.modified_date = store.clock.tick()
    diff = history.differences(before, history.snapshot(page, ("slug", "content")))
    history.record(store, user, page, diff)
    return json_response(_view(store, page))


def delete_page(context: RequestContext) -> Response:
    """DELETE /wiki/{id}: needs no version."""
    page, _ = _writable_page(context, "delete_wiki_page")
    if page.poisoned:
        raise server_error(html=True)
    context.store.wiki_pages.remove(page)
    user = access.require_user(context.user)
    history.record(context.store, user, page, {}, history.DELETE)
    return empty(204)


def _link_view(link: WikiLink) -> Json:
    return {
        "id": link.id,
        "project": link.project,
        "title": link.title,
        "href": link.href,
        "order": link.order,
    }


def list_links(context: RequestContext) -> Response:
    """GET /wiki-links."""
    store = context.store
    project_id = context.query_number("project")
    wanted = access.project_ids_with(store, context.user, "view_wiki_links", project_id)
    rows = [link for each in sorted(wanted) for link in store.wiki_links.of(each)]
    return context.page(rows, _link_view)


def create_link(context: RequestContext) -> Response:
    """POST /wiki-links: `href` is ignored; an empty page of the title's slug is made."""
    store = context.store
    user = access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    title = form.text("title", required=True, limit=SLUG_LIMIT)
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    form.check()
    project = access.writable(access.require(store, user, project, "add_wiki_link"))
    links = store.wiki_links.of(project.id)
    slug = unique_slug(slugify(title), {link.href: link for link in links})
    order = int(store.clock.tick().timestamp() * 1000)
    link = WikiLink(store.wiki_links.next_id(), project.id, title, slug, order)
    store.wiki_links.add(link)
    if all(page.slug != slug for page in store.wiki_pages.of(project.id)):
        _new_page(context, project, slug, "")
    return json_response(_link_view(link), 201)


def delete_link(context: RequestContext) -> Response:
    """DELETE /wiki-links/{id}: the page stays."""
    link = context.store.wiki_links.get(context.number())
    project = context.store.projects.get(link.project) if link else None
    access.writable(access.require(context.store, context.user, project, "delete_wiki_link"))
    assert link is not None  # its project was found through it
    context.store.wiki_links.remove(link)
    return empty(204)
