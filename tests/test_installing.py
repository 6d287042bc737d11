"""The command that adds packages is one that works for the copy that is running."""

from __future__ import annotations

import ast
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from typing import Final

import pytest

from taiga_pipeline.installing import (
    MODULES,
    Copy,
    Environment,
    explain_missing,
    look_at,
    this_copy,
)

ROOT: Final = Path(__file__).parents[1]
OURS: Final = {"sync", "taiga_pipeline", "pydantic_core", "typing_extensions"}
"""Our own, and what the usual packages bring."""
METADATA: Final = """\
Metadata-Version: 2.4
Name: pipeline-sync
Version: 1
Requires-Dist: click<9,>=8.1
Provides-Extra: planning
Requires-Dist: numpy<3,>=1.26; extra == "planning"
Requires-Dist: tomlkit<1,>=0.12; python_version >= "3.11" and extra == "planning"
Provides-Extra: workers
Requires-Dist: psycopg[binary]<4,>=3.1; extra == "workers"
Provides-Extra: all
Requires-Dist: pipeline-sync[planning,workers]; extra == "all"
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A virtual environment."""
    prefix, stdlib, packages = (tmp_path / name for name in ("pipeline-sync", "lib", "packages"))
    for folder in (prefix, stdlib, packages):
        folder.mkdir()
    return Environment(prefix, str(prefix / "bin" / "python"), stdlib, packages, is_virtual=True)


def installed(where: Path, origin: object = None, installer: str = "pip") -> Distribution:
    """Returns the metadata that an installer leaves."""
    folder = where / "pipeline_sync-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA)
    (folder / "INSTALLER").write_text(f"{installer}\n")
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    return PathDistribution(folder)


def checkout_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    return folder


def words(copy: Copy, extra: str = "planning") -> list[str]:
    return shlex.split(copy.add_extra(extra))


def test_what_a_folder_was_installed_from_is_installed_again(
    environment: Environment, tmp_path: Path
) -> None:
    source = checkout_in(tmp_path / "our sources")
    found = installed(tmp_path, {"url": source.as_uri(), "dir_info": {}})
    copy = look_at(environment, found, None)
    assert words(copy) == [
        environment.python, "-m", "pip", "install", f"{source}[planning]"
    ]  # fmt: skip


def test_a_checkout_stays_one_that_is_edited(environment: Environment, tmp_path: Path) -> None:
    source = checkout_in(tmp_path / "checkout")
    for found in (None, installed(tmp_path, {"url": source.as_uri()})):
        copy = look_at(environment, found, source)
        assert words(copy)[-2:] == ["-e", f"{source}[planning]"]


def test_a_wheel_is_named_while_it_is_there_and_its_packages_when_it_is_gone(
    environment: Environment, tmp_path: Path
) -> None:
    wheel = tmp_path / "pipeline_sync-1-py3-none-any.whl"
    wheel.touch()
    found = installed(tmp_path, {"url": wheel.as_uri(), "archive_info": {}})
    assert words(look_at(environment, found, None))[-1] == f"{wheel}[planning]"
    wheel.unlink()
    assert words(look_at(environment, found, None))[-2:] == ["numpy<3,>=1.26", "tomlkit<1,>=0.12"]
    assert words(look_at(environment, found, None), "workers")[-1] == "psycopg[binary]<4,>=3.1"


def test_a_copy_from_an_index_or_a_repository_is_asked_for_where_it_came_from(
    environment: Environment, tmp_path: Path
) -> None:
    found = installed(tmp_path)
    assert words(look_at(environment, found, None))[-1] == "pipeline-sync[planning]"
    url = "https://git.example.com/pipeline-sync"
    origin = {"url": url, "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}
    (tmp_path / "pipeline_sync-1.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    assert words(look_at(environment, found, None))[-1] == (
        f"pipeline-sync[planning] @ git+{url}@c0ffee"
    )


def test_a_systems_own_package_is_not_looked_for_in_an_index(
    environment: Environment, tmp_path: Path
) -> None:
    found = installed(tmp_path, installer="debian")
    assert words(look_at(environment, found, None))[-2] == "numpy<3,>=1.26"


def test_pipx_injects(environment: Environment, tmp_path: Path) -> None:
    (environment.prefix / "pipx_metadata.json").touch()
    copy = look_at(environment, installed(tmp_path), None)
    assert words(copy) == [
        "pipx", "inject", "pipeline-sync", "numpy<3,>=1.26", "tomlkit<1,>=0.12"
    ]  # fmt: skip
    assert shlex.split(copy.add_packages("pymysql"))[-2:] == ["pipeline-sync", "pymysql"]


def test_a_tool_of_uvs_keeps_the_extras_that_it_has(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (environment.prefix / "uv-receipt.toml").touch()
    copy = look_at(environment, installed(tmp_path, installer="uv"), None)
    monkeypatch.setattr("taiga_pipeline.installing.find_spec", lambda name: None)
    assert words(copy) == ["uv", "tool", "install", "--force", "pipeline-sync[planning]"]
    monkeypatch.setattr("taiga_pipeline.installing.find_spec", lambda name: name)
    assert words(copy)[-1] == "pipeline-sync[workers,planning]"


def test_an_environment_of_uvs_has_no_pip(environment: Environment, tmp_path: Path) -> None:
    bare = Environment(
        environment.prefix, "/env/bin/python", environment.stdlib, environment.packages,
        is_virtual=True, has_pip=False,
    )  # fmt: skip
    copy = look_at(bare, installed(tmp_path, installer="uv"), None)
    assert words(copy)[:5] == ["uv", "pip", "install", "--python", "/env/bin/python"]
    (tmp_path / "pipeline_sync-1.dist-info" / "INSTALLER").write_text("pip")
    assert "-m ensurepip && " in look_at(bare, PathDistribution(
        tmp_path / "pipeline_sync-1.dist-info"
    ), None).add_extra("planning")  # fmt: skip


@pytest.mark.parametrize("why", ["externally managed", "read-only"])
def test_where_nothing_may_be_installed_an_environment_of_ones_own_is_made(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "read-only":
        monkeypatch.setattr("taiga_pipeline.installing.os.access", lambda *_: False)
    else:
        (environment.stdlib / "EXTERNALLY-MANAGED").touch()
    system = Environment(
        environment.prefix, "/usr/bin/python3", environment.stdlib, environment.packages,
        is_virtual=False,
    )  # fmt: skip
    command = look_at(system, installed(tmp_path), None).add_extra("planning")
    assert command == (
        "python3 -m venv ~/pipeline-sync && "
        "~/pipeline-sync/bin/pip install 'pipeline-sync[planning]'"
    )


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_the_practice_server_comes_from_where_the_program_came_from(
    environment: Environment, tmp_path: Path
) -> None:
    source = checkout_in(tmp_path / "our sources")
    (source / "taiga_pipeline" / "sandbox").mkdir(parents=True)
    found = installed(tmp_path, {"url": source.as_uri(), "dir_info": {}})
    how = look_at(environment, found, None).add_sandbox()
    assert shlex.split(how)[-2:] == ["install", f"{source}/taiga_pipeline/sandbox"]
    origin = {"url": "https://git.example.com/x", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}
    (tmp_path / "pipeline_sync-1.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    assert shlex.split(look_at(environment, found, None).add_sandbox())[-1] == (
        "pipeline-sync-sandbox @ "
        "git+https://git.example.com/x@c0ffee#subdirectory=taiga_pipeline/sandbox"
    )
    (tmp_path / "pipeline_sync-1.dist-info" / "direct_url.json").unlink()
    (environment.prefix / "pipx_metadata.json").touch()
    how = look_at(environment, found, None).add_sandbox()
    assert how == "pipx inject pipeline-sync pipeline-sync-sandbox"


def test_every_package_of_an_extra_that_is_imported_is_known() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert set(MODULES.values()) == set(extras) - {"all", "demo", "dev", "docs"}
    usual = {
        re.split(r"[^\w-]", line)[0].lower().replace("-", "_") for line in project["dependencies"]
    }
    imported = {
        name
        for folder in ("sync", "taiga_pipeline")
        for path in (ROOT / folder).rglob("*.py")
        for name in imports(ast.parse(path.read_text()))
    }
    strangers = {
        name
        for name in imported
        if name.lower() not in usual | OURS and name not in sys.stdlib_module_names
    }
    assert strangers <= set(MODULES)


def test_what_no_extra_brings_is_a_fault_of_the_program() -> None:
    assert explain_missing(ImportError("x", name="taiga_pipeline.nowhere")) == ""
    assert "[planning]" in explain_missing(ImportError("x", name="numpy.linalg"))


def test_this_very_copy_runs_from_its_checkout() -> None:
    assert this_copy().editable
    assert this_copy().source == str(ROOT)
