"""Packages of other people, as an installation leaves them: their code, and what they publish."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path


def install(package: Path, site: Path) -> Path:
    """Copies the package that has its ``pyproject.toml`` in a folder into ``site``; returns it."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = project["name"].replace("-", "_")
    shutil.copytree(package / name, site / name)
    info = site / f"{name}-{project['version']}.dist-info"
    info.mkdir()
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(about, encoding="utf-8")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return site
