"""Which column of a roster file is taken for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Final

from taiga_pipeline.hints import word
from taiga_pipeline.people.roster_headers import COLUMNS, guess_columns
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

_OTHER_WORDS: Final = {"hours": "hours_per_week", "employee_number": "number", "id": "number"}


@dataclass(frozen=True, slots=True)
class RosterOptions:
    """How to read a roster that another program wrote.

    ``columns``: our column -> their header, "" to leave ours out. ``full_time``: hours of a week
    of full time. These, ``date_format``, ``delimiter``, ``encoding`` and ``sheet`` (of a workbook)
    are None or "" to be found out. ``origin`` names the file across imports, "" for its own name.
    ``zone`` is that of days. With ``dry_run`` nothing is stored.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    full_time: Decimal | None = None
    date_format: str = ""
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    origin: str = ""
    zone: tzinfo = UTC
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class RosterLayout:
    """Which column stands for what. ``unused`` are the headers that nothing asked for, ``rivals``
    those that stand for a column as well and were not taken."""

    columns: Mapping[str, int]
    headers: tuple[str, ...]
    unused: tuple[str, ...]
    rivals: Mapping[str, tuple[str, ...]]

    def header_of(self, column: str) -> str:
        """Returns the file's header for one of our columns."""
        return self.headers[self.columns[column]]


def lay_out(file: str, headers: tuple[str, ...], options: RosterOptions) -> RosterLayout:
    """Finds the columns: those that were named first, then those that are well known.

    :raises ProblemsError: everything that is wrong with the options for this file.
    """
    problems: list[str] = []
    named = {name: theirs for name, theirs in options.columns.items() if theirs}
    left_out = {_OTHER_WORDS.get(name, name): "" for name in options.columns.keys() - named.keys()}
    chosen = _named_columns(headers, named, problems)
    problems.extend(
        f"--column {word(f'{name}=')}: no field {name!r}{did_you_mean(name, COLUMNS)}"
        for name in sorted(left_out.keys() - set(COLUMNS))
    )
    guess = guess_columns(headers, {**chosen, **left_out})
    chosen |= guess.columns
    if "email" not in chosen and not problems:
        present = ", ".join(filter(None, headers))
        problems.append(
            f"no column 'email'{did_you_mean('email', headers)}: an e-mail address identifies a "
            f"person, "
            f"also in the project tool; name it with --column email=HEADER (columns: "
            f"{present})"
        )
    if problems:
        raise ProblemsError([Problem(message, file) for message in problems])
    known = {*chosen.values(), *(each for rivals in guess.rivals.values() for each in rivals)}
    unused = dict.fromkeys(header for header in headers if header and header not in known)
    positions = {ours: headers.index(theirs) for ours, theirs in chosen.items()}
    return RosterLayout(positions, headers, tuple(unused), dict(guess.rivals))


def _named_columns(
    headers: tuple[str, ...], columns: Mapping[str, str], problems: list[str]
) -> dict[str, str]:
    by_folded = {folded(line(header)): header for header in reversed(headers)}
    chosen = {}
    for name, theirs in columns.items():
        spelled = f"--column {word(f'{name}={theirs}')}"
        ours = _OTHER_WORDS.get(name, name)
        header = theirs if theirs in headers else by_folded.get(folded(line(theirs)))
        if ours not in COLUMNS:
            problems.append(
                f"{spelled}: no field {name!r}{did_you_mean(name, COLUMNS)} "
                f"(fields: {', '.join(COLUMNS)})"
            )
        elif header is None:
            present = ", ".join(filter(None, headers))
            problems.append(
                f"{spelled}: no column {theirs!r}{did_you_mean(theirs, headers)} "
                f"(columns: {present})"
            )
        else:
            chosen[ours] = header
    return chosen
