"""The two project templates that every Taiga has, as a real server lists them."""

from dataclasses import dataclass
from typing import Any

VIEW_PERMISSIONS = (
    "view_project",
    "view_issues",
    "view_wiki_pages",
    "view_epics",
    "view_tasks",
    "view_us",
    "view_wiki_links",
    "view_milestones",
)
MEMBER_PERMISSIONS = (
    "add_issue", "modify_issue", "delete_issue", "view_issues",
    "add_milestone", "modify_milestone", "delete_milestone", "view_milestones",
    "view_project", "add_task", "modify_task", "delete_task", "view_tasks",
    "add_us", "modify_us", "delete_us", "view_us",
    "add_wiki_page", "modify_wiki_page", "delete_wiki_page", "view_wiki_pages",
    "add_wiki_link", "delete_wiki_link", "view_wiki_links",
    "view_epics", "add_epic", "modify_epic", "delete_epic",
    "comment_epic", "comment_us", "comment_task", "comment_issue", "comment_wiki_page",
)  # fmt: skip
STAKEHOLDER_PERMISSIONS = (
    "add_issue", "modify_issue", "delete_issue", "view_issues", "view_milestones",
    "view_project", "view_tasks", "view_us", "modify_wiki_page", "view_wiki_pages",
    "add_wiki_link", "delete_wiki_link", "view_wiki_links", "view_epics",
    "comment_epic", "comment_us", "comment_task", "comment_issue", "comment_wiki_page",
)  # fmt: skip
ADMIN_PERMISSIONS = (
    *MEMBER_PERMISSIONS,
    "modify_wiki_link",
    "modify_project",
    "delete_project",
    "add_member",
    "remove_member",
    "admin_project_values",
    "admin_roles",
)
ALL_ROLE_PERMISSIONS = frozenset(MEMBER_PERMISSIONS) | {"modify_wiki_link"}

PROJECT_FLAGS = (
    "is_contact_activated",
    "is_epics_activated",
    "is_backlog_activated",
    "is_kanban_activated",
    "is_wiki_activated",
    "is_issues_activated",
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RoleTemplate:
    """A role that a new project is born with."""

    name: str
    slug: str
    order: int
    computable: bool
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """What a new project gets; `values` maps a detail field to its rows, without ids."""

    id: int
    name: str
    slug: str
    description: str
    created_date: str
    modified_date: str
    flags: dict[str, bool]
    values: dict[str, tuple[Row, ...]]
    roles: tuple[RoleTemplate, ...]


def _closable(order: int, name: str, slug: str, color: str, closed: bool) -> Row:
    return {"name": name, "slug": slug, "color": color, "order": order, "is_closed": closed}


def _story_status(row: Row, archived: bool = False) -> Row:
    return row | {"wip_limit": None, "is_archived": archived}


def _due_date(order: int, name: str, by_default: bool, color: str, days: int | None) -> Row:
    return {
        "name": name,
        "order": order,
        "by_default": by_default,
        "color": color,
        "days_to_due": days,
    }


def _colored(pairs: dict[str, str], step: int = 1) -> tuple[Row, ...]:
    return tuple(
        {"name": name, "color": color, "order": 1 + place * step}
        for place, (name, color) in enumerate(pairs.items())
    )


_BOARD = (
    _closable(1, "New", "new", "#70728F", False),
    _closable(2, "Ready", "ready", "#E44057", False),
    _closable(3, "In progress", "in-progress", "#E47C40", False),
    _closable(4, "Ready for test", "ready-for-test", "#E4CE40", False),
    _closable(5, "Done", "done", "#A8E440", True),
)
_ARCHIVED = _closable(6, "Archived", "archived", "#A9AABC", True)
_DUE_DATES = (
    _due_date(1, "Default", True, "#9dce0a", None),
    _due_date(2, "Due soon", False, "#ff9900", 14),
    _due_date(3, "Past due", False, "#E44057", 0),
)
_POINTS: tuple[tuple[str, float | None], ...] = (
    ("?", None), ("0", 0.0), ("1/2", 0.5), ("1", 1.0), ("2", 2.0), ("3", 3.0),
    ("5", 5.0), ("8", 8.0), ("10", 10.0), ("13", 13.0), ("20", 20.0), ("40", 40.0),
)  # fmt: skip


def _template_values(
    issue_colors: tuple[str, str], priorities: dict[str, str], severities: dict[str, str]
) -> dict[str, tuple[Row, ...]]:
    in_test, info = issue_colors
    return {
        "epic_statuses": _BOARD,
        "us_statuses": (*map(_story_status, _BOARD), _story_status(_ARCHIVED, archived=True)),
        "us_duedates": _DUE_DATES,
        "points": tuple(
            {"name": name, "order": place, "value": value}
            for place, (name, value) in enumerate(_POINTS, start=1)
        ),
        "task_statuses": (
            _closable(1, "New", "new", "#70728F", False),
            _closable(2, "In progress", "in-progress", "#E47C40", False),
            _closable(3, "Ready for test", "ready-for-test", "#E4CE40", False),
            _closable(4, "Closed", "closed", "#A8E440", True),
            _closable(5, "Needs Info", "needs-info", "#5178D3", False),
        ),
        "task_duedates": _DUE_DATES,
        "issue_statuses": (
            _closable(1, "New", "new", "#70728F", False),
            _closable(2, "In progress", "in-progress", "#40A8E4", False),
            _closable(3, "Ready for test", "ready-for-test", in_test, False),
            _closable(4, "Closed", "closed", "#A8E440", True),
            _closable(5, "Needs Info", "needs-info", info, False),
            _closable(6, "Rejected", "rejected", "#A9AABC", True),
            _closable(7, "Postponed", "postponed", "#5178D3", False),
        ),
        "issue_types": _colored(
            {"Bug": "#E44057", "Question": "#5178D3", "Enhancement": "#40E4CE"}
        ),
        "issue_duedates": _DUE_DATES,
        "priorities": _colored(priorities, step=2),
        "severities": _colored(severities),
    }


_ROLES = (
    RoleTemplate("UX", "ux", 10, True, MEMBER_PERMISSIONS),
    RoleTemplate("Design", "design", 20, True, MEMBER_PERMISSIONS),
    RoleTemplate("Front", "front", 30, True, MEMBER_PERMISSIONS),
    RoleTemplate("Back", "back", 40, True, MEMBER_PERMISSIONS),
    RoleTemplate("Product Owner", "product-owner", 50, False, MEMBER_PERMISSIONS),
    RoleTemplate("Stakeholder", "stakeholder", 60, False, STAKEHOLDER_PERMISSIONS),
)
OWNER_ROLE = "product-owner"

# The option that is the project's default, by name, per detail field.
DEFAULT_OPTIONS = {
    "default_epic_status": ("epic_statuses", "New"),
    "default_points": ("points", "?"),
    "default_us_status": ("us_statuses", "New"),
    "default_task_status": ("task_statuses", "New"),
    "default_priority": ("priorities", "Normal"),
    "default_severity": ("severities", "Normal"),
    "default_issue_status": ("issue_statuses", "New"),
    "default_issue_type": ("issue_types", "Bug"),
}

SCRUM = Template(
    id=1,
    name="Scrum",
    slug="scrum",
    description="The agile product backlog in Scrum is a prioritized features list, containing "
    "short descriptions of all functionality desired in the product.",
    created_date="2014-04-22T14:48:43.596Z",
    modified_date="2016-08-24T16:26:40.845Z",
    flags=dict(zip(PROJECT_FLAGS, (True, False, True, False, True, True), strict=True)),
    values=_template_values(
        ("#E4CE40", "#E44057"),
        {"Low": "#A8E440", "Normal": "#E4CE40", "High": "#E47C40"},
        {
            "Wishlist": "#70728F",
            "Minor": "#40A8E4",
            "Normal": "#40E47C",
            "Important": "#E4A240",
            "Critical": "#D35450",
        },
    ),
    roles=_ROLES,
)
KANBAN = Template(
    id=2,
    name="Kanban",
    slug="kanban",
    description="Kanban is a method for managing knowledge work with an emphasis on just-in-time "
    "delivery while not overloading the team members.",
    created_date="2014-04-22T14:50:19.738Z",
    modified_date="2016-08-24T16:26:45.365Z",
    flags=dict(zip(PROJECT_FLAGS, (True, False, False, True, False, False), strict=True)),
    values=_template_values(
        ("#E47C40", "#E44057"),
        {"Low": "#A9AABC", "Normal": "#A8E440", "High": "#E44057"},
        {
            "Wishlist": "#70728F",
            "Minor": "#40E47C",
            "Normal": "#A8E440",
            "Important": "#E4CE40",
            "Critical": "#E47C40",
        },
    ),
    roles=_ROLES,
)
TEMPLATES = {template.id: template for template in (SCRUM, KANBAN)}


def value_rows(template: Template, field: str, base: int, project_id: int) -> list[Row]:
    """The rows of one detail field for a project whose first row of that kind has id `base`."""
    return [
        {"id": base + place, **row, "project_id": project_id}
        for place, row in enumerate(template.values[field])
    ]
