"""``schedule``: a ready entry for cron or systemd."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

import click

from taiga_pipeline.cli.context import Context, pass_context

ENVIRONMENT_FILE: Final = "secrets.env"

CRON: Final = """\
# Add this with 'crontab -e'. As long as nothing changes it prints nothing, so cron mails nothing.
# Two runs never overlap: the second one exits with 5 at once.
# Secrets are read from {secrets} (lines of NAME=value; chmod 600 it).
*/{minutes} * * * * set -a; . {secrets}; {command}
"""

SYSTEMD: Final = """\
# 1. Save this part as /etc/systemd/system/{unit}.service
#    Secrets are read from {secrets} (lines of NAME=value; chmod 600 it).
[Unit]
Description=Keep the sales pipeline {pipeline} and its projects in step
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
ExecStart={command}
WorkingDirectory={folder}
EnvironmentFile={secrets}
# Done in part (3) and a run that is still going (5) are no failures of the service.
SuccessExitStatus=3 5
TimeoutStartSec=30min
UMask=0077
NoNewPrivileges=true
PrivateTmp=true
PrivateDevices=true
ProtectSystem=strict
ReadWritePaths={folder}
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectControlGroups=true
LockPersonality=true
RestrictSUIDSGID=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
CapabilityBoundingSet=

# 2. Save this part as /etc/systemd/system/{unit}.timer
[Unit]
Description=Every {minutes} minutes: keep the sales pipeline {pipeline} in step

[Timer]
OnCalendar=*:0/{minutes}
RandomizedDelaySec=30
Persistent=true

[Install]
WantedBy=timers.target

# 3. Start it, and look at it:
#    sudo systemctl daemon-reload && sudo systemctl enable --now {unit}.timer
#    systemctl list-timers {unit}.timer; journalctl -u {unit}
"""


@click.command()
@click.argument("kind", type=click.Choice(["cron", "systemd"]))
@click.option(
    "--minutes", type=click.IntRange(1, 59), default=15, show_default=True, help="How often."
)
@pass_context
def schedule(context: Context, kind: str, minutes: int) -> None:
    """Print an entry that runs pipeline-sync regularly, for cron or systemd.

    The entry is printed, not installed. Program and configuration are named by absolute paths.
    """
    pipeline = context.settings.pipeline
    config = context.config_path.absolute()
    words = [program(), "--config", str(config), "run"]
    secrets = str(config.parent / ENVIRONMENT_FILE)
    if kind == "cron":
        # An unescaped % is a line end to cron.
        command = shlex.join(words).replace("%", r"\%")
        secrets = shlex.quote(secrets).replace("%", r"\%")
        text = CRON.format(minutes=minutes, command=command, secrets=secrets)
    else:
        text = SYSTEMD.format(
            unit=f"pipeline-sync-{pipeline}",
            pipeline=pipeline,
            user=getpass.getuser(),
            minutes=minutes,
            command=" ".join(map(systemd_quote, words)),
            folder=systemd_quote(str(config.parent)),
            secrets=systemd_quote(secrets),
        )
    click.echo(text, nl=False)


def program() -> str:
    """Returns the absolute path of the installed program."""
    beside = Path(sys.executable).with_name("pipeline-sync")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("pipeline-sync")
    return found or "pipeline-sync"


def systemd_quote(word: str) -> str:
    """Returns ``word`` so that systemd reads it as one word (its specifiers start with %)."""
    word = word.replace("%", "%%")
    if not any(character in word for character in " \t\"'\\"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
