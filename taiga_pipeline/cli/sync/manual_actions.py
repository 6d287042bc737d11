"""``resolve``, ``adopt`` and ``unlink``: what only a person can decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sync.plan.model import Issue, IssueKind
from sync.ways_out import Side
from taiga_pipeline.app.sync import deciding
from taiga_pipeline.app.sync.leaving import disown_copy, unlink_deals
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.sync.leaving import STOP_THE_SCHEDULE, print_leaving
from taiga_pipeline.cli.sync.renumbered import print_renumbered
from taiga_pipeline.language import text as _
from taiga_pipeline.report.plan_text import shown
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.sync.deciding import Adopted


@click.command()
@click.argument("key")
@click.option("--field", metavar="FIELD", help="Only this field; default: all that are open.")
@click.option(
    "--take",
    type=click.Choice([side.value for side in Side]),
    required=True,
    help="Which side wins.",
)
@pass_context
def resolve(context: CommandContext, key: str, field: str | None, take: str) -> None:
    """Settle the open conflicts of KEY (a deal, or a record as 'conflicts' shows it).

    The next run acts on it.
    """
    side = Side(take)
    for issue in deciding.resolve(context, key, side, field):
        click.echo(safe(_consequence(issue, side)))


def _consequence(issue: Issue, side: Side) -> str:
    """Says what comes of a decision."""
    if issue.kind is IssueKind.LEFTOVER:
        return _("{key}: the leftover is no longer reported.", key=issue.key)
    if issue.kind is IssueKind.DELETED:
        followed = _(", and is no longer followed") if issue.key.is_root else ""
        way = (
            _("the next run makes it again")
            if side is Side.SALES
            else _("it stays away{followed}", followed=followed)
        )
        return f"{issue.key}: {way}."
    if issue.kind is IssueKind.DROPPED:
        way = (
            _("the next run removes it")
            if side is Side.SALES
            else _("it belongs to the project now")
        )
        return f"{issue.key}: {way}."
    name = f"{issue.key} {issue.field}"
    if side is Side.SALES:
        return _("{name}: the next run writes {shown}.", name=name, shown=shown(issue.desired))
    return _("{name}: {shown} stays.", name=name, shown=shown(issue.observed))


@click.command()
@click.argument("deal", required=False)
@click.argument("project", required=False)
@click.option("--from", "former", metavar="OLD", help="Take over the project of OLD.")
@click.option("--renumbered", is_flag=True, help="Do that for all deals whose key changed.")
@click.option("--dry-run", is_flag=True, help="With --renumbered: only list them.")
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

    If a deal has a new key, or was merged into another one, --from OLD gives it the project of OLD.
    No edit is lost, and OLD is no longer followed. --renumbered does that for all deals that are
    held back because their key changed.
    """
    if renumbered:
        if deal or project or former:
            raise click.UsageError(_("--renumbered finds the deals by itself; name none"))
        return print_renumbered(context, dry_run=dry_run)
    if dry_run:
        raise click.UsageError(_("--dry-run is for --renumbered"))
    if deal is None or not (project or former):
        raise click.UsageError(_("name a deal, and its PROJECT or --from OLD"))
    if former is not None:
        adopted = deciding.take_over_project(context, deal, former, project)
    else:
        adopted = deciding.adopt(context, deal, project or "")
    _report_adopted(adopted)
    return ExitCode.DONE


def _report_adopted(adopted: Adopted) -> None:
    deal = safe(adopted.deal)
    if adopted.unlinked_project:
        click.echo(
            _(
                "{deal}: project {unlinked_project} unlinked; what pipeline-sync "
                "wrote there was removed, people's text stays",
                deal=deal,
                unlinked_project=safe(adopted.unlinked_project),
            )
        )
    project = adopted.url or _("project {project}", project=adopted.project)
    click.echo(
        _(
            "{deal}: bound to {project}; see what the next run does: pipeline-sync plan",
            deal=deal,
            project=safe(project),
        )
    )


@click.command()
@click.argument("deal", required=False)
@click.option("--clean", is_flag=True, help="Take out of the project what was written into it.")
@click.option("--all", "everything", is_flag=True, help="All deals, to stop using pipeline-sync.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
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
    removed; people's text, title and content stay. If it was cut off, run it again to finish. Use
    --dry-run first to see what would be done.
    """
    if (deal is None) is not everything or (project and (everything or clean or dry_run)):
        raise click.UsageError(_("name one DEAL, or --all; --project goes with a DEAL alone"))
    if deal is not None and project is not None:
        disown_copy(context, deal, project)
        click.echo(
            safe(_("{deal}: its marker is off the project {project}.", deal=deal, project=project))
        )
        return ExitCode.DONE
    code = print_leaving(unlink_deals(context, deal, clean=clean, dry_run=dry_run), dry_run=dry_run)
    if everything and not dry_run and code is ExitCode.DONE:
        click.echo(_(STOP_THE_SCHEDULE))
    return code
