"""What the program's exit code tells the shell, cron and monitors."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from taiga_pipeline.app.trouble import Trouble


class ExitCode(IntEnum):
    """The documented exit codes. A command returns one of these (None stands for `DONE`)."""

    DONE = 0
    UNEXPECTED = 1
    """A fault in the program or on the machine."""
    USAGE = 2
    """The command line, the config, a mapping or the state store has to be fixed first."""
    PARTIAL = 3
    """Done in part: conflicts, failed or quarantined records; the others were synced."""
    REFUSED = 4
    """A limit held the plan back; nothing was applied."""
    LOCKED = 5
    """Another run is at work."""
    UNREACHABLE = 6
    """Source or target cannot be reached, or does not let the account in."""
    STALE = 7
    """`status --max-age`: the last success is too long ago, or there was none."""
    PENDING = 10
    """`plan --exit-code`: there is something to do."""
    INTERRUPTED = 130
    """Ctrl-C, by the shell's convention (128 + SIGINT)."""


_CODES: Final = {
    Trouble.USAGE: ExitCode.USAGE,
    Trouble.PARTIAL: ExitCode.PARTIAL,
    Trouble.REFUSED: ExitCode.REFUSED,
    Trouble.LOCKED: ExitCode.LOCKED,
    Trouble.UNREACHABLE: ExitCode.UNREACHABLE,
}


def code_for(trouble: Trouble | None) -> ExitCode:
    """Returns the code of a trouble; of none, `ExitCode.DONE`."""
    return _CODES[trouble] if trouble else ExitCode.DONE
