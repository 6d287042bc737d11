"""``state show`` and ``state move``: which server the state belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from sync.plan.counting import name_some
from sync.run import server_identity as server
from sync.run import server_move as moving
from taiga_pipeline.app.engine import make_target
from taiga_pipeline.app.state_access import locked_state, state_to_read
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_pairs
from taiga_pipeline.report.terminal import safe

SAME: Final = "same"
NEW: Final = "new"
RESTORED: Final = "restored"


@click.group()
def state() -> None:
    """Which server the state of the sync belongs to."""


@state.command()
@json_option
@pass_context
def show(context: CommandContext, as_json: bool) -> None:
    """Show with which server and account the state was made."""
    with state_to_read(context) as store:
        made_with = server.noted(store)
        rows = store.index().values()
    followed = sum(row.is_followed for row in rows)
    if as_json:
        known = made_with and {"address": made_with.address, "account": made_with.account}
        print_json({"pipeline": context.settings.pipeline, "server": known, "projects": followed})
        return
    print_pairs(
        {
            "pipeline": context.settings.pipeline,
            "server": safe(str(made_with)) if made_with else "not known yet: the next run notes it",
            "projects": f"{followed} kept in step",
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
    help="It is another one: let go of the old projects, and make all anew here.",
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
    """Take the server that config.toml names for the one that the state belongs to.

    Nothing is written on any server; the next run does what follows. What the old server holds
    stays there as it is.

    A run that met the restored server took what it lacks in its projects for taken away by people:
    --since 2026-11-23 has it made again.
    """
    if how is None:
        raise click.UsageError("Say which: --same-server, --new-server or --restored.")
    if since is not None and how != RESTORED:
        raise click.UsageError("--since is for --restored.")
    with locked_state(context) as store:
        target, source = make_target(context), context.make_deal_source()
        target.connect()
        if how == SAME:
            evidence = moving.same_server(store, target, source)
            said = f"The state belongs to this server now: {evidence}."
        elif how == NEW:
            count = moving.new_server(store, target, source)
            said = f"Let go of {count} projects; the next run finds or makes them on this server."
        else:
            backup = since and since.replace(tzinfo=context.zone).astimezone(UTC)
            said = _brought_back(moving.restored(store, target, source, backup))
    click.echo(safe(f"{said} Look first: pipeline-sync plan"))


def _brought_back(restored: moving.Restored) -> str:
    """Says what the next run does about a restored server, and what it leaves alone."""
    said = [f"{restored.evidence}; the next run finds or makes the others."]
    if restored.children:
        named = name_some([str(key) for key in restored.children])
        said.append(f"Made again in projects that are there: {len(restored.children)} ({named}).")
    if restored.noted:
        said.append(
            f"Taken away by people, as runs noted, and kept away: {len(restored.noted)} "
            f"({name_some([str(key) for key in restored.noted])}); if it was the restoring: the "
            "same command with --since TIME (when the backup was made)."
        )
    return " ".join(said)
