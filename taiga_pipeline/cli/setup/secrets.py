"""``secrets``: another secret for the account of a source or target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taiga_pipeline.app.rotation.places import SECTIONS
from taiga_pipeline.app.rotation.rotating import rotate as rotate_secret
from taiga_pipeline.app.workspace import shortest
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.language import text as _

if TYPE_CHECKING:
    from taiga_pipeline.app.rotation.rotating import Rotated


@click.group()
def secrets() -> None:
    """What the accounts in source and target log in with."""


@secrets.command()
@click.argument("side", type=click.Choice(SECTIONS))
@json_option
@pass_context
def rotate(context: CommandContext, side: str, as_json: bool) -> ExitCode:
    """Give the account of the target or the source another secret.

    The tool has to let a program do it: Taiga and Odoo do for passwords, later releases of Odoo 19
    for keys. The secret has to be in a file (password_file, token_file). The new one is made at
    random, written into that file alone, and shown nowhere. Where the process is killed on the
    way, the next run or the same command goes on.
    """
    done = rotate_secret(context, side)
    if as_json:
        print_json(
            {
                "side": done.section,
                "file": str(done.path),
                "was_cut_off": done.was_cut_off,
                "old_works": done.old_works,
            }
        )
    else:
        _show(context, done)
    return ExitCode.PARTIAL if done.old_works else ExitCode.DONE


def _show(context: CommandContext, done: Rotated) -> None:
    place = shortest(done.path)
    if done.was_cut_off:
        text = _(
            "{section}: a rotation that was cut off is finished. {file} holds the new secret, "
            "which lets the account in",
            section=done.section,
            file=place,
        )
    else:
        text = _(
            "{section}: {file} holds a new secret, which lets the account in",
            section=done.section,
            file=place,
        )
    click.echo(text)
    if done.old_works:
        click.echo(
            _(
                "The old key still works, and could not be ended: delete it in the tool (see "
                "'Rotate secrets' in the docs)"
            ),
            err=True,
        )
    day = getattr(context.settings, done.section).expires_on
    if day is not None:
        click.echo(
            _(
                "{section}.expires_on ({day}) is that of the old one: write the new day there, or "
                "leave it out",
                section=done.section,
                day=day.isoformat(),
            ),
            err=True,
        )
