"""How packages beyond the usual ones get into the copy of the program that is running.

There are many ways to have it: a checkout, a virtual environment made by pip or uv, pipx, a tool
of uv's, a system's own Python, a folder that this account cannot write. What works for one does
not work for the next, so a message names the command for this very copy.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import sysconfig
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

NAME: Final = "pipeline-sync"
SANDBOX: Final = "pipeline-sync-sandbox"
_SANDBOX_FOLDER: Final = "taiga_pipeline/sandbox"

MODULES: Final = {
    "apprise": "messages",
    "numpy": "planning",
    "holidays": "planning",
    "icalendar": "planning",
    "recurring_ical_events": "planning",
    "PIL": "planning",
    "tomlkit": "planning",
    "psycopg": "postgresql",
    "jinja2": "report",
    "matplotlib": "report",
    "openpyxl": "spreadsheets",
    "ortools": "staffing",
    "anyio": "web",
    "itsdangerous": "web",
    "multipart": "web",
    "python_multipart": "web",
    "starlette": "web",
    "uvicorn": "web",
    "croniter": "workers",
    "procrastinate": "workers",
    "psycopg_pool": "workers",
}
"""What is imported beyond a plain installation, and the extra that brings it."""

_REQUIREMENT: Final = re.compile(
    r"(?P<what>[^;]+?)\s*;\s*(?:.*\band\s+)?extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"]\s*"
)


class Way(StrEnum):
    """What keeps the environment that the program runs in."""

    PIP = "pip"
    UV = "uv"
    PIPX = "pipx"
    UV_TOOL = "uv tool"
    CLOSED = "closed"
    """No one, or not this account: the system's own Python, or a folder that is read-only."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python: its folders, and whether it is a virtual one."""

    prefix: Path
    python: str
    stdlib: Path
    packages: Path
    is_virtual: bool
    has_pip: bool = True


@dataclass(frozen=True, slots=True)
class Copy:
    """The installation that is running.

    ``source`` is what it can be installed from again (a folder, a wheel, an address, its name in
    an index), "" where nothing is left of that. ``requirements`` are those of each extra.
    """

    way: Way
    python: str
    environment: str
    source: str
    editable: bool
    requirements: dict[str, tuple[str, ...]]
    has_pip: bool = True

    def add_extra(self, name: str) -> str:
        """Returns the command line that adds an extra."""
        plain = self.requirements.get(name, ())
        if self.way is Way.PIPX or (not self.source and plain):
            return self.add_packages(*plain)
        wanted = _with_extra(self.source or NAME, name)
        if self.way is Way.UV_TOOL:
            # It makes the tool again: what it had before is asked for again.
            before = [each for each in self.requirements if each != name and self._has(each)]
            again = _with_extra(self.source or NAME, ",".join([*before, name]))
            return f"uv tool install --force {shlex.quote(again)}"
        flag = "-e " if self.editable and self.way is not Way.CLOSED else ""
        return self._install(f"{flag}{shlex.quote(wanted)}")

    def add_packages(self, *requirements: str) -> str:
        """Returns the command line that adds packages."""
        words = " ".join(map(shlex.quote, requirements))
        if self.way is Way.PIPX:
            return f"pipx inject {shlex.quote(self.environment)} {words}"
        if self.way is Way.UV_TOOL:
            return f"uv pip install --python {shlex.quote(self.python)} {words}"
        if self.way is Way.CLOSED:
            return self._install(f"{shlex.quote(self.source or NAME)} {words}")
        return self._install(words)

    def add_sandbox(self) -> str:
        """Returns the command line that adds the practice server, a distribution of its own."""
        folder = Path(self.source) / _SANDBOX_FOLDER
        address = self.source.partition(" @ ")[2]
        if address.startswith("git+"):
            return self.add_packages(f"{SANDBOX} @ {address}#subdirectory={_SANDBOX_FOLDER}")
        return self.add_packages(str(folder) if folder.is_dir() else SANDBOX)

    def _install(self, words: str) -> str:
        python = shlex.quote(self.python)
        if self.way is Way.CLOSED:
            own = f"~/{NAME}"
            return f"python3 -m venv {own} && {own}/bin/pip install {words}"
        if self.way is Way.UV:
            return f"uv pip install --python {python} {words}"
        if not self.has_pip:
            return f"{python} -m ensurepip && {python} -m pip install {words}"
        return f"{python} -m pip install {words}"

    def _has(self, extra: str) -> bool:
        modules = [module for module, name in MODULES.items() if name == extra]
        return bool(modules) and all(find_spec(module) is not None for module in modules)


def how_to_get(extra: str) -> str:
    """Returns the command line that adds an extra to the copy that is running."""
    return this_copy().add_extra(extra)


def how_to_get_the_sandbox() -> str:
    """Returns the command line that adds the practice server to the copy that is running."""
    return this_copy().add_sandbox()


def how_to_add(*packages: str) -> str:
    """Returns the command line that adds packages to the copy that is running."""
    return this_copy().add_packages(*packages)


def explain_missing(error: ImportError, command: str = "this command") -> str:
    """Returns what is missing and how to get it, "" where no extra brings what was imported."""
    module = (error.name or "").partition(".")[0]
    extra = MODULES.get(module)
    if extra is None:
        return ""
    return (
        f"{command} needs packages that are not installed ({module}); "
        f"install them with: {how_to_get(extra)}"
    )


def this_copy() -> Copy:
    """Looks at the copy that is running."""
    checkout = Path(__file__).resolve().parent.parent
    try:
        found: Distribution | None = distribution(NAME)
    except PackageNotFoundError:
        found = None
    return look_at(this_environment(), found, checkout if _is_checkout(checkout) else None)


def this_environment() -> Environment:
    """Returns the environment of this process."""
    return Environment(
        prefix=Path(sys.prefix),
        python=sys.executable or "python3",
        stdlib=Path(sysconfig.get_path("stdlib")),
        packages=Path(sysconfig.get_path("purelib")),
        is_virtual=sys.prefix != sys.base_prefix,
        has_pip=find_spec("pip") is not None,
    )


def look_at(environment: Environment, found: Distribution | None, checkout: Path | None) -> Copy:
    """Returns the copy with this metadata in an environment.

    ``checkout`` is the folder with the sources, if the program runs from there.
    """
    installer = _line(found, "INSTALLER")
    source, editable = (str(checkout), True) if checkout else (_source(found, installer), False)
    return Copy(
        _way(environment, installer),
        environment.python,
        environment.prefix.name,
        source,
        editable,
        _declared(checkout) if checkout else _required(found),
        environment.has_pip,
    )


def _way(environment: Environment, installer: str) -> Way:
    if (environment.prefix / "pipx_metadata.json").exists():
        return Way.PIPX
    if (environment.prefix / "uv-receipt.toml").exists():
        return Way.UV_TOOL
    managed = (environment.stdlib / "EXTERNALLY-MANAGED").exists()  # PEP 668
    if not os.access(environment.packages, os.W_OK) or (managed and not environment.is_virtual):
        return Way.CLOSED
    return Way.UV if installer == "uv" and not environment.has_pip else Way.PIP


def _is_checkout(folder: Path) -> bool:
    try:
        text = (folder / "pyproject.toml").read_text("utf-8")
        return bool(tomllib.loads(text)["project"]["name"] == NAME)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _line(found: Distribution | None, name: str) -> str:
    return ((found.read_text(name) if found else None) or "").strip()


def _source(found: Distribution | None, installer: str) -> str:
    """Returns what the copy was installed from (PEP 610), "" if that is gone or unknown."""
    try:
        origin = json.loads(_line(found, "direct_url.json") or "{}")
        url = str(origin.get("url", ""))
    except (ValueError, AttributeError):
        return ""
    if not url:  # from an index, unless a system's own packages brought it
        return NAME if installer in ("pip", "uv") else ""
    if "vcs_info" in origin:
        commit = origin["vcs_info"].get("commit_id", "")
        return f"{NAME} @ {origin['vcs_info'].get('vcs', 'git')}+{url}@{commit}"
    parts = urlsplit(url)
    if parts.scheme != "file":
        return f"{NAME} @ {url}"
    path = Path(unquote(parts.path))
    return str(path) if path.is_file() or _is_checkout(path) else ""


def _with_extra(source: str, extra: str) -> str:
    name, separator, rest = source.partition(" @ ")
    return f"{name}[{extra}]{separator}{rest}"


def _required(found: Distribution | None) -> dict[str, tuple[str, ...]]:
    """Returns the requirements of each extra, as the metadata of the copy states them."""
    by_extra: dict[str, tuple[str, ...]] = {}
    for line in (found.requires if found else None) or ():
        match = _REQUIREMENT.fullmatch(line)
        if match and not match["what"].startswith(f"{NAME}["):
            by_extra[match["extra"]] = (*by_extra.get(match["extra"], ()), match["what"])
    return by_extra


def _declared(checkout: Path) -> dict[str, tuple[str, ...]]:
    data: dict[str, Any] = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))
    extras: dict[str, Iterable[str]] = data["project"].get("optional-dependencies", {})
    return {
        name: tuple(each for each in lines if not each.startswith(f"{NAME}["))
        for name, lines in extras.items()
    }
