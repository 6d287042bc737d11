"""Making projects: from a template, and as a copy of another."""

from dataclasses import dataclass, field

from taiga_pipeline.sandbox.models import Membership, Project, Role, User
from taiga_pipeline.sandbox.slugs import free_slug
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.templates import (
    DEFAULT_OPTIONS,
    OWNER_ROLE,
    VIEW_PERMISSIONS,
    RoleTemplate,
    Template,
)


@dataclass(frozen=True, slots=True)
class NewProject:
    """What a creation request may decide; everything else comes from the template."""

    name: str
    description: str
    is_private: bool = True
    is_featured: bool = False
    tags: list[str] = field(default_factory=list)
    tags_colors: dict[str, str | None] = field(default_factory=dict)
    total_milestones: int | None = None
    total_story_points: float | None = None


def _bare(store: Store, owner: User, wanted: NewProject, template: Template) -> Project:
    """A project as its row is first inserted: a slug, tags, and nothing of the template yet."""
    slug = free_slug(wanted.name, store.projects.by_slug)
    now = store.clock.tick()
    views = [] if wanted.is_private else list(VIEW_PERMISSIONS)
    project = Project(
        id=store.projects.next_id(),
        name=wanted.name,
        slug=slug,
        description=wanted.description,
        owner=owner.id,
        created_date=now,
        modified_date=now,
        totals_updated_datetime=now,
        template=template.id,
        creation_template=template.id,
        defaults=dict.fromkeys(DEFAULT_OPTIONS),
        tags=wanted.tags,
        tags_colors=wanted.tags_colors,
        is_private=wanted.is_private,
        is_featured=wanted.is_featured,
        total_milestones=wanted.total_milestones,
        total_story_points=wanted.total_story_points,
        anon_permissions=views,
        public_permissions=list(views),
    )
    return store.projects.add(project)


def number_values(store: Store, project: Project, template: Template) -> None:
    """Give a project its statuses, points and the like, and their defaults."""
    for kind, rows in template.values.items():
        project.value_base[kind] = store.take_values(kind, len(rows))
    for default, (kind, name) in DEFAULT_OPTIONS.items():
        names = [row["name"] for row in template.values[kind]]
        project.defaults[default] = project.value_base[kind] + names.index(name)


def half_made(store: Store, owner: User, wanted: NewProject, template: Template) -> Project:
    """A project whose worker died after the first insert: nobody is in it, only a superuser sees
    it.
    """
    return _bare(store, owner, wanted, template)


def from_template(store: Store, owner: User, wanted: NewProject, template: Template) -> Project:
    """A complete project with the template's roles, and its owner as Product Owner."""
    project = _bare(store, owner, wanted, template)
    number_values(store, project, template)
    project.flags = dict(template.flags)
    if not project.flags["is_backlog_activated"]:
        project.total_milestones = project.total_story_points = None
    roles = {row.slug: _add_role(store, project, row) for row in template.roles}
    project.modified_date = store.clock.tick()
    join(store, project, roles[OWNER_ROLE], owner, admin=True)
    store.record(
        project, owner, "projects.project.create", project.id, {"comment": "", "values_diff": {}}
    )
    return project


def _add_role(store: Store, project: Project, model: RoleTemplate | Role) -> Role:
    role = Role(
        store.roles.next_id(),
        project.id,
        model.name,
        model.slug,
        model.order,
        model.computable,
        model.permissions,
    )
    return store.roles.add(role)


def join(store: Store, project: Project, role: Role, user: User, *, admin: bool) -> None:
    """Make somebody a member without a line in the timeline."""
    store.memberships.add(
        Membership(
            id=store.memberships.next_id(),
            project=project.id,
            role=role.id,
            user=user.id,
            email=user.email,
            is_admin=admin,
            created_at=project.modified_date,
        )
    )
    store.touched(project.id)


def copy_of(
    store: Store, source: Project, owner: User, wanted: NewProject, template: Template
) -> Project:
    """A copy of a project's shape: roles, flags, tags and colours, but neither items nor people."""
    project = _bare(store, owner, wanted, template)
    number_values(store, project, template)
    project.creation_template = source.creation_template
    project.flags = dict(source.flags)
    project.is_looking_for_people = source.is_looking_for_people
    project.looking_for_people_note = source.looking_for_people_note
    for role in store.roles.of(source.id):
        _add_role(store, project, role)
    project.modified_date = store.clock.tick()
    store.record(
        project, owner, "projects.project.create", project.id, {"comment": "", "values_diff": {}}
    )
    return project
