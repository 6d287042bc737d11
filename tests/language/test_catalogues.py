"""Every text for people has a translation, and no text for people is left out of the catalogues."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Final

import pytest
from babel.messages import Catalog
from click.testing import CliRunner

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.language import ENGLISH, LANGUAGES
from taiga_pipeline.language.catalogue import catalogue
from tests.language.catalogues import compiled, missing, read, updated
from tests.language.sentences import ROOT, surface_modules, wrapped

OTHERS: Final = [language for language in LANGUAGES if language != ENGLISH]
PLACE: Final = re.compile(r"(?<!{){([a-z_][a-z_0-9]*)")
PRINTING: Final = ("echo", "confirm", "report_notice", "report_error", "UsageError")
NOT_WORDS: Final = re.compile(r"[^A-Za-z]*\b(pipeline-sync|\$ )")


@cache
def _current(language: str) -> Catalog:
    """The catalogue as the source asks for it; to find all texts takes seconds."""
    return updated(language)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_for_people_is_translated(language: str) -> None:
    lacking = [str(each.id) for each in missing(_current(language))]
    assert not lacking, "run 'make language', and translate these"


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_holds_no_text_that_is_gone(language: str) -> None:
    current = {(each.context, str(each.id)) for each in _current(language)}
    gone = [each.id for each in read(language) if (each.context, str(each.id)) not in current]
    assert not gone, "run 'make language'"


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_compiled_as_it_is_written(language: str, tmp_path: Path) -> None:
    path = tmp_path / "fresh.mo"
    path.write_bytes(compiled(read(language)))
    with path.open("rb") as file:
        fresh = GNUTranslations(file)
    assert vars(fresh)["_catalog"] == vars(catalogue(language))["_catalog"], "run 'make language'"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_places_of_the_english_text(language: str) -> None:
    wrong = [
        f"{english!r} -> {other!r}"
        for english, other in _pairs(language)
        if set(PLACE.findall(other)) != set(PLACE.findall(english))
    ]
    assert not wrong


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_begins_and_ends_as_the_english_text_does(language: str) -> None:
    wrong = [
        f"{english!r} -> {other!r}"
        for english, other in _pairs(language)
        if _edges(english) != _edges(other)
    ]
    assert not wrong


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _pairs(language: str) -> Iterator[tuple[str, str]]:
    for each in read(language):
        if not each.id or "click" in each.auto_comments:
            continue
        ids = [each.id] if isinstance(each.id, str) else list(each.id)
        texts = [each.string] if isinstance(each.string, str) else list(each.string)
        yield from zip(ids, texts, strict=True)


def test_what_the_surface_prints_is_written_in_the_readers_language() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in surface_modules()
        if path.name != "reference.py"  # the page is English
        for line, text in _bare(path)
    ]
    assert not bare, "wrap these: _('...')"


def _bare(path: Path) -> Iterator[tuple[int, str]]:
    """Yields the lines and texts that a module prints as they stand in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
        first = node.args[0] if node.args else None
        if name not in PRINTING or first is None:
            continue
        parts = first.values if isinstance(first, ast.JoinedStr) else [first]
        texts = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
        words = " ".join(texts)
        if re.search(r"[A-Za-z]{3}", words) and not NOT_WORDS.match(words):
            yield node.lineno, words


def test_a_module_that_writes_with_underscore_keeps_it_for_that() -> None:
    clashes = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "taiga_pipeline").rglob("*.py")
        if "import text as _\n" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Name) and node.id == "_" and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.arg) and node.arg == "_")
    ]
    assert not clashes


def test_texts_are_found_in_the_source() -> None:
    texts = {each.message for path in surface_modules() for each in wrapped(path)}
    assert {"no deals", "{number:,} deal", "Waits for"} <= texts


# --- the command line


def run(*arguments: str, **environment: str) -> str:
    context = CommandContext(environment=environment)
    return CliRunner().invoke(cli, arguments, obj=context, prog_name="pipeline-sync").output


def test_help_is_in_the_language_of_the_environment() -> None:
    help_text = run("deals", "list", "--help", LANG="sv_SE.UTF-8")
    assert "Användning: pipeline-sync deals list" in help_text
    assert "Bara det här steget; kan upprepas." in help_text
    assert "Usage" not in help_text and "Only" not in help_text


def test_an_error_is_in_the_language_of_the_environment() -> None:
    assert "Det finns inget kommando 'delas'. Menade du 'deals'?" in run("delas", LANG="sv_SE")
    assert "Det finns inget alternativ '--x'" in run("deals", "list", "--x", LANGUAGE="sv")


@pytest.mark.parametrize("language", ["", "C.UTF-8", "de_DE.UTF-8", "../../etc/passwd", "xx"])
def test_a_language_that_there_is_not_is_english(language: str) -> None:
    assert run("deals", "--help", LANG=language).startswith("Usage: pipeline-sync deals")


def test_the_language_of_one_call_does_not_outlive_it() -> None:
    run("--help", LANG="sv_SE.UTF-8")
    assert run("--help").startswith("Usage:")


def test_the_configuration_decides_where_the_environment_asks_for_none(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('pipeline = "acme"\nlanguage = "sv"\n[target]\nkind = "taiga"\n')
    listing = ("--config", str(config), "deals", "--help")
    assert run(*listing, LANG="C.UTF-8").startswith("Användning:")
    assert run(*listing, LANG="en_US.UTF-8").startswith("Usage:")


def test_an_import_says_how_it_read_a_file_in_the_readers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("init", ".", "--taiga-url", "http://localhost", "--username", "x")
    rows = ('A,a,Lead,"1.234",46000', 'B,b,Lead,"2.500",46001')
    Path("a.csv").write_text("\n".join(("Key,Name,Stage,Value,Close date", *rows)))
    said = run("deals", "import", "a.csv", "--dry-run", LANGUAGE="sv")
    assert "CSV med ',' mellan celler, rubriker på rad 1: 2 rader" in said
    assert "obs: Value: '1.234' läses som mer än tusen" in said
    assert "obs: Close date: alla 2 celler innehåller serienummer från ett kalkylblad" in said
    assert "obs: 2 affärer utan kund" in said


def test_an_unknown_language_in_the_configuration_is_a_problem_with_a_place(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('pipeline = "acme"\nlanguage = "svenska"\n')
    said = run("--config", str(config), "deals", "list")
    assert f"{config}:2:1: language: unknown language 'svenska'; known are en, sv" in said


def test_what_programs_read_is_english(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('pipeline = "acme"\nlanguage = "svenska"\n')
    said = run("--config", str(config), "deals", "list", "--json", LANG="sv_SE.UTF-8")
    assert "unknown language" in said and "okänt" not in said
