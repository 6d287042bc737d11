"""The docs say what is so: commands exist, samples load, the reference is the help."""

from __future__ import annotations

import contextlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from itertools import chain, takewhile
from pathlib import Path
from typing import Final

import click
import pytest
from click.testing import CliRunner

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.main import cli
from taiga_pipeline.cli.reference import lines
from taiga_pipeline.config import parse
from taiga_pipeline.mapping import reference
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.pipeline.fields import reference as fields_reference
from taiga_pipeline.sandbox.embedded import Sandbox

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OF_OURS: Final = [ROOT / "CONTRIBUTING.md", ROOT / "Makefile"]
NAMED: Final = re.compile(
    r"(?<![\w/.-])(?:tests|bench|sync|taiga_pipeline)/[\w/]*\w(?:\.\w+)?(?!\w|\*)"
)
"""A file or folder of the repository."""
FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> Iterator[str]:
    """Yields the fenced blocks of a page that are in a language."""
    for match in FENCE.finditer(page.read_text(encoding="utf-8")):
        if match[1] == language:
            yield match[2]


def commands(page: Path) -> Iterator[list[str]]:
    """Yields the command lines of our program that a page tells people to type."""
    for block in blocks(page, "console"):
        joined = block.replace("\\\n", " ")
        for line in joined.splitlines():
            if line.startswith("$ pipeline-sync "):
                words = shlex.split(line.removeprefix("$ pipeline-sync "), comments=True)
                yield list(takewhile(lambda word: word not in {"|", ">"}, words))


def find(words: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """Returns the command that ``words`` begin with, and the words that are left for it."""
    command: click.Command = cli
    context = click.Context(cli, info_name="pipeline-sync")
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no command {words[0]!r}"
        context = click.Context(found, info_name=words[0], parent=context)
        command, words = found, words[1:]
    return command, context, words


ALL_COMMANDS: Final = [(page, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(
    ("page", "words"), ALL_COMMANDS, ids=[f"{p.name}: {' '.join(w)}" for p, w in ALL_COMMANDS]
)
def test_every_command_in_the_docs_can_be_typed(page: Path, words: list[str]) -> None:
    command, context, rest = find(words)
    existing = {option for parameter in command.params for option in parameter.opts}
    typed = {word.split("=")[0] for word in rest if word.startswith("--")}
    assert typed <= existing, page
    command.make_parser(context).parse_args(list(rest))


def test_the_reference_is_the_programs_own_help() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    hint = "out of date: python -m taiga_pipeline.cli.reference > docs/cli.md"
    assert page == "\n".join(lines()) + "\n", hint


def test_the_page_about_mappings_is_the_models_own() -> None:
    page = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    hint = "out of date: python -m taiga_pipeline.mapping.reference > docs/mapping.md"
    assert page == "\n".join(reference.lines()) + "\n", hint


def test_the_page_about_fields_is_made_from_the_table() -> None:
    page = (ROOT / "docs" / "fields.md").read_text(encoding="utf-8")
    hint = "out of date: python -m taiga_pipeline.pipeline.fields.reference > docs/fields.md"
    assert page == "\n".join(fields_reference.lines()) + "\n", hint


def test_every_sample_of_a_mapping_loads() -> None:
    samples = list(blocks(ROOT / "docs" / "mapping.md", "toml"))
    assert len(samples) > 2
    for number, text in enumerate(samples):
        assert parse_mapping(text, f"sample{number}.toml")


def test_the_sample_of_our_csv_format_comes_in_whole(tmp_path: Path) -> None:
    sample, _ = blocks(ROOT / "docs" / "csv.md", "csv")
    (tmp_path / "deals.csv").write_text(sample, encoding="utf-8")
    with contextlib.chdir(tmp_path):
        assert cli.main(["init"], standalone_mode=False, obj=CommandContext()) in (None, 0)
        command = ["deals", "import", "deals.csv", "--json"]
        assert cli.main(command, standalone_mode=False, obj=CommandContext()) in (None, 0)
        deals = CommandContext().open_deal_store()
        found = {deal.key: deal for deal in deals.deals()}
        deals.close()
    assert set(found) == {"D-1", "D-2"}
    assert [role.role for role in found["D-1"].roles] == ["Back", "Design"]


def test_the_sample_of_another_file_is_read_and_reported_as_the_page_says(tmp_path: Path) -> None:
    page = ROOT / "docs" / "csv.md"
    _, sample = blocks(page, "csv")
    (block,) = (text for text in blocks(page, "console") if "angebote.csv" in text)
    (tmp_path / "angebote.csv").write_text(sample, encoding="utf-8")
    with contextlib.chdir(tmp_path):
        assert cli.main(["init"], standalone_mode=False, obj=CommandContext()) in (None, 0)
        result = CliRunner().invoke(cli, ["deals", "import", "angebote.csv"], obj=CommandContext())
    for line in block.splitlines()[1:]:
        assert line in result.output, (line, result.output)


def test_the_readme_lists_the_exit_codes() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert listed == set(ExitCode) - {ExitCode.INTERRUPTED}


def test_every_sample_of_a_configuration_loads() -> None:
    samples = list(blocks(ROOT / "docs" / "config.md", "toml"))
    assert samples
    whole = [text for text in samples if text.startswith("pipeline =")]
    assert whole
    for text in whole:
        parse(text, Path("config.toml"))
    for text in samples:
        if text not in whole:
            parse(f"{_with_target(text)}\n{text}", Path("config.toml"))


def _with_target(text: str) -> str:
    """Returns what a sample of one section needs above it."""
    target = '[target]\nurl = "https://taiga.example.com"\ntoken_env = "TAIGA_TOKEN"\n'
    return 'pipeline = "acme"\n' + ("" if "[target]" in text else target)


def test_the_tour_in_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Your own deals")[1]
    (block,) = FENCE.findall(section.split("## ")[0])
    monkeypatch.chdir(tmp_path)
    with Sandbox() as taiga:
        for line in block[1].splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[0] == "cd":
                monkeypatch.chdir(tmp_path / words[1])
            elif words[0] == "pipeline-sync":
                typed = [word.replace("https://taiga.example.com", taiga.url) for word in words[1:]]
                context = CommandContext(environment={"TAIGA_PASSWORD": taiga.password})
                assert cli.main(typed, standalone_mode=False, obj=context) == 0, line
        names = [project["name"] for project in taiga.as_user("admin").get("/projects")]
    assert names == ["(tentative) Acme: New portal"]


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").casefold()
    every = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    packages = {re.split(r"[^\w-]", requirement)[0].casefold() for requirement in every}
    assert {name for name in packages - {"pipeline-sync"} if name not in named} == set()


def test_every_page_of_the_docs_can_be_found_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    linked = set(re.findall(r"\(docs/([\w.-]+\.md)\)", text))
    assert linked <= pages
    assert pages - linked == set()


def test_every_file_of_ours_that_the_docs_name_is_there() -> None:
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES + OF_OURS}
    named = ((page, name) for page, text in texts.items() for name in NAMED.findall(text))
    lacking = [f"{page.name}: {name}" for page, name in named if not (ROOT / name).exists()]
    assert not lacking, "\n".join(lacking)
