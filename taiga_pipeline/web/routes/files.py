"""Files in and out: a list is looked at, matched and imported; all deals are exported."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from taiga_pipeline.app.deals.tables import export_deals, export_workbook
from taiga_pipeline.app.deals.trying_imports import make_import, try_import
from taiga_pipeline.app.deals.uploads import MOST_BYTES
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.files.dialects import PLAIN, excel_dialect
from taiga_pipeline.pipeline.importing.options import ON_PAGE, ImportOptions, Take
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.web.access.people import Role
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.visit import Fields, Visit

AROUND: Final = 100_000
"""Bytes of a form beside the file in it."""
LANGUAGES: Final = ("en", "sv", "de", "fr", "de-CH")
"""Those for which a CSV file for Excel is offered."""
_TEXTS: Final = (
    *("name", "key", "currency", "date_format", "decimal", "probability_scale"),
    *("time_zone", "delimiter", "encoding", "sheet"),
)
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show(visit: Visit) -> Response:
    """Shows what can be handed in and taken out."""
    return visit.show("import.html.j2", most=MOST_BYTES // 10**6, languages=LANGUAGES)


def upload(visit: Visit) -> Response:
    """Keeps a file for a while, and leads to what it would change."""
    handed_in = visit.form.file("file")
    if handed_in is None or not handed_in.filename:
        raise InvalidValue("no file was chosen")
    kept = visit.served.uploads.keep(visit.by, handed_in.filename, handed_in.file.read())
    return visit.go("/import/preview", file=kept.token)


def preview(visit: Visit) -> Response:
    """Shows the columns of a file, and what its rows would change."""
    asked = visit.form if visit.form.has("file") else visit.query
    kept = visit.served.uploads.find(visit.by, asked.text("file"))
    tried = try_import(visit.workspace, kept, _options(visit, asked))
    fields = visit.workspace.fields
    choices = sorted(fields.columns, key=lambda name: folded(fields[name].label))
    return visit.show(
        "import_preview.html.j2",
        upload=kept,
        tried=tried,
        fields=fields,
        choices=choices,
        notice_text=notice_text,
        renamed=dict(_pairs(asked, "theirs", "ours")),
        status=422 if tried.problems else 200,
    )


def apply(visit: Visit) -> Response:
    """Imports a file as it was looked at."""
    kept = visit.served.uploads.find(visit.by, visit.form.text("file"))
    report = make_import(visit.workspace, kept, _options(visit, visit.form))
    visit.served.uploads.drop(kept)
    return visit.show("import_done.html.j2", upload=kept, report=report, notice_text=notice_text)


def drop(visit: Visit) -> Response:
    """Forgets a file without importing it."""
    visit.served.uploads.drop(visit.served.uploads.find(visit.by, visit.form.text("file")))
    visit.say(_("Nothing was imported, and the file is not kept any more."))
    return visit.go("/import")


def _options(visit: Visit, asked: Fields) -> ImportOptions:
    """Returns what a form says of a file. Once it says what columns stand for, all of it counts,
    and what earlier imports were told does not."""
    headers = asked.texts("header")
    columns: dict[str, str] = {}
    for header, field in _pairs(asked, "header", "field"):
        if columns.setdefault(field, header) != header:
            raise InvalidValue(
                f"{columns[field]!r} and {header!r} cannot both stand for {field}; leave one out"
            )
    options = ImportOptions(
        columns=columns,
        ignored=frozenset(headers) - frozenset(columns.values()),
        stages=dict(_pairs(asked, "theirs", "ours")),
        take=_take(asked.text("take")),
        clear_blank=asked.text("clear_blank") == "yes",
        forget=bool(headers),
        zone=visit.workspace.zone,
        spelling=ON_PAGE,
        by=visit.by,
    )
    texts: dict[str, Any] = {name: asked.text(name).strip() for name in _TEXTS}
    return replace(options, **texts)


def _pairs(asked: Fields, left: str, right: str) -> Iterator[tuple[str, str]]:
    """Yields what stands side by side in a form, where something was chosen on the right."""
    for one, other in zip(asked.texts(left), asked.texts(right), strict=False):
        if other:
            yield one, other


def _take(text: str) -> Take:
    return Take(text) if text in set(Take) else Take.NEITHER


def export(visit: Visit) -> Response:
    """Hands out all deals as a file."""
    if visit.query.text("format") == "xlsx":
        content = io.BytesIO()
        export_workbook(visit.workspace, content)
        return _file(content.getvalue(), "deals.xlsx", _XLSX)
    language = visit.query.text("excel")
    written = io.StringIO(newline="")
    export_deals(visit.workspace, written, excel_dialect(language) if language else PLAIN)
    return _file(written.getvalue().encode("utf-8"), "deals.csv", "text/csv; charset=utf-8")


def notice_text(text: str) -> str:
    """Returns a notice without the option of the command line that it ends with: here, the form
    has a place for it."""
    shown = translated(text)
    before, option, _after = shown.partition("--")
    if not option:
        return shown
    cut = max(before.rfind("; "), before.rfind(": "), before.rfind(", "))
    return shown[:cut] if cut > 0 else shown.partition(": ")[2]


def _file(content: bytes, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=headers)


FILES = Section(
    "Import and export",
    "/import",
    (
        get("/import", show),
        post("/import", upload, Role.SELL, max_body=MOST_BYTES + AROUND),
        get("/import/preview", preview, Role.SELL),
        post("/import/preview", preview, Role.SELL),
        post("/import/apply", apply, Role.SELL),
        post("/import/drop", drop, Role.SELL),
        get("/export", export),
    ),
)
