"""What is planned for a version: issues, the connector's own and people's."""

from __future__ import annotations

from sync.errors import Vanished
from sync.records.model import Observed
from taiga_pipeline.targets.redmine.children import Issues, RedmineClientContext
from taiga_pipeline.targets.redmine.paging import Row


def is_unused(version_id: str, root_id: str, context: RedmineClientContext) -> bool:
    """Whether a version is bare, and no issue is planned for it.

    :raises Vanished: it is not there.
    """
    return is_bare(version_id, context) and not planned_for(version_id, root_id, context)


def holds_only_own(version_id: str, root_id: str, context: RedmineClientContext) -> bool:
    """Whether a version is bare, and every issue in it has this pipeline's reference."""
    try:
        bare = is_bare(version_id, context)
    except Vanished:
        return False
    return bare and all(issue.marked for issue in planned_for(version_id, root_id, context))


def is_bare(version_id: str, context: RedmineClientContext) -> bool:
    """Whether a version is open, and nobody wrote into it."""
    version: Row = context.client.get(f"versions/{version_id}.json").data["version"]
    return version.get("status", "open") == "open" and not any(
        version.get(each) for each in ("description", "wiki_page_title")
    )


def planned_for(version_id: str, root_id: str, context: RedmineClientContext) -> list[Observed]:
    """Returns the issues that are planned for a version."""
    return [
        Issues().observe(row, context)
        for row in Issues().rows(root_id, context)
        if str((row.get("fixed_version") or {}).get("id")) == version_id
    ]


def hand_over(version_id: str, other: str, root_id: str, context: RedmineClientContext) -> None:
    """Plans the connector's issues of a version for another one."""
    for issue in planned_for(version_id, root_id, context):
        if issue.marked:
            body = {"fixed_version_id": int(other)}
            context.client.put(f"issues/{issue.id}.json", {Issues.single: body})
