"""What is only read: templates, statuses, points, progress, and the empty list of webhooks."""

from collections.abc import Callable
from typing import Any

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.access import require_user
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import no_match
from taiga_pipeline.sandbox.models import Project, Story
from taiga_pipeline.sandbox.serving.wire import Json, Response, json_response
from taiga_pipeline.sandbox.story_view import points_value, status_rows, story_total
from taiga_pipeline.sandbox.templates import (
    DEFAULT_OPTIONS,
    OWNER_ROLE,
    TEMPLATES,
    Template,
    value_rows,
)


def _template_view(template: Template) -> Json:
    return {
        "id": template.id,
        "name": template.name,
        "slug": template.slug,
        "description": template.description,
        "order": template.id,
        "created_date": template.created_date,
        "modified_date": template.modified_date,
        "default_owner_role": OWNER_ROLE,
        **template.flags,
        "videoconferences": None,
        "videoconferences_extra_data": "",
        "default_options": {
            default.removeprefix("default_"): name for default, (_, name) in DEFAULT_OPTIONS.items()
        },
        **{kind: rows for kind, rows in template.values.items() if "duedates" not in kind},
        "roles": [
            {
                "name": role.name,
                "slug": role.slug,
                "order": role.order,
                "computable": role.computable,
                "permissions": role.permissions,
            }
            for role in template.roles
        ],
    }


def list_templates(context: RequestContext) -> Response:
    """GET /project-templates."""
    return context.page(list(TEMPLATES.values()), _template_view)


def get_template(context: RequestContext) -> Response:
    """GET /project-templates/{id}."""
    template = TEMPLATES.get(context.number() or 0)
    if template is None:
        raise no_match("ProjectTemplate")
    return json_response(_template_view(template))


def project_values(field: str) -> Callable[[RequestContext], Response]:
    """An endpoint that lists a project's statuses, points or the like."""

    def endpoint(context: RequestContext) -> Response:
        rows = _value_rows(context, field)
        return context.page(rows, lambda row: row)

    return endpoint


def _value_rows(context: RequestContext, field: str) -> list[dict[str, Any]]:
    store = context.store
    project_id = context.query_number("project")
    wanted = access.project_ids_with(store, context.user, "view_project", project_id)
    rows: list[dict[str, Any]] = []
    for each in sorted(wanted):
        project = store.projects.rows[each]
        base = project.value_base.get(field)
        if field == "us_statuses" and project.us_statuses is not None:
            rows += [row | {"project_id": project.id} for row in status_rows(project)]
        elif base is not None:
            rows += value_rows(TEMPLATES[project.template], field, base, project.id)
    return [row | {"project": project_id} for row in rows for project_id in [row.pop("project_id")]]


def project_stats(context: RequestContext) -> Response:
    """GET /projects/{id}/stats: what is planned, assigned and closed."""
    found = context.store.projects.get(context.number())
    project = access.shown(context.store, context.user, found)
    stories = context.store.stories.of(project.id)
    in_sprint = [story for story in stories if story.milestone is not None]
    closed = [story for story in stories if story.is_closed]
    return json_response(
        {
            "name": project.name,
            "total_milestones": project.total_milestones,
            "total_points": project.total_story_points,
            "closed_points": _sum(project, closed),
            "closed_points_per_role": _per_role(project, closed),
            "defined_points": _sum(project, stories),
            "defined_points_per_role": _per_role(project, stories),
            "assigned_points": _sum(project, in_sprint),
            "assigned_points_per_role": _per_role(project, in_sprint),
            "milestones": [_series_row("Project End")],
            "speed": 0,
        }
    )


def _sum(project: Project, stories: list[Story]) -> float:
    return sum(story_total(project, story) or 0 for story in stories)


def _per_role(project: Project, stories: list[Story]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for story in stories:
        for role, points in story.points.items():
            value = points_value(project, points)
            if value is not None:
                totals[role] = totals.get(role, 0.0) + value
    return totals


def _series_row(name: str) -> Json:
    series = {"optimal": 0, "evolution": None, "team-increment": 0, "client-increment": 0}
    return {"name": name, **series}


def list_webhooks(context: RequestContext) -> Response:
    """GET /webhooks: none; the sandbox calls nobody."""
    require_user(context.user)
    return context.page([], lambda row: row)
