"""``report``: everything on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import Place, WrittenFile
from taiga_pipeline.cli.options import json_option, plan_options
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.file_text import writing_to
from taiga_pipeline.files import is_stdout
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated, use
from taiga_pipeline.report.terminal import safe

DEFAULT_FILE: Final = "report.html"


@click.command()
@click.argument("file", metavar="[FILE]", type=WrittenFile(dir_okay=False), default=DEFAULT_FILE)
@plan_options
@click.option(
    "--png",
    "pictures",
    metavar="DIR",
    type=Place(file_okay=False),
    help="Also write each chart as PNG and SVG into DIR.",
)
@json_option
@pass_context
def report(
    context: CommandContext,
    /,
    file: Path,
    chances: str | None,
    pictures: Path | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Write one HTML file: capacity, forecast, people, scenarios, the pipeline, the sync.

    It needs no network and no other file, and fits screens of any size and paper. It holds
    customers' names: send it only to people who may know them.
    """
    need_extra("report", "report", "jinja2")
    from taiga_pipeline.app.planning.report import gather
    from taiga_pipeline.report.page.html import render

    if pictures is not None:
        need_extra("report --png", "report", "matplotlib")
    with use(context.language_of_pages()):
        page = gather(context, asked, chances)
        with writing_to(file) as stream:
            stream.write(render(page))
        written = [file]
        if pictures is not None:
            from taiga_pipeline.report.page.pictures import draw_all

            written += draw_all(page, pictures)
    if as_json and not is_stdout(file):
        print_json({"written": [str(path) for path in written], "missing": dict(page.missing)})
        return
    for path in written:
        click.echo(safe(_("Wrote {path}", path=path)), err=is_stdout(file))
    for name, why in page.missing:
        click.echo(safe(_("Left out: {name}: {why}", name=_(name), why=translated(why))), err=True)
