"""``sandbox``: the Taiga-compatible server alone."""

from __future__ import annotations

from pathlib import Path

import click

from taiga_pipeline.app.extras import need_sandbox
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import Place
from taiga_pipeline.cli.signals import asked_to_end
from taiga_pipeline.credentials import from_environment
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated
from taiga_pipeline.problems import Problem, ProblemsError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=int, default=9080, show_default=True, help="0: any free port.")
@click.option(
    "--data",
    metavar="FILE",
    type=Place(dir_okay=False),
    help="Save everything in this file (default: nothing is saved).",
)
@click.option(
    "--password-env",
    metavar="NAME",
    help="The variable that holds all accounts' password (default: 'sandbox' on this machine, "
    "a random one elsewhere).",
)
@click.option("--delay", type=float, default=0.0, help="Delay each request by this many seconds.")
@pass_context
def sandbox(
    context: CommandContext,
    host: str,
    port: int,
    data: Path | None,
    password_env: str | None,
    delay: float,
) -> None:
    """Serve a small Taiga-compatible server, for trying things out.

    Do not use it in place of Taiga, or on a public network.
    """
    need_sandbox("sandbox")
    from taiga_pipeline.sandbox.embedded import serve

    password = None
    if password_env:
        password = from_environment("--password-env", password_env, context.environment).reveal()
    try:
        server = serve(host, port, password=password, data=data, delay_seconds=delay)
    except (OSError, ValueError) as error:
        raise ProblemsError(
            [Problem(_("the sandbox cannot be started: {error}", error=translated(str(error))))]
        ) from error
    with asked_to_end() as ended:  # whoever reads the first line may end it at once
        click.echo(_("Listening at {url}", url=server.url))
        shown = _("from the environment") if password_env else repr(server.password)
        click.echo(
            _(
                "Accounts: {username}, pm, admin and others; password: {shown}",
                username=server.username,
                shown=shown,
            )
        )
        click.echo(_("Press Ctrl-C to end it."))
        ended.wait()
    server.stop()
