"""What a Python program may import, and the page that says so."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
import typing
from pathlib import Path

import pytest

import sync.source
import sync.target
import taiga_pipeline.sources.port
from taiga_pipeline import api
from taiga_pipeline.api_reference import PRINTS, lines
from tests.cli.conftest import Run

PAGE = Path(__file__).parent.parent.parent / "docs" / "python-api.md"


def test_the_page_is_made_from_the_program() -> None:
    hint = "out of date: python -m taiga_pipeline.api_reference > docs/python-api.md"
    assert PAGE.read_text(encoding="utf-8") == "\n".join(lines()) + "\n", hint


def test_every_name_is_documented_and_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in api.__all__:
        assert (inspect.getdoc(getattr(api, name)) or "").strip(), name
        assert re.search(rf"^\| `{name}[`(]", page, re.MULTILINE), name


def test_the_example_on_the_page_prints_what_the_page_says(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("init").exit_code == 0
    example = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example[1], str(PAGE), "exec"), {})
    assert printed.getvalue() == PRINTS


@pytest.mark.parametrize("name", [n for n in api.__all__ if inspect.isfunction(getattr(api, n))])
def test_every_function_is_typed_and_prints_nothing_by_itself(name: str) -> None:
    function = getattr(api, name)
    given = inspect.signature(function)
    assert given.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not p.empty for p in given.parameters.values())
    tree = ast.parse(inspect.getsource(inspect.getmodule(function) or function))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"print", "input", "exit", "sys.exit"}


@pytest.mark.parametrize(
    "name",
    [n for n in api.__all__ if inspect.isclass(getattr(api, n)) and n[0] != "_"],
)
def test_results_are_frozen(name: str) -> None:
    kind = getattr(api, name)
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is not None and kind is not api.Workspace:
        assert parameters.frozen, name


@pytest.mark.parametrize("module", [sync.source, sync.target, taiga_pipeline.sources.port])
def test_what_adapters_use_is_named(module: typing.Any) -> None:
    defined = {
        name
        for name, thing in vars(module).items()
        if getattr(thing, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    assert defined <= set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
