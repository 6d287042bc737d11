"""``web``: the pages, and the people who may use them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.serving import Served
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.output import print_table
from taiga_pipeline.cli.signals import asked_to_end
from taiga_pipeline.credentials import from_environment
from taiga_pipeline.language import marked, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.web_settings import ROLES, split_listen

if TYPE_CHECKING:
    from taiga_pipeline.web_settings import WebSettings

_NO_FILE = marked(
    'the configuration names no file of people; write users = "users.toml" under [web] first'
)


@click.group(invoke_without_command=True)
@click.option("--listen", metavar="HOST:PORT", help="Where to listen (default: web.listen).")
@pass_context
def web(context: CommandContext, listen: str | None) -> None:
    """Serve the pages: board, deals, follow-ups and more, in a browser.

    Without people of its own (web.users), it prints a link that lets one browser in, once.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    serve_pages(context, listen)


def need_pages(command: str) -> None:
    """Makes sure that what the pages need is installed.

    :raises ProblemsError: it is not; says what to install.
    """
    names = ("starlette", "jinja2", "uvicorn", "python_multipart", "itsdangerous")
    need_extra(command, "web", *names)


def serve_pages(context: CommandContext, listen: str | None = None) -> None:
    """Serves the pages of a configuration until Ctrl-C.

    :raises ProblemsError: the extra is missing, or what is wrong with the settings.
    """
    need_pages("web")
    from taiga_pipeline.web.serving import bind, make_door, make_site, serve

    settings = context.settings.web
    host, port = _address(listen or settings.listen)
    with bind(host, port) as listening:
        address = f"http://{_shown(host)}:{listening.getsockname()[1]}{settings.base_path}"

        def tell(token: str) -> None:
            click.echo(_("Open {address}/enter?token={token}", address=address, token=token))

        door = make_door(settings, context.by, tell)
        site = make_site(_pipelines(context), settings, door, host, _folder(context))
        with asked_to_end() as ended:  # whoever reads the first line may end it at once
            click.echo(
                _(
                    "Serving {pipelines} at {address}/",
                    pipelines=", ".join(site.pipelines),
                    address=address,
                )
            )
            if door.local is not None:
                click.echo(
                    _("The link lets one browser in, once; then the next one is shown here.")
                )
                tell(door.link.token)
            if door.lets_nobody_in:
                click.echo(_nobody(settings), err=True)
            click.echo(_("Press Ctrl-C to end it."))
            serve(site, listening, ended)


def _nobody(settings: WebSettings) -> str:
    """Returns that nobody can get in, and the command that changes it, for the case at hand."""
    if settings.users is None:
        return _(
            "No one can log in: the proxy says who a person is, and nothing says what each may do. "
            "Set header_role under [web], or name a file of people in users."
        )
    way = "--no-password" if settings.user_header else ""
    command = " ".join(filter(None, ("pipeline-sync web user add NAME --role admin", way)))
    return _(
        "No one can log in yet: {file} has no person with a role. Add one with: {command}",
        file=settings.users,
        command=command,
    )


def _address(text: str) -> tuple[str, int]:
    try:
        return split_listen(text)
    except ValueError as error:
        raise click.UsageError(_("--listen: {error}", error=translated(str(error)))) from None


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _folder(context: CommandContext) -> Path:
    users = context.settings.web.users
    return users.parent if users else context.config_path.absolute().parent


def _pipelines(context: CommandContext) -> dict[str, Served]:
    """Returns what is served, by name: the configuration's own pipeline, and those it names."""
    found = {context.settings.pipeline: Served.of(context)}
    for path in context.settings.web.pipelines:
        other = Workspace(context.clock, context.environment)
        other.use_config(str(path))
        name = other.settings.pipeline
        if name in found:
            message = _("two configurations are of a pipeline {name!r}", name=name)
            raise ProblemsError([Problem(message, str(path))])
        found[name] = Served.of(other)
    for each in found.values():
        each.prepare()
    return found


@web.group("user")
def user() -> None:
    """The people who log in, in the file that web.users names."""


def _file(context: CommandContext) -> Path:
    need_extra("web user", "web", "starlette")
    path = context.settings.web.users
    if path is None:
        raise ProblemsError([Problem(_NO_FILE, str(context.config_path))])
    return path


@user.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), default="read", show_default=True, help="What they may do."
)
@click.option("--owner", default="", metavar="NAME", help="What deals call them, if not NAME.")
@click.option(
    "--password-env",
    metavar="VARIABLE",
    help="The variable with the password (default: asked for).",
)
@click.option("--no-password", is_flag=True, help="They come through a proxy (web.user_header).")
@pass_context
def add(
    context: CommandContext,
    name: str,
    role: str,
    owner: str,
    password_env: str | None,
    no_password: bool,
) -> None:
    """Add a person, or change their role and password."""
    file = _file(context)
    from taiga_pipeline.web.access.people import Person, Role, User, check_name, hashed, keep_user

    if no_password and password_env:
        raise click.UsageError(_("--no-password and --password-env exclude each other."))
    try:
        person = Person(check_name(name), Role(role), owner)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    stored = "" if no_password else hashed(_password(context, password_env))
    is_new = keep_user(file, User(person, stored))
    click.echo(
        _(
            "Added {name} ({role}) in {file}" if is_new else "Changed {name} ({role}) in {file}",
            name=name,
            role=role,
            file=file,
        )
    )


def _password(context: CommandContext, variable: str | None) -> str:
    from taiga_pipeline.web.access.people import check_password

    if variable:
        given = from_environment("--password-env", variable, context.environment).reveal()
    else:
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return check_password(given)


@user.command("remove")
@click.argument("name")
@pass_context
def remove(context: CommandContext, name: str) -> None:
    """Take a person out; their sessions end at once."""
    file = _file(context)
    from taiga_pipeline.web.access.people import remove_user

    click.echo(_("Removed {name} from {file}", name=remove_user(file, name).name, file=file))


@user.command("list")
@pass_context
def show(context: CommandContext) -> None:
    """List the people, and what they may do."""
    file = _file(context)
    from taiga_pipeline.web.access.people import read_users

    people = sorted(read_users(file).values(), key=lambda each: each.person.name.casefold())
    rows = [
        (
            each.person.name,
            each.person.role.value,
            each.person.owner,
            _("yes") if each.hash else _("no"),
        )
        for each in people
    ]
    print_table((_("name"), _("role"), _("owner"), _("password")), rows)
