"""What is planned for a version: issues, the connector's own and people's."""

from __future__ import annotations

from sync.records.model import Observed
from taiga_pipeline.targets.redmine.children import Issues, RedmineClientContext
from taiga_pipeline.targets.redmine.paging import Row


def is_bare_version(version_id: str, context: RedmineClientContext) -> bool:
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
