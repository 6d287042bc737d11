"""Descriptions: people's own HTML stays theirs, and the connector's part stands in a block below.

What is compared is the text that people see. What is written anew is the block alone, unless
sales change the words above it, too.
"""

from __future__ import annotations

import re
from typing import Final

from taiga_pipeline.odoo.text import to_html, to_text

_CLASS: Final = "o_pipeline_sync"
_BLOCK: Final = re.compile(rf'<div\b[^>]*\bclass="[^"]*\b{_CLASS}\b[^"]*"[^>]*>', re.IGNORECASE)
_GAP: Final = "\n\n"


def text_of(html: object) -> str:
    """Returns the text of a description, "" for none."""
    return to_text(html)


def with_text(html: object, wanted: str, above: str = "") -> str:
    """Returns a description that shows the text ``wanted``.

    ``html`` is the present one: what people wrote in it, above the block, is kept as it is where
    ``wanted`` begins with it. ``above`` is what stands above the block otherwise.
    """
    theirs = _above(html)
    text = to_text(theirs)
    if not text or not _begins(wanted, text):
        theirs, text = to_html(above), above
    if not _begins(wanted, text):
        return to_html(wanted)
    rest = wanted[len(text) :].removeprefix(_GAP if text else "")
    block = f'<div class="{_CLASS}">{to_html(rest)}</div>' if rest else ""
    return f"{theirs}{block}"


def _above(html: object) -> str:
    """Returns the HTML above the block."""
    if not isinstance(html, str):
        return ""
    found = _BLOCK.search(html)
    return html[: found.start()] if found else html


def _begins(whole: str, text: str) -> bool:
    """Whether a text begins with another, and a paragraph ends there."""
    return not text or whole == text or whole.startswith(f"{text}{_GAP}")
