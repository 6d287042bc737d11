"""``sandbox``: the Taiga-compatible server alone."""

from __future__ import annotations

import contextlib
import time
from typing import Final

import click

from taiga_pipeline.cli.context import Context, pass_context
from taiga_pipeline.credentials import from_environment

PASSWORD: Final = "sandbox"  # noqa: S105 - a toy's, and said so


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=int, default=9080, show_default=True, help="0 takes a free one.")
@click.option(
    "--password-env",
    metavar="NAME",
    help="The variable that holds all accounts' password (default: the password is 'sandbox').",
)
@pass_context
def sandbox(context: Context, host: str, port: int, password_env: str | None) -> None:
    """Serve a small Taiga-compatible server, for trying things out.

    It forgets everything when it ends. It is no replacement for Taiga, and not for a public
    network.
    """
    from taiga_pipeline.sandbox.embedded import Sandbox

    password = PASSWORD
    if password_env:
        password = from_environment("--password-env", password_env, context.environment).reveal()
    with Sandbox(host=host, port=port, password=password) as server:
        click.echo(f"Listening at {server.url} (accounts: admin, pm, {server.username} and others)")
        click.echo("Press Ctrl-C to end it.")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
