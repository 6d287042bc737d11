"""Text as it is kept: one form for what looks the same, so that comparing means something."""

from __future__ import annotations

import unicodedata

from taiga_pipeline.pipeline.errors import InvalidValue


def line(text: str) -> str:
    """Returns text for a field of one line: NFC, runs of white space made one space, stripped.

    :raises InvalidValue: the text holds characters that no database and no file can keep.
    """
    return " ".join(_storable(text).split())


def block(text: str) -> str:
    """Returns text of several lines: NFC, line ends as ``\\n``, without white space around.

    :raises InvalidValue: the text holds characters that no database and no file can keep.
    """
    return _storable(text).replace("\r\n", "\n").replace("\r", "\n").strip()


def folded(text: str) -> str:
    """Returns the form in which texts that differ only in case or Unicode form are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", text).casefold())


def counted(number: int, noun: str) -> str:
    """Returns ``1 deal`` or ``1,480 deals``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _storable(text: str) -> str:
    if "\0" in text:
        raise InvalidValue("a NUL character, which text cannot hold")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = text[:60].encode("utf-8", "backslashreplace").decode()
        raise InvalidValue(
            f"{shown} holds bytes that are not in the file's encoding; name the right one, such "
            "as latin-1"
        ) from None
    return unicodedata.normalize("NFC", text)
