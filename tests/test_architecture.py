"""Imports point one way, and starting up stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent

# cli, web, workers -> app -> (report, planning, mapping, sources, targets)
# -> (pipeline, people, http) -> sync
LEVELS: Final = {
    "sync": 0,
    "taiga_pipeline.pipeline": 1,
    "taiga_pipeline.people": 1,
    "taiga_pipeline.http": 1,
    "taiga_pipeline.odoo": 1,
    "taiga_pipeline.mapping": 2,
    "taiga_pipeline.planning": 2,
    "taiga_pipeline.notify": 2,
    "taiga_pipeline.portfolio": 2,
    "taiga_pipeline.sources": 2,
    "taiga_pipeline.targets": 2,
    "taiga_pipeline.report": 2,
    "taiga_pipeline.adapter_settings": 3,
    "taiga_pipeline.config": 3,
    "taiga_pipeline.field_settings": 3,
    "taiga_pipeline.calendar_settings": 3,
    "taiga_pipeline.notify_settings": 3,
    "taiga_pipeline.planning_settings": 3,
    "taiga_pipeline.setting_values": 3,
    "taiga_pipeline.intake_settings": 3,
    "taiga_pipeline.web_settings": 3,
    "taiga_pipeline.app": 4,
    "taiga_pipeline.workers": 5,
    "taiga_pipeline.api": 5,
    "taiga_pipeline.web": 5,
    "taiga_pipeline.api_reference": 6,
    "taiga_pipeline.cli": 6,
    "taiga_pipeline.__main__": 7,
}
SHARED: Final = {
    "taiga_pipeline",
    "taiga_pipeline.adapters",
    "taiga_pipeline.credentials",
    "taiga_pipeline.days",
    "taiga_pipeline.files",
    "taiga_pipeline.hints",
    "taiga_pipeline.installing",
    "taiga_pipeline.language",
    "taiga_pipeline.config_problems",
    "taiga_pipeline.look_alikes",
    "taiga_pipeline.problems",
    "taiga_pipeline.records",
    "taiga_pipeline.toml_places",
    "taiga_pipeline.validation_words",
}
"""Small modules that everyone above the engine may use, and that use only each other."""
SANDBOX: Final = "taiga_pipeline.sandbox"
HEAVY_MODULES: Final = (
    *("sqlalchemy", "requests", "pydantic", "http.server", "tomlkit", "procrastinate", "rich"),
)


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("sync", "taiga_pipeline"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@dataclass(frozen=True, slots=True)
class Source:
    """What the file of a module says."""

    imports: frozenset[str]
    """The modules that it imports anywhere, also within functions."""
    at_run_time: frozenset[str]
    """Of our modules, those that it imports when it runs, also within functions."""
    attributes: frozenset[str]
    """The names that it asks objects for."""
    texts: frozenset[str]
    """The texts that are not documentation."""


def read_source(path: Path) -> Source:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    assert all(node.module and not node.level for node in froms), f"{path}: relative import"
    for_types = {
        id(node)
        for test in nodes
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for node in ast.walk(test)
    }
    documentation = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    constants = [node for node in nodes if isinstance(node, ast.Constant)]
    return Source(
        imports=frozenset(
            [f"{node.module}.{alias.name}" for node in froms for alias in node.names]
            + [a.name for node in nodes if isinstance(node, ast.Import) for a in node.names]
        ),
        at_run_time=frozenset(
            whole if (whole := f"{node.module}.{alias.name}") in MODULES else str(node.module)
            for node in froms
            if id(node) not in for_types
            for alias in node.names
        ),
        attributes=frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute)),
        texts=frozenset(
            node.value
            for node in constants
            if isinstance(node.value, str) and id(node) not in documentation
        ),
    )


@cache
def sources() -> Mapping[str, Source]:
    """Returns what each module says. Each file is read once, and by the tests: to collect them
    must not take seconds."""
    return {module: read_source(path) for module, path in MODULES.items()}


def part(module: str) -> str:
    """Returns the part of the architecture that a module belongs to."""
    if module == "sync" or module.startswith("sync."):
        return "sync"
    return ".".join(module.split(".")[:2])


MODULES: Final = dict(modules())


def ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in ("sync", "taiga_pipeline")


def may_import(place: str, imported: str) -> bool:
    """Tells whether the part ``place`` may import ``imported``."""
    other = "taiga_pipeline" if imported == "taiga_pipeline.__version__" else part(imported)
    if other in (place, "taiga_pipeline"):
        return True
    if SANDBOX in (place, other):
        return place in ("taiga_pipeline.cli", "taiga_pipeline.app")
    if other in SHARED:
        return place != "sync"
    return LEVELS[other] <= LEVELS.get(place, 0)


def wrong_imports(place: str, is_wrong: Callable[[str, str], bool]) -> list[str]:
    """Returns ``module: import`` for the imports of a part ("": of all) that ``is_wrong`` names.

    It is called with the module and what it imports.
    """
    return [
        f"{module}: {name}"
        for module, source in sources().items()
        if not place or part(module) == place
        for name in sorted(source.imports)
        if is_wrong(module, name)
    ]


def test_no_import_points_up() -> None:
    def points_up(module: str, name: str) -> bool:
        return ours(name) and not may_import(part(module), name)

    assert wrong_imports("", points_up) == []


@pytest.mark.parametrize(
    ("place", "others"), [("sync", {"sqlalchemy", "sync"}), (SANDBOX, {"jinja2", "taiga_pipeline"})]
)
def test_the_engine_and_the_sandbox_need_little_but_the_standard_library(
    place: str, others: set[str]
) -> None:
    allowed = sys.stdlib_module_names | others
    assert wrong_imports(place, lambda _, name: name.split(".")[0] not in allowed) == []


def test_only_use_cases_and_surfaces_know_the_configuration() -> None:
    def knows(module: str, name: str) -> bool:
        is_below = LEVELS.get(part(module), 0) < LEVELS["taiga_pipeline.config"]
        return is_below and name.startswith("taiga_pipeline.config")

    assert wrong_imports("", knows) == []


def test_click_stays_in_the_command_line() -> None:
    def clicks(module: str, name: str) -> bool:
        is_surface = part(module) in ("taiga_pipeline.cli", "taiga_pipeline.__main__")
        return not is_surface and name.split(".", maxsplit=1)[0] == "click"

    assert wrong_imports("", clicks) == []


def test_starlette_stays_in_the_pages() -> None:
    def serves(module: str, name: str) -> bool:
        served = name.split(".", maxsplit=1)[0] in ("starlette", "uvicorn", "multipart")
        return part(module) != "taiga_pipeline.web" and served

    assert wrong_imports("", serves) == []


DOORS: Final = (
    *("sync.database", "sync.run", "sync.source", "sync.target", "sync.plan.pipeline_planner"),
    *("sync.state.store", "taiga_pipeline.pipeline.store", "taiga_pipeline.people.store"),
    *("taiga_pipeline.pipeline.schema", "taiga_pipeline.sources", "taiga_pipeline.targets"),
    *("taiga_pipeline.http", "taiga_pipeline.app.engine", "taiga_pipeline.app.store_access"),
    *("taiga_pipeline.app.state_access", "taiga_pipeline.app.sync.locked_state"),
)
"""What opens stores, the engine, sources and targets: use cases do, surfaces do not."""
OPENERS: Final = {"open_deal_store", "open_people_store", "make_deal_source", "load_mappings"}
"""The same as methods of a workspace."""
OPENED_BY_COMMANDS: Final = {
    ("cli.fleet.worker_child", "sync.run.log_context"),  # the log is the surface's
    ("cli.log", "sync.run.log_context"),
    ("cli.sync.store_copy", "sync.database.engine"),  # is there a password in an option's URL
    ("cli.setup.schedule", "taiga_pipeline.sources.registry"),  # what an adapter is called
}


def test_commands_call_use_cases_and_open_nothing_themselves() -> None:
    opened = {
        (module.removeprefix("taiga_pipeline."), name)
        for module, source in sources().items()
        if part(module) in ("taiga_pipeline.cli", "taiga_pipeline.web")
        for name in source.at_run_time | source.attributes
        if name in OPENERS or f"{name}.".startswith(tuple(f"{door}." for door in DOORS))
    }
    assert sorted(opened - OPENED_BY_COMMANDS) == []
    assert sorted(OPENED_BY_COMMANDS - opened) == []


def test_no_folder_is_too_full_to_look_through() -> None:
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in MODULES.values())
    assert {folder: count for folder, count in counts.items() if count > 25} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    needs = {module: source.at_run_time - {module} for module, source in sources().items()}
    while free := {module for module, names in needs.items() if not names & needs.keys()}:
        for module in free:
            del needs[module]
    assert sorted(needs) == []


def test_every_part_has_a_place_in_the_architecture() -> None:
    parts = {part(module) for module in MODULES}
    assert parts - SHARED - {SANDBOX} <= set(LEVELS)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["no-such-command"]])
def test_starting_up_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from taiga_pipeline.cli.main import cli\n"
        f"cli({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY_MODULES!r} if name in sys.modules])"
    )
    result = subprocess.run(  # the interpreter that runs the tests
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_the_tables_of_stores_load_no_databases_dialect() -> None:
    code = (
        "import sys\n"
        "import sync.state.schema, taiga_pipeline.pipeline.schema\n"
        "print([name for name in sys.modules if name.startswith('sqlalchemy.dialects.p')])"
    )
    result = subprocess.run(  # the interpreter that runs the tests
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert result.stdout == "[]\n"


def test_files_stay_readable() -> None:
    lines = {
        module: len(path.read_text(encoding="utf-8").splitlines())
        for module, path in MODULES.items()
    }
    assert {module: count for module, count in lines.items() if count >= 600} == {}


PUBLISHED: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "entry-points"
]
KINDS: Final = {
    kind: [
        PUBLISHED[group][kind].partition(":")[0]
        for group in ("taiga_pipeline.sources", "taiga_pipeline.targets")
        if kind in PUBLISHED[group]
    ]
    for kind in {**PUBLISHED["taiga_pipeline.sources"], **PUBLISHED["taiga_pipeline.targets"]}
}
"""Kinds of adapters, and where each stands."""
MAY_NAME_KINDS: Final = {
    ("taiga_pipeline.adapter_settings", "store"): "what a configuration means that names no source",
    ("taiga_pipeline.adapter_settings", "taiga"): "what a configuration means that names no target",
    ("taiga_pipeline.cli.setup.init", "taiga"): "--taiga-url, the older way to name an address",
    ("taiga_pipeline.odoo.addresses", "odoo"): "where Odoo's own pages are, below its address",
    ("taiga_pipeline.app.sample", "sql"): "a skill of people in the sample, not a source",
    ("taiga_pipeline.cli.main", "store"): "the name of a command",
    ("taiga_pipeline.app.checking", "store"): "the name of a check, of the store's own file",
    ("taiga_pipeline.pipeline.importing.base", "store"): "a side of a clash: what the store has",
    ("taiga_pipeline.pipeline.importing.options", "store"): "the side that wins a clash",
    ("taiga_pipeline.app.store_copy", "store"): "the value of an option: what is copied",
}
"""Modules and the names of kinds in them that mean something else, and what."""


def named_kinds() -> set[tuple[str, str]]:
    """Returns modules and the kinds of adapters that they name, other than their own."""
    return {
        (module, text)
        for module, source in sources().items()
        if part(module) != SANDBOX
        for text in source.texts
        if text in KINDS and not any(f"{module}.".startswith(f"{place}.") for place in KINDS[text])
    }


def test_nothing_asks_for_an_adapter_by_its_name() -> None:
    assert sorted(named_kinds() - MAY_NAME_KINDS.keys()) == []


def test_nothing_is_allowed_to_name_a_kind_that_does_not() -> None:
    assert sorted(MAY_NAME_KINDS.keys() - named_kinds()) == []
