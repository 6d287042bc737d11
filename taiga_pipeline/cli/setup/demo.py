"""``demo``: the whole story, on this machine, with nothing else installed.

Every command that is shown is really run, through the same code as from a shell, against a small
Taiga-compatible server inside this process.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.app.extras import need_sandbox
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import Place
from taiga_pipeline.cli.output import style
from taiga_pipeline.cli.setup.schedule import program
from taiga_pipeline.cli.setup.web import need_pages, serve_pages
from taiga_pipeline.cli.signals import wait_for_the_end
from taiga_pipeline.hints import PROGRAM, command, word
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.language import plural
from taiga_pipeline.language import text as _
from taiga_pipeline.language.choosing import VARIABLES as LANGUAGE_VARIABLES
from taiga_pipeline.problems import Problem, ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.sandbox.embedded import Sandbox

PASSWORD_VARIABLE: Final = "TAIGA_PASSWORD"  # noqa: S105 - the name of a variable
READ_SECONDS: Final = 2.0
"""The pause after each explanation; with all of them, the story takes half a minute."""
PM: Final = "pm"
PLAN_LINES: Final = 46
MONEY_LINES: Final = 7
SUGGESTION_LINES: Final = 24
WON: Final = "D-105"
LOST: Final = "D-107"


class DemoError(Exception):
    """The program did not do what the demo says it does."""


@click.command()
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    type=Place(file_okay=False),
    help="Put the files here (default: a new folder below the system's temporary one).",
)
@click.option("--port", type=int, default=0, help="Serve the sandbox on this port.")
@click.option("--fast", is_flag=True, help="Do not pause for reading.")
@click.option("--keep-running", is_flag=True, help="Leave the sandbox's web page open at the end.")
@click.option("--web", is_flag=True, help="Serve the pages on the demo's data at the end.")
@pass_context
def demo(
    context: CommandContext,
    folder: Path | None,
    port: int,
    fast: bool,
    keep_running: bool,
    web: bool,
) -> ExitCode:
    """Show the whole story, with a made-up pipeline and a small Taiga.

    Nothing outside one folder is touched, and nothing leaves this machine.
    """
    need_sandbox("demo")
    if web:
        need_pages("demo --web")
    from taiga_pipeline.sandbox.embedded import Sandbox

    folder = _new_folder(folder)
    with Sandbox(port=port) as sandbox, contextlib.chdir(folder):
        pause = (lambda: None) if fast else (lambda: context.clock.sleep(READ_SECONDS))
        Story(Stage(sandbox, context, pause), folder).play()
        if web:
            _serve(context, sandbox)
        elif keep_running:
            _wait(sandbox)
        else:
            click.echo()
            click.echo(_("To look at the same in a browser: {command}", command=_pages(folder)))
    return ExitCode.DONE


def _pages(folder: Path) -> str:
    """Returns the command that serves the pages; it names the program as a shell finds it."""
    line = command("web", options=f"--config {word(str(folder / 'config.toml'))}")
    found, words = shutil.which(PROGRAM), program()
    if found and Path(found).resolve() == Path(words[0]).resolve():
        return line
    return line.replace(PROGRAM, " ".join(map(word, words)), 1)


def _serve(context: CommandContext, sandbox: Sandbox) -> None:
    """Serves the pages of the demo's pipeline, beside the small Taiga that it writes to."""
    environment = {**context.environment, PASSWORD_VARIABLE: sandbox.password}
    click.echo()
    click.echo(_("The projects: {url}", url=sandbox.url))
    serve_pages(CommandContext(clock=context.clock, environment=environment), "127.0.0.1:0")


def _new_folder(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="pipeline-sync-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        message = _("{folder} is not empty; the demo needs a folder of its own", folder=folder)
        raise ProblemsError([Problem(message)])
    return folder.resolve()


def _wait(sandbox: Sandbox) -> None:
    click.echo()
    click.echo(_("Look at the projects: {url}  (until you press Ctrl-C)", url=sandbox.url))
    wait_for_the_end()


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the story is played: says things, runs commands, acts as people in the sandbox."""

    sandbox: Sandbox
    context: CommandContext
    pause: Callable[[], None]

    def say(self, *lines: str) -> None:
        """Prints an explanation."""
        click.echo("")
        for line in lines:
            click.echo(style(line, bold=True))
        self.pause()

    def run(self, *arguments: str) -> None:
        """Shows a command and runs it.

        :raises DemoError: it ended otherwise than the story says.
        """
        click.echo(style(f"\n$ pipeline-sync {shlex.join(arguments)}", colour="cyan"))
        self._call(arguments)

    def run_and_show(self, lines: int, *arguments: str) -> None:
        """Shows a command, runs it, and prints the first lines of its result.

        :raises DemoError: it ended otherwise than the story says.
        """
        command = f"pipeline-sync {shlex.join(arguments)} | head -n {lines}"
        click.echo(style(f"\n$ {command}", colour="cyan"))
        with contextlib.redirect_stdout(io.StringIO()) as result:
            self._call(arguments)
        every = result.getvalue().splitlines()
        click.echo("\n".join(every[:lines]))
        if len(every) > lines:
            left = len(every) - lines
            click.echo(plural("(and {number} more line)", "(and {number} more lines)", left))

    def _call(self, arguments: Sequence[str]) -> None:
        from taiga_pipeline.cli.main import cli

        asked = {name: self.context.environment.get(name, "") for name in LANGUAGE_VARIABLES}
        environment = {**asked, PASSWORD_VARIABLE: self.sandbox.password}
        context = CommandContext(clock=self.context.clock, environment=environment)
        code = cli.main(list(arguments), standalone_mode=False, obj=context)
        if code != ExitCode.DONE:
            raise DemoError(f"'pipeline-sync {shlex.join(arguments)}' ended with {code}")

    def writes(self) -> int:
        """Returns how many requests so far changed something."""
        return sum(
            1
            for request in self.sandbox.requests
            if request.method != "GET" and "/auth" not in request.path
        )

    def show_projects(self) -> None:
        """Prints the projects that the project manager sees in the sandbox."""
        from taiga_pipeline.cli.output import print_table

        click.echo("")
        projects = self.sandbox.as_user(PM).get("/projects")
        rows = [
            (
                project["name"],
                ", ".join(project["tags"]),
                str(len(project["members"])),
                _("looking for people") if project["is_looking_for_people"] else "",
            )
            for project in sorted(projects, key=lambda project: str(project["name"]))
        ]
        print_table((_("Project"), _("Tags"), _("Members"), ""), rows, right=[2])

    def project(self, title: str) -> Mapping[str, Any]:
        """Returns the project whose name ends in ``title``.

        :raises DemoError: there is not exactly one.
        """
        projects = self.sandbox.as_user("admin").get("/projects")
        found = [project for project in projects if project["name"].endswith(title)]
        if len(found) != 1:
            raise DemoError(f"{len(found)} projects are called {title!r}, expected one")
        return dict(found[0])


@dataclass(frozen=True, slots=True)
class Story:
    """The scenes, one after the other."""

    stage: Stage
    folder: Path

    def play(self) -> None:
        """Tells all of it."""
        self.begin()
        self.first_run()
        project = self.won()
        self.people_edit(project)
        self.lost()
        self.look_ahead()
        self.nothing_to_do()
        self.end()

    def begin(self) -> None:
        """A folder with a configuration, a mapping and a pipeline."""
        sandbox = self.stage.sandbox
        self.stage.say(
            _("A small Taiga is running at {url}.", url=sandbox.url),
            _(
                "First, a configuration, a mapping and a made-up firm: eight people, a year of "
                "deals."
            ),
        )
        taiga = ("--taiga-url", sandbox.url, "--username", sandbox.username)
        self.stage.run("init", "--sample", *taiga, "--manager", f"{PM}@example.test")
        self.stage.run("check")
        self.stage.say(_("What was proposed to customers, and is not decided yet:"))
        self.stage.run("deals", "list", "--stage", "Proposal")

    def first_run(self) -> None:
        """Proposals become tentative projects."""
        self.stage.say(_("What would happen in Taiga? (A plan writes nothing, anywhere.)"))
        before = self.stage.writes()
        self.stage.run_and_show(PLAN_LINES, "plan")
        if self.stage.writes() != before:
            raise DemoError("the plan wrote something")
        self.stage.say(_("Do it. Deals at the proposal stage become tentative projects:"))
        self.stage.run("run")
        self.stage.say(_("What a project manager sees in Taiga now:"))
        self.stage.show_projects()

    def won(self) -> Mapping[str, Any]:
        """The tentative project becomes staffed; returns it."""
        tentative = self.stage.project("Alder & Finch: Web shop")
        self.stage.say(
            _(
                "Two people are reserved for {deal}, and it is won. The same project becomes "
                "staffed:",
                deal=WON,
            ),
            _("they join with their roles, and the kick-off is on the board."),
        )
        for person, role, hours in (("emil", "Back", "30"), ("dora", "UX", "8")):
            address = f"{person}@example.test"
            self.stage.run("deals", "staff", WON, address, "--role", role, "--hours", hours)
        self.stage.run("deals", "move", WON, "Won")
        self.stage.run("run")
        staffed = self.stage.project("Alder & Finch: Web shop")
        if staffed["id"] != tentative["id"] or len(staffed["members"]) <= len(tentative["members"]):
            raise DemoError("the tentative project did not become the staffed one")
        return staffed

    def people_edit(self, project: Mapping[str, Any]) -> None:
        """A project manager's edits survive, and sales see them."""
        self.stage.say(
            _("In Taiga, the project manager renames the project and adds a colleague."),
            _("Sales raise the value meanwhile. The next run brings both together."),
        )
        edit_as_project_manager(self.stage.sandbox, project["id"])
        self.stage.run("deals", "edit", WON, "--value", "135000")
        self.stage.run("run")
        after = self.stage.project("Alder & Finch: the new shop")
        if len(after["members"]) <= len(project["members"]):
            raise DemoError("a member whom the project manager added is gone")
        self.stage.say(_("Her edits survived, and sales see what became of the deal:"))
        self.stage.run("deals", "show", WON)

    def lost(self) -> None:
        """A lost deal's project is retired."""
        self.stage.say(
            _("{deal} is lost. Its project is retired: marked, never deleted.", deal=LOST)
        )
        self.stage.run("deals", "move", LOST, "Lost")
        self.stage.run("run")
        if "(lost)" not in self.stage.project("Brightwater Clinic: Booking")["name"]:
            raise DemoError("the lost deal's project is not marked")
        self.stage.show_projects()

    def look_ahead(self) -> None:
        """What will be won, who is short, who could do it, and everything on one page."""
        if find_spec("numpy") is None:
            self.stage.say(
                _("Who will be short, and what will be won? That takes the planning extra:"),
                how_to_get("planning"),
            )
            return
        self.stage.say(_("What will be won? Learnt from a year of the firm's own decisions:"))
        self.stage.run("forecast")
        self.stage.say(_("Who is short, of which role, in which week, because of which deals?"))
        self.stage.run("capacity", "--weeks", "12")
        self.stage.say(_("Who should do it? Skills, holidays and time off are counted:"))
        self.stage.run_and_show(SUGGESTION_LINES, "staff", "suggest", "--quick")
        self.stage.say(_("What does the plan come to in money, quarter by quarter?"))
        self.stage.run_and_show(MONEY_LINES, "metrics", "--money")
        self.stage.say(_("All of it on one page:"))
        self.stage.run("report", "report.html", "--weeks", "12")
        if "Alder" not in Path("report.html").read_text(encoding="utf-8"):
            raise DemoError("the report does not show the pipeline")

    def nothing_to_do(self) -> None:
        """A run that changes nothing."""
        self.stage.say(_("Once more. Everything is in step, so nothing is written:"))
        before = self.stage.writes()
        self.stage.run("plan", "--exit-code")
        self.stage.run("run")
        written = self.stage.writes() - before
        click.echo(_("Requests that changed something in Taiga: {number}", number=written))
        if written:
            raise DemoError("a run right after another one wrote something")
        self.stage.run("status")

    def end(self) -> None:
        """What is left to look at."""
        self.stage.say(_("The files are yours to look at:"))
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                click.echo(f"  {path}")


def edit_as_project_manager(sandbox: Sandbox, project_id: int) -> None:
    """Renames the project and adds a member, as the project manager would in Taiga."""
    petra = sandbox.as_user(PM)
    petra.patch(f"/projects/{project_id}", {"name": "Alder & Finch: the new shop"})
    role = petra.get(f"/projects/{project_id}")["roles"][0]["id"]
    petra.post(
        "/memberships", {"project": project_id, "role": role, "username": "fatima@example.test"}
    )
