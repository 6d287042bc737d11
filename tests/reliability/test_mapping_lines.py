"""Whatever one line of a mapping is changed to, a run changes no more than the limits allow."""

from __future__ import annotations

import copy
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.in_memory_target import InMemoryTarget
from sync.plan.limit_settings import DEFAULTS
from sync.plan.pipeline_planner import Rules
from sync.records.model import Desired
from sync.run.runner import Options, Outcome, Runner, RunReport
from sync.state.store import StateStore
from sync.target import Place, Written
from taiga_pipeline.mapping.load import MappingErrors, parse_mapping
from taiga_pipeline.mapping.shipped import shipped_text
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.records import Kind
from taiga_pipeline.sources.mapped import MappedSource
from tests.profiles import examples
from tests.sources.test_mapped import ListedDeals
from tests.sync.world import FakeClock

MEMBERS: Final = (
    '\n[[member]]\nemail = "petra@example.com"\n'
    '\n[[member]]\nemail = "jonas@example.com"\nrole = "Back"\nwhen = "staffed"\n'
)
MAPPING: Final = shipped_text("default").replace(
    "# --- Who has the last word", MEMBERS + "\n# --- Who has the last word", 1
)
LINES: Final = MAPPING.splitlines()
WORDS: Final = (
    "lead", "qualified", "proposal", "won", "lost", "none", "tentative", "staffed", "retired",
    "never", "report", "recreate", "remove-if-untouched", "mark", "delete-if-untouched", "sales",
    "delivery", "shared", "kanban", "(maybe)", "{name}", "+9w", "Proposal", "Lead", "Won",
    "mp@example.com",
)  # fmt: skip
CHANGEABLE: Final = [
    number for number, line in enumerate(LINES) if line.strip() and not line.startswith("#")
]


class MailingTarget(InMemoryTarget):
    """A target that mails each new member."""

    def __init__(self) -> None:
        super().__init__()
        self.mailed: Counter[str] = Counter()

    def mails(self, desired: Desired) -> str:
        return desired.key.name if desired.key.kind == Kind.MEMBERSHIP else ""

    def create_child(self, desired: Desired, place: Place) -> Written:
        self.mailed.update(filter(None, [self.mails(desired)]))
        return super().create_child(desired, place)

    def __deepcopy__(self, memo: object) -> MailingTarget:
        twin = MailingTarget()
        for name, value in vars(self).items():
            if name not in ("_lock", "_ids", "faults", "mailed"):
                setattr(twin, name, copy.deepcopy(value))
        for _ in range(10_000):
            next(twin._ids)
        return twin


def deals(lost: str) -> ListedDeals:
    """Ten proposals, five more that are lost, seven won ones and eight leads."""
    stages = ["Proposal"] * 10 + [lost] * 5 + ["Won"] * 7 + ["Lead"] * 8
    return ListedDeals(
        [
            Deal(
                key=f"D-{number:02}",
                name=f"Deal {number}",
                customer="Acme",
                stage=stage,
                start=date(2026, 4, 6),
                closed_on=date(2026, 3, 1) if stage in ("Won", "Lost") else None,
            )
            for number, stage in enumerate(stages)
        ]
    )


@dataclass
class Pipeline:
    """A pipeline that is in step, to be copied."""

    folder: Path
    target: MailingTarget


def run(
    state: Path,
    mapping: str,
    target: MailingTarget,
    allow: frozenset[str] = frozenset(),
    lost: str = "Lost",
) -> RunReport:
    clock = FakeClock()
    store = StateStore(f"sqlite:///{state}", "acme", clock)
    source = MappedSource(deals(lost), parse_mapping(mapping, "m.toml"), clock)
    options = Options(rules=Rules(allow=allow), settle_seconds=0)
    try:
        return Runner(source, target, store, clock, options).run()
    finally:
        store.close()


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    made = Pipeline(tmp_path_factory.mktemp("lines"), MailingTarget())
    for lost in ("Proposal", "Lost"):
        report = run(made.folder / "state.db", MAPPING, made.target, frozenset(DEFAULTS), lost=lost)
        assert report.outcome is Outcome.DONE, report.issues
    assert len(made.target.roots) == 22
    return made


Picture = Mapping[str, tuple[str, str, frozenset[tuple[str, str]]]]


def picture(target: MailingTarget) -> Picture:
    """State, name and children of each project, by its id."""
    return {
        root.id: (
            str(root.fields["state"]),
            f"{root.fields['label']} {root.fields['title']}",
            frozenset((child.kind, child.id) for child in target.children(root.id)),
        )
        for root in target.roots
    }


def measure(before: Picture, after: Picture) -> dict[str, int]:
    """Counts what was done, as a person would who compares two lists."""
    counts: Counter[str] = Counter(create=len(after.keys() - before.keys()))
    counts["retire"] = len(before.keys() - after.keys())
    for key in before.keys() & after.keys():
        (old, name, had), (new, renamed, has) = before[key], after[key]
        counts["retire"] += new == "retired" != old
        counts["staff"] += new == "staffed" != old
        counts["rename"] += name != renamed and new not in ({"retired", "staffed"} - {old})
        lost = had - has
        counts["remove_member"] += sum(kind == Kind.MEMBERSHIP for kind, _ in lost)
        gone = any(kind != Kind.MEMBERSHIP for kind, _ in lost)
        counts["children"] += gone or bool(has - had)
    return counts


@given(data=st.data())
@settings(
    max_examples=examples(120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_one_changed_line_changes_no_more_than_the_limits_allow(
    pipeline: Pipeline, data: st.DataObject
) -> None:
    number = data.draw(st.sampled_from(CHANGEABLE), "line")
    line = LINES[number]
    changes = ["", line + "\n" + line]
    changes += [re.sub(r'"[^"]*"', f'"{word}"', line, count=1) for word in WORDS]
    changes += [re.sub(r"\d+", digits, line) for digits in ("0", "1", "99")]
    changed = data.draw(st.sampled_from(sorted(set(changes) - {line})), "changed to")
    mapping = "\n".join([*LINES[:number], changed, *LINES[number + 1 :]])
    try:
        parse_mapping(mapping)
    except MappingErrors:
        return
    state = pipeline.folder / "copy.db"
    shutil.copy(pipeline.folder / "state.db", state)
    target = copy.deepcopy(pipeline.target)
    before = picture(target)
    run(state, mapping, target)
    bound = sum(old != "retired" for old, _, _ in before.values())
    for name, count in measure(before, picture(target)).items():
        assert count <= DEFAULTS[name].allowed(bound), (name, count, line, changed)
    most = max(target.mailed.values(), default=0)
    assert most <= DEFAULTS["mails"].allowed(bound), (most, line, changed)


def test_the_pipeline_of_this_test_is_in_step(pipeline: Pipeline) -> None:
    state = pipeline.folder / "again.db"
    shutil.copy(pipeline.folder / "state.db", state)
    target = copy.deepcopy(pipeline.target)
    writes = target.writes
    report = run(state, MAPPING, target)
    assert report.outcome is Outcome.DONE
    assert target.writes == writes
