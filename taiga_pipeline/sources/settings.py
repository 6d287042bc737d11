"""Reading a source's settings from the config, with all problems at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

from taiga_pipeline.credentials import Secret, SecretError, for_header, from_environment, from_file
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

COMMON: Final = ("kind", "folder", "environment", "zone", "fields")
"""Given to every source: its kind, the folder against which it resolves relative paths, the
environment variables, in which secrets are, the time zone in which the pipeline counts days, and
the table of the fields of deals where some are the user's own."""

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SettingsReader:
    """Reads settings one by one; `finish` raises everything that was wrong with them.

    What cannot be read comes back as its default. ``table`` is the settings' name in the file.
    """

    def __init__(
        self,
        kind: str,
        settings: Mapping[str, object],
        known: Iterable[str],
        required: Iterable[str] = (),
        table: str = "source",
    ) -> None:
        self._kind = kind
        self._settings = settings
        self._table = table
        self.problems: list[str] = []
        names = (*COMMON, *known)
        for name in settings:
            if name not in names:
                hint = did_you_mean(name, names)
                self.complain(f"unknown setting {name} of a {kind} source{hint}")
        for name in required:
            if not settings.get(name):
                self.complain(f"{name} is missing; a {kind} source needs it")

    def complain(self, message: str) -> None:
        """Adds something that is wrong."""
        self.problems.append(f"[{self._table}] {message}")

    def finish(self) -> None:
        """Ends the reading.

        :raises ProblemsError: all that was wrong.
        """
        if self.problems:
            raise ProblemsError([Problem(message) for message in self.problems])

    def has(self, name: str) -> bool:
        """Tells whether a setting is there."""
        return name in self._settings

    @property
    def zone(self) -> tzinfo:
        """The time zone in which the pipeline counts days, UTC if none was given."""
        zone = self._settings.get("zone")
        return zone if isinstance(zone, tzinfo) else UTC

    @property
    def fields(self) -> FieldTable:
        """The fields of deals; the built-in ones if none was given."""
        table = self._settings.get("fields")
        return table if isinstance(table, FieldTable) else BUILT_IN

    def text(self, name: str, default: str = "") -> str:
        """Returns a setting that is text."""
        value = self._settings.get(name, default)
        if isinstance(value, str):
            return value
        self.complain(f"{name} must be text, not {value!r}")
        return default

    def number(self, name: str, default: float, *, least: float = 0, most: float = 1e6) -> float:
        """Returns a setting that is a number between ``least`` and ``most``."""
        value: object = self._settings.get(name, default)
        is_number = not isinstance(value, bool | str) and hasattr(value, "__float__")
        if is_number and least <= float(value) <= most:  # type: ignore[arg-type]
            return float(value)  # type: ignore[arg-type]
        self.complain(f"{name} must be a number from {least:g} to {most:g}, not {value!r}")
        return default

    def table(self, name: str) -> dict[str, str]:
        """Returns a setting that is a table of text."""
        value = self._settings.get(name, {})
        if isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values()):
            return {str(key): str(text) for key, text in value.items()}
        self.problems.append(f'[{self._table}.{name}] must be a table of names = "text"')
        return {}

    def within(
        self, name: str, known: Iterable[str], required: Iterable[str] = ()
    ) -> SettingsReader:
        """Returns a reader of the section ``name``, whose problems are among these."""
        value = self._settings.get(name, {})
        table = f"{self._table}.{name}"
        if not isinstance(value, Mapping):
            self.problems.append(f"[{table}] must be a section")
            return SettingsReader(self._kind, {}, known, table=table)
        common = {each: self._settings[each] for each in COMMON if each in self._settings}
        reader = SettingsReader(self._kind, {**common, **value}, known, required, table)
        self.problems.extend(reader.problems)
        reader.problems = self.problems
        return reader

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return Path(self.text("folder", "."))

    def path(self, name: str) -> Path | None:
        """Returns a path, None if there is none."""
        text = self.text(name)
        try:
            return self.folder / Path(text).expanduser() if text else None
        except RuntimeError:
            self.complain(f"{name}: {text!r} begins with the home of an unknown account")
            return None

    def secret(self, name: str) -> Secret | None:
        """Returns the secret that ``<name>_env`` or ``<name>_file`` leads to, None for neither."""
        variable, file = self.text(f"{name}_env"), self.path(f"{name}_file")
        if variable and file:
            self.complain(f"{name}_env and {name}_file: one of them is enough")
        try:
            if variable:
                found = self._from_environment(f"{name}_env", variable)
            else:
                found = from_file(f"{self._table}.{name}_file", file) if file else None
            return (
                for_header(f"{self._table}.{name}", found) if found and _is_token(name) else found
            )
        except SecretError as error:
            self.problems.append(str(error))
            return None

    def _from_environment(self, name: str, variable: str) -> Secret | None:
        if not _VARIABLE.fullmatch(variable):
            # It is not shown: it is often the secret itself, written in the wrong place.
            self.complain(f"{name} is the name of an environment variable, not the secret itself")
            return None
        environment = self._settings.get("environment", {})
        assert isinstance(environment, Mapping)
        return from_environment(f"{self._table}.{name}", variable, environment)


def _is_token(name: str) -> bool:
    """Whether a secret of this name is sent in a header."""
    return name.endswith(("token", "key"))
