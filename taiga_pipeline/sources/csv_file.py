"""A CSV file as a source: deals are read straight from it, the file is never written.

Settings: ``file`` (and ``folder``, against which relative paths are resolved), ``encoding``,
``delimiter``, and how rows are read (`taiga_pipeline.sources.rows`): the same as the options of
``deals import``. Beside the file, ``people.csv`` and ``allocations.csv`` are read if they are
there; ``people`` and ``allocations`` name other files.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sync.clock import Clock
from sync.errors import Unreachable
from sync.source import Quarantined
from taiga_pipeline.people.csv_files import ALLOCATIONS_FILE, PEOPLE_FILE, Format, read_file
from taiga_pipeline.pipeline.csv_import import open_file
from taiga_pipeline.pipeline.import_options import Funnel, ImportOptions
from taiga_pipeline.sources.port import DealReading, by_deal
from taiga_pipeline.sources.rows import ROW_SETTINGS, read_deals, row_options
from taiga_pipeline.sources.settings import SettingsReader

KNOWN = (
    "file",
    "people",
    "allocations",
    "encoding",
    "delimiter",
    *ROW_SETTINGS,
)

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class CsvSource:
    """Deals of one file. ``people`` and ``allocations`` are None for "if they are there"."""

    def __init__(
        self,
        file: Path,
        options: ImportOptions,
        people: Path | None = None,
        allocations: Path | None = None,
    ) -> None:
        self._file = file
        self._options = options
        self._people = people
        self._allocations = allocations

    def read(self) -> DealReading:
        """Reads the file as a whole.

        A file that ends in the middle of a row, or holds bytes that are not in its encoding, is
        read as far as possible and is not *complete*. Nor is one whose last line has no end: a
        file that was cut off in its last column looks just like that.

        :raises Unreachable: the file is not there or cannot be read.
        :raises ProblemsError: it has no header, or the settings do not fit its columns.
        """
        # With an encoding named, bytes that do not fit cost their row, not the file.
        options = replace(self._options, encoding=self._options.encoding or _encoding(self._file))
        reading = open_file(self._file, options, Funnel())
        quarantined: list[Quarantined] = []
        deals = list(read_deals(reading, lambda line: f"{self._file}:{line}", quarantined))
        people, bad_people = self._rows(PEOPLE_FILE, self._people, "people.csv")
        allocations, bad_allocations = self._rows(
            ALLOCATIONS_FILE, self._allocations, "allocations.csv"
        )
        text = reading.csv.text
        undecoded = any("\udc80" <= character <= "\udcff" for character in text)
        ends_well = text.endswith(("\n", "\r"))
        if not ends_well:
            _LOG.info(
                "%s: its last line has no end: it may be cut off, and no deal is taken for gone",
                self._file,
            )
        return DealReading(
            deals=deals,
            quarantined=[*quarantined, *bad_people, *bad_allocations],
            complete=reading.complete and ends_well and not undecoded,
            allocations=by_deal(allocations),
            people={person.email: person for person in people},
        )

    def _rows(
        self, format_: Format[_T], named: Path | None, usual: str
    ) -> tuple[list[_T], list[Quarantined]]:
        file = named or self._file.with_name(usual)
        if named is None and not file.exists():
            return [], []
        reading = read_file(format_, file)
        bad = [Quarantined("", f"{file}:{row.line}", row.reason) for row in reading.bad_rows]
        return [item for _, item in reading.items], bad


def _encoding(file: Path) -> str:
    """Names UTF-8 for a file that does not say by its first bytes that it is UTF-16."""
    try:
        with file.open("rb") as stream:
            return "" if stream.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    except OSError as error:
        raise Unreachable(f"{file} cannot be read: {error.strerror or error}") from error


def create(settings: Mapping[str, object], clock: Clock) -> CsvSource:
    """Makes the source from the config's ``[source]`` table.

    :raises ProblemsError: keys that are missing, unknown or of the wrong type.
    """
    reader = SettingsReader("csv", settings, KNOWN, required=("file",))
    file = reader.folder / reader.text("file")
    people, allocations = reader.path("people"), reader.path("allocations")
    options = replace(
        row_options(reader),
        is_guarded=True,
        delimiter=reader.text("delimiter"),
        encoding=reader.text("encoding"),
    )
    reader.finish()
    return CsvSource(file, options, people, allocations)
