"""``deals note`` and ``deals notes``: the log of a deal."""

from __future__ import annotations

import click

from taiga_pipeline.app.deals import notes as use
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.deal_text import note_json, print_notes
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe


@click.command("note")
@click.argument("key")
@click.argument("text")
@click.option(
    "--origin", default="", help="Names what it is taken over from; each is taken over once."
)
@json_option
@pass_context
def add_note(context: CommandContext, key: str, text: str, origin: str, as_json: bool) -> None:
    """Add a note to a deal's log, with your name and the time.

    Notes are never changed or taken away.
    """
    noted = use.add_note(context, key, text, by=context.by, origin=origin)
    if as_json:
        print_json({"deal": noted.deal.key, "new": noted.is_new, "note": note_json(noted.note)})
        return
    said = (
        _("{deal}: noted", deal=noted.deal.key)
        if noted.is_new
        else _("{deal}: noted already, from the same origin", deal=noted.deal.key)
    )
    click.echo(safe(said))


@click.command("notes")
@click.argument("key")
@click.option("--limit", type=click.IntRange(min=1), help="Show at most this many.")
@json_option
@pass_context
def list_notes(context: CommandContext, key: str, limit: int | None, as_json: bool) -> None:
    """Show the notes on a deal, the newest first."""
    found = use.notes_of(context, key, limit=limit)
    if as_json:
        print_json([note_json(each) for each in found])
    elif found:
        print_notes(found)
    else:
        click.echo(_("no notes"), err=True)
