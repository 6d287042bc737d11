"""``init``: the files of a new pipeline. Nothing that is there already is ever touched."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from taiga_pipeline.adapter_settings import DEFAULT_SOURCE, DEFAULT_TARGET
from taiga_pipeline.app.project_files import Ends
from taiga_pipeline.app.starting import CONFIG, Started, start_pipeline
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import Place
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.language import marked
from taiga_pipeline.language import text as _

TAIGA: Final = "taiga"
"""The kind that `--taiga-url` is for."""
_SECRETS: Final = {
    "password_env": marked("the account's password"),
    "token_env": marked("the account's token or key"),
}


@click.command()
@click.argument("folder", metavar="[DIR]", type=Place(), default=Path())
@click.option("--sample", is_flag=True, help="Add a made-up firm: a year of deals, and people.")
@click.option(
    "--mapping",
    "mappings",
    metavar="NAME",
    multiple=True,
    help="The rules to start from: default, consultancy or forsaljning; may be repeated.",
)
@click.option(
    "--source", metavar="KIND", default=DEFAULT_SOURCE, help="Where deals are (default: store)."
)
@click.option("--target", metavar="KIND", help="Where projects are made (default: taiga).")
@click.option("--target-url", metavar="URL", help="The web page of the target.")
@click.option("--taiga-url", metavar="URL", help="The same as --target taiga --target-url URL.")
@click.option("--username", metavar="NAME", help="The account that makes the projects.")
@click.option(
    "--set",
    "own",
    metavar="NAME=VALUE",
    multiple=True,
    help="Another setting of the target; may be repeated.",
)
@click.option(
    "--manager",
    "managers",
    metavar="EMAIL",
    multiple=True,
    help="A project manager, to be in every project; may be repeated.",
)
@json_option
@pass_context
def init(
    context: CommandContext,
    folder: Path,
    sample: bool,
    mappings: tuple[str, ...],
    source: str,
    target: str | None,
    target_url: str | None,
    taiga_url: str | None,
    username: str | None,
    own: tuple[str, ...],
    managers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write a first configuration, a mapping and a pipeline into DIR (default: here).

    Existing files are kept, so you can run init again to add missing ones.
    """
    address = _address(target, target_url, taiga_url)
    asked = {"url": address, "username": username, **dict(map(_pair, own))}
    given = tuple((name, text) for name, text in asked.items() if text)
    ends = Ends(source, target or DEFAULT_TARGET, given)
    outcome = start_pipeline(
        context, folder, ends, mappings=mappings, managers=managers, sample=sample
    )
    if as_json:
        print_json({"folder": str(folder), "written": outcome.written, "kept": outcome.kept})
    else:
        _report(outcome, ends)


def _address(target: str | None, target_url: str | None, taiga_url: str | None) -> str | None:
    """Returns the target's address; an older option names that of one kind."""
    if taiga_url and (target_url or target not in (None, TAIGA)):
        raise click.UsageError(
            _("--taiga-url is for --target taiga; name another with --target-url")
        )
    return target_url or taiga_url


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (separator and name.strip() and value.strip()):
        raise click.UsageError(_("--set {text}: write NAME=VALUE", text=text))
    return name.strip(), value.strip()


def _report(outcome: Started, ends: Ends) -> None:
    for title, names in ((_("Wrote"), outcome.written), (_("Kept, as it was"), outcome.kept)):
        for name in names:
            click.echo(f"{title}: {outcome.folder / name}")
    click.echo(_("\nNext:"))
    for number, step in enumerate(_next_steps(outcome.folder, ends), 1):
        click.echo(f"  {number}. {step}")


def _next_steps(folder: Path, ends: Ends) -> Iterator[str]:
    lacking = ends.to_fill_in()
    if lacking:
        title = ends.target_adapter().title
        yield _(
            "Put the {lacking} of {title} into {folder}",
            lacking=_(" and the ").join(lacking),
            title=title,
            folder=folder / CONFIG,
        )
    if not ends.source_adapter().capabilities.edits:
        yield _(
            "Say in {folder} where deals are read, below [source] (docs/sources.md)",
            folder=folder / CONFIG,
        )
    secret = ends.secret()
    if secret is not None:
        yield _(
            "export {example}=...   ({name})",
            example=secret.example,
            name=_(_SECRETS.get(secret.name, secret.remark)),
        )
    if not folder.samefile(Path.cwd()):
        yield _("cd {shlex}", shlex=shlex.quote(str(folder)))
    yield _("pipeline-sync check")
    yield _("pipeline-sync plan, and when you like what you see: pipeline-sync run")
