"""All HTML comes from templates that escape what they show, and that is unknown not to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from jinja2 import Environment, TemplateAssertionError, UndefinedError

import taiga_pipeline
from taiga_pipeline.report.page import html
from taiga_pipeline.sandbox.serving import pages
from taiga_pipeline.web.templates import templates as of_the_pages

PACKAGE: Final = Path(taiga_pipeline.__file__).parent
TEMPLATES: Final = sorted(PACKAGE.rglob("*.j2"))
ENVIRONMENTS: Final = {
    "report": html._templates(),
    "sandbox": pages.templates(),
    "web": of_the_pages(),
}
LETS_MARKUP_THROUGH: Final = re.compile(r"\|\s*safe\b|filter\s+safe|autoescape|Markup|__html__")
MADE_BY_HAND: Final = re.compile(r"</[a-z][a-z0-9]*>|\bMarkup\(|\bmarkupsafe\b")
IMITATED: Final = {"sandbox/serving/wire.py", "sandbox/routes/wiki.py"}
"""They answer as Taiga's API does: with Django's bare pages, and with a wiki page's ``html``."""


RICH_TEXT: Final = {"odoo/text.py", "targets/odoo/described.py"}
"""They write and read Odoo's fields of HTML: text is escaped sign by sign, and people's own HTML is
handed back as it came."""


def lets_markup_through(source: str) -> list[str]:
    """Returns the tags of a template by which a text could become markup."""
    tags = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", source, re.DOTALL)
    return [tag for tag in tags if LETS_MARKUP_THROUGH.search(tag)]


def environments(source: str) -> Iterator[ast.Call]:
    """Yields the calls that make an environment for templates."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Environment"):
            yield node


def escapes(call: ast.Call) -> bool:
    """Tells whether an environment escapes whatever the template is called."""
    return any(
        each.arg == "autoescape" and ast.unparse(each.value) == "True" for each in call.keywords
    )


@pytest.mark.parametrize(
    "source",
    [
        "{{ x|safe }}",
        "{{ x | upper | safe }}",
        "{%- autoescape false %}{{ x }}{% endautoescape %}",
        "{% filter safe %}{{ x }}{% endfilter %}",
        "{{ Markup(x) }}",
    ],
)
def test_what_would_let_markup_through_is_noticed(source: str) -> None:
    assert lets_markup_through(source)


@pytest.mark.parametrize(
    "source", ["Environment()", "jinja2.Environment(autoescape=select_autoescape())"]
)
def test_an_environment_that_may_not_escape_is_noticed(source: str) -> None:
    assert [escapes(call) for call in environments(source)] == [False]


@pytest.mark.parametrize("path", TEMPLATES, ids=[path.name for path in TEMPLATES])
def test_no_template_lets_markup_through(path: Path) -> None:
    assert lets_markup_through(path.read_text("utf-8")) == []


def test_every_environment_escapes() -> None:
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    sources = [source for source in sources if "Environment" in source]
    made = [call for source in sources for call in environments(source) if call.keywords]
    made = [call for call in made if any(each.arg == "loader" for each in call.keywords)]
    assert len(made) == len(ENVIRONMENTS)
    assert all(map(escapes, made))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_templates_escape_and_name_what_they_lack(name: str) -> None:
    templates: Environment = ENVIRONMENTS[name]
    for each in templates.list_templates():
        templates.get_template(each)  # it can be read
    assert templates.from_string("{{ x }}").render(x="<b>'\"&") == "&lt;b&gt;&#39;&#34;&amp;"
    with pytest.raises(UndefinedError, match="'y' is undefined"):
        templates.from_string("{{ y }}").render()
    with pytest.raises(TemplateAssertionError, match="safe"):
        templates.from_string("{{ x|safe }}")


def test_every_template_is_in_an_environment() -> None:
    known = {Path(each).name for one in ENVIRONMENTS.values() for each in one.list_templates()}
    assert {path.name for path in TEMPLATES} <= known


@pytest.mark.parametrize("name", ["report", "web"])
def test_a_page_shows_what_hides_or_reorders_text(name: str) -> None:
    shown = ENVIRONMENTS[name].from_string("{{ x }}").render(x="a\u202eb\x1b")
    assert shown == r"a\u202eb\x1b"


def test_no_html_is_put_together_outside_of_templates() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if MADE_BY_HAND.search(path.read_text("utf-8"))
    }
    assert found <= IMITATED | RICH_TEXT


def test_what_a_form_sends_back_is_what_it_was_given_letter_by_letter() -> None:
    """Elsewhere, what hides in a text is made visible; in a form it would be saved so."""
    changed = [
        f"{path.name}: {value}"
        for path in TEMPLATES
        if "web" in path.parts
        for value in re.findall(r'value="\{\{[^}]*\}\}"', path.read_text(encoding="utf-8"))
        if "|exact }}" not in value
    ]
    assert not changed
