"""``schedule``: a ready entry for cron or systemd."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.app.workspace import sqlite_path
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.language import text as _
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.sources.registry import capabilities_of

if TYPE_CHECKING:
    from taiga_pipeline.config import Settings

ENVIRONMENT_FILE: Final = "secrets.env"
UNPRINTABLE: Final = "{path}: no timer can name a path with such a character; rename the folder"
ODD_END: Final = (
    "{path!r}: systemd cannot name a path that ends with a blank or a backslash; rename the folder"
)

CRON: Final = """\
# {add}
# {overlap}
{note}*/{minutes} * * * * {load}{command}
"""

SYSTEMD: Final = """\
# 1. {save_service}
{note}[Unit]
Description=Keep the sales pipeline {pipeline} and its projects in step
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
ExecStart={command}
WorkingDirectory={folder}
{load}# {not_failures}
SuccessExitStatus=3 5
TimeoutStartSec=30min
UMask=0077
NoNewPrivileges=true
PrivateTmp=true
PrivateDevices=true
ProtectSystem=strict
ReadWritePaths={writable}
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectControlGroups=true
LockPersonality=true
RestrictSUIDSGID=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
CapabilityBoundingSet=

# 2. {save_timer}
[Unit]
Description=Every {minutes} minutes: keep the sales pipeline {pipeline} in step

[Timer]
OnCalendar=*:0/{minutes}
RandomizedDelaySec=30
Persistent=true

[Install]
WantedBy=timers.target

# 3. {start}
#    sudo systemctl daemon-reload && sudo systemctl enable --now {unit}.timer
#    systemctl list-timers {unit}.timer; journalctl -u {unit}
"""


@click.command()
@click.argument("kind", type=click.Choice(["cron", "systemd"]))
@click.option(
    "--minutes", type=click.IntRange(1, 59), default=15, show_default=True, help="How often."
)
@pass_context
def schedule(context: CommandContext, kind: str, minutes: int) -> None:
    """Print an entry that runs pipeline-sync regularly, for cron or systemd.

    The entry is printed, not installed. Program and configuration are named by absolute paths.
    """
    settings = context.settings
    config = context.config_path.absolute()
    make = _cron if kind == "cron" else _systemd
    words = [*program(), "--config", _plain(str(config)), "run"]
    secrets = str(config.parent / ENVIRONMENT_FILE) if _variables(settings) else ""
    click.echo(make(settings, words, config.parent, secrets, minutes), nl=False)


def _cron(settings: Settings, words: list[str], folder: Path, secrets: str, minutes: int) -> str:
    # An unescaped % is a line end to cron.
    command, path = (shlex.join(each).replace("%", r"\%") for each in (words, [secrets]))
    load = f"set -a; . {path}; " if secrets else ""
    return CRON.format(
        add=_(
            "Add this with 'crontab -e'. As long as nothing changes it prints nothing, so cron "
            "mails nothing."
        ),
        overlap=_("Two runs never overlap: the second one exits with 5 at once."),
        minutes=minutes,
        command=command,
        load=load,
        note=_note(secrets, "# "),
    )


def _systemd(settings: Settings, words: list[str], folder: Path, secrets: str, minutes: int) -> str:
    for path in (str(folder), secrets):
        if path != path.strip() or path.endswith("\\"):
            raise ProblemsError([Problem(ODD_END.format(path=path))])
    writable = [str(folder), *_written_elsewhere(settings, folder)]
    unit = f"pipeline-sync-{settings.pipeline}"
    place = f"/etc/systemd/system/{unit}"
    return SYSTEMD.format(
        save_service=_("Save this part as {path}", path=f"{place}.service"),
        save_timer=_("Save this part as {path}", path=f"{place}.timer"),
        not_failures=_(
            "Done in part (3) and a run that is still going (5) are not failures of the service."
        ),
        start=_("Start it, and look at it:"),
        unit=unit,
        pipeline=settings.pipeline,
        user=_account(),
        minutes=minutes,
        command=" ".join([systemd_quote(words[0]), *map(systemd_argument, words[1:])]),
        folder=systemd_line(str(folder)),
        load=f"EnvironmentFile={systemd_pattern(secrets)}\n" if secrets else "",
        note=_note(secrets, "#    "),
        writable=" ".join(map(systemd_quote, writable)),
    )


def _note(secrets: str, begin: str) -> str:
    if not secrets:
        return ""
    lines = (
        _("Secrets are read from {path}", path=secrets),
        _("(lines of NAME='value'; chmod 600 it)."),
    )
    return "".join(f"{begin}{line}\n" for line in lines)


def _variables(settings: Settings) -> list[str]:
    """Returns the names of all environment variables that the configuration asks for."""
    sections = (settings.source, settings.target, settings.sync, settings.monitoring)
    return [
        str(value)
        for section in sections
        for name, value in section.model_dump().items()
        if name.endswith("_env") and value
    ]


def _written_elsewhere(settings: Settings, folder: Path) -> list[str]:
    """Returns the folders beside the configuration's that a run writes into."""
    files = [settings.monitoring.prometheus_file, sqlite_path(settings.sync.state)]
    if settings.calendar.file:
        files.append((folder / settings.calendar.file).resolve())
    can = capabilities_of(settings.source.kind)
    if can.edits or can.writes_back:
        files.append(sqlite_path(settings.source.url or ""))
    folders = dict.fromkeys(file.parent for file in files if file is not None)
    return [_plain(str(each)) for each in folders if not each.is_relative_to(folder.resolve())]


def _account() -> str:
    """Returns the account's name, its number where the machine knows none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _plain(path: str) -> str:
    """Returns a path that can stand on one line.

    :raises ProblemsError: it cannot.
    """
    if not path.isprintable():
        raise ProblemsError([Problem(UNPRINTABLE.format(path=ascii(path)))])
    return path


def program() -> list[str]:
    """Returns the installed program by its absolute path, as words of a command line."""
    beside = Path(sys.executable).with_name("pipeline-sync")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("pipeline-sync")
    return [found] if found else [sys.executable, "-m", "taiga_pipeline"]


# systemd reads each setting in a way of its own. Specifiers begin with % in all of them.


def systemd_line(word: str) -> str:
    """Returns ``word`` as the whole value of a setting: quotes would be part of it."""
    return word.replace("%", "%%")


def systemd_pattern(path: str) -> str:
    """Returns ``path`` as the whole value of a setting that takes patterns of file names."""
    return re.sub(r"([\\*?\[])", r"\\\1", systemd_line(path))


def systemd_quote(word: str) -> str:
    """Returns ``word`` as one of the words that a setting holds."""
    word = systemd_line(word)
    if not any(character in word for character in " \t\"'\\;"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def systemd_argument(word: str) -> str:
    """Returns ``word`` as an argument of a command, in which $ would begin a variable."""
    return systemd_quote(word).replace("$", "$$")
