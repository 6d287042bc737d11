"""Messages and pages are in plain present-day English, and the glossary has the terms they use."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.plan.model import IssueKind

ROOT = Path(__file__).parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"

UNPLAIN = re.compile(
    r"(?<!\")\b(?:nobody|somebody|everybody|anybody|nought|anew|shall|lest|for ever|mend(?:s|ed)?"
    r"|put away|puts away|let go of|is no setting|that is none of them|is told|are told"
    r"|makes no sense|have it made)\b",
    re.IGNORECASE,
)
"""Words that a second-language reader stumbles over, with plain ones at hand: "unknown setting",
"skipped", "retired", "reported", "fixed", "again"."""

TERMS = (
    *("P80", "exposure", "weighted", "confirmed", "allocation", "common shock", "month effect"),
    *("lease", "mark, marker", "quarantine", "binding", "base", "journal", "intent, receipt"),
    *("drift", "conflict", "claim", "group", "root", "backoff", "checkpoint", "change token"),
    *("crash point", "composite field", "engaged_on", "deal value", "deadline", "orphan", "sync"),
)
"""Terms that messages, JSON and pages take for granted."""


def messages() -> Iterator[tuple[str, str]]:
    """Yields the texts of the program that are not documentation of its code, with their places.

    The practice server answers in the words of a real Taiga, so its texts are left out.
    """
    for package in ("sync", "taiga_pipeline"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "sandbox" not in path.parts:
                yield from texts_of(path)


def texts_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yields the texts of one module that have at least two words."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation and " " in node.value.strip():
            yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def templates() -> Iterator[tuple[str, str]]:
    """Yields the lines of the templates of pages, with their places."""
    for path in sorted((ROOT / "taiga_pipeline").rglob("*.j2")):
        yield from lines_of(path)


def pages() -> Iterator[tuple[str, str]]:
    """Yields the lines of the pages that users read, with their places."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        yield from lines_of(path)


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yields the lines of a file, with their places."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        yield f"{path.relative_to(ROOT)}:{number}", line


@pytest.mark.parametrize("texts", [messages, templates, pages])
def test_texts_for_users_are_in_plain_words(
    texts: Callable[[], Iterator[tuple[str, str]]],
) -> None:
    unplain = [f"{place}: {text.strip()[:90]}" for place, text in texts() if UNPLAIN.search(text)]
    assert not unplain, "\n".join(unplain)


def entries() -> list[list[str]]:
    """Returns the words of the glossary, table by table, in their order."""
    tables: list[list[str]] = []
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            tables.append([])
        elif line.startswith("| ") and not line.startswith("| word |"):
            tables[-1].append(line.split("|")[1].strip())
    return tables


def test_the_glossary_has_every_term_once_and_in_order() -> None:
    words = [word for table in entries() for word in table]
    assert [word for word in TERMS if word not in words] == []
    assert len(words) == len(set(words))
    for table in entries():
        assert table == sorted(table, key=str.casefold)


def test_what_waits_for_a_person_is_explained_by_its_name() -> None:
    """Each kind of issue, as `conflicts` and its JSON name it, is in the glossary."""
    text = GLOSSARY.read_text(encoding="utf-8")
    assert [kind.value for kind in IssueKind if f"`{kind.value}`" not in text] == []


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/how-it-works.md"])
def test_the_glossary_is_linked_from_where_people_begin(page: str) -> None:
    assert "glossary.md" in (ROOT / page).read_text(encoding="utf-8")
