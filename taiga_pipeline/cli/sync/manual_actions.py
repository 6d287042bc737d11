"""``resolve``, ``adopt`` and ``unlink``: what only a person can decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click

from sync.errors import Rejected
from sync.plan.model import Issue, IssueKind
from sync.records.model import RecordKey
from sync.run import manual_actions
from sync.run.manual_actions import Side
from sync.run.server_identity import refuse_another
from sync.run.take_over import take_over
from sync.state.store import StateStore
from sync.target import Target
from taiga_pipeline.app.engine import make_target
from taiga_pipeline.app.state_access import locked_state
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.sync.leaving import (
    STOP_THE_SCHEDULE,
    demand_linked,
    let_go,
    linked,
    traces_of,
)
from taiga_pipeline.cli.sync.renumbered import adopt_renumbered
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.records import Kind
from taiga_pipeline.report.plan_text import shown
from taiga_pipeline.report.terminal import safe


@click.command()
@click.argument("key")
@click.option("--field", metavar="FIELD", help="Only this field; default: all that are open.")
@click.option(
    "--take",
    type=click.Choice([side.value for side in Side]),
    required=True,
    help="Whose version counts.",
)
@pass_context
def resolve(context: CommandContext, key: str, field: str | None, take: str) -> None:
    """Settle the open conflicts of KEY (a deal, or a record as 'conflicts' shows it).

    The next run acts on it.
    """
    side = Side(take)
    with locked_state(context) as store:
        near = _nearest_open(store, key)
        with _as_usage_error(near):
            settled = manual_actions.resolve(store, key, side, field)
    for issue in settled:
        click.echo(safe(_consequence(issue, side)))


def _nearest_open(store: StateStore, key: str) -> str:
    return did_you_mean(key, {name for item in store.issues() for name in _names(item.issue)})


def _names(issue: Issue) -> tuple[str, str]:
    return issue.key.group, str(issue.key)


def _consequence(issue: Issue, side: Side) -> str:
    """Says what comes of a decision."""
    if issue.kind is IssueKind.LEFTOVER:
        return f"{issue.key}: what was left over is not reported any more."
    if issue.kind is IssueKind.DELETED:
        followed = ", and is no longer followed" if issue.key.is_root else ""
        way = "the next run makes it again" if side is Side.SALES else f"it stays away{followed}"
        return f"{issue.key}: {way}."
    if issue.kind is IssueKind.DROPPED:
        way = "the next run removes it" if side is Side.SALES else "it is the project's own now"
        return f"{issue.key}: {way}."
    name = f"{issue.key} {issue.field}"
    if side is Side.SALES:
        return f"{name}: the next run writes {shown(issue.desired)}."
    return f"{name}: {shown(issue.observed)} stays."


@contextmanager
def _as_usage_error(hint: str = "") -> Iterator[None]:
    """Makes what was refused a mistake in the command line, not a run that is done in part."""
    try:
        yield
    except Rejected as error:
        raise ProblemsError([Problem(f"{error}{hint}")]) from error


@click.command()
@click.argument("deal", required=False)
@click.argument("project", required=False)
@click.option("--from", "former", metavar="OLD", help="Take the project of OLD along.")
@click.option("--renumbered", is_flag=True, help="Do that for all deals whose key changed.")
@click.option("--dry-run", is_flag=True, help="With --renumbered: only say which.")
@pass_context
def adopt(
    context: CommandContext,
    deal: str | None,
    project: str | None,
    former: str | None,
    renumbered: bool,
    dry_run: bool,
) -> ExitCode:
    """Bind DEAL to a PROJECT that exists already (its number, slug or web address).

    The next run brings the two together: what sales own is written, what people wrote is kept.

    A deal that has a new key, or was merged into another one, takes its project along with
    --from OLD: nothing that people edited is lost, OLD is no longer followed. --renumbered does
    that for all deals that are held back because their key changed.
    """
    if renumbered:
        if deal or project or former:
            raise click.UsageError("--renumbered finds the deals by itself; name none")
        return adopt_renumbered(context, dry_run=dry_run)
    if dry_run:
        raise click.UsageError("--dry-run is for --renumbered")
    if deal is None or not (project or former):
        raise click.UsageError("name a deal, and its PROJECT or --from OLD")
    _check_deal(context, deal)
    with locked_state(context) as store:
        target = _connected(context, store)
        root_id = _find_project(target, project) if project else ""
        key = RecordKey(deal, Kind.PROJECT)
        before = store.index().get(deal)
        with _as_usage_error(did_you_mean(former, store.index()) if former else ""):
            if former is None:
                root = manual_actions.adopt(store, target, key, root_id, traces_of(deal))
            else:
                root = take_over(store, target, key, former, root_id)
    url = root.facts.get("url") or f"project {root.id}"
    if before is not None and before.is_followed and before.root_id != root.id:
        click.echo(
            f"{safe(deal)}: project {safe(before.root_id)} let go of; what pipeline-sync wrote "
            "there was taken out, people's text stays"
        )
    click.echo(safe(f"{deal}: bound to {url}; see what the next run does: pipeline-sync plan"))
    return ExitCode.DONE


def _check_deal(context: CommandContext, deal: str) -> None:
    keys = [known.key for known in context.make_deal_source().read().deals]
    if deal not in keys:
        near = did_you_mean(deal, keys)
        raise ProblemsError([Problem(f"there is no deal {deal!r} in the source{near}")])


def _connected(context: CommandContext, store: StateStore) -> Target:
    target = make_target(context)
    target.connect()
    refuse_another(store, target)
    return target


def _find_project(target: Target, wanted: str) -> str:
    """Returns the id of the project of this number, slug or web address.

    :raises ProblemsError: the account sees none.
    """
    for root in target.observe_roots():
        if wanted == root.id or slug(wanted) == slug(str(root.facts.get("url") or "")):
            return root.id
    raise ProblemsError(
        [
            Problem(
                f"{target.name} shows this account no project {wanted!r}; "
                "make the account a member of it first, with the right to change it"
            )
        ]
    )


def slug(address: str) -> str:
    """Returns a project's slug from its web address (or from the slug itself).

    An address may lead to any page of the project: ``https://…/project/my-slug/kanban``.
    """
    parts = [part for part in urlsplit(address).path.split("/") if part]
    if "project" in parts[:-1]:
        return parts[parts.index("project") + 1]
    return parts[-1] if parts else ""


@click.command()
@click.argument("deal", required=False)
@click.option("--clean", is_flag=True, help="Take out of the project what was written into it.")
@click.option("--all", "everything", is_flag=True, help="All deals, to leave for good.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--project", metavar="COPY", help="Only take the deal's marker off this copy.")
@pass_context
def unlink(
    context: CommandContext,
    deal: str | None,
    clean: bool,
    everything: bool,
    dry_run: bool,
    project: str | None,
) -> ExitCode:
    """Stop following DEAL. Its project stays as it is, and is not made again.

    With --clean the marker, the deal's facts, the label and the tags that pipeline-sync wrote are
    taken out; people's text, title and content stay. What was cut off is finished by doing it
    again. Look at it with --dry-run first.
    """
    if (deal is None) is not everything or (project and (everything or clean or dry_run)):
        raise click.UsageError("name one DEAL, or --all; --project goes with a DEAL alone")
    with locked_state(context) as store:
        near = did_you_mean(deal, store.index()) if deal else ""
        target = _connected(context, store)
        if deal is not None and project is not None:
            with _as_usage_error(near):
                manual_actions.disown(store, target, deal, _find_project(target, project))
            click.echo(safe(f"{deal}: its marker is off the project {project}."))
            return ExitCode.DONE
        if deal is not None:
            with _as_usage_error(near):
                demand_linked(store, deal)
        deals = [deal] if deal is not None else linked(store, clean=clean)
        code = let_go(store, target, deals, clean=clean, dry_run=dry_run)
    if everything and not dry_run and code is ExitCode.DONE:
        click.echo(STOP_THE_SCHEDULE)
    return code
