"""``store copy``: everything into another database, such as from SQLite to PostgreSQL."""

from __future__ import annotations

from typing import Final

import click

from taiga_pipeline.app.store_copy import STATE, STORE, TITLES, copy_stores
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.language import figure, marked
from taiga_pipeline.language import text as _
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.terminal import safe

_NOUNS: Final = {
    "deals": "deals",
    "people": "people",
    "allocations": "allocations",
    "sync_binding": "bindings",
    "sync_run": "runs",
    "sync_journal": marked("journal entries"),
}


@click.group(cls=TranslatedGroup)
def store() -> None:
    """Where deals, people and the state of the sync are kept."""


@store.command()
@click.option("--to-env", metavar="VARIABLE", help="The environment variable that has its URL.")
@click.option("--to", "to_url", metavar="URL", help="Its URL, if there is no password in it.")
@click.option(
    "--only", type=click.Choice([STORE, STATE]), help="Copy one of the two (default: both)."
)
@json_option
@pass_context
def copy(
    context: CommandContext, to_env: str | None, to_url: str | None, only: str | None, as_json: bool
) -> None:
    """Copy the built-in store and the state of this pipeline into another database.

    The database must exist, without such tables. Everything is copied in one transaction, counted
    and compared. The old database stays as it is; during the copy, other programs can only read it.
    Afterwards, change the lines of the configuration that are printed at the end. The next run then
    has nothing to do.
    """
    target = _target(context, to_env, to_url)
    done = copy_stores(context, target, only=only, variable=to_env)
    if as_json:
        print_json({"to": done.to, "rows": done.rows, "config": done.config})
        return
    for name, rows in done.rows.items():
        counted = ", ".join(
            f"{figure(number, ',')} {_NOUNS[table]}"
            for table, number in rows.items()
            if table in _NOUNS
        )
        click.echo(f"{_(TITLES[name])}: {counted}")
    click.echo(_("All of it is in {to} now, unchanged.", to=safe(done.to)))
    click.echo(
        _(
            "\nChange these lines in {config_path}; until then, all goes on as before:",
            config_path=context.config_path,
        )
    )
    for line in done.config:
        click.echo(f"  {safe(line)}")


_BOTH: Final = marked("choose the destination: either --to-env VARIABLE or --to URL")
_ON_THE_COMMAND_LINE: Final = marked(
    "--to: every user of this machine can read a password on the command line. Put the URL into "
    "an environment variable, and name that with --to-env"
)


def _target(context: CommandContext, to_env: str | None, to_url: str | None) -> str:
    """Returns the URL of the database to copy to.

    :raises ProblemsError: it is not named, or not as it should be.
    """
    from sync.database.engine import parse_url

    if bool(to_env) == bool(to_url):
        raise ProblemsError([Problem(_(_BOTH))])
    url = to_url or context.environment.get(to_env or "", "")
    if not url:
        raise ProblemsError(
            [Problem(_("--to-env: the variable {to_env} is not set", to_env=to_env))]
        )
    if to_url and parse_url(url).password is not None:
        raise ProblemsError([Problem(_(_ON_THE_COMMAND_LINE))])
    parse_url(url)
    return url
