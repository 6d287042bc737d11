"""A project's tag colours, edited one by one; none of this moves any change date."""

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.models import Project
from taiga_pipeline.sandbox.serving.wire import Response, empty, json_response


def _administered(context: RequestContext) -> Project:
    """The project; an archived one takes these changes nevertheless."""
    found = context.store.projects.get(context.number())
    shown = access.shown(context.store, context.user, found)
    return access.require_admin(context.store, context.user, shown)


def tags_colors(context: RequestContext) -> Response:
    """GET /projects/{id}/tags_colors."""
    found = context.store.projects.get(context.number())
    project = access.shown(context.store, context.user, found)
    return json_response(project.tags_colors)


def create_tag(context: RequestContext) -> Response:
    """POST /projects/{id}/create_tag {tag, color?}."""
    project = _administered(context)
    form = context.form()
    tag, color = form.text("tag", required=True).lower(), form.text("color") or None
    if tag in project.tags_colors:
        form.fail("tag", "This tag already exists.")
    form.check()
    project.tags_colors[tag] = color
    context.store.touched(project.id)
    return empty(200)


def edit_tag(context: RequestContext) -> Response:
    """POST /projects/{id}/edit_tag {from_tag, to_tag?, color?}."""
    project = _administered(context)
    form = context.form()
    old = form.text("from_tag", required=True).lower()
    new = form.text("to_tag").lower() or old
    if old not in project.tags_colors:
        form.fail("from_tag", "The tag doesn't exist.")
    form.check()
    kept = project.tags_colors.pop(old)
    project.tags_colors[new] = form.text("color") or kept
    context.store.touched(project.id)
    return empty(200)


def delete_tag(context: RequestContext) -> Response:
    """POST /projects/{id}/delete_tag {tag}."""
    project = _administered(context)
    form = context.form()
    tag = form.text("tag", required=True).lower()
    if tag not in project.tags_colors:
        form.fail("tag", "The tag doesn't exist.")
    form.check()
    del project.tags_colors[tag]
    context.store.touched(project.id)
    return empty(200)
