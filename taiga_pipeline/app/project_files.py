"""The configuration of a new pipeline, made from the commented template and what adapters ask."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from taiga_pipeline.adapter_settings import DEFAULT_SOURCE, DEFAULT_TARGET, WAYS_IN, ways_of
from taiga_pipeline.adapters import Setting, lines
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

if TYPE_CHECKING:
    from sync.target import Target
    from taiga_pipeline.sources.port import DealSource, SourceAdapter
    from taiga_pipeline.targets.port import TargetAdapter

_DATA: Final = "data"
_OF_SOURCES: Final = "docs/sources.md has others"


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a new pipeline: kinds of adapters, and what is known of the target.

    ``given`` holds settings of the target (``url``, ``username``) in place of examples.
    """

    source: str = DEFAULT_SOURCE
    target: str = DEFAULT_TARGET
    given: tuple[tuple[str, str], ...] = ()

    def source_adapter(self) -> SourceAdapter[DealSource]:
        """Returns the adapter for the source.

        :raises ProblemsError: it is not installed.
        """
        from taiga_pipeline.sources.registry import find

        return find(self.source)

    def target_adapter(self) -> TargetAdapter[Target]:
        """Returns the adapter for the target.

        :raises ProblemsError: it is not installed.
        """
        from taiga_pipeline.targets.registry import find

        return find(self.target)

    def target_settings(self) -> list[Setting]:
        """Returns the lines of the target's section, with what was given in them.

        :raises ProblemsError: the adapter does not know what was given.
        """
        adapter, given = self.target_adapter(), dict(self.given)
        wrong = [*self._not_taken(adapter)]
        if wrong:
            raise ProblemsError([Problem(message) for message in wrong])
        way_given = any(name in WAYS_IN for name in given)
        shown = [
            setting.holding(given.pop(setting.name))
            if setting.name in given
            else replace(setting, optional=True)
            if way_given and setting.name in WAYS_IN
            else setting
            for setting in adapter.settings
        ]
        return [*shown, *(Setting(name, value) for name, value in given.items())]

    def _not_taken(self, adapter: TargetAdapter[Target]) -> Iterator[str]:
        """Yields what is wrong with what was given."""
        common = [
            *(["url", "web_url", "ca_file"] if adapter.needs_url else []),
            *(["username", *ways_of(adapter)] if adapter.ways_in else []),
        ]
        known = [*common, *(setting.name for setting in adapter.settings)]
        for name, _ in self.given:
            if name not in known:
                yield f"{adapter.title} takes no {name}{did_you_mean(name, known)}"

    def to_fill_in(self) -> list[str]:
        """Returns the settings of the target that hold examples, and are to be filled in."""
        given = dict(self.given)
        return [
            setting.name
            for setting in self.target_adapter().settings
            if not (setting.optional or setting.name in given or setting.leads_to_secret)
        ]

    def secret(self) -> Setting | None:
        """Returns the setting that names the variable with the target's secret, if it has one."""
        shown = self.target_settings()
        return next((each for each in shown if each.leads_to_secret and not each.optional), None)


def config_text(pipeline: str, ends: Ends | None = None, **given: str) -> str:
    """Returns the commented configuration of a new pipeline.

    ``given`` are settings of the target in place of the examples.

    :raises ProblemsError: an adapter is not installed, or does not know what was given.
    """
    ends = ends or Ends(given=tuple(given.items()))
    text = (files("taiga_pipeline") / _DATA / "config.toml").read_text(encoding="utf-8")
    text = _replace(text, "pipeline", pipeline)
    source = ends.source_adapter()
    remark = f"{source.title}; {_OF_SOURCES}"
    text = _fill(text, "source", lines(ends.source, remark, source.settings))
    return _fill(text, "target", lines(ends.target, "", ends.target_settings()))


def _fill(text: str, section: str, content: str) -> str:
    """Writes an adapter's lines at the beginning of a section."""
    header = f"[{section}]\n"
    return text.replace(header, header + content, 1)


def member_table(email: str) -> str:
    """Returns the part of a mapping file that puts someone into every project."""
    return f"\n[[member]]\nemail = {json.dumps(email)}\n"


def _replace(text: str, key: str, value: str) -> str:
    pattern = re.compile(rf'^({key} = )"[^"]*"( *)', re.MULTILINE)

    def line(match: re.Match[str]) -> str:
        new = match[1] + json.dumps(value, ensure_ascii=False)
        return new.ljust(len(match[0])) if match[2] else new

    changed, count = pattern.subn(line, text, count=1)
    if not count:
        raise LookupError(f"the template has no key {key}")
    return changed


def pipeline_name(folder: str) -> str:
    """Returns a pipeline's name made from a folder's: lower-case ASCII letters, digits, dashes."""
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "pipeline"
