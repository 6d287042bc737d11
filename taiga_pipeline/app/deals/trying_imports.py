"""An import looked at before it is made: the columns, and what each row would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.deals.tables import import_deals, reading_import
from taiga_pipeline.app.deals.uploads import Upload
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.files.reading import read_table
from taiga_pipeline.pipeline.importing.headers import guess_columns
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.problems import Problem, ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.importing.csv_import import ImportReport
    from taiga_pipeline.pipeline.importing.preview import RowPreview
    from taiga_pipeline.pipeline.importing.understanding import Understanding

MOST_ROWS: Final = 100
"""Rows of which is shown what they would change."""


@dataclass(frozen=True, slots=True)
class TriedImport:
    """What an import would do. ``headers`` are the file's, in their order; () if it has none.

    With ``problems``, it cannot be made like this, and the rest is None or empty. ``options`` are
    those that count, with the kept ones of earlier imports of the file. ``stages`` are those that
    the mappings know. ``guessed`` are the fields, by header, that well-known headers stand for.
    """

    headers: tuple[str, ...]
    options: ImportOptions
    stages: tuple[str, ...]
    problems: tuple[str, ...] = ()
    understanding: Understanding | None = None
    rows: tuple[RowPreview, ...] = ()
    report: ImportReport | None = None
    guessed: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, header: str) -> str:
        """Returns the field that a column stands for, "" for none."""
        columns = self.understanding.columns if self.understanding else ()
        named = {theirs: ours for ours, theirs in self.options.columns.items()}
        if not columns and header not in self.options.ignored:
            named = {**self.guessed, **named}
        return next((c.field for c in columns if c.header == header), named.get(header, ""))

    def samples_of(self, header: str) -> tuple[str, ...]:
        """Returns how a column's first values were read."""
        columns = self.understanding.columns if self.understanding else ()
        return next((each.samples for each in columns if each.header == header), ())


def try_import(workspace: Workspace, upload: Upload, options: ImportOptions) -> TriedImport:
    """Returns what an import would do; stores nothing.

    :raises ProblemsError: deals are read from elsewhere, or the mappings have problems.
    :raises Unreachable: the store cannot be used.
    """
    stages = _stages(workspace)
    dry = replace(
        options, dry_run=True, origin=options.origin or upload.name, fields=workspace.fields
    )
    headers: tuple[str, ...] = ()
    try:
        with _named(upload):
            headers = _headers(upload, dry)
            with reading_import(workspace, upload.path, dry) as prepared:
                understanding, rows = prepared.understanding(), prepared.preview(MOST_ROWS)
                options = prepared.effective.options
                report = prepared.run()
    except ProblemsError as error:
        said = tuple(each.message for each in error.problems)
        guess = guess_columns(headers, dry.columns, dry.fields)
        guessed = {theirs: ours for ours, theirs in guess.columns.items()}
        return TriedImport(headers, dry, stages, problems=said, guessed=guessed)
    return TriedImport(headers, options, stages, (), understanding, rows, report)


def make_import(workspace: Workspace, upload: Upload, options: ImportOptions) -> ImportReport:
    """Imports a file that was handed in.

    :raises ProblemsError: the options do not fit the file, or deals are read from elsewhere.
    :raises Unreachable: the store cannot be used.
    """
    with _named(upload):
        origin = options.origin or upload.name
        return import_deals(workspace, upload.path, replace(options, origin=origin))


@contextmanager
def _named(upload: Upload) -> Iterator[None]:
    """Names the file in problems as its owner does."""
    try:
        yield
    except ProblemsError as error:
        raise ProblemsError(_renamed(error.problems, upload)) from None


def _renamed(problems: Sequence[Problem], upload: Upload) -> list[Problem]:
    path = str(upload.path)
    return [
        replace(
            each,
            file=upload.name if each.file == path else each.file,
            message=each.message.replace(path, upload.name),
        )
        for each in problems
    ]


def _headers(upload: Upload, options: ImportOptions) -> tuple[str, ...]:
    table = read_table(
        upload.path,
        encoding=options.encoding,
        delimiter=options.delimiter,
        sheet=options.sheet,
        sheet_option=options.spelling.sheet,
    )
    return tuple(filter(None, table.headers))


def _stages(workspace: Workspace) -> tuple[str, ...]:
    rules = workspace.load_mappings().rules
    return tuple(dict.fromkeys(stage.name for each in rules for stage in each.stages))
