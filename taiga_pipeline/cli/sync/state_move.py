"""``state show`` and ``state move``: which server the state belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from sync.plan.counting import name_some
from taiga_pipeline.app.sync import moving
from taiga_pipeline.app.sync.looking import server_of
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_pairs
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from sync.run.server_move import Restored

SAME: Final = "same"
NEW: Final = "new"
RESTORED: Final = "restored"


@click.group(cls=TranslatedGroup)
def state() -> None:
    """Show or change the server that the state belongs to."""


@state.command()
@json_option
@pass_context
def show(context: CommandContext, as_json: bool) -> None:
    """Show with which server and account the state was made."""
    found = server_of(context)
    made_with = found.server
    if as_json:
        known = made_with and {"address": made_with.address, "account": made_with.account}
        print_json({"pipeline": found.pipeline, "server": known, "projects": found.projects})
        return
    print_pairs(
        {
            _("pipeline"): found.pipeline,
            _("server"): safe(str(made_with))
            if made_with
            else _("not known yet: the next run notes it"),
            _("projects"): _("{projects} kept in step", projects=found.projects),
        }
    )


@state.command()
@click.option(
    "--same-server",
    "how",
    flag_value=SAME,
    help="It is the same one, under a new address or with another account.",
)
@click.option(
    "--new-server",
    "how",
    flag_value=NEW,
    help="It is another one: unlink the old projects, and create all of them here.",
)
@click.option(
    "--restored",
    "how",
    flag_value=RESTORED,
    help="It is the same one, restored from a backup: make again what it lacks.",
)
@click.option(
    "--since",
    metavar="TIME",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]),
    help="With --restored: when the backup was made.",
)
@pass_context
def move(context: CommandContext, how: str | None, since: datetime | None) -> None:
    """Accept the server in config.toml as the one that the state belongs to.

    Nothing is written on any server; the next run applies the rest. The old server stays as it is.

    A run that met the restored server recorded what its projects lack as removed by people: --since
    2026-11-23 makes it again.
    """
    if how is None:
        raise click.UsageError(_("Choose one: --same-server, --new-server or --restored."))
    if since is not None and how != RESTORED:
        raise click.UsageError(_("--since is for --restored."))
    if how == SAME:
        said = _(
            "The state belongs to this server now: {keep_server}.",
            keep_server=moving.keep_server(context),
        )
    elif how == NEW:
        count = moving.take_new_server(context)
        said = _(
            "Unlinked {count} projects; the next run finds or makes them on this server.",
            count=count,
        )
    else:
        backup = since and since.replace(tzinfo=context.zone).astimezone(UTC)
        said = _brought_back(moving.bring_back(context, backup))
    click.echo(safe(_("{said} Look first: pipeline-sync plan", said=said)))


def _brought_back(restored: Restored) -> str:
    """Says what the next run does about a restored server, and what it leaves alone."""
    said = [_("{evidence}; the next run finds or makes the others.", evidence=restored.evidence)]
    if restored.children:
        named = name_some([str(key) for key in restored.children])
        said.append(
            _(
                "Created again in existing projects: {count} ({named}).",
                count=len(restored.children),
                named=named,
            )
        )
    if restored.noted:
        said.append(
            _(
                "Removed by people, as runs noted, and not created again: {count} "
                "({name_some}); if the restore removed them, use the same command "
                "with --since TIME (when the backup was made).",
                count=len(restored.noted),
                name_some=name_some([str(key) for key in restored.noted]),
            )
        )
    return " ".join(said)
