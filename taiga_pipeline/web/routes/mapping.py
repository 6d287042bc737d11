"""Mapping files: edited, tried on all deals, and saved."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from taiga_pipeline.app.sync.mapping_files import (
    ChangedMeanwhile,
    MappingText,
    Tried,
    former_text,
    former_versions,
    list_mappings,
    read_mapping,
    save_mapping,
    try_mapping,
)
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import UnknownName
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.web.access.people import Role
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.visit import Visit

_MOST: Final = 100
"""Problems that are listed."""


def show(visit: Visit) -> Response:
    """Shows a mapping file, or a former version of it in its place."""
    names = list_mappings(visit.workspace)
    name = visit.query.text("file") or names[0]
    file = read_mapping(visit.workspace, name)
    version = visit.query.text("version")
    text = former_text(visit.workspace, name, version) if version else file.text
    return _show(visit, MappingText(name, text, file.seen))


def attempt(visit: Visit) -> Response:
    """Shows what an edited mapping would change, and saves nothing."""
    file = _sent(visit)
    return _show(visit, file, try_mapping(visit.workspace, file.name, file.text))


def save(visit: Visit) -> Response:
    """Saves an edited mapping, if all mappings are valid with it."""
    file = _sent(visit)
    try:
        save_mapping(visit.workspace, file.name, file.text, seen=file.seen, by=visit.by)
    except ChangedMeanwhile as error:
        theirs = read_mapping(visit.workspace, file.name)
        return _show(visit, MappingText(file.name, file.text, theirs.seen), error=error, status=409)
    except UnknownName:
        raise
    except ProblemsError as error:
        return _show(visit, file, Tried(problems=tuple(error.problems)), status=422)
    visit.say(_("{file} is saved. The next run works by it.", file=file.name))
    return visit.go("/mapping", file=file.name)


def _sent(visit: Visit) -> MappingText:
    form = visit.form
    return MappingText(form.text("file"), form.text("text"), form.text("seen"))


def _show(
    visit: Visit,
    file: MappingText,
    tried: Tried | None = None,
    *,
    error: ChangedMeanwhile | None = None,
    status: int = 200,
) -> Response:
    zone = visit.workspace.zone
    versions = former_versions(visit.workspace, file.name)
    compared = tried.compared if tried else None
    return visit.show(
        "mapping.html.j2",
        status=status,
        names=list_mappings(visit.workspace),
        file=file,
        problems=tried.problems[:_MOST] if tried else (),
        compared=compared,
        counts=list(compared.tally.lines()) if compared else [],
        differences=[list(each.lines()) for each in compared.differences] if compared else [],
        theirs=read_mapping(visit.workspace, file.name).text if error else "",
        error=error,
        versions=[(each.id, each.at.astimezone(zone), each.by) for each in versions],
    )


MAPPING = Section(
    "Mapping",
    "/mapping",
    (
        get("/mapping", show),
        post("/mapping/try", attempt, Role.ADMIN),
        post("/mapping/save", save, Role.ADMIN),
    ),
)
