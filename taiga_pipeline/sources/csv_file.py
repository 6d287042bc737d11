"""A CSV file or a workbook as a source: deals are read straight from it, it is never written.

Settings: ``file`` (and ``folder``, against which relative paths are resolved), ``encoding``,
``delimiter``, ``sheet`` (of a workbook), and how rows are read (`taiga_pipeline.sources.rows`): the
same as the options of ``deals import``. Beside the file, ``people.csv`` and ``allocations.csv``
are read if they are there; ``people`` and ``allocations`` name other files.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from sync.clock import Clock
from sync.errors import Unreachable
from sync.source import Quarantined
from taiga_pipeline.adapters import Setting
from taiga_pipeline.days import day_of
from taiga_pipeline.people.csv_files import ALLOCATIONS_FILE, Writing, read_file
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.people.roster_import import prepare
from taiga_pipeline.people.roster_layout import RosterOptions
from taiga_pipeline.pipeline.files.decoding import certain_encoding
from taiga_pipeline.pipeline.importing.csv_import import open_file
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions
from taiga_pipeline.pipeline.importing.rows import BadRow
from taiga_pipeline.sources.port import (
    DealReading,
    SourceCapabilities,
    by_deal,
    source_adapter,
)
from taiga_pipeline.sources.rows import ROW_SETTINGS, read_deals, row_options
from taiga_pipeline.sources.settings import SettingsReader

KNOWN = (
    "file",
    "people",
    "allocations",
    "encoding",
    "delimiter",
    "sheet",
    *ROW_SETTINGS,
)

_LOG = logging.getLogger(__name__)


class CsvSource:
    """Deals of one file. ``people`` and ``allocations`` are None for "if they are there"."""

    def __init__(
        self,
        file: Path,
        options: ImportOptions,
        clock: Clock,
        people: Path | None = None,
        allocations: Path | None = None,
    ) -> None:
        self._file = file
        self._options = options
        self._clock = clock
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
        people, bad_people = self._read_people()
        allocations, bad_allocations = self._read_allocations()
        for notice in reading.notices():
            _LOG.info("%s: %s", self._file, notice.text)
        ends_well = reading.csv.is_whole
        if not ends_well:
            _LOG.info(
                "%s: its last line has no line end, or some bytes are not in its encoding: it may "
                "be cut off or spoilt, and no deal counts as gone",
                self._file,
            )
        return DealReading(
            deals=deals,
            quarantined=[*quarantined, *bad_people, *bad_allocations],
            complete=reading.complete and ends_well,
            allocations=by_deal(allocations),
            people={person.email: person for person in people},
        )

    def _read_people(self) -> tuple[list[Person], list[Quarantined]]:
        file = self._beside(self._people, "people.csv")
        if file is None:
            return [], []
        zone = self._options.terms.zone
        today = day_of(self._clock.now(), zone)
        reading = prepare(file, RosterOptions(zone=zone), today)
        people = [reading.person(entry) for entry in reading.entries]
        assumed = [each.email for each in reading.entries if "hours_per_week" not in each.values]
        for notice in (*reading.notices, *reading.weeks.notices(assumed)):
            _LOG.info("%s: %s", file, notice)
        return people, _quarantined(file, reading.bad_rows)

    def _read_allocations(self) -> tuple[list[Allocation], list[Quarantined]]:
        file = self._beside(self._allocations, "allocations.csv")
        if file is None:
            return [], []
        reading = read_file(ALLOCATIONS_FILE, file, Writing(zone=self._options.terms.zone))
        return [item for _, item in reading.items], _quarantined(file, reading.bad_rows)

    def _beside(self, named: Path | None, usual: str) -> Path | None:
        """Returns the file of that name, else the usual one beside the deals if it is there."""
        file = named or self._file.with_name(usual)
        return file if named is not None or file.exists() else None


def _quarantined(file: Path, rows: Iterable[BadRow]) -> list[Quarantined]:
    return [Quarantined("", f"{file}:{row.line}", row.reason) for row in rows]


def _encoding(file: Path) -> str:
    """Names the encoding of a file that shows it, else UTF-8: wrong bytes cost their row then."""
    try:
        return certain_encoding(file.read_bytes())
    except OSError as error:
        raise Unreachable(f"{file} cannot be read: {error.strerror or error}") from error


@source_adapter(
    "a CSV file",
    capabilities=SourceCapabilities(people=True),
    settings=(
        Setting(
            "file",
            "deals.csv",
            "docs/csv.md; people.csv and allocations.csv in the same folder count",
        ),
    ),
    adds_people="list people in people.csv, in the folder of the deals file (docs/csv.md)",
)
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
        sheet=reader.text("sheet"),
    )
    reader.finish()
    return CsvSource(file, options, clock, people, allocations)
