"""Orders as a source of pipeline-sync: a tool that exports its deals as a list in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sync.clock import Clock
from sync.errors import Malformed, Unreachable
from taiga_pipeline.adapters import Setting
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.sources.port import DealReading, source_adapter
from taiga_pipeline.sources.rows import ROW_SETTINGS, read_rows, row_options
from taiga_pipeline.sources.settings import SettingsReader


class Orders:
    """Deals of one file. ``options`` says how its rows are read."""

    def __init__(self, file: Path, options: ImportOptions) -> None:
        self._file = file
        self._options = options

    def read(self) -> DealReading:
        """Reads the whole file, or raises; a row that is not a deal is quarantined."""
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
        except OSError as error:
            raise Unreachable(f"{self._file} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise Malformed(f"{self._file} is not a file of Orders: {error}") from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Malformed(f"{self._file} is not a list of orders")
        return read_rows(rows, self._options, str(self._file))


@source_adapter(
    "Orders",
    settings=(Setting("file", "orders.json", "the file that Orders exports"),),
)
def create(settings: Mapping[str, object], clock: Clock) -> Orders:
    """Makes the source from the settings of ``[source]``.

    :raises ProblemsError: keys that are missing, unknown or of the wrong type; all of them.
    """
    reader = SettingsReader("orders", settings, ("file", *ROW_SETTINGS), required=("file",))
    file, options = reader.folder / reader.text("file"), row_options(reader)
    reader.finish()
    return Orders(file, options)
