"""How projects appear in answers: the list item, prepared once and kept as bytes, and the
detail.
"""

from functools import lru_cache

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.models import Project, User
from taiga_pipeline.sandbox.people import card, member_card, members
from taiga_pipeline.sandbox.serving.wire import Json, dumps, timestamp
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.story_view import status_rows
from taiga_pipeline.sandbox.templates import TEMPLATES, value_rows


def _core(store: Store, project: Project) -> dict[str, Json]:
    """What everybody who sees a project sees alike."""
    activity = project.total_activity
    return {
        "id": project.id,
        "name": project.name,
        "slug": project.slug,
        "description": project.description,
        "created_date": timestamp(project.created_date),
        "modified_date": timestamp(project.modified_date),
        "owner": card(store.users.get(project.owner)),
        "total_milestones": project.total_milestones,
        "total_story_points": project.total_story_points,
        **project.flags,
        "videoconferences": project.videoconferences,
        "videoconferences_extra_data": project.videoconferences_extra_data,
        "creation_template": project.creation_template,
        "is_private": project.is_private,
        "anon_permissions": project.anon_permissions,
        "public_permissions": project.public_permissions,
        "is_featured": project.is_featured,
        "is_looking_for_people": project.is_looking_for_people,
        "looking_for_people_note": project.looking_for_people_note,
        "blocked_code": project.blocked_code,
        "archived_code": project.archived_code,
        "totals_updated_datetime": timestamp(project.totals_updated_datetime),
        "total_fans": 0,
        "total_fans_last_week": 0,
        "total_fans_last_month": 0,
        "total_fans_last_year": 0,
        "total_activity": activity,
        "total_activity_last_week": activity,
        "total_activity_last_month": activity,
        "total_activity_last_year": activity,
        "tags": project.tags,
        "tags_colors": project.tags_colors,
        **project.defaults,
        "default_swimlane": None,
        "logo_small_url": None,
        "is_fan": False,
        "my_homepage": False,
        "total_watchers": store.memberships.count(project.id),
    }


def _only_in_full_list(store: Store, project: Project) -> dict[str, Json]:
    closed = sum(milestone.closed for milestone in store.milestones.of(project.id))
    return {"total_closed_milestones": closed, "logo_big_url": None}


def _personal(store: Store, user: User | None, project: Project) -> dict[str, Json]:
    """What depends on who looks."""
    membership = store.memberships.find(user.id, project.id) if user else None
    return {
        "my_permissions": access.permissions(store, user, project),
        "i_am_owner": user is not None and project.owner == user.id,
        "i_am_admin": access.is_admin(store, user, project),
        "i_am_member": membership is not None,
        "is_watcher": membership is not None,
        "notify_level": membership.notify_level if membership else None,
    }


@lru_cache(maxsize=1024)
def _personal_bytes(facts: tuple[object, ...], names: tuple[str, ...]) -> bytes:
    return dumps(dict(zip(names, facts, strict=True)))[1:]


def _shared_bytes(store: Store, project: Project) -> tuple[bytes, bytes]:
    """The shared part of the list item and what the full list adds, both open at their ends."""
    cached = store.list_cache.get(project.id)
    if cached is None:
        people = {"members": [row.user for row in members(store, project)]}
        core = dumps(_core(store, project) | people)
        extra = dumps(_only_in_full_list(store, project))
        cached = store.list_cache[project.id] = (core[:-1] + b",", extra[1:-1] + b",")
    return cached


def list_item(store: Store, user: User | None, project: Project, slight: bool) -> bytes:
    """One project of the list as JSON; `slight` leaves three fields out, as a real server does."""
    core, extra = _shared_bytes(store, project)
    personal = _personal(store, user, project)
    if slight:
        del personal["notify_level"]
        extra = b""
    return core + extra + _personal_bytes(tuple(personal.values()), tuple(personal))


def detail(store: Store, user: User | None, project: Project) -> dict[str, Json]:
    """A project in full, as creation, reading and changing it answer."""
    people = members(store, project)
    view = _core(store, project) | {
        "members": [member_card(store, row) for row in people],
        **_personal(store, user, project),
        **_only_in_full_list(store, project),
        **_values(project),
        "swimlanes": None,
        "epic_custom_attributes": None,
        "userstory_custom_attributes": _attributes(store, project),
        "task_custom_attributes": None,
        "issue_custom_attributes": None,
        "roles": _roles(store, project),
        "total_memberships": store.memberships.count(project.id),
        "is_out_of_owner_limits": False,
        "milestones": _milestones(store, project),
    }
    if access.is_admin(store, user, project):
        view |= _only_for_admins(project)
    return view


def _values(project: Project) -> dict[str, Json]:
    template = TEMPLATES[project.template]
    values: dict[str, Json] = {
        field: value_rows(template, field, base, project.id)
        for field, base in project.value_base.items()
    }
    if project.us_statuses is not None:
        values["us_statuses"] = [row | {"project_id": project.id} for row in status_rows(project)]
    return values


def _roles(store: Store, project: Project) -> Json:
    roles = [
        {
            "id": role.id,
            "name": role.name,
            "slug": role.slug,
            "permissions": role.permissions,
            "order": role.order,
            "computable": role.computable,
            "project_id": project.id,
        }
        for role in sorted(store.roles.of(project.id), key=lambda role: (role.order, role.slug))
    ]
    return roles or None


def _attributes(store: Store, project: Project) -> Json:
    names = ("id", "name", "description", "type", "order", "extra")
    rows = sorted(store.story_attributes.of(project.id), key=lambda row: (row.order, row.name))
    found = [{name: getattr(row, name) for name in names} for row in rows]
    return [row | {"project_id": project.id} for row in found] or None


def _milestones(store: Store, project: Project) -> Json:
    return [
        {
            "id": milestone.id,
            "name": milestone.name,
            "slug": milestone.slug,
            "closed": milestone.closed,
        }
        for milestone in store.milestones.of(project.id)
    ]


def _only_for_admins(project: Project) -> dict[str, Json]:
    return {
        "is_private_extra_info": {"can_be_updated": True, "reason": None},
        "max_memberships": None,
        "epics_csv_uuid": None,
        "userstories_csv_uuid": project.stories_csv_uuid,
        "tasks_csv_uuid": None,
        "issues_csv_uuid": None,
        "transfer_token": None,
    }
