"""Texts that two sides write: a label before a title, and facts below people's own text.

A target has one name and one description for a project, but two writers for each. They are joined
when they are written and distinguished when they are read, so that each part is merged on its own:

    (tentative) Acme: new portal            label, title

    Anna knows the customer well.           people's text
                                            (an empty line)
    ―― From sales (please write …) ――       the separator
    Value: 40,000 EUR                       facts, one per line
    ―― Kept current by pipeline-sync ――     the end line

People may edit the whole at will: no line that they wrote is ever taken for a fact that may be
overwritten, wherever they put it (above, inside or below the facts, with or without the separator).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

SEPARATOR: Final = "―― From sales (please write above this line) ――"
NEUTRAL_SEPARATOR: Final = "―― Kept current below (please write above this line) ――"
"""Begins what is kept current where that does not come from sales."""
END: Final = "―― Kept current by pipeline-sync ――"

_GAP: Final = "\n\n"
_SHORTEST_MARK, _LONGEST_MARK = 25, 200
_DASHES: Final = " \t-‐‑‒–—―─"


def join_label(label: str, title: str) -> str:
    """Returns the name that shows ``label`` before ``title`` ("" for no label)."""
    return f"{label} {title}" if label and title else label or title


def split_label(name: str, candidates: Iterable[str]) -> tuple[str, str]:
    """Returns the label and the title of a name.

    ``candidates`` are the labels that it may carry; the longest one that fits counts. A label is
    recognised in any letter case and returned as it is written. Undoes `join_label`, unless a
    title without a label itself begins with a candidate.
    """
    for label in sorted({label for label in candidates if label}, key=len, reverse=True):
        rest = name[len(label) :]
        written = name[: len(label)]
        if written.casefold() == label.casefold() and _ends_label(label, rest):
            return written, rest.removeprefix(" ")
    return "", name


def _ends_label(label: str, rest: str) -> bool:
    """Whether a label may end here: "Pre" is not a label of "Prefab"."""
    return not rest or rest[0].isspace() or not label[-1].isalnum()


def join_block(text: str, facts: str) -> str:
    """Returns a description that shows ``text``, and below it ``facts`` between two marked lines.

    Both are taken as `plain_text` and `plain_facts` leave them. Without facts there is no block.
    """
    text, facts = plain_text(text), plain_facts(facts)
    if not facts:
        return text
    block = "\n".join([SEPARATOR, facts, END])
    return f"{text}{_GAP}{block}" if text else block


def split_block(description: str, known: Iterable[str] = ()) -> tuple[str, str]:
    """Returns people's text and the facts of a description.

    ``known`` are facts as they were last written or should be written. They tell a fact from a line
    that someone typed among the facts, and find the facts again when a marked line was deleted.
    Undoes `join_block`. Line ends come out as ``\\n``.
    """
    lines = _lines(description)
    facts_known = [_fact_lines(facts) for facts in known]
    names = {_name(line) for facts in facts_known for line in facts}
    start, stop = _bounds(lines, names)
    facts = [line for line in lines[start:stop] if _is_fact(line, names)]
    if not facts:
        bare = [line for line in lines if not _is_mark(line)]
        at, end = _find(bare, facts_known)
        if at < end:
            return _text(bare[:at], [], bare[end:]), "\n".join(bare[at:end])
    inside = [line for line in lines[start:stop] if line.strip() and not _is_fact(line, names)]
    return _text(lines[:start], inside, lines[stop:]), "\n".join(facts)


def plain_text(text: str) -> str:
    """Returns ``text`` with ``\\n`` as its line end and without lines that mark the facts."""
    return "\n".join(line for line in _lines(text) if not _is_mark(line))


def plain_facts(facts: str) -> str:
    """Returns ``facts`` without empty lines and without lines that mark the facts."""
    return "\n".join(_fact_lines(facts))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _fact_lines(facts: str) -> list[str]:
    return [line for line in _lines(facts) if line.strip() and not _is_mark(line)]


def _name(line: str) -> str:
    """The name of a fact, to recognise it by when its value changed."""
    return line.partition(":")[0].strip().casefold()


def _bare(line: str) -> str:
    """A line as it is recognised, in any letter case, with any dashes and spaces; "" for most."""
    if not _SHORTEST_MARK < len(line) < _LONGEST_MARK:
        return ""
    return " ".join(line.strip(_DASHES).casefold().split())


_SEPARATORS_BARE: Final = (_bare(SEPARATOR), _bare(NEUTRAL_SEPARATOR))
_END_BARE: Final = _bare(END)


def _is_mark(line: str) -> bool:
    return _bare(line) in (*_SEPARATORS_BARE, _END_BARE)


def _is_fact(line: str, names: set[str]) -> bool:
    """Whether a line inside the block is a fact. With nothing known, every line is."""
    if not line.strip() or _is_mark(line):
        return False
    return not names or _name(line) in names


def _block(lines: Sequence[str]) -> tuple[int | None, int | None]:
    """Returns where the facts begin and end, None where the marked line is lost.

    Where people copied the block, the last one counts.
    """
    separators = [at for at, line in enumerate(lines) if _bare(line) in _SEPARATORS_BARE]
    ends = [at for at, line in enumerate(lines) if _bare(line) == _END_BARE]
    whole = [at for at in separators if ends and at < ends[-1]]
    if whole:
        return whole[-1] + 1, next(at for at in ends if at > whole[-1])
    if separators:
        return separators[-1] + 1, None
    return None, ends[-1] if ends else None


def _bounds(lines: Sequence[str], names: set[str]) -> tuple[int, int]:
    """Returns where the facts begin and end, as far as the marked lines tell."""
    start, stop = _block(lines)
    if start is None and stop is None:
        return len(lines), len(lines)
    if start is None:
        assert stop is not None, "one of the two is there"
        return _run_back(lines, stop, names), stop
    return start, _run(lines, start, names) if stop is None else stop


def _run(lines: Sequence[str], start: int, names: set[str]) -> int:
    """Returns where the facts end that begin at ``start``, the end line being lost."""
    stop = start
    while stop < len(lines) and _is_fact(lines[stop], names):
        stop += 1
    return stop


def _run_back(lines: Sequence[str], stop: int, names: set[str]) -> int:
    """Returns where the facts begin that end at ``stop``, the separator being lost."""
    start = stop
    while names and start > 0 and _is_fact(lines[start - 1], names):
        start -= 1
    return start


def _find(lines: Sequence[str], known: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Returns where known facts stand word by word, both marked lines being lost."""
    for facts in known:
        size = len(facts)
        for at in range(len(lines) - size + 1 if size else 0):
            if lines[at] == facts[0] and list(lines[at : at + size]) == list(facts):
                return at, at + size
    return len(lines), len(lines)


def _text(above: Sequence[str], inside: Sequence[str], below: Sequence[str]) -> str:
    """Returns people's text out of the three places where they may write it."""
    first = "\n".join(_above(above))
    more = ["\n".join(inside), "\n".join(line for line in below if not _is_mark(line)).strip("\n")]
    if not any(more):
        return first
    return _GAP.join(part for part in (first.rstrip("\n"), *more) if part)


def _above(lines: Sequence[str]) -> list[str]:
    """Returns the lines above the facts without the gap that `join_block` makes."""
    kept = [line for line in lines if not _is_mark(line)]
    marked = len(kept) < len(lines)
    return kept[:-1] if marked and kept and not kept[-1] else kept
