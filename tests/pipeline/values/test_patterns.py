"""Regular expressions that are compiled when they are first used."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import taiga_pipeline.pipeline
from taiga_pipeline.pipeline.values.patterns import _Pattern, pattern


def test_a_pattern_is_compiled_when_it_is_first_used_and_not_again(monkeypatch) -> None:
    compiled: list[str] = []
    compile_ = re.compile
    monkeypatch.setattr(re, "compile", lambda *given: compiled.append(given[0]) or compile_(*given))

    number = pattern(r"no (?P<number>[0-9]+)", re.I)
    assert compiled == []

    found = number.fullmatch("No 7")
    assert found is not None and found["number"] == "7"
    assert number.fullmatch("7") is None
    assert compiled == [r"no (?P<number>[0-9]+)"]


def test_an_invalid_pattern_is_an_error_at_its_first_use() -> None:
    with pytest.raises(re.error):
        pattern("(").match("")


def test_all_patterns_of_values_are_valid() -> None:
    found = [
        value
        for module in pkgutil.walk_packages(
            taiga_pipeline.pipeline.__path__, "taiga_pipeline.pipeline."
        )
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, _Pattern)
    ]
    assert len(found) > 40
    assert all(isinstance(each.groups, int) for each in found)
