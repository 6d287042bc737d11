"""Colours for what a report marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from taiga_pipeline.cli.output import style, use_colour
from taiga_pipeline.report.plan_text import Paint, Tone, plain

_STYLES: Final[Mapping[Tone, Callable[[str], str]]] = {
    Tone.ADD: partial(style, colour="green"),
    Tone.CHANGE: partial(style, colour="yellow"),
    Tone.REMOVE: partial(style, colour="red"),
    Tone.WARNING: partial(style, colour="red", bold=True),
    Tone.QUIET: partial(style, dim=True),
    Tone.STRONG: partial(style, bold=True),
}


def painter() -> Paint:
    """Returns what colours text on stdout, or leaves it plain where stdout shows no colour."""
    return (lambda text, tone: _STYLES[tone](text)) if use_colour() else plain
