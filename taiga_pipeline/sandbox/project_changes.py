"""Reading and applying changes of a project."""

from typing import Any

from taiga_pipeline.sandbox.errors import invalid_pk
from taiga_pipeline.sandbox.fields import Form, project_tags, tags_colors
from taiga_pipeline.sandbox.models import Project, User
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.story_view import status_row
from taiga_pipeline.sandbox.templates import (
    DEFAULT_OPTIONS,
    PROJECT_FLAGS,
    TEMPLATES,
    VIEW_PERMISSIONS,
)

NAME_LIMIT = 250
# A change of these writes a line in the timeline; of the others (description, colours) it does not.
_TIMELINE_FIELDS = (
    "name",
    "is_private",
    "anon_permissions",
    "public_permissions",
    "total_milestones",
    "total_story_points",
    "tags",
)


def reset_values() -> dict[str, Any]:
    """What a PUT resets unless it names it."""
    return {
        "tags": [],
        "tags_colors": {},
        "is_looking_for_people": False,
        "looking_for_people_note": "",
        "creation_template": None,
        "total_milestones": None,
        "total_story_points": None,
        "is_featured": False,
        "is_epics_activated": False,
        **dict.fromkeys(DEFAULT_OPTIONS),
    }


def read_changes(project: Project, form: Form) -> dict[str, Any]:
    """The fields that a change may touch, validated; slug, owner, dates and codes are ignored."""
    readers: dict[str, Any] = {
        "name": lambda: form.text("name", required=True, limit=NAME_LIMIT),
        "description": lambda: form.text("description", required=True),
        "tags": lambda: project_tags(form),
        "tags_colors": lambda: tags_colors(form),
        "is_private": lambda: form.boolean("is_private"),
        "is_featured": lambda: form.boolean("is_featured"),
        "is_looking_for_people": lambda: form.boolean("is_looking_for_people"),
        "looking_for_people_note": lambda: form.text("looking_for_people_note"),
        "total_milestones": lambda: form.integer("total_milestones"),
        "total_story_points": lambda: form.number("total_story_points"),
        "videoconferences": lambda: form.data["videoconferences"],
        "videoconferences_extra_data": lambda: form.data["videoconferences_extra_data"],
        "public_permissions": lambda: list(form.data["public_permissions"]),
        "creation_template": lambda: template_reference(form),
        "archived_code": lambda: None,
    }
    for flag in PROJECT_FLAGS:
        readers[flag] = lambda flag=flag: form.boolean(flag)
    for default, (kind, _) in DEFAULT_OPTIONS.items():
        readers[default] = lambda default=default, kind=kind: _default(project, form, default, kind)
    required = () if form.partial else ("name", "description")
    return {name: read() for name, read in readers.items() if name in form or name in required}


def template_reference(form: Form) -> int | None:
    """The template that a request names by number, None if it names none."""
    template_id = form.reference("creation_template")
    if template_id is not None and template_id not in TEMPLATES:
        form.fail("creation_template", invalid_pk(template_id))
    return template_id


def _default(project: Project, form: Form, name: str, kind: str) -> int | None:
    value = form.reference(name)
    if kind == "us_statuses" and project.us_statuses is not None:
        if value is not None and status_row(project, value) is None:
            form.fail(name, invalid_pk(value))
        return value
    base = project.value_base.get(kind, 0)
    if value is not None and not base <= value < base + len(
        TEMPLATES[project.template].values[kind]
    ):
        form.fail(name, invalid_pk(value))
    return value


def apply_changes(store: Store, user: User, project: Project, changes: dict[str, Any]) -> None:
    """Set the fields; only some of them leave a line in the timeline."""
    diff = _timeline_diff(project, changes)
    if "is_private" in changes and changes["is_private"] != project.is_private:
        views = [] if changes["is_private"] else list(VIEW_PERMISSIONS)
        project.anon_permissions, project.public_permissions = views, list(views)
    for name, value in changes.items():
        _set(project, name, value)
    store.projects.renamed()
    project.modified_date = store.clock.tick()
    store.touched(project.id)
    if diff:
        store.record(
            project,
            user,
            "projects.project.change",
            project.id,
            {"comment": "", "values_diff": diff},
        )


def _get(project: Project, name: str) -> Any:
    if name in project.flags:
        return project.flags[name]
    return project.defaults[name] if name in DEFAULT_OPTIONS else getattr(project, name)


def _set(project: Project, name: str, value: Any) -> None:
    if name in project.flags:
        project.flags[name] = value
    elif name in DEFAULT_OPTIONS:
        project.defaults[name] = value
    else:
        setattr(project, name, value)


def _timeline_diff(project: Project, changes: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name: [_get(project, name), value]
        for name, value in changes.items()
        if (name in _TIMELINE_FIELDS or name in PROJECT_FLAGS) and _get(project, name) != value
    }
