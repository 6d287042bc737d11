"""What is taken from outside, at most. Every bound on what a server or a file brings stands here.

=====================  ==================  ========================================================
what                   bound               why so much
=====================  ==================  ========================================================
an answer, unpacked    64 MB (a setting)   1,000 wiki pages of 50 kB; `answer_megabytes` takes more
values in an answer    5 million           60,000 stories of 60 fields; a value takes 60 bytes here
depth of JSON          40                  the deepest answer of a known server has 6
digits of a number     20                  64 bits
an answer's time       4 silences          a silence is `timeout_seconds`; see `deadline`
a list's time          120 silences        an hour, with the usual `timeout_seconds`
pages of a list        10,000              10 million rows of Taiga, a million of Redmine
headers                64 kB each, 100     Python's `http.client` holds to it
redirects              0                   a token must not leave the configured host
an error's words       300 characters      for people to read
a plan, a suggestion   64 MB               files that someone names; a TOML file has 10 MB
=====================  ==================  ========================================================
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sync.clock import Clock
from sync.errors import IncompleteRead

ANSWER_MEGABYTES: Final = 64
ANSWER_VALUES: Final = 5_000_000
DEPTH: Final = 40
DIGITS: Final = 20
WHOLE_ANSWER: Final = 4.0
"""A whole answer may take so many times as long as a single silence: it is long, or it drips."""
WHOLE_LIST: Final = 120.0
"""A whole list may take so many times as long as a single silence."""
PAGES: Final = 10_000
WORDS: Final = 300
FILE_MEGABYTES: Final = 64

MEGABYTE: Final = 1_000_000

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|.)",
    re.DOTALL,
)


class TooMuch(ValueError):
    """Something from outside exceeds its bound; the message is a phrase that says which."""


def decode_json(content: bytes) -> Any:
    """Returns what a JSON text holds, once it is known to be within the bounds.

    Half a character (a lone surrogate) becomes U+FFFD: no database keeps it, and no terminal shows
    it. ``NaN`` and infinite numbers are not JSON.

    :raises TooMuch: it is too deep, or holds too many values or too long a number.
    :raises ValueError: it is not JSON.
    """
    if content.count(b",") + content.count(b"[") + content.count(b"{") > ANSWER_VALUES:
        raise TooMuch(f"more than {ANSWER_VALUES:,} values")
    text = content.decode("utf-8-sig")
    if _SURROGATE.search(text):
        text = _ESCAPE.sub(lambda escape: "\\ufffd" if escape["lone"] else escape[0], text)
    try:
        data = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_no_number)
    except RecursionError:
        raise TooMuch(_TOO_DEEP) from None
    _demand_depth(data)
    return data


_TOO_DEEP: Final = f"more than {DEPTH} levels inside each other"


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise TooMuch(f"a number of {len(text):,} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise TooMuch("a number that is too large")
    return number


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _demand_depth(data: Any) -> None:
    """Goes through the levels from the top: recursion would be what is to be kept out."""
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(DEPTH):
        if not level:
            return
        level = [
            value
            for each in level
            for value in (each.values() if isinstance(each, dict) else each)
            if isinstance(value, dict | list)
        ]
    if level:
        raise TooMuch(_TOO_DEEP)


@dataclass(slots=True)
class ListProgress:
    """The pages of one reading of a list: each brings something new, and there is an end to them.

    ``what`` names the request, for messages. ``silence_seconds`` is how long the server may be
    silent, by which a whole list is measured.
    """

    what: str
    clock: Clock
    silence_seconds: float
    _pages: int = 0
    _began: float = field(default=0.0)

    def __post_init__(self) -> None:
        self._began = self.clock.monotonic()

    def note_page(self) -> None:
        """Counts a page.

        :raises IncompleteRead: there are too many, or they take too long.
        """
        self._pages += 1
        if self._pages > PAGES:
            raise IncompleteRead(f"{self.what}: the list has more than {PAGES:,} pages")
        most = WHOLE_LIST * self.silence_seconds
        if self.clock.monotonic() - self._began > most:
            raise IncompleteRead(
                f"{self.what}: the list was not complete after {most:,.0f} s ({self._pages:,} "
                "pages); if the server is that slow, raise timeout_seconds"
            )


def read_file(path: Path, megabytes: int = FILE_MEGABYTES) -> bytes:
    """Returns what a file holds that someone named.

    :raises TooMuch: it holds more than is taken.
    :raises OSError: it cannot be read.
    """
    most = megabytes * MEGABYTE
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise TooMuch(f"more than {megabytes} MB")
    return content
