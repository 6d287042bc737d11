"""``backup``: one file with everything that only this machine knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from taiga_pipeline.app.backup import ELSEWHERE, back_up
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import WrittenFile
from taiga_pipeline.files import is_stdout
from taiga_pipeline.language import text as _


@click.command()
@click.argument("file", type=WrittenFile(dir_okay=False))
@pass_context
def backup(context: CommandContext, file: Path) -> None:
    """Write the state store, the built-in store, configuration, mappings, scenarios and the last
    suggestion to FILE (.tar.gz).

    Each copy is complete, even during a run. Only its owner can read FILE. It is never overwritten,
    and gets its name once it is complete. It holds no secrets. To restore, on this machine or
    another: mkdir -p FOLDER && tar xzf FILE -C FOLDER.
    """
    done = back_up(context, file)
    _report(done.files, file)
    for text in done.on_servers:
        click.echo(_("Not included: {text}", text=text), err=True)


def _report(files: Mapping[str, Path], file: Path) -> None:
    """Says what is in the archive, and where what stood elsewhere belongs."""
    to_stdout = is_stdout(file)
    size = (
        ""
        if to_stdout or not file.is_file()
        else _(", {st_size:,} bytes", st_size=file.stat().st_size)
    )
    click.echo(f"{file}: {', '.join(str(path) for path in files.values())}{size}", err=to_stdout)
    for name, path in files.items():
        if name.startswith(f"{ELSEWHERE}/"):
            click.echo(
                _("{name} in it belongs at {path}, outside of the folder", name=name, path=path),
                err=True,
            )
