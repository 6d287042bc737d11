"""Damages files as transfers, editors and people do: their bytes and their structure."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

EXTREMES: Final = (
    "1e999999999", "1e-999999999", "-0", "NaN", "9" * 5_000, "\u202e", "=1+1", "'", '"', '""', "\\",
    "\0", "\ufeff", "\x07", "0000-00-00", "9999-12-31", "-5", "(5)", "1.43163E+10", '="00123"', "%",
    "1,2,3", "Total", "&amp;", "\ud7ff", "𝔘", "é", "{name}", "{", "\r", "x" * 1_200, "1001.0", "-",
    "a;b", "Back:1e99h x1w", "\\N", "sep=;",
)  # fmt: skip
BYTES: Final = (
    b"\0",
    b"\xff",
    b"\xc3",
    b'"',
    b"\r",
    b"\n",
    b",",
    b";",
    b"\t",
    b"\x9a",
    b"\\",
    b"'",
)

Damage = Callable[[bytes, Random], bytes]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _drop(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.randrange(1, 40) :]


def _insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(BYTES) * random.randrange(1, 4) + data[at:]


def _flip(data: bytes, random: Random) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]


def _repeat(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    part = data[at : at + random.randrange(1, 200)]
    return data[:at] + part + data[at:]


def _recode(data: bytes, random: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    coding = random.choice(["utf-16", "utf-16-le", "cp1252", "cp850", "mac_roman", "utf-8-sig"])
    return text.encode(coding, "replace")


def _separator(data: bytes, random: Random) -> bytes:
    old, new = random.sample([b",", b";", b"\t", b"|", b"\r\n", b"\n", b'"'], 2)
    return data.replace(old, new, random.choice([1, 3, 10_000]))


def _cell(data: bytes, random: Random) -> bytes:
    """Puts an extreme into the place of a cell."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    mark = max((b",", b";", b"\t"), key=lines[at].count)
    cells = lines[at].split(mark)
    cells[random.randrange(len(cells))] = random.choice(EXTREMES).encode()
    lines[at] = mark.join(cells)
    return b"\n".join(lines)


def _lines(data: bytes, random: Random) -> bytes:
    """Shuffles, doubles, joins or drops lines."""
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return data
    at = random.randrange(len(lines))
    kind = random.randrange(4)
    if kind == 0:
        random.shuffle(lines)
    elif kind == 1:
        lines.insert(at, lines[random.randrange(len(lines))])
    elif kind == 2:
        lines[at] = lines[at].rstrip(b"\r\n")
    else:
        del lines[at]
    return b"".join(lines)


DAMAGES: Final[tuple[Damage, ...]] = (
    _cut, _drop, _insert, _flip, _repeat, _recode, _separator, _cell, _cell, _cell, _lines,
)  # fmt: skip


def damage(data: bytes, random: Random) -> bytes:
    """Returns a file with some damage."""
    for _ in range(random.randrange(1, 6)):
        data = random.choice(DAMAGES)(data, random)
    return data
