"""Finds the texts for people in the program's source.

Three kinds: those that are written with ``_``, ``plural``, ``counted`` and ``marked``; helps of the
command line; and sentences of the layers below the surface, and of errors that the surface raises,
which are recognised where they are shown (`taiga_pipeline.language.recognising`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taiga_pipeline.language.texts import many_of

ROOT: Final = Path(__file__).parents[2]
SURFACES: Final = ("cli", "report", "portfolio", "notify", "web")
"""Packages that write for people: their texts are written with ``_``."""
_AS_BELOW: Final = ("portfolio", "notify")
"""Those of them whose reasons and outcomes are kept, and recognised where they are shown."""
_RAISES: Final = "web"
"""The one whose errors are, too."""
_NOT_SHOWN: Final = ("language", "sandbox", "data", "shipped_mappings")
_WRAPPERS: Final = ("_", "marked")
_WORDS: Final = re.compile(r"[A-Za-z]{2,}[,;:]? [A-Za-z{'(]")
_SQL: Final = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|BEGIN|WITH|SET LOCAL)\b"
)
_LEAST_LETTERS: Final = 8
"""Letters of a sentence's own, below which it would be recognised in what people wrote."""
_DESCRIPTIVE: Final = (
    "taiga_pipeline/mapping/model.py",
    "taiga_pipeline/pipeline/fields/headers.py",
    "taiga_pipeline/pipeline/fields/table.py",
    "taiga_pipeline/people/roster_headers.py",
    "taiga_pipeline/pipeline/schema.py",
    "taiga_pipeline/app/sample.py",
    "taiga_pipeline/api_reference.py",
    "sync/in_memory_target.py",
    "taiga_pipeline/people/event_meaning.py",
    *(
        f"taiga_pipeline/pipeline/values/{name}.py"
        for name in ("blank", "currencies", "currency_names", "months", "numbers", "units")
    ),
)
"""Modules whose texts describe (schemas, docs) or are looked for: what they raise is read."""
_ELSEWHERE: Final = ("_", "marked", "plural")
_LOGS: Final = ("debug", "info", "warning", "error", "exception", "log", "critical")
_NOT_READ: Final = ("compile", "text", "execute", "DDL", "fullmatch", "match", "sub", "strptime")


@dataclass(frozen=True, slots=True)
class Found:
    """A text in the source: one form, or two for a text with a number."""

    message: str
    plural: str = ""
    context: str = ""
    place: str = ""


def sources(*packages: str) -> Iterator[Path]:
    """Yields the modules of packages (paths from the root)."""
    for package in packages:
        path = ROOT / package
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def surface_modules() -> Iterator[Path]:
    """Yields the modules that write for people."""
    yield from sources(*(f"taiga_pipeline/{name}" for name in SURFACES))


def lower_modules() -> Iterator[Path]:
    """Yields the modules below the surface."""
    for path in sources("sync", "taiga_pipeline"):
        parts = path.relative_to(ROOT).parts
        if parts[0] == "sync" or parts[1] not in (*SURFACES, *_NOT_SHOWN):
            yield path


def recognised() -> Iterator[tuple[Path, str]]:
    """Yields modules with the sentences of theirs that are recognised where they are shown."""
    for path in (*lower_modules(), *sources(*(f"taiga_pipeline/{name}" for name in _AS_BELOW))):
        yield from ((path, message) for _line, message in sentences(path))
    for path in sources(f"taiga_pipeline/{_RAISES}"):
        yield from ((path, message) for _line, message in sentences(path, raised_only=True))


def wrapped(path: Path) -> Iterator[Found]:
    """Yields the texts that a module writes with the functions of `taiga_pipeline.language`."""
    place = str(path.relative_to(ROOT))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        texts = [literal(argument) for argument in node.args]
        if node.func.id in _WRAPPERS and texts and texts[0]:
            yield Found(texts[0], place=place)
        elif node.func.id == "plural" and len(texts) == 3 and texts[0] and texts[1]:
            yield Found(texts[0], texts[1], place=place)
        elif node.func.id == "counted" and len(texts) == 2:
            yield from (counted(noun, place) for noun in nouns(node.args[1]))


def counted(noun: str, place: str) -> Found:
    """Returns the text that `taiga_pipeline.language.counted` makes of a noun."""
    return Found(f"{{number:,}} {noun}", f"{{number:,}} {many_of(noun)}", place=place)


def nouns(node: ast.expr) -> Iterator[str]:
    """Yields the nouns that an argument may be: a text, or one of two."""
    if isinstance(node, ast.IfExp):
        yield from nouns(node.body)
        yield from nouns(node.orelse)
    elif found := literal(node):
        yield found


def literal(node: ast.expr) -> str:
    """Returns a text that stands in the source, "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def sentences(path: Path, *, raised_only: bool = False) -> Iterator[tuple[int, str]]:
    """Yields lines and sentences, as templates: ``{name}`` for what is not in the source."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unread = set(_unread(tree))
    if raised_only or is_descriptive(path):
        unread |= set(_not_raised(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and id(node) not in unread:
            found = template(node)
            if found is not None:
                unread.update(id(each) for each in ast.walk(node) if template(each) is not None)
                unread.update(id(each) for each in _pieces(node))
                if is_sentence(found):
                    yield node.lineno, found


def is_descriptive(path: Path) -> bool:
    """Tells whether only what a module raises is read by people."""
    place = str(path.relative_to(ROOT))
    return place in _DESCRIPTIVE or path.name == "reference.py"


def _not_raised(tree: ast.AST) -> Iterator[int]:
    raised = {id(each) for n in ast.walk(tree) if _raises(n) for each in ast.walk(n)}
    yield from (id(each) for each in ast.walk(tree) if id(each) not in raised)


def _raises(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("Problem", "_problem")
    )


def is_sentence(message: str) -> bool:
    """Tells whether a text is words for people rather than a name, SQL or a pattern."""
    own = re.sub(r"{.*?}", "", message)
    letters = sum(map(str.isalpha, own))
    return (
        letters >= _LEAST_LETTERS
        and bool(_WORDS.search(message))
        and not _SQL.match(message)
        and "\\" not in message
        and message.count("|") < 2
    )


def template(node: ast.AST) -> str | None:
    """Returns a text in the source as a template, None for what is none."""
    names = _Names()
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        return _joined(node, names)
    return None


def _joined(node: ast.AST, names: _Names) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_joined(each, names) or "" for each in node.values)
    if isinstance(node, ast.FormattedValue):
        return f"{{{names.of(node.value)}}}"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _joined(node.left, names), _joined(node.right, names)
        if left is None and right is None:
            return None
        left = f"{{{names.of(node.left)}}}" if left is None else left
        return left + (f"{{{names.of(node.right)}}}" if right is None else right)
    return None


def _pieces(node: ast.AST) -> Iterator[ast.AST]:
    """Yields the constants of which a text is made: they are no texts themselves."""
    if isinstance(node, ast.JoinedStr):
        yield from (each for each in node.values if isinstance(each, ast.Constant))
        for each in node.values:
            if isinstance(each, ast.FormattedValue) and each.format_spec is not None:
                yield from ast.walk(each.format_spec)
    elif isinstance(node, ast.BinOp):
        yield node.left
        yield node.right
        yield from _pieces(node.left)
        yield from _pieces(node.right)


class _Names:
    """Names of places: what stands there in the source, each once."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def of(self, node: ast.expr) -> str:
        name = base = name_of(node)
        number = 1
        while name in self._used:
            number += 1
            name = f"{base}{number}"
        self._used.add(name)
        return name


def name_of(node: ast.expr) -> str:
    """Returns what to call a value: the last name that stands in its expression."""
    if isinstance(node, ast.Call):
        return _name_of_call(node)
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        return name_of(node.elt)
    name = getattr(node, "id", "") or getattr(node, "attr", "")
    return str(name).lower().strip("_") or "value"


def _name_of_call(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in ("join", "get", "format"):
        return name_of(node.args[0]) if node.args else "value"
    return name_of(function)


def _unread(tree: ast.AST) -> Iterator[int]:
    """Yields the expressions that nobody reads: docstrings, log lines, patterns, SQL, types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        elif isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            name = function.id if isinstance(function, ast.Name) else name
            if name in _ELSEWHERE:
                yield from (id(each) for part in node.args[:2] for each in ast.walk(part))
            if name in _NOT_READ or (name in _LOGS and isinstance(function, ast.Attribute)):
                yield from (id(each) for part in node.args for each in ast.walk(part))
            if name == "split" and isinstance(function, ast.Attribute):  # a list of words
                yield id(function.value)
        elif isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            yield from (id(each) for each in ast.walk(node.annotation))


def all_wrapped() -> Iterable[Found]:
    """Returns the texts that modules write with the functions of `taiga_pipeline.language`."""
    return [found for path in sources("taiga_pipeline") for found in wrapped(path)]
