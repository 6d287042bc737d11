"""Text for Odoo's fields of HTML, and the text in them. Pure.

What is written is text and stays text: every sign of HTML in it is escaped. Odoo cleans HTML that
it is given, and people edit it in a web editor: what is read is the text that they see, line by
line.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

_BLOCKS: Final = frozenset(
    "address article aside blockquote dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section table tbody td tfoot th thead tr ul".split()
)
_SILENT: Final = frozenset(("script", "style", "head", "title", "template"))
_SPACES: Final = re.compile(r"[ \t\r\n\f]+")
_SPACE: Final = "\N{NO-BREAK SPACE}"


def to_html(text: str) -> str:
    """Returns text as HTML that shows it as it is: lines are lines, an empty one begins anew."""
    paragraphs = re.split(r"\n\n", text) if text else []
    return "".join(f"<p>{_lines(paragraph)}</p>" for paragraph in paragraphs)


def _lines(paragraph: str) -> str:
    return "<br>".join(_kept_spaces(escape(line)) for line in paragraph.split("\n")) or "<br>"


def _kept_spaces(line: str) -> str:
    """Returns a line whose spaces HTML will not run together."""
    begun = re.sub(r"^ ", _SPACE, line)
    return re.sub(r" (?= )|(?<= ) | $", _SPACE, begun)


def to_text(html: object) -> str:
    """Returns the text that people see where HTML stands, "" for none; lines end in ``\\n``."""
    if not isinstance(html, str):
        return ""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects the text of paragraphs and of the items of lists, each as its lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._paragraphs: list[tuple[str, bool]] = []
        """Texts, and whether each is an item of a list."""
        self._open: list[str] = []
        self._is_item = False
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begins a paragraph, an item or a line."""
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self._open.append("\n")
        elif tag in _BLOCKS:
            self._end_paragraph()
            self._is_item |= tag == "li"

    def handle_endtag(self, tag: str) -> None:
        """Ends a paragraph or an item."""
        if tag in _SILENT:
            self._silent = max(self._silent - 1, 0)
        elif tag in _BLOCKS:
            self._end_paragraph()
            self._is_item &= tag != "li"

    def handle_data(self, data: str) -> None:
        """Takes text up."""
        if not self._silent:
            self._open.append(_SPACES.sub(" ", data))

    def _end_paragraph(self) -> None:
        lines = "".join(self._open).split("\n")
        text = "\n".join(line.strip(" ").replace(_SPACE, " ") for line in lines)
        self._open = []
        if not text:
            return
        if self._is_item:
            self._paragraphs.append((f"- {text.strip()}", True))
            self._is_item = False
        else:
            self._paragraphs.append((text.removesuffix("\n"), False))

    def text(self) -> str:
        """Returns what was collected."""
        self._end_paragraph()
        pieces: list[str] = []
        was_item = False
        for text, is_item in self._paragraphs:
            if pieces:
                pieces.append("\n" if is_item and was_item else "\n\n")
            pieces.append(text)
            was_item = is_item
        return "".join(pieces).strip("\n")
